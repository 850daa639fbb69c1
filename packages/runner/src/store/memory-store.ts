/**
 * The mail store in memory: the same as on disk in everything but that it is gone at exit. For tests and for trying
 * out.
 */
import type { Clock, Logger, Random } from '@postern/core/host'
import { silentLogger } from '@postern/core/host'
import type { MailStore } from '@postern/core/store'
import { systemClock } from '../host/clock.ts'
import { systemRandom } from '../host/random.ts'
import { createMemorySpooler } from '../host/spool.ts'
import type { OpenMailStore } from './mail-store.ts'
import { createMailStore } from './mail-store.ts'
import { createMemoryBlobs } from './memory-blobs.ts'
import { createMemoryOrderedStore } from './memory-ordered-store.ts'
import type { OrderedStore } from './ordered-store.ts'
import type { StoredBlobs } from './stored-blobs.ts'

export interface MemoryStoreOptions {
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
}

/** A store that keeps everything in memory and nothing beyond the process. */
export function memoryStore(options: MemoryStoreOptions = {}): MailStore {
  return openOverMemory(createMemoryOrderedStore(), createMemoryBlobs(), options)
}

/** The same over an engine that someone else holds too. */
export function openOverMemory(
  store: OrderedStore,
  blobs: StoredBlobs,
  options: MemoryStoreOptions = {},
): OpenMailStore {
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options
  const spooler = createMemorySpooler({ random })
  return createMailStore({
    info: { engine: 'memory', shared: false, durable: 'never' },
    store,
    blobs,
    spool: () => spooler.spool(),
    clock,
    random,
    logger,
    close: () => store.close(),
  })
}
