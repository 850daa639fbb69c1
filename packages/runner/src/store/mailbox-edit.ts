/**
 * One mailbox as one change works on it: counts, keyword names and pages are read once, changed in memory, and put
 * when the change is done. Rows go in at the next UID, change their flags, or go out into a tombstone.
 */
import type { Mailbox, MailboxId, UidRanges } from '@postern/core/store'
import { Flag, MAX_UID, StoreError, addKeywords, keywordPlaces } from '@postern/core/store'
import type { JudgementEdits } from './judgement-edits.ts'
import type { AccountKeys } from './account-keys.ts'
import { PAGE_UIDS, pageOfUid, parsePageKey } from './account-keys.ts'
import { loopTurn } from './loop-turn.ts'
import type { CountersRecord, MailboxRecord } from './mailbox-records.ts'
import {
  decodeCounters,
  decodeKeywords,
  decodeMailbox,
  encodeCounters,
  encodeKeywords,
  encodeMailbox,
} from './mailbox-records.ts'
import type { PageEditor, PageRow } from './pages.ts'
import { Page, RowFlag } from './pages.ts'
import type { TombRow } from './tomb-record.ts'
import { TOMB_ROWS, encodeErase, encodeTombRows } from './tomb-record.ts'
import type { Transaction } from './transaction.ts'
import { RangesBuilder, RangesWalk } from './uid-ranges.ts'

/** Pages read at a time: 128 KiB. */
const READ_PAGES = 32
const BIT_KEYWORDS = 32

/** What a new place of a message begins with; of the flags, bits of `Flag`. */
export type NewPlace = Omit<PageRow, 'slot' | 'keywordBits' | 'modseq'>

/** Keywords as a row keeps them. */
export interface RowKeywords {
  readonly bits: number
  /** Names beyond the first 32 of the mailbox. */
  readonly wide: readonly string[]
}

const NO_KEYWORDS: RowKeywords = { bits: 0, wide: [] }

export class MailboxEdit {
  readonly id: number
  record: MailboxRecord
  readonly counters: { -readonly [K in keyof CountersRecord]: CountersRecord[K] }
  readonly #tx: Transaction
  readonly #keys: AccountKeys
  readonly #judgements: JudgementEdits
  readonly #editors = new Map<number, PageEditor>()
  readonly #arrived = new RangesBuilder()
  readonly #flagged = new RangesBuilder()
  readonly #expunged = new RangesBuilder()
  readonly #tombs: TombRow[] = []
  #recordChanged = false
  #countersChanged = false

  private constructor(
    tx: Transaction,
    keys: AccountKeys,
    id: number,
    record: MailboxRecord,
    counters: CountersRecord,
    judgements: JudgementEdits,
  ) {
    this.#tx = tx
    this.#keys = keys
    this.#judgements = judgements
    this.id = id
    this.record = record
    this.counters = { ...counters }
  }

  /** @returns undefined when there is no such mailbox */
  static async open(tx: Transaction, keys: AccountKeys, id: number, judgements: JudgementEdits): Promise<MailboxEdit | undefined> {
    const record = await tx.get(keys.mailbox(id))
    const counters = await tx.get(keys.counters(id))
    if (record === undefined || counters === undefined) return undefined
    return new MailboxEdit(tx, keys, id, decodeMailbox(record), decodeCounters(counters), judgements)
  }

  /** A mailbox that isn't there yet. */
  static create(tx: Transaction, keys: AccountKeys, id: number, record: MailboxRecord, judgements: JudgementEdits): MailboxEdit {
    const counters: CountersRecord = {
      uidNext: 1,
      highestModseq: tx.takeModseq(),
      total: 0,
      unseen: 0,
      deleted: 0,
      sizeOctets: 0,
      firstUnseenHint: 1,
      recentFrom: 1,
      recent: 0,
    }
    const edit = new MailboxEdit(tx, keys, id, record, counters, judgements)
    edit.#recordChanged = true
    edit.#countersChanged = true
    return edit
  }

  /** So many judgements changed that the change should come to its end. */
  get isFull(): boolean {
    return this.#judgements.isFull
  }

  get mailbox(): Mailbox {
    return mailboxOf(this.id, this.record)
  }

  /** Changes name or UIDVALIDITY. */
  setRecord(record: MailboxRecord): void {
    this.record = record
    this.#recordChanged = true
  }

  /**
   * Marks recent messages as told. @returns the first and the UID after the last of them, or undefined when there are
   * none
   */
  claimRecent(): { readonly first: number; readonly end: number } | undefined {
    const { recentFrom, uidNext } = this.counters
    if (recentFrom >= uidNext) return undefined
    this.counters.recentFrom = uidNext
    this.counters.recent = 0
    this.#countersChanged = true
    return { first: recentFrom, end: uidNext }
  }

  /** Pages that hold UIDs of a set, ascending. The set is looked at only below the UIDs this change gives out. */
  async *pages(uids: UidRanges): AsyncGenerator<readonly [number: number, page: Page]> {
    const end = this.counters.uidNext
    const walk = new RangesWalk(uids)
    for (let next = 0; ; ) {
      const range = walk.from(next * PAGE_UIDS)
      if (range === undefined || range.first >= end) return
      const first = Math.max(next, pageOfUid(range.first))
      const last = pageOfUid(Math.min(range.last, end - 1))
      if (first > last) return
      if (first === last) {
        const octets = await this.#tx.get(this.#keys.page(this.id, first))
        if (octets !== undefined) yield [first, Page.decode(octets)]
        next = first + 1
        continue
      }
      const found = await this.#tx.range(this.#keys.pages(this.id, first, last), READ_PAGES)
      for (const { key, value } of found) {
        next = parsePageKey(key).page + 1
        yield [next - 1, Page.decode(value)]
        const turn = loopTurn()
        if (turn !== undefined) await turn
      }
      if (found.length < READ_PAGES) next = last + 1
    }
  }

  /** Rows of a page that are in a set. @param walk of the set, not yet beyond this page */
  rows(number: number, page: Page, walk: RangesWalk): TombRow[] {
    const rows: TombRow[] = []
    for (let index = 0; index < page.count; index += 1) {
      const uid = number * PAGE_UIDS + page.slot(index)
      if (walk.has(uid)) rows.push({ uid, row: page.row(index) })
    }
    return rows
  }

  /** Adds the keyword names the mailbox lacks, and gives those of `names` it has. */
  takeKeywords(names: readonly string[]): RowKeywords {
    if (names.length === 0) return NO_KEYWORDS
    const keywords = addKeywords(this.record.keywords, names)
    if (keywords !== this.record.keywords) {
      this.record = { ...this.record, keywords }
      this.#recordChanged = true
    }
    return rowKeywords(this.record.keywords, names)
  }

  /** Names of a row's keywords, as the mailbox spells them. */
  async keywordsOf({ uid, row }: TombRow): Promise<readonly string[]> {
    const names = bitNames(this.record.keywords, row.keywordBits)
    return isWide(row) ? [...names, ...(await this.wideKeywords(uid))] : names
  }

  async wideKeywords(uid: number): Promise<readonly string[]> {
    const octets = await this.#tx.get(this.#keys.keywords(this.id, uid))
    return octets === undefined ? [] : decodeKeywords(octets)
  }

  /** Reads the page of the next UID; to be awaited before the first `place`. */
  async openTail(): Promise<void> {
    const number = pageOfUid(this.counters.uidNext)
    if (this.#editors.has(number)) return
    const octets = await this.#tx.get(this.#keys.page(this.id, number))
    this.#editors.set(number, (octets === undefined ? Page.empty : Page.decode(octets)).edit())
  }

  /**
   * Gives a message a place. @param before flags it had in the place it comes from; 0 for a new one
   * @returns its UID @throws StoreError STORE_FULL when there is no UID left
   */
  place(place: NewPlace, { bits, wide }: RowKeywords, before: number): number {
    const uid = this.counters.uidNext
    if (uid >= MAX_UID) throw new StoreError('STORE_FULL', 'The mailbox has given out all UIDs')
    const { emailId, sizeOctets, dateSeconds, zoneQuarters, savedSeconds } = place
    const modseq = this.#tx.takeModseq()
    const flags = (place.flags & (RowFlag.visible | RowFlag.reject)) | (wide.length > 0 ? RowFlag.wideKeywords : 0)
    const number = pageOfUid(uid)
    let editor = this.#editors.get(number)
    if (editor === undefined) {
      if (uid % PAGE_UIDS !== 0) throw new Error('The page of the next UID was not opened')
      editor = Page.empty.edit()
      this.#editors.set(number, editor)
    }
    const slot = uid % PAGE_UIDS
    editor.insert({ slot, flags, keywordBits: bits, modseq, emailId, sizeOctets, dateSeconds, zoneQuarters, savedSeconds })
    if (wide.length > 0) this.#tx.add(this.#keys.keywords(this.id, uid), encodeKeywords(wide))
    this.#judgements.note(emailId, before, flags)
    this.counters.uidNext = uid + 1
    this.counters.recent += 1
    this.#tally(flags, sizeOctets, 1, uid)
    this.#arrived.add(uid)
    return uid
  }

  /** Changes flags and keywords of a row of a page. @param flags bits of `Flag`; those no client sees are kept */
  setFlags(page: Page, { uid, row }: TombRow, flags: number, keywords: RowKeywords): TombRow {
    const has = keywords.wide.length > 0
    const hidden = row.flags & ~RowFlag.visible & ~RowFlag.wideKeywords
    const change = {
      flags: flags | hidden | (has ? RowFlag.wideKeywords : 0),
      keywordBits: keywords.bits,
      modseq: this.#tx.takeModseq(),
    }
    this.#editor(uid, page).update(row.slot, change)
    this.#judgements.note(row.emailId, row.flags, change.flags)
    if (has) this.#tx.put(this.#keys.keywords(this.id, uid), encodeKeywords(keywords.wide))
    else if (isWide(row)) this.#tx.delete(this.#keys.keywords(this.id, uid))
    this.#tally(row.flags, 0, -1, uid)
    this.#tally(change.flags, 0, 1, uid)
    this.#flagged.add(uid)
    return { uid, row: { ...row, ...change } }
  }

  /** Takes a row out of a page; it stays readable in a tombstone. Rows are given in ascending order. */
  expunge(page: Page, gone: TombRow): void {
    const { uid, row } = gone
    if (this.#editor(uid, page).remove(row.slot) === undefined) return
    this.#tx.takeModseq()
    this.#tombs.push(gone)
    this.#tally(row.flags, row.sizeOctets, -1, uid)
    if (uid >= this.counters.recentFrom) this.counters.recent -= 1
    this.#expunged.add(uid)
  }

  /** Puts everything. Once, at the end of the change. */
  finish(): void {
    const changed = [this.#arrived, this.#flagged, this.#expunged].some((ranges) => !ranges.isEmpty)
    const finished = new Map<number, Page>()
    for (const [number, editor] of this.#editors) {
      const page = editor.finish()
      finished.set(number, page)
      const key = this.#keys.page(this.id, number)
      this.#tx.putOrDelete(key, page.count === 0 ? undefined : page.octets)
    }
    if (changed) {
      this.#advanceHint(finished)
      this.counters.highestModseq = this.#tx.takeModseq()
      this.#log()
    }
    if (changed || this.#countersChanged) this.#tx.put(this.#keys.counters(this.id), encodeCounters(this.counters))
    if (this.#recordChanged) this.#tx.put(this.#keys.mailbox(this.id), encodeMailbox(this.record))
    this.#bury()
  }

  #log(): void {
    if (!this.#arrived.isEmpty) this.#tx.log('arrived', this.id, this.#arrived.finish())
    if (!this.#flagged.isEmpty) this.#tx.log('flags', this.id, this.#flagged.finish())
    if (!this.#expunged.isEmpty) this.#tx.log('expunged', this.id, this.#expunged.finish())
  }

  #bury(): void {
    if (this.#tombs.length === 0) return
    const modseq = this.#tx.takeModseq()
    for (let part = 0; part * TOMB_ROWS < this.#tombs.length; part += 1) {
      const rows = this.#tombs.slice(part * TOMB_ROWS, (part + 1) * TOMB_ROWS)
      this.#tx.add(this.#keys.tomb(this.id, modseq, part), encodeTombRows(rows))
    }
    this.#tx.add(this.#keys.erase(this.#tx.nowSeconds, modseq, this.id), encodeErase({ kind: 'tombstone' }))
  }

  #editor(uid: number, page: Page): PageEditor {
    const number = pageOfUid(uid)
    let editor = this.#editors.get(number)
    if (editor === undefined) {
      editor = page.edit()
      this.#editors.set(number, editor)
    }
    return editor
  }

  /** Counts a row in or out; a flag change counts it out as it was and in as it is. */
  #tally(flags: number, sizeOctets: number, by: 1 | -1, uid: number): void {
    const counters = this.counters
    counters.sizeOctets += by * sizeOctets
    this.#tx.head.octetsUsed += by * sizeOctets
    counters.total += by
    if ((flags & Flag.deleted) !== 0) counters.deleted += by
    if ((flags & Flag.seen) !== 0) return
    if (by > 0 && (counters.unseen === 0 || uid < counters.firstUnseenHint)) counters.firstUnseenHint = uid
    counters.unseen += by
  }

  /** Moves the hint past seen messages, as far as the pages in hand tell. */
  #advanceHint(pages: ReadonlyMap<number, Page>): void {
    const { counters } = this
    for (let page = pages.get(pageOfUid(counters.firstUnseenHint)); page !== undefined; ) {
      const number = pageOfUid(counters.firstUnseenHint)
      const unseen = firstUnseen(page, counters.firstUnseenHint - number * PAGE_UIDS)
      counters.firstUnseenHint = number * PAGE_UIDS + (unseen ?? PAGE_UIDS)
      if (unseen !== undefined || counters.firstUnseenHint >= counters.uidNext) return
      page = pages.get(number + 1)
    }
  }
}

/** Whether a row has keywords beyond the mailbox's first 32. */
export function isWide(row: PageRow): boolean {
  return (row.flags & RowFlag.wideKeywords) !== 0
}

/** Slot of the first row from `slot` on that has not been seen. */
export function firstUnseen(page: Page, slot: number): number | undefined {
  if (page.unseen === 0) return undefined
  for (let index = page.lowerBound(slot); index < page.count; index += 1) {
    if ((page.flags(index) & Flag.seen) === 0) return page.slot(index)
  }
  return undefined
}

/** Keywords of a row, by the mailbox's names. */
export function rowKeywords(names: readonly string[], wanted: readonly string[]): RowKeywords {
  const places = keywordPlaces(names, wanted)
  let bits = 0
  const wide: string[] = []
  for (const place of places) {
    if (place < BIT_KEYWORDS) bits += 2 ** place
    else wide.push(names[place] as string)
  }
  return { bits, wide }
}

/** Names that stand behind the bits. */
function bitNames(names: readonly string[], bits: number): readonly string[] {
  if (bits === 0) return []
  return names.filter((_, place) => place < BIT_KEYWORDS && ((bits >>> place) & 1) === 1)
}

export function mailboxOf(id: number, { name, uidValidity, specialUse }: MailboxRecord): Mailbox {
  return { id: id as MailboxId, name, uidValidity, specialUse }
}
