/** STORE over the store: flags and keywords of a slice of messages, changed in one change of the account. RFC 9051 §6.4.6 */
import type { FlagChange, MessageRow, UidRanges } from '@postern/core/store'
import { PAGE_UIDS } from './keys.ts'
import type { MailboxEdit, RowKeywords, UidRow } from './mailbox-edit.ts'
import { rowKeywords } from './mailbox-edit.ts'
import type { RowExtras } from './mailbox-rows.ts'
import { messageRow, needsExtras } from './mailbox-rows.ts'
import { RowFlag } from './pages.ts'
import { RangesWalk } from './uid-ranges.ts'

/** LIMIT: of one slice: messages, and pages, each of which is written. */
const SLICE_MESSAGES = 4096
const SLICE_PAGES = 200

export interface FlagsSlice {
  readonly rows: readonly MessageRow[]
  /** UIDs refused, ascending. */
  readonly modified: readonly number[]
  /** UID to go on from; undefined when the whole set was looked at. */
  readonly next: number | undefined
}

/** @param zoneOf zone of a message's internal date that its row can't tell */
export async function storeFlagsSlice(
  edit: MailboxEdit,
  uids: UidRanges,
  change: FlagChange,
  unchangedSince: number,
  zoneOf: (emailId: number) => Promise<number>,
): Promise<FlagsSlice> {
  const rows: MessageRow[] = []
  const modified: number[] = []
  const walk = new RangesWalk(uids)
  let pages = 0
  for await (const [number, page] of edit.pages(uids)) {
    if (rows.length + page.count > SLICE_MESSAGES || pages >= SLICE_PAGES) {
      return { rows, modified, next: number * PAGE_UIDS }
    }
    for (const row of edit.rows(number, page, walk)) {
      const isRefused = row.modseq > unchangedSince
      if (isRefused) modified.push(row.uid)
      const now = isRefused ? row : await changeRow(edit, row, change)
      rows.push(messageRow(now.uid, now, needsExtras(now) ? await extrasOf(edit, now, zoneOf) : undefined))
    }
    pages += 1
  }
  return { rows, modified, next: undefined }
}

async function changeRow(edit: MailboxEdit, row: UidRow, change: FlagChange): Promise<UidRow> {
  const given =
    change.mode === 'remove' ? rowKeywords(edit.record.keywords, change.keywords) : edit.takeKeywords(change.keywords)
  const had: RowKeywords = {
    bits: row.keywordBits,
    wide: edit.isWide(row) ? await edit.wideKeywords(row.uid) : [],
  }
  const before = row.flags & RowFlag.visible
  const asked = change.flags & RowFlag.visible
  let flags: number
  let keywords: RowKeywords
  if (change.mode === 'replace') {
    flags = asked
    keywords = given
  } else if (change.mode === 'add') {
    flags = before | asked
    const wide = rowKeywords(edit.record.keywords, [...had.wide, ...given.wide]).wide
    keywords = { bits: (had.bits | given.bits) >>> 0, wide }
  } else {
    flags = before & ~asked
    keywords = { bits: (had.bits & ~given.bits) >>> 0, wide: had.wide.filter((name) => !given.wide.includes(name)) }
  }
  const isSame =
    flags === before && keywords.bits === had.bits && keywords.wide.join('\n') === had.wide.join('\n')
  return isSame ? row : await edit.setFlags(row, flags, keywords)
}

async function extrasOf(
  edit: MailboxEdit,
  row: UidRow,
  zoneOf: (emailId: number) => Promise<number>,
): Promise<RowExtras> {
  return {
    wideKeywords: edit.isWide(row) ? await edit.wideKeywords(row.uid) : [],
    zoneMinutes: await zoneOf(row.emailId),
  }
}
