/** Sets of UIDs as ranges: building them in order, and asking in order whether a UID is among them. */
import type { UidRange, UidRanges } from '@postern/core/store'

/** Builds ranges of UIDs given in ascending order. */
export class RangesBuilder {
  readonly #ranges: { first: number; last: number }[] = []

  get isEmpty(): boolean {
    return this.#ranges.length === 0
  }

  /** @param uid above the last */
  add(uid: number): void {
    this.addRange(uid, uid)
  }

  /** @param first above the last of the range before */
  addRange(first: number, last: number): void {
    const tail = this.#ranges.at(-1)
    if (tail !== undefined && tail.last + 1 === first) tail.last = last
    else this.#ranges.push({ first, last })
  }

  finish(): UidRanges {
    return this.#ranges as unknown as UidRanges
  }
}

/** Answers for ascending UIDs whether they are in a set. */
export class RangesWalk {
  readonly #ranges: UidRanges
  #at = 0

  constructor(ranges: UidRanges) {
    this.#ranges = ranges
  }

  /** @param uid at least that of the call before */
  has(uid: number): boolean {
    const range = this.from(uid)
    return range !== undefined && range.first <= uid
  }

  /** The first range that does not end before `uid`. @param uid at least that of the call before */
  from(uid: number): UidRange | undefined {
    let range = this.#ranges[this.#at]
    while (range !== undefined && range.last < uid) {
      this.#at += 1
      range = this.#ranges[this.#at]
    }
    return range
  }
}

/** The ranges as far as they lie from `first` on. */
export function rangesFrom(ranges: UidRanges, first: number): UidRanges {
  const kept: UidRange[] = []
  for (const range of ranges) {
    if (range.last < first) continue
    kept.push(range.first >= first ? range : ({ first, last: range.last } as UidRange))
  }
  return kept
}

/** The ranges as far as they lie below `end`. */
export function rangesBelow(ranges: UidRanges, end: number): UidRanges {
  const kept: UidRange[] = []
  for (const range of ranges) {
    if (range.first >= end) break
    kept.push(range.last < end ? range : ({ first: range.first, last: end - 1 } as UidRange))
  }
  return kept
}

/** All UIDs of several lists of ranges, ascending, joined where they overlap or touch. */
export function uniteRanges(all: readonly UidRange[]): UidRanges {
  const sorted = [...all].sort((a, b) => a.first - b.first)
  const united: { first: number; last: number }[] = []
  for (const { first, last } of sorted) {
    const tail = united.at(-1)
    if (tail !== undefined && tail.last + 1 >= first) tail.last = Math.max(tail.last, last)
    else united.push({ first, last })
  }
  return united as unknown as UidRanges
}
