/**
 * The change log: what happened in which mailbox in one batch. A log record tells a session where to look, and may tell
 * too much: a range that was widened to make the record fit says so.
 */
import type { UidRange, UidRanges } from '@postern/core/store'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1
/** LIMIT: shorter than half a page, so that the record lives in the leaf of the account's head. */
const MAX_OCTETS = 3900

/** By number in the record; never reordered. */
const KINDS = ['arrived', 'flags', 'expunged', 'created', 'deleted', 'renamed', 'keywords', 'anything'] as const

export type LogKind = (typeof KINDS)[number]

export interface LogEntry {
  /** `anything`: more happened than a record holds, in any mailbox; compare pages. */
  readonly kind: LogKind
  /** 0 for `anything`. */
  readonly mailbox: number
  /** Of `arrived`, `flags` and `expunged`. */
  readonly uids: UidRanges
  /** False: some of `uids` had nothing happen to them; look at their pages. */
  readonly exact: boolean
}

/**
 * Fits any number of entries into one record: first by widening the longest lists of ranges, at last by telling
 * `anything`.
 */
export function encodeLog(entries: readonly LogEntry[]): Uint8Array {
  let kept = entries.map((entry) => ({ entry, octets: encodeEntry(entry) }))
  let total = kept.reduce((sum, { octets }) => sum + octets.length, 0)
  if (total > MAX_OCTETS) {
    const fair = Math.floor(MAX_OCTETS / Math.max(1, kept.length))
    kept = kept.map(({ entry, octets }) => {
      if (octets.length <= fair) return { entry, octets }
      const wide = widen(entry)
      return { entry: wide, octets: encodeEntry(wide) }
    })
    total = kept.reduce((sum, { octets }) => sum + octets.length, 0)
  }
  if (total > MAX_OCTETS) {
    const anything: LogEntry = { kind: 'anything', mailbox: 0, uids: [], exact: false }
    kept = [{ entry: anything, octets: encodeEntry(anything) }]
  }
  const writer = new OctetWriter(total + 8).uint(FORMAT, 1).varint(kept.length)
  for (const { octets } of kept) writer.raw(octets)
  return writer.finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeLog(octets: Uint8Array): LogEntry[] {
  const reader = new OctetReader(octets, 'change log').format(FORMAT)
  const entries: LogEntry[] = []
  for (let left = reader.count(4); left > 0; left -= 1) {
    const kind = reader.choice(KINDS)
    const exact = reader.uint(1) === 1
    const mailbox = reader.varint()
    entries.push({ kind, mailbox, exact, uids: readRanges(reader) })
  }
  reader.end()
  return entries
}

function encodeEntry({ kind, mailbox, uids, exact }: LogEntry): Uint8Array {
  const writer = new OctetWriter(16)
    .uint(KINDS.indexOf(kind), 1)
    .uint(exact ? 1 : 0, 1)
    .varint(mailbox)
  return writeRanges(writer, uids).finish()
}

function widen(entry: LogEntry): LogEntry {
  const first = entry.uids[0]
  const last = entry.uids.at(-1)
  if (first === undefined || last === undefined || entry.uids.length === 1) return entry
  return { ...entry, exact: false, uids: [{ first: first.first, last: last.last }] }
}

/** Distances between ascending ranges, as varints. */
export function writeRanges(writer: OctetWriter, ranges: UidRanges): OctetWriter {
  writer.varint(ranges.length)
  let at = 0
  for (const { first, last } of ranges) {
    writer.varint(first - at).varint(last - first)
    at = last
  }
  return writer
}

/** @throws StoreError STORE_CORRUPT also when a UID exceeds 2^32−1 */
export function readRanges(reader: OctetReader): UidRanges {
  const ranges: UidRange[] = []
  let at = 0
  for (let left = reader.count(2); left > 0; left -= 1) {
    const first = at + reader.varint()
    const last = first + reader.varint()
    if (first <= at || last > 0xffff_ffff) reader.fail('has UIDs out of order')
    ranges.push({ first, last } as UidRange)
    at = last
  }
  return ranges
}
