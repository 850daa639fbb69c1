/**
 * The engine contract under the domain: octet keys in order, atomic batches with expectations. What a key or value
 * means is not known here. LMDB fulfils it in `committer.ts`, memory in `memory-ordered-store.ts`.
 */

/** A key and what is stored under it. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What must be under a key for a batch to be committed; `undefined`: nothing. */
export interface Expectation {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/**
 * Changes that happen together or not at all, within one partition: the scope in which expectations are serialised.
 * Each of the three lists ascends by key without repetition; no key is both put and deleted. There are no range
 * deletes: a range goes in slices. Octets are not copied and must not change before the commit has settled.
 */
export interface Batch {
  /** Prefix that every key of the batch begins with. */
  readonly partition: Uint8Array
  readonly expect?: readonly Expectation[]
  readonly put?: readonly Entry[]
  readonly delete?: readonly Uint8Array[]
  /**
   * A change that can't be cut into slices (COPY is all or nothing, RFC 9051 §6.4.7): committed alone, under the large
   * limits.
   */
  readonly large?: boolean
}

/** Keys `from` (inclusive) to `to` (exclusive). */
export interface KeyRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** Descending: begins at the highest key below `to`. */
  readonly reverse?: boolean
  /** Entries at most, ≥ 1. */
  readonly limit: number
}

/** Reads of one moment; valid only during the call it was given to. What it returns are copies. */
export interface Reader {
  get(key: Uint8Array): Uint8Array | undefined
  /** Spares the copy: gives what `read` finds in the octets, which are there while it runs. It makes no other read. */
  look<T>(key: Uint8Array, read: (octets: Uint8Array | undefined) => T): T
  range(range: KeyRange): Entry[]
}

export interface OrderedStore {
  /**
   * Runs `fn` at once on one moment's state. It is synchronous, at most 5 ms or 256 KiB, and starts no other read;
   * longer work is a row of such slices. `partition` tells a remote engine where the reads go.
   */
  read<T>(partition: Uint8Array, fn: (reader: Reader) => T): Promise<T>
  /** Copies, in the order of the keys. Cold pages are fetched off the event loop. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /** One batch; the caller goes on from the last key. */
  range(range: KeyRange): Promise<Entry[]>
  /**
   * `committed` means durable, `conflict` that an expectation did not hold and nothing was written.
   * Rejects with `StoreError` STORE_FULL, STORE_FAILED or STORE_CLOSED, with `StoreUnknown` when nobody knows whether
   * it was committed, with `BatchError` when the batch breaks the limits or the form; then nothing was written.
   */
  commit(batch: Batch): Promise<'committed' | 'conflict'>
  readonly limits: typeof LIMITS
  /** False after a commit failed: every further one is refused. */
  readonly writable: boolean
  /** Waits for the commits under way. Idempotent. */
  close(): Promise<void>
}

/** What every engine enforces alike. */
export const LIMITS = {
  /**
   * LIMIT: one overflow page of an 8 KiB-page store; longer runs of pages make each later commit search the free list.
   */
  valueOctets: 8100,
  keyOctets: 511,
  /** Puts and deletes together. LIMIT: larger commits gave no throughput and stop the event loop longer. */
  batchPuts: 512,
  batchOctets: 1_048_576,
  /** LIMIT: a COPY of a million messages touches 7,813 pages and as many reference records. */
  largeBatchPuts: 16_384,
  largeBatchOctets: 64 * 1_048_576,
} as const

/** The outcome of a commit is unknown (a connection broke after sending): ask the store, never just send again. */
export class StoreUnknown extends Error {
  override readonly name = 'StoreUnknown'
  readonly code = 'STORE_UNKNOWN'
}

/** A batch breaks the limits or the form: a fault of its writer; others are not touched by it. */
export class BatchError extends Error {
  override readonly name = 'BatchError'
  readonly code = 'STORE_BATCH'
}

/** Octets of its keys and values, and puts and deletes. */
export interface BatchCost {
  readonly puts: number
  readonly octets: number
}

/** Checks form and limits, so that no engine meets a batch another would refuse. @throws BatchError */
export function checkBatch(batch: Batch): BatchCost {
  const { partition } = batch
  if (partition.length === 0) throw new BatchError('Partition is empty')
  const puts = batch.put ?? []
  const deletes = batch.delete ?? []
  checkKeys(
    partition,
    (batch.expect ?? []).map((expectation) => expectation.key),
    'Expected',
  )
  checkKeys(
    partition,
    puts.map((entry) => entry.key),
    'Put',
  )
  checkKeys(partition, deletes, 'Deleted')
  checkDisjoint(puts, deletes)

  let octets = 0
  for (const { key, value } of puts) {
    if (value.length > LIMITS.valueOctets) throw new BatchError(`Value of ${value.length} octets is too long`)
    octets += key.length + value.length
  }
  for (const key of deletes) octets += key.length
  const count = puts.length + deletes.length
  const maxPuts = batch.large === true ? LIMITS.largeBatchPuts : LIMITS.batchPuts
  const maxOctets = batch.large === true ? LIMITS.largeBatchOctets : LIMITS.batchOctets
  if (count > maxPuts) throw new BatchError(`Batch of ${count} puts is too large`)
  if (octets > maxOctets) throw new BatchError(`Batch of ${octets} octets is too large`)
  return { puts: count, octets }
}

function checkKeys(partition: Uint8Array, keys: readonly Uint8Array[], what: string): void {
  let last: Uint8Array | undefined
  for (const key of keys) {
    if (key.length > LIMITS.keyOctets) throw new BatchError(`${what} key of ${key.length} octets is too long`)
    if (!startsWith(key, partition)) throw new BatchError(`${what} key lies outside the partition`)
    if (last !== undefined && compareOctets(last, key) >= 0) throw new BatchError(`${what} keys must ascend`)
    last = key
  }
}

function checkDisjoint(puts: readonly Entry[], deletes: readonly Uint8Array[]): void {
  let at = 0
  for (const key of deletes) {
    while (at < puts.length && compareOctets((puts[at] as Entry).key, key) < 0) at += 1
    const put = puts[at]
    if (put !== undefined && compareOctets(put.key, key) === 0) throw new BatchError('A key is both put and deleted')
  }
}

/** Order of keys: octet by octet, a prefix before what it is a prefix of. @returns negative, zero or positive */
export function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function startsWith(octets: Uint8Array, prefix: Uint8Array): boolean {
  if (octets.length < prefix.length) return false
  for (let i = 0; i < prefix.length; i += 1) {
    if (octets[i] !== prefix[i]) return false
  }
  return true
}
