/**
 * Who may serve a store: one process, in one installation, that knows its format.
 *
 * The lock is LMDB's own reader table: every process that has the file open holds a POSIX lock on an octet of the lock
 * file, which the kernel drops when the process dies, however it dies. So there is nothing to go stale: no lock file
 * left behind by `kill -9`, no process id taken for another that has it by now.
 */
import { realpathSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import type { Committer } from './committer.ts'
import { serverKeys } from './server-keys.ts'
import type { OrderedStore } from './ordered-store.ts'
import { decodeNumber, encodeNumber } from './server-records.ts'
import { syncDirectory } from './sync-directory.ts'

/** Raised when older versions can't read what this one writes. */
export const FORMAT_VERSION = 1
const INSTALL_FILE = 'install-id'
const INSTALL_OCTETS = 16

/** Stores open in this process: LMDB shares them silently, so nobody else would notice a second opening. */
const openHere = new Set<string>()

/**
 * Marks a directory as served by this process. @returns unmarks it @throws StoreError STORE_LOCKED when it is already
 */
export function lockInProcess(directory: string): () => void {
  const path = realpathSync(directory)
  if (openHere.has(path))
    throw new StoreError('STORE_LOCKED', `The store in ${directory} is open already in this process`)
  openHere.add(path)
  return () => {
    openHere.delete(path)
  }
}

/** @throws StoreError STORE_LOCKED when another process has the store open; the caller closes its own handle then */
export function assertAlone(store: Pick<Committer, 'otherProcesses'>, directory: string): void {
  const [pid, ...more] = store.otherProcesses()
  if (pid === undefined) return
  const who = more.length === 0 ? `process ${pid}` : `processes ${[pid, ...more].join(', ')}`
  throw new StoreError('STORE_LOCKED', `The store in ${directory} is open in ${who}; one process serves a store`)
}

/**
 * Checks format and installation; an empty store is given both. To be called once no other process has the store open.
 * Rejects with `StoreError` STORE_FORMAT when a newer version wrote it, STORE_COPIED when the file was put here from
 * elsewhere: mail would be shown under numbers that clients know for other mail.
 */
export async function claimStore(store: OrderedStore, directory: string, random: Random): Promise<void> {
  const [format, install] = await store.getMany([serverKeys.format, serverKeys.install])
  if (format === undefined || install === undefined) return createIdentity(store, directory, random)

  const version = decodeNumber(format)
  if (version > FORMAT_VERSION) {
    throw new StoreError(
      'STORE_FORMAT',
      `The store in ${directory} has format ${version}, written by a newer version; ` +
        `this one reads up to ${FORMAT_VERSION}`,
    )
  }
  if ((await readInstallId(directory)) !== toHex(install)) {
    throw new StoreError(
      'STORE_COPIED',
      `The store in ${directory} does not belong to this installation: ${INSTALL_FILE} is missing or differs; ` +
        'a copy or a backup must be put in place with the restore command',
    )
  }
}

/** File first: a crash in between leaves an empty store, which is given a new identity. */
async function createIdentity(store: OrderedStore, directory: string, random: Random): Promise<void> {
  const install = random(INSTALL_OCTETS)
  await writeInstallId(directory, toHex(install))
  const outcome = await store.commit({
    partition: serverKeys.partition,
    expect: [{ key: serverKeys.install, value: undefined }],
    put: [
      { key: serverKeys.format, value: encodeNumber(FORMAT_VERSION) },
      { key: serverKeys.install, value: install },
    ],
  })
  if (outcome === 'conflict') throw new StoreError('STORE_LOCKED', `Another process creates the store in ${directory}`)
}

async function readInstallId(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, INSTALL_FILE), 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeInstallId(directory: string, id: string): Promise<void> {
  const path = join(directory, INSTALL_FILE)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(`${id}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncDirectory(directory)
}

function toHex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}
