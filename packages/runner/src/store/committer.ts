/**
 * The ordered store on LMDB: the one file that knows it. Batches of all partitions are committed in groups, each group
 * in one synchronous callback of one abortable transaction, durable before anyone is told.
 *
 * What lmdb-js demands, and why nothing here may be "simplified":
 * - `transaction` and `batch` don't roll back when their callback throws; an asynchronous callback lets strangers'
 *   writes join
 *   and be lost; `transactionSync` makes the event loop wait for the disk. So: `childTransaction` and nothing else.
 * - `getBinaryFast` gives a shared 16 MiB buffer whose `length` lies: searching or copying without an end reads other
 *   values. It is cut to its length and copied, or compared, before anything else happens.
 * - The promise of a failed commit carries a second one, which must be handled too.
 */
import type { Clock, Logger } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import type { RootDatabase } from 'lmdb'
import { open } from 'lmdb'
import { ColdReads } from './cold-reads.ts'
import type { DiskSpace } from './disk-space.ts'
import { plain } from './fresh-octets.ts'
import type { Waiting } from './group-queue.ts'
import { GroupQueue } from './group-queue.ts'
import type { Batch, Entry, Expectation, KeyRange, OrderedStore, Reader } from './ordered-store.ts'
import { LIMITS, checkBatch } from './ordered-store.ts'

/** Options of durability and of the free list. A test fails when one of them is weakened. */
export const LMDB_OPTIONS = {
  keyEncoding: 'binary',
  encoding: 'binary',
  pageSize: 8192,
  /** The classic commit with two meta pages: a resolved promise means synced. */
  overlappingSync: false,
  /** With it a failed commit leaves promises that nobody can handle. */
  eventTurnBatching: false,
  maxReaders: 1000,
  // Undocumented: how much of the free list is held and rewritten with each commit.
  maxFreeSpaceToLoad: 1000,
  maxFreeSpaceToRetain: 2000,
} as const

/** LIMIT: beyond this the disk can't follow; senders are told to come back. */
const MAX_WAITING_BATCHES = 10_000
const MAX_WAITING_OCTETS = 256 * 1_048_576

/**
 * LIMIT: free space below this after a failed commit means the disk was full: a commit, its free list and a new leaf
 * level.
 */
const FULL_OCTETS = 16 * 1_048_576

export interface CommitterOptions {
  /** The store's file; LMDB keeps its lock file beside it, which nothing else in this process may open and close. */
  readonly path: string
  readonly clock: Clock
  readonly log: Logger
  readonly disk: Pick<DiskSpace, 'freeOctets'>
  /** Called for every group when it is about to be committed: its number of batches. For metrics and tests. */
  readonly onGroup?: (batches: number) => void
}

/** An ordered store in a file of its own. */
export interface Committer extends OrderedStore {
  /** Other processes that have the file open, as LMDB's reader table and its locks tell: dead ones don't count. */
  otherProcesses(): number[]
  /** Page size of the file and depth of its tree. */
  stats(): { readonly pageOctets: number; readonly entries: number; readonly depth: number }
}

/** @throws Error of LMDB when the file can't be opened */
export function openCommitter(options: CommitterOptions): Committer {
  const db: RootDatabase<Uint8Array, Uint8Array> = open({ path: options.path, noSubdir: true, ...LMDB_OPTIONS })
  return new LmdbCommitter(db, options)
}

class LmdbCommitter implements Committer {
  readonly limits = LIMITS
  readonly #db: RootDatabase<Uint8Array, Uint8Array>
  readonly #options: CommitterOptions
  readonly #waiting = new GroupQueue()
  readonly #cold: ColdReads
  /** Settles when no commit is under way; never rejects. */
  #running: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #failure: unknown
  #reading = false

  readonly #reader: Reader = {
    get: (key) => {
      const octets: Uint8Array | undefined = this.#db.getBinaryFast(key)
      return octets === undefined ? undefined : plain(octets).slice()
    },
    look: (key, read) => {
      const octets: Uint8Array | undefined = this.#db.getBinaryFast(key)
      return read(octets === undefined ? undefined : plain(octets))
    },
    range: ({ from, to, reverse, limit }) => {
      const bounds =
        reverse === true
          ? { start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true }
          : { start: from, end: to }
      const entries: Entry[] = []
      if (limit < 1) return entries
      for (const { key, value } of this.#db.getRange({ ...bounds, limit })) {
        // Both are copies already, as Buffers.
        entries.push({ key: plain(key), value: plain(value) })
      }
      return entries
    },
  }

  constructor(db: RootDatabase<Uint8Array, Uint8Array>, options: CommitterOptions) {
    this.#db = db
    this.#options = options
    this.#cold = new ColdReads(options.clock)
  }

  get writable(): boolean {
    return this.#failure === undefined && this.#closing === undefined
  }

  async read<T>(_partition: Uint8Array, fn: (reader: Reader) => T): Promise<T> {
    return this.#slice(fn)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return []
    if (this.#cold.isCold()) await this.#prefetch(keys)
    return this.#slice((reader) => keys.map((key) => reader.get(key)), keys.length)
  }

  async range(range: KeyRange): Promise<Entry[]> {
    if (this.#cold.isCold()) await this.#prefetch(this.#keysOf(range))
    return this.#slice((reader) => reader.range(range), range.limit)
  }

  async commit(batch: Batch): Promise<'committed' | 'conflict'> {
    this.#assertOpen()
    if (this.#failure !== undefined) throw this.#failed()
    const cost = checkBatch(batch)
    if (this.#waiting.count >= MAX_WAITING_BATCHES || this.#waiting.octets + cost.octets > MAX_WAITING_OCTETS) {
      throw new StoreError('STORE_BUSY', 'Too much is waiting to be committed')
    }
    return new Promise((resolve, reject) => {
      this.#waiting.add({ batch, cost, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  otherProcesses(): number[] {
    // A read takes this process's own place in the table, where others find it.
    this.#slice((reader) => reader.get(Uint8Array.of(0)))
    this.#db.readerCheck()
    const pids = this.#db
      .readerList()
      .split('\n')
      .map((line) => /^\s*(\d+)\s/.exec(line)?.[1])
      .filter((pid) => pid !== undefined)
      .map(Number)
    return [...new Set(pids)].filter((pid) => pid !== process.pid)
  }

  stats(): { pageOctets: number; entries: number; depth: number } {
    const { pageSize, entryCount, treeDepth } = this.#db.getStats() as Record<string, number | undefined>
    return { pageOctets: pageSize ?? 0, entries: entryCount ?? 0, depth: treeDepth ?? 0 }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('STORE_CLOSED', 'Store is closed')
  }

  #failed(): StoreError {
    return new StoreError('STORE_FAILED', 'A commit failed; the store takes no more changes until restart', {
      cause: this.#failure,
    })
  }

  /** Runs `fn` on one snapshot: LMDB's is renewed between turns of the event loop only. */
  #slice<T>(fn: (reader: Reader) => T, reads = 0): T {
    this.#assertOpen()
    if (this.#reading) throw new Error('A slice may not start another read')
    this.#reading = true
    const started = this.#options.clock.monotonic()
    try {
      return fn(this.#reader)
    } finally {
      this.#reading = false
      this.#cold.took(this.#options.clock.monotonic() - started, reads)
    }
  }

  /** Has LMDB's own thread touch the pages of these keys, so that page faults don't stop the event loop. */
  async #prefetch(keys: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen()
    await this.#db.prefetch([...keys])
  }

  #keysOf({ from, to, reverse, limit }: KeyRange): Uint8Array[] {
    this.#assertOpen()
    const bounds =
      reverse === true
        ? { start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true }
        : { start: from, end: to }
    return [...this.#db.getKeys({ ...bounds, limit })]
  }

  async #close(): Promise<void> {
    while (this.#running !== undefined) await this.#running
    await this.#db.close()
  }

  async #run(): Promise<void> {
    while (this.#waiting.count > 0) await this.#commitGroup()
    this.#running = undefined
  }

  async #commitGroup(): Promise<void> {
    let group: readonly Waiting[] = []
    let outcomes: ('committed' | 'conflict')[] | undefined
    try {
      await this.#db.childTransaction(() => {
        // Taken as late as this, so that all that came while the transaction was being opened goes along.
        group = this.#waiting.take()
        this.#options.onGroup?.(group.length)
        outcomes = group.map(({ batch }) => this.#apply(batch))
      })
    } catch (error) {
      silenceCommitError(error, this.#options.log)
      if (outcomes !== undefined || group.length === 0) await this.#commitFailed(group, error)
      else this.#isolate(group, error)
      return
    }
    for (const [index, { resolve }] of group.entries()) resolve(outcomes?.[index] ?? 'conflict')
  }

  /**
   * Inside the transaction. All expectations are checked before the first put, so that a conflict leaves nothing to
   * undo.
   */
  #apply(batch: Batch): 'committed' | 'conflict' {
    for (const expectation of batch.expect ?? []) {
      if (!this.#holds(expectation)) return 'conflict'
    }
    for (const { key, value } of batch.put ?? []) void this.#db.put(key, value)
    for (const key of batch.delete ?? []) void this.#db.remove(key)
    return 'committed'
  }

  #holds({ key, value }: Expectation): boolean {
    const stored: Uint8Array | undefined = this.#db.getBinaryFast(key)
    if (stored === undefined || value === undefined) return stored === undefined && value === undefined
    return Buffer.compare(plain(stored), value) === 0
  }

  /**
   * A batch could not be applied; the transaction was undone. Each is tried once by itself, so that only that one
   * fails.
   */
  #isolate(group: readonly Waiting[], error: unknown): void {
    if (group.length > 1) return this.#waiting.addAlone(group)
    for (const { reject } of group) reject(error)
  }

  async #commitFailed(group: readonly Waiting[], cause: unknown): Promise<void> {
    const freeOctets = await this.#options.disk.freeOctets().catch(() => undefined)
    if (group.length > 0 && freeOctets !== undefined && freeOctets < FULL_OCTETS) {
      this.#options.log.error({ err: cause, freeOctets }, 'Commit failed: disk is full')
      for (const { reject } of group) reject(new StoreError('STORE_FULL', 'Disk is full', { cause }))
      return
    }
    // What the disk holds now is uncertain. Going on could tell clients of changes that are not there after a restart.
    this.#failure = cause
    this.#options.log.error({ err: cause, freeOctets }, 'Commit failed: store takes no more changes until restart')
    const failed = this.#failed()
    for (const { reject } of group) reject(failed)
    for (let rest = this.#waiting.take(); rest.length > 0; rest = this.#waiting.take()) {
      for (const { reject } of rest) reject(failed)
    }
  }
}

/** The error of a failed commit carries a promise of its cause, which would end the process when nobody handles it. */
function silenceCommitError(failure: unknown, log: Logger): void {
  const cause: unknown =
    failure instanceof Error ? (failure as Error & { commitError?: unknown }).commitError : undefined
  if (cause instanceof Promise) {
    cause.catch((reason: unknown) => log.error({ err: reason }, 'Cause of the failed commit'))
  }
}
