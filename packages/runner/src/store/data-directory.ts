/**
 * The data directory of a server, opened: its store, its blobs, its disk. Everything that is served from it hangs on
 * this.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Logger, Random } from '@postern/core/host'
import { openBlobFiles } from './blob-files.ts'
import type { BlobFiles } from './blob-files.ts'
import type { Committer } from './committer.ts'
import { openCommitter } from './committer.ts'
import type { DiskSpace } from './disk-space.ts'
import { createDiskSpace } from './disk-space.ts'
import { assertAlone, claimStore, lockInProcess } from './store-lock.ts'
import type { StoredBlobs } from './stored-blobs.ts'
import { createStoredBlobs } from './stored-blobs.ts'

const STORE_FILE = 'store.mdb'
const BLOB_DIRECTORY = 'blobs'
const SPOOL_DIRECTORY = 'tmp'

export interface DataDirectoryOptions {
  /** Created when it isn't there. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Free disk space below which no mail is taken. Default: 256 MiB or 5 %, whichever is less. */
  readonly reserveOctets?: number
}

export interface DataDirectory {
  readonly store: Committer
  readonly disk: DiskSpace
  readonly files: BlobFiles
  readonly blobs: StoredBlobs
  /** For temporary files of messages coming in; in the same file system as the blobs. */
  readonly spoolDirectory: string
  /** Waits for the commits under way. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens a data directory for this process alone. Rejects with `StoreError`: STORE_LOCKED when another process or
 * another server of this one has it, STORE_COPIED, STORE_FORMAT.
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const { directory, clock, random, log, reserveOctets } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const unlock = lockInProcess(directory)
  let store: Committer | undefined
  try {
    const disk = await createDiskSpace({
      directory,
      clock,
      log,
      ...(reserveOctets === undefined ? {} : { reserveOctets }),
    })
    store = openCommitter({ path: join(directory, STORE_FILE), clock, log, disk })
    assertAlone(store, directory)
    await claimStore(store, directory, random)
    const assertRoom = (octets: number): Promise<void> => disk.assertRoom(octets)
    const files = await openBlobFiles({ directory: join(directory, BLOB_DIRECTORY), clock, random, assertRoom })
    return openedDirectory({
      store,
      disk,
      files,
      blobs: createStoredBlobs({ store, files, clock }),
      spoolDirectory: join(directory, SPOOL_DIRECTORY),
      unlock,
    })
  } catch (error) {
    await store?.close()
    unlock()
    throw error
  }
}

function openedDirectory({
  unlock,
  ...opened
}: Omit<DataDirectory, 'close'> & { readonly unlock: () => void }): DataDirectory {
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    await opened.store.close()
    await opened.files.close()
    unlock()
  }
  return {
    ...opened,
    close() {
      closing ??= close()
      return closing
    },
  }
}
