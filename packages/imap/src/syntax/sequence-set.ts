/**
 * Sequence sets: which messages a client means, as it wrote them, and which those are in a mailbox. Ranges stay ranges:
 * cost goes with the text and the mailbox, never with the numbers a range spans.
 * Not here: reading them from a command (`reader.ts`).
 */
import type { UidList, UidRanges } from '@postern/core/store'

/** A number as a client writes it; `*` is the highest there is. */
export type SetNumber = number | '*'

/** An inclusive range, its ends in the order the client wrote them. */
export interface SetRange {
  readonly first: SetNumber
  readonly last: SetNumber
}

/** One or more ranges, in any order, overlapping or not. RFC 3501 §9 (sequence-set) */
export type SequenceSet = readonly SetRange[]

interface Span {
  readonly first: number
  readonly last: number
}

/** Writes a set as the client would. */
export function formatSequenceSet(set: SequenceSet): string {
  return set.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`)).join(',')
}

/** Writes UIDs as a `uid-set` of RFC 4315 §4. @param ranges at least one */
export function formatUidRanges(ranges: UidRanges): string {
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`)).join(',')
}

/**
 * UIDs of the messages at those positions, each once.
 * @returns `undefined` when a number is beyond the mailbox: BAD (RFC 3501 §9, seq-number). With `*` in a range the
 * other end may be beyond it, since `999:*` always holds the last message.
 */
export function resolveSequenceNumbers(set: SequenceSet, uids: UidList): UidRanges | undefined {
  const size = uids.size
  if (size === 0) return undefined
  const spans: Span[] = []
  for (const { first, last } of set) {
    if (first !== '*' && last !== '*' && Math.max(first, last) > size) return undefined
    const a = first === '*' ? size : Math.min(first, size)
    const b = last === '*' ? size : Math.min(last, size)
    spans.push(a <= b ? { first: a, last: b } : { first: b, last: a })
  }
  const ranges: { first: number; last: number }[] = []
  for (const span of mergeSpans(spans)) {
    for (const { first, last } of uids.slice(span.first, span.last)) {
      const tail = ranges.at(-1)
      if (tail !== undefined && tail.last + 1 === first) tail.last = last
      else ranges.push({ first, last })
    }
  }
  return ranges as unknown as UidRanges
}

/** UIDs of the set that are in the mailbox, each once; others are passed over (RFC 3501 §6.4.8). */
export function resolveUids(set: SequenceSet, uids: UidList): UidRanges {
  const highest = uids.last
  if (highest === undefined) return []
  const spans: Span[] = []
  for (const { first, last } of set) {
    const a = first === '*' ? highest : first
    const b = last === '*' ? highest : last
    spans.push(a <= b ? { first: a, last: b } : { first: b, last: a })
  }
  return uids.within(mergeSpans(spans) as unknown as UidRanges)
}

/** Ascending, disjoint, not adjacent. */
function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const sorted = [...spans].sort((a, b) => a.first - b.first)
  const merged: { first: number; last: number }[] = []
  for (const { first, last } of sorted) {
    const tail = merged.at(-1)
    if (tail !== undefined && first <= tail.last + 1) tail.last = Math.max(tail.last, last)
    else merged.push({ first, last })
  }
  return merged
}
