/** Secrets an installation keeps in files of its own: made at the first start, durable before they are used. */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Random } from '@postern/core/host'
import { syncDirectory } from '../store/sync-directory.ts'

/**
 * Reads a secret, making it when it isn't there.
 * @returns so many octets  @throws Error when the file is there and of another length
 */
export async function loadSecretFile(path: string, octets: number, random: Random): Promise<Uint8Array> {
  const kept = await readSecretFile(path, octets)
  if (kept !== undefined) return kept
  const secret = random(octets)
  const draft = `${path}.new`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(secret)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  await syncDirectory(dirname(path))
  return secret
}

/** @returns undefined when there is no such file  @throws Error when it is of another length */
export async function readSecretFile(path: string, octets: number): Promise<Uint8Array | undefined> {
  let secret: Buffer
  try {
    secret = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (secret.length !== octets) throw new Error(`${path} is damaged: ${secret.length} octets instead of ${octets}`)
  return new Uint8Array(secret)
}
