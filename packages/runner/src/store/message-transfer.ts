/**
 * COPY and MOVE within an account: messages get a further place, or another one. Octets are not touched; a count of
 * places says when they may be erased.
 */
import type { CopyResult, UidRanges } from '@postern/core/store'
import type { AccountTables } from './account-tables.ts'
import { PAGE_UIDS } from './account-keys.ts'
import type { MailboxEdit, RowKeywords } from './mailbox-edit.ts'
import { isWide } from './mailbox-edit.ts'
import { decodeRefs, encodeRefs } from './message-records.ts'
import { RowFlag } from './pages.ts'
import type { TombRow } from './tomb-record.ts'
import { RangesBuilder, RangesWalk } from './uid-ranges.ts'

/** LIMIT: of one slice of MOVE: messages, and pages of the source, beside which as many of the target are written. */
const SLICE_MESSAGES = 4096
const SLICE_PAGES = 96

/** What has been given places so far. */
export interface Transferred {
  readonly source: RangesBuilder
  readonly destination: RangesBuilder
}

/** Gives all messages of a set a place in `target` too. */
export async function copyMessages(
  tables: AccountTables,
  from: MailboxEdit,
  uids: UidRanges,
  target: MailboxEdit,
): Promise<Transferred> {
  const transfer = new Transfer(tables, from, target)
  const walk = new RangesWalk(uids)
  await target.openTail()
  for await (const [number, page] of from.pages(uids)) {
    for (const row of from.rows(number, page, walk)) {
      const keywords = transfer.keywordsOf(row)
      transfer.give(row, keywords instanceof Promise ? await keywords : keywords)
    }
  }
  await transfer.finish()
  return transfer.done
}

/**
 * Moves the first messages of a set, at most a slice.
 * @returns what was moved, and the UID to go on from; undefined when all were moved
 */
export async function moveSlice(
  tables: AccountTables,
  from: MailboxEdit,
  uids: UidRanges,
  target: MailboxEdit,
): Promise<{ readonly done: Transferred; readonly next: number | undefined }> {
  const transfer = new Transfer(tables, from, target)
  const walk = new RangesWalk(uids)
  let messages = 0
  let pages = 0
  let next: number | undefined
  await target.openTail()
  for await (const [number, page] of from.pages(uids)) {
    if (messages + page.count > SLICE_MESSAGES || pages >= SLICE_PAGES || tables.judgements.isFull) {
      next = number * PAGE_UIDS
      break
    }
    const rows = from.rows(number, page, walk)
    for (const row of rows) {
      const keywords = transfer.keywordsOf(row)
      transfer.give(row, keywords instanceof Promise ? await keywords : keywords)
      from.expunge(page, row)
    }
    messages += rows.length
    pages += 1
  }
  await transfer.finish()
  return { done: transfer.done, next }
}

/** Messages on their way from one mailbox to another. */
class Transfer {
  readonly done: Transferred = { source: new RangesBuilder(), destination: new RangesBuilder() }
  readonly #from: MailboxEdit
  readonly #target: MailboxEdit
  readonly #places: PlaceCounts
  readonly #tables: AccountTables
  readonly #savedSeconds: number
  /** Keywords of the target by bits of the source. */
  readonly #byBits = new Map<number, RowKeywords>([[0, { bits: 0, wide: [] }]])

  constructor(tables: AccountTables, from: MailboxEdit, target: MailboxEdit) {
    this.#from = from
    this.#target = target
    this.#places = new PlaceCounts(tables)
    this.#tables = tables
    this.#savedSeconds = tables.tx.nowSeconds
  }

  /** Keywords as the target keeps them; a promise only where a record of its own must be read. */
  keywordsOf(place: TombRow): RowKeywords | Promise<RowKeywords> {
    const { row } = place
    const known = isWide(row) ? undefined : this.#byBits.get(row.keywordBits)
    return known ?? this.#translate(place)
  }

  give({ uid, row }: TombRow, keywords: RowKeywords): void {
    const { emailId, sizeOctets, dateSeconds, zoneQuarters } = row
    const isLeaving = this.#target !== this.#from
    const kept = isLeaving ? row.flags & RowFlag.visible : row.flags
    const flags = this.#tables.flagsIn(this.#target.mailbox, kept)
    const savedSeconds = this.#savedSeconds
    this.#places.raise(emailId)
    this.done.source.add(uid)
    const place = { flags, emailId, sizeOctets, dateSeconds, zoneQuarters, savedSeconds }
    this.done.destination.add(this.#target.place(place, keywords, row.flags))
    if (isLeaving && (row.flags & RowFlag.reject) !== 0) this.#tables.judgements.release(emailId, flags)
  }

  async finish(): Promise<void> {
    await this.#places.finish()
  }

  async #translate(place: TombRow): Promise<RowKeywords> {
    const keywords = this.#target.takeKeywords(await this.#from.keywordsOf(place))
    if (!isWide(place.row)) this.#byBits.set(place.row.keywordBits, keywords)
    return keywords
  }
}

/** The result of COPY or MOVE. */
export function copyResult({ source, destination }: Transferred, uidValidity: number): CopyResult {
  if (source.isEmpty) return { kind: 'nothing' }
  return { kind: 'copied', uidValidity, source: source.finish(), destination: destination.finish() }
}

/** How many places messages have, tombstones included: raised in memory, written at the end. */
class PlaceCounts {
  readonly #tables: AccountTables
  /** By email id >> 7: how much each of the 128 is raised. */
  readonly #raised = new Map<number, Map<number, number>>()

  constructor(tables: AccountTables) {
    this.#tables = tables
  }

  raise(emailId: number): void {
    const group = Math.floor(emailId / PAGE_UIDS)
    const slots = this.#raised.get(group) ?? new Map<number, number>()
    const slot = emailId % PAGE_UIDS
    slots.set(slot, (slots.get(slot) ?? 0) + 1)
    this.#raised.set(group, slots)
  }

  async finish(): Promise<void> {
    const { tx, keys } = this.#tables
    for (const [group, slots] of this.#raised) {
      const key = keys.refs(group * PAGE_UIDS)
      const refs = decodeRefs(await tx.get(key))
      for (const [slot, by] of slots) refs.set(slot, (refs.get(slot) ?? 1) + by)
      tx.putOrDelete(key, encodeRefs(refs))
    }
  }
}
