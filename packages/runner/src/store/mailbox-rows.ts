/** Rows of a mailbox as sessions see them, made of page rows within one slice. */
import type { EmailId, InternalDate, MessageRow, ModSeq, Uid } from '@postern/core/store'
import type { AccountKeys } from './account-keys.ts'
import { decodeKeywords } from './mailbox-records.ts'
import { readStructure } from './message-reader.ts'
import type { Reader } from './ordered-store.ts'
import type { PageRow } from './pages.ts'
import { ODD_ZONE, RowFlag } from './pages.ts'

/** What a page row says by reference only. */
export interface RowExtras {
  readonly wideKeywords: readonly string[]
  readonly zoneMinutes: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** @param extras needed when `needsExtras` says so */
export function messageRow(uid: number, row: PageRow, extras?: RowExtras): Writable<MessageRow> {
  const made: Writable<MessageRow> = {
    uid: uid as Uid,
    emailId: row.emailId as EmailId,
    modseq: row.modseq as ModSeq,
    flags: row.flags & RowFlag.visible,
    keywordBits: row.keywordBits,
    sizeOctets: row.sizeOctets,
    internalDate: internalDate(row, extras),
    saveDateSeconds: row.savedSeconds,
  }
  if (extras !== undefined && extras.wideKeywords.length > 0) made.wideKeywords = extras.wideKeywords
  return made
}

function internalDate(row: PageRow, extras: RowExtras | undefined): InternalDate {
  const zoneMinutes = row.zoneQuarters === ODD_ZONE ? (extras?.zoneMinutes ?? 0) : row.zoneQuarters * 15
  return { seconds: row.dateSeconds, zoneMinutes }
}

export function needsExtras(row: PageRow): boolean {
  return (row.flags & RowFlag.wideKeywords) !== 0 || hasOddZone(row)
}

/** Whether the zone of its internal date stands in the structure record. */
export function hasOddZone(row: PageRow): boolean {
  return row.zoneQuarters === ODD_ZONE
}

/** Reads what a page row refers to. */
export function readExtras(reader: Reader, keys: AccountKeys, mailbox: number, uid: number, row: PageRow): RowExtras {
  const wide = (row.flags & RowFlag.wideKeywords) === 0 ? undefined : reader.get(keys.keywords(mailbox, uid))
  const zoneMinutes =
    row.zoneQuarters === ODD_ZONE ? readStructure(reader, keys, row.emailId)?.zoneMinutes : row.zoneQuarters * 15
  return { wideKeywords: wide === undefined ? [] : decodeKeywords(wide), zoneMinutes: zoneMinutes ?? 0 }
}

/** A row with all it refers to. */
export function readRow(
  reader: Reader,
  keys: AccountKeys,
  mailbox: number,
  uid: number,
  row: PageRow,
): Writable<MessageRow> {
  return messageRow(uid, row, needsExtras(row) ? readExtras(reader, keys, mailbox, uid, row) : undefined)
}
