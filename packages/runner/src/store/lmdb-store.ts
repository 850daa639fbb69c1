/** The mail store in a directory: LMDB for everything small, files for large bodies. */
import type { Clock, Logger, Random } from '@postern/core/host'
import { silentLogger } from '@postern/core/host'
import { systemClock } from '../host/clock.ts'
import { systemRandom } from '../host/random.ts'
import { createSpooler } from '../host/spool.ts'
import { collectBlobs } from './blob-collector.ts'
import { openDataDirectory } from './data-directory.ts'
import type { OpenMailStore } from './mail-store.ts'
import { createMailStore } from './mail-store.ts'

export interface LmdbStoreOptions {
  /** Created when it isn't there. */
  readonly dir: string
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  /** Free disk space below which no mail is taken. Default: 256 MiB or 5 %, whichever is less. */
  readonly reserveOctets?: number
  /** Octets of messages coming in that are held in memory, all together. Default 256 MiB. */
  readonly bufferOctets?: number
}

/**
 * Opens the store in a directory for this process alone. What it resolves survives power loss.
 * Rejects with `StoreError` STORE_LOCKED, STORE_COPIED or STORE_FORMAT.
 */
export async function lmdbStore(options: LmdbStoreOptions): Promise<OpenMailStore> {
  const { dir, reserveOctets, bufferOctets } = options
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options
  const data = await openDataDirectory({
    directory: dir,
    clock,
    random,
    log: logger,
    ...(reserveOctets === undefined ? {} : { reserveOctets }),
  })
  try {
    const spooler = await createSpooler({
      directory: data.spoolDirectory,
      random,
      assertRoom: (octets) => data.disk.assertRoom(octets),
      ...(bufferOctets === undefined ? {} : { budgetOctets: bufferOctets }),
    })
    return createMailStore({
      info: { engine: 'lmdb', shared: false, durable: 'commit' },
      store: data.store,
      blobs: data.blobs,
      spool: () => spooler.spool(),
      clock,
      random,
      logger,
      hasRoom: () => data.disk.accepting,
      collect: async () => void (await collectBlobs({ store: data.store, files: data.files, clock, log: logger })),
      close: () => data.close(),
    })
  } catch (cause) {
    await data.close()
    throw cause
  }
}
