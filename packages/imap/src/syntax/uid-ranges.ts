/** Sets of UIDs as ascending ranges: what is asked of them once a sequence set is resolved. */
import type { Uid, UidRange, UidRanges } from '@postern/core/store'

/** How many UIDs the ranges hold. */
export function countUids(ranges: UidRanges): number {
  let count = 0
  for (const { first, last } of ranges) count += last - first + 1
  return count
}

/** Whether a UID is in the ranges. */
export function holdsUid(ranges: UidRanges, uid: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as UidRange).last < uid) low = middle + 1
    else high = middle
  }
  const range = ranges[low]
  return range !== undefined && range.first <= uid
}

/** Gathers UIDs that ascend. */
export class UidRangesBuilder {
  readonly #ranges: { first: Uid; last: Uid }[] = []
  count = 0

  /** @param uid above those added before */
  add(uid: Uid): void {
    this.count += 1
    const tail = this.#ranges.at(-1)
    if (tail !== undefined && tail.last + 1 === uid) tail.last = uid
    else this.#ranges.push({ first: uid, last: uid })
  }

  /** What was added; not to be added to any more. */
  get ranges(): UidRanges {
    return this.#ranges
  }
}

/** UIDs that are in both. */
export function intersectUids(a: UidRanges, b: UidRanges): UidRanges {
  const both: UidRange[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const left = a[i] as UidRange
    const right = b[j] as UidRange
    const first = left.first > right.first ? left.first : right.first
    const last = left.last < right.last ? left.last : right.last
    if (first <= last) both.push({ first, last })
    if (left.last < right.last) i += 1
    else j += 1
  }
  return both
}
