/** The secret of an installation: what unknown login names are answered with comes from it, and must not change over a restart. */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@postern/core/host'

const SECRET_OCTETS = 32

/**
 * Reads the secret kept in a data directory, making it at the first start.
 * @returns 32 octets  @throws Error when the file is there and isn't 32 octets long
 */
export async function loadInstallSecret(dataDir: string, random: Random): Promise<Uint8Array> {
  const path = join(dataDir, 'install.key')
  try {
    const secret = await readFile(path)
    if (secret.length !== SECRET_OCTETS) throw new Error(`${path} is damaged: ${secret.length} octets instead of ${SECRET_OCTETS}`)
    return new Uint8Array(secret)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secret = random(SECRET_OCTETS)
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
  return secret
}
