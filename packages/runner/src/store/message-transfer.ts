/**
 * COPY and MOVE within an account: messages get a further place, or another one. Octets are not touched; a count of places
 * says when they may be erased.
 */
import type { CopyResult, UidRanges } from '@postern/core/store'
import type { AccountTables } from './account-tables.ts'
import { PAGE_UIDS } from './keys.ts'
import type { MailboxEdit, UidRow } from './mailbox-edit.ts'
import { decodeRefs, encodeRefs } from './message-records.ts'
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
  const done: Transferred = { source: new RangesBuilder(), destination: new RangesBuilder() }
  const places = new PlaceCounts(tables)
  const walk = new RangesWalk(uids)
  for await (const [number, page] of from.pages(uids)) {
    for (const row of from.rows(number, page, walk)) await givePlace(tables, from, row, target, places, done)
  }
  await places.finish()
  return done
}

/**
 * Moves the first messages of a set, at most a slice.
 * @returns the UID to go on from; undefined when all were moved
 */
export async function moveSlice(
  tables: AccountTables,
  from: MailboxEdit,
  uids: UidRanges,
  target: MailboxEdit,
  done: Transferred,
): Promise<number | undefined> {
  const places = new PlaceCounts(tables)
  const walk = new RangesWalk(uids)
  let messages = 0
  let pages = 0
  let next: number | undefined
  for await (const [number, page] of from.pages(uids)) {
    if (messages + page.count > SLICE_MESSAGES || pages >= SLICE_PAGES) {
      next = number * PAGE_UIDS
      break
    }
    for (const row of from.rows(number, page, walk)) {
      await givePlace(tables, from, row, target, places, done)
      await from.expunge(row)
      messages += 1
    }
    pages += 1
  }
  await places.finish()
  return next
}

async function givePlace(
  tables: AccountTables,
  from: MailboxEdit,
  row: UidRow,
  target: MailboxEdit,
  places: PlaceCounts,
  done: Transferred,
): Promise<void> {
  const keywords = row.keywordBits === 0 && !from.isWide(row) ? [] : await from.keywordsOf(row)
  places.raise(row.emailId)
  done.source.add(row.uid)
  done.destination.add(await target.place({ ...row, savedSeconds: tables.tx.nowSeconds, keywords }))
}

/** The result of COPY or MOVE. */
export function copyResult({ source, destination }: Transferred, uidValidity: number): CopyResult {
  if (source.isEmpty) return { kind: 'nothing' }
  return { kind: 'copied', uidValidity, source: source.finish(), destination: destination.finish() }
}

/** How many places messages have, tombstones included: raised in memory, written at the end. */
export class PlaceCounts {
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
