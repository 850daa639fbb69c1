/**
 * A tombstone: what one change expunged from a mailbox. Until the eraser has been there it holds the rows as they were,
 * so that sessions not yet told can still fetch them; afterwards only which UIDs went. Also the eraser's notes of what
 * is due.
 */
import type { UidRanges } from '@postern/core/store'
import { readRanges, writeRanges } from './log-record.ts'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'
import type { PageRow } from './pages.ts'
import { ROW_OCTETS, decodeRow, encodeRow } from './pages.ts'

const FORMAT_ROWS = 1
const FORMAT_RANGES = 2

/** A message as it was when it was expunged. */
export interface TombRow {
  readonly uid: number
  /** Its `slot` is that of the UID. */
  readonly row: PageRow
}

export type TombRecord =
  { readonly kind: 'rows'; readonly rows: readonly TombRow[] } | { readonly kind: 'ranges'; readonly uids: UidRanges }

/** LIMIT: rows of 35 octets that fit one value; more go into further parts. */
export const TOMB_ROWS = 230

/** @param rows at most `TOMB_ROWS`, ascending by UID */
export function encodeTombRows(rows: readonly TombRow[]): Uint8Array {
  const width = 4 + ROW_OCTETS
  const octets = new Uint8Array(1 + rows.length * width)
  octets[0] = FORMAT_ROWS
  const view = new DataView(octets.buffer)
  let at = 1
  for (const { uid, row } of rows) {
    view.setUint32(at, uid)
    encodeRow(octets, at + 4, row)
    at += width
  }
  return octets
}

/** The caller cuts ranges so that the record fits: 4 to 10 octets each. */
export function encodeTombRanges(uids: UidRanges): Uint8Array {
  return writeRanges(new OctetWriter().uint(FORMAT_RANGES, 1), uids).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeTomb(octets: Uint8Array): TombRecord {
  const reader = new OctetReader(octets, 'tombstone')
  const format = reader.uint(1)
  if (format === FORMAT_RANGES) {
    const uids = readRanges(reader)
    reader.end()
    return { kind: 'ranges', uids }
  }
  if (format !== FORMAT_ROWS) reader.fail(`has format ${format}`)
  const rows: TombRow[] = []
  while (reader.remaining > 0) {
    const uid = reader.uint(4)
    rows.push({ uid, row: decodeRow(reader.raw(ROW_OCTETS), 0) })
  }
  return { kind: 'rows', rows }
}

/** By number in the record; never reordered. */
const ERASE_KINDS = ['tombstone', 'mailbox'] as const

/** What the eraser has to do: one change's tombstones, or all of a deleted mailbox. */
export interface EraseRecord {
  readonly kind: (typeof ERASE_KINDS)[number]
}

export function encodeErase({ kind }: EraseRecord): Uint8Array {
  return new OctetWriter(2).uint(1, 1).uint(ERASE_KINDS.indexOf(kind), 1).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeErase(octets: Uint8Array): EraseRecord {
  const reader = new OctetReader(octets, 'erasure').format(1)
  const kind = reader.choice(ERASE_KINDS)
  reader.end()
  return { kind }
}
