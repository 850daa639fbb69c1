/**
 * The UIDs of a mailbox in order, immutable and shared: what turns sequence numbers into UIDs and back.
 * Chunks of at most 4,096 UIDs, one without gaps kept as a range, so a million messages cost a session a few KiB.
 */
import type { SequenceNumber, Uid, UidRange, UidRanges } from './numbers.ts'

/** Longest chunk. LIMIT: one page of Uint32; a removal copies at most this many. */
const CHUNK = 4096

/** Ascending UIDs. Without `uids` the chunk is `first` to `last` without a gap. */
interface Chunk {
  readonly first: number
  readonly last: number
  readonly count: number
  readonly uids: Uint32Array | undefined
}

/** Ascending UIDs of a mailbox. Every change gives a new list that shares the chunks it did not touch. */
export class UidList {
  readonly #chunks: readonly Chunk[]
  /** Messages before each chunk. */
  readonly #before: readonly number[]
  readonly size: number

  private constructor(chunks: readonly Chunk[]) {
    this.#chunks = chunks
    const before: number[] = []
    let size = 0
    for (const chunk of chunks) {
      before.push(size)
      size += chunk.count
    }
    this.#before = before
    this.size = size
  }

  static readonly empty: UidList = new UidList([])

  /** @param uids ascending, without repetition */
  static of(uids: Iterable<number>): UidList {
    return UidList.empty.append(uids)
  }

  /** UID at a position from 1, or undefined beyond the end. */
  at(sequence: number): Uid | undefined {
    if (sequence < 1 || sequence > this.size) return undefined
    const index = lastAtMost(this.#before, sequence - 1)
    const chunk = this.#chunks[index] as Chunk
    const offset = sequence - 1 - (this.#before[index] as number)
    return (chunk.uids === undefined ? chunk.first + offset : chunk.uids[offset]) as Uid
  }

  /** Position of a UID from 1, or undefined when it isn't there. */
  sequenceOf(uid: number): SequenceNumber | undefined {
    const before = this.countBelow(uid)
    return this.at(before + 1) === uid ? ((before + 1) as SequenceNumber) : undefined
  }

  /** How many UIDs are lower than `uid`. */
  countBelow(uid: number): number {
    // First chunk whose last UID is at least `uid`.
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#chunks[middle] as Chunk).last < uid) low = middle + 1
      else high = middle
    }
    const chunk = this.#chunks[low]
    if (chunk === undefined) return this.size
    return (this.#before[low] as number) + countBelowIn(chunk, uid)
  }

  has(uid: number): boolean {
    return this.sequenceOf(uid) !== undefined
  }

  get last(): Uid | undefined {
    return this.#chunks.at(-1)?.last as Uid | undefined
  }

  /** @param uids ascending, each above `last` */
  append(uids: Iterable<number>): UidList {
    const chunks = [...this.#chunks]
    let open: number[] = []
    const tail = chunks.at(-1)
    if (tail !== undefined && tail.count < CHUNK) {
      chunks.pop()
      open = [...valuesOf(tail)]
    }
    let last = this.last ?? 0
    for (const uid of uids) {
      if (uid <= last) throw new RangeError(`UIDs must ascend: ${uid} after ${last}`)
      last = uid
      open.push(uid)
      if (open.length === CHUNK) {
        chunks.push(chunkOf(open))
        open = []
      }
    }
    if (open.length > 0) chunks.push(chunkOf(open))
    return new UidList(chunks)
  }

  /** The list without the UIDs of `ranges`; those not in it are passed over. */
  remove(ranges: UidRanges): UidList {
    if (ranges.length === 0) return this
    const chunks: Chunk[] = []
    let at = 0
    for (const chunk of this.#chunks) {
      while (at < ranges.length && (ranges[at] as UidRange).last < chunk.first) at += 1
      const next = ranges[at]
      if (next === undefined || next.first > chunk.last) {
        chunks.push(chunk)
        continue
      }
      const kept: number[] = []
      let r = at
      for (const uid of valuesOf(chunk)) {
        while (r < ranges.length && (ranges[r] as UidRange).last < uid) r += 1
        const range = ranges[r]
        if (range === undefined || uid < range.first) kept.push(uid)
      }
      if (kept.length > 0) chunks.push(chunkOf(kept))
    }
    return new UidList(chunks)
  }

  /** UIDs of `[first, last]` that are in the list, as ranges. */
  within(ranges: UidRanges): UidRanges {
    const out: { first: number; last: number }[] = []
    for (const range of ranges) {
      const from = this.countBelow(range.first)
      const to = this.countBelow(range.last + 1)
      this.#collect(from, to, out)
    }
    return out as unknown as UidRanges
  }

  /** UIDs at positions `from` to `to`, from 1, inclusive, as ranges. */
  slice(from: number, to: number): UidRanges {
    const out: { first: number; last: number }[] = []
    this.#collect(Math.max(0, from - 1), Math.min(this.size, to), out)
    return out as unknown as UidRanges
  }

  *[Symbol.iterator](): IterableIterator<Uid> {
    for (const chunk of this.#chunks) {
      for (const uid of valuesOf(chunk)) yield uid as Uid
    }
  }

  /** Appends the UIDs at positions `[from, to)`, from 0, to `out`, joining neighbours. */
  #collect(from: number, to: number, out: { first: number; last: number }[]): void {
    if (from >= to) return
    let index = lastAtMost(this.#before, from)
    let position = from
    while (position < to) {
      const chunk = this.#chunks[index] as Chunk
      const start = position - (this.#before[index] as number)
      const count = Math.min(chunk.count - start, to - position)
      if (chunk.uids === undefined) {
        addRange(out, chunk.first + start, chunk.first + start + count - 1)
      } else {
        for (let i = start; i < start + count; i += 1) {
          const uid = chunk.uids[i] as number
          addRange(out, uid, uid)
        }
      }
      position += count
      index += 1
    }
  }
}

function addRange(out: { first: number; last: number }[], first: number, last: number): void {
  const tail = out.at(-1)
  if (tail !== undefined && tail.last + 1 >= first) tail.last = Math.max(tail.last, last)
  else out.push({ first, last })
}

/** Index of the last element that is at most `value`; `values` ascends and starts at or below it. */
function lastAtMost(values: readonly number[], value: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

function countBelowIn(chunk: Chunk, uid: number): number {
  if (uid <= chunk.first) return 0
  if (chunk.uids === undefined) return Math.min(chunk.count, uid - chunk.first)
  let low = 0
  let high = chunk.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((chunk.uids[middle] as number) < uid) low = middle + 1
    else high = middle
  }
  return low
}

function chunkOf(uids: readonly number[]): Chunk {
  const first = uids[0] as number
  const last = uids.at(-1) as number
  const gapless = last - first + 1 === uids.length
  return { first, last, count: uids.length, uids: gapless ? undefined : Uint32Array.from(uids) }
}

function* valuesOf(chunk: Chunk): IterableIterator<number> {
  if (chunk.uids !== undefined) yield* chunk.uids
  else for (let uid = chunk.first; uid <= chunk.last; uid += 1) yield uid
}
