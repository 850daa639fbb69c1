/**
 * STORE over the store: flags and keywords of a slice of messages, changed in one change of the account. RFC 9051
 * §6.4.6
 */
import type { FlagChange, MessageRow, UidRanges } from '@postern/core/store'
import { PAGE_UIDS } from './account-keys.ts'
import type { MailboxEdit, RowKeywords } from './mailbox-edit.ts'
import { isWide, rowKeywords } from './mailbox-edit.ts'
import { hasOddZone, messageRow, needsExtras } from './mailbox-rows.ts'
import type { PageRow } from './pages.ts'
import { RowFlag } from './pages.ts'
import { RangesWalk } from './uid-ranges.ts'

/** LIMIT: of one slice: messages, and pages, each of which is written. */
const SLICE_MESSAGES = 4096
const SLICE_PAGES = 200
const NO_NAMES: readonly string[] = []

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
    if (rows.length + page.count > SLICE_MESSAGES || pages >= SLICE_PAGES || edit.isFull) {
      return { rows, modified, next: number * PAGE_UIDS }
    }
    for (const place of edit.rows(number, page, walk)) {
      const { uid, row } = place
      let now = place
      let wide = isWide(row) ? await edit.wideKeywords(uid) : NO_NAMES
      if (row.modseq > unchangedSince) {
        modified.push(uid)
      } else {
        const asked = askedFor(edit, row, wide, change)
        if (!isSame(asked, row, wide)) now = edit.setFlags(page, place, asked.flags, asked)
        wide = asked.wide
      }
      const zoneMinutes = hasOddZone(now.row) ? await zoneOf(row.emailId) : 0
      rows.push(messageRow(uid, now.row, needsExtras(now.row) ? { wideKeywords: wide, zoneMinutes } : undefined))
    }
    pages += 1
  }
  return { rows, modified, next: undefined }
}

interface Asked extends RowKeywords {
  readonly flags: number
}

/** Flags and keywords as the change wants them. */
function askedFor(edit: MailboxEdit, row: PageRow, wide: readonly string[], change: FlagChange): Asked {
  const given =
    change.mode === 'remove' ? rowKeywords(edit.record.keywords, change.keywords) : edit.takeKeywords(change.keywords)
  const flags = change.flags & RowFlag.visible
  if (change.mode === 'replace') return { flags, ...given }
  if (change.mode === 'remove') {
    return {
      flags: row.flags & RowFlag.visible & ~flags,
      bits: (row.keywordBits & ~given.bits) >>> 0,
      wide: wide.length === 0 ? wide : wide.filter((name) => !given.wide.includes(name)),
    }
  }
  return {
    flags: (row.flags & RowFlag.visible) | flags,
    bits: (row.keywordBits | given.bits) >>> 0,
    wide: given.wide.length === 0 ? wide : rowKeywords(edit.record.keywords, [...wide, ...given.wide]).wide,
  }
}

function isSame(asked: Asked, row: PageRow, wide: readonly string[]): boolean {
  if (asked.flags !== (row.flags & RowFlag.visible) || asked.bits !== row.keywordBits) return false
  return asked.wide.length === wide.length && asked.wide.every((name, n) => name === wide[n])
}
