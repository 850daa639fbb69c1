/** A mailbox as one session has it open: fulfils core's `OpenMailbox` over the account's reader and writer. */
import type {
  CopyResult,
  EmailId,
  FlagChange,
  MailboxChanges,
  MailboxSnapshot,
  MessageRow,
  ModSeq,
  OpenMailbox,
  RowParts,
  StoreFlagsResult,
  Uid,
  UidRanges,
} from '@postern/core/store'
import { Flag, MAX_UID, parseMailboxName } from '@postern/core/store'
import type { AccountTables } from './account-tables.ts'
import { PAGE_UIDS } from './account-keys.ts'
import { readChanges } from './mailbox-changes.ts'
import { fetchRows } from './mailbox-fetch.ts'
import { storeFlagsSlice } from './mailbox-flags.ts'
import type { BodySource } from './message-reader.ts'
import { readOctets, readStructure } from './message-reader.ts'
import { copyMessages, copyResult, moveSlice } from './message-transfer.ts'
import type { Transferred } from './message-transfer.ts'
import type { SessionRegister } from './session-register.ts'
import type { TablesSource } from './tables-change.ts'
import { changeTables } from './tables-change.ts'
import { RangesBuilder, RangesWalk, rangesBelow, rangesFrom } from './uid-ranges.ts'

/** LIMIT: of one slice of EXPUNGE: messages, and pages, each of which is written. */
const SLICE_MESSAGES = 4096
const SLICE_PAGES = 200
const EVERY_UID: UidRanges = [{ first: 1 as Uid, last: MAX_UID }]

/** What a session shares with the other sessions of its account. */
export interface SessionSource extends BodySource, TablesSource {
  readonly sessions: SessionRegister
}

export class MailboxSession implements OpenMailbox {
  readonly snapshot: MailboxSnapshot
  readonly #source: SessionSource
  readonly #mailbox: number
  readonly #claim: object
  /** UIDNEXT at modseqs this session was told, ascending. */
  #known: { readonly modseq: number; readonly uidNext: number }[]

  /** @param claim as `sessions.claim` gave it */
  constructor(source: SessionSource, snapshot: MailboxSnapshot, claim: object) {
    this.#source = source
    this.snapshot = snapshot
    this.#mailbox = snapshot.mailbox.id
    this.#claim = claim
    this.#known = [{ modseq: snapshot.modseq, uidNext: snapshot.status.uidNext }]
    source.sessions.told(claim, snapshot.modseq)
  }

  fetch(uids: UidRanges, parts: RowParts): AsyncIterable<readonly MessageRow[]> {
    const toldModseq = (): number => this.#source.sessions.toldModseq(this.#claim)
    return fetchRows({ ...this.#source, mailbox: this.#mailbox, toldModseq }, uids, parts)
  }

  read(emailId: EmailId, from: number, to: number): AsyncIterable<Uint8Array> {
    return readOctets(this.#source, this.#mailbox, emailId, from, to)
  }

  async changesSince(since: ModSeq): Promise<MailboxChanges> {
    const { store, keys } = this.#source
    const changes = await readChanges(
      {
        store,
        keys,
        mailbox: this.#mailbox,
        uidNextAt: (modseq) => this.#uidNextAt(modseq),
      },
      since,
    )
    if (changes.exists) this.#remember(changes.upTo, changes.uidNext)
    return changes
  }

  told(modseq: ModSeq): void {
    this.#source.sessions.told(this.#claim, modseq)
    const kept = this.#known.findLastIndex((known) => known.modseq <= modseq)
    if (kept > 0) this.#known = this.#known.slice(kept)
  }

  async storeFlags(
    uids: UidRanges,
    change: FlagChange,
    options: { readonly unchangedSince?: ModSeq } = {},
  ): Promise<StoreFlagsResult> {
    const rows: MessageRow[] = []
    const modified = new RangesBuilder()
    let keywords: readonly string[] = []
    for (let next: number | undefined = 0; next !== undefined; ) {
      const start: number = next
      const slice = await changeTables(this.#source, async (tables) => {
        const edit = await tables.open(this.#mailbox)
        if (edit === undefined) return undefined
        const set = rangesFrom(uids, start)
        const done = await storeFlagsSlice(edit, set, change, options.unchangedSince ?? Infinity, (emailId) =>
          this.#zoneOf(emailId),
        )
        return { ...done, keywords: edit.record.keywords }
      })
      if (slice === undefined) break
      for (const row of slice.rows) rows.push(row)
      for (const uid of slice.modified) modified.add(uid)
      keywords = slice.keywords
      next = slice.next
    }
    return { rows, modified: modified.finish(), keywords }
  }

  async expunge(uids: UidRanges = EVERY_UID): Promise<UidRanges> {
    const removed = new RangesBuilder()
    for (let next: number | undefined = 0; next !== undefined; ) {
      const start: number = next
      const slice = await changeTables(this.#source, (tables) => this.#expungeSlice(tables, rangesFrom(uids, start)))
      for (const uid of slice.removed) removed.add(uid)
      next = slice.next
    }
    return removed.finish()
  }

  async copy(uids: UidRanges, destination: string): Promise<CopyResult> {
    return await changeTables(this.#source, async (tables): Promise<CopyResult> => {
      const target = await findTarget(tables, destination)
      if (target === undefined) return { kind: 'no-such-mailbox' }
      const from = await tables.open(this.#mailbox)
      if (from === undefined) return { kind: 'nothing' }
      const done = await copyMessages(tables, from, uids, target)
      return copyResult(done, target.record.uidValidity)
    })
  }

  async move(uids: UidRanges, destination: string): Promise<CopyResult> {
    return await moveMessages(this.#source, this.#mailbox, uids, destination)
  }

  close(): void {
    this.#source.sessions.release(this.#claim)
  }

  async #expungeSlice(
    tables: AccountTables,
    uids: UidRanges,
  ): Promise<{ readonly removed: readonly number[]; readonly next: number | undefined }> {
    const edit = await tables.open(this.#mailbox)
    const removed: number[] = []
    let next: number | undefined
    let pages = 0
    if (edit === undefined || edit.counters.deleted === 0) return { removed, next }
    const walk = new RangesWalk(uids)
    for await (const [number, page] of edit.pages(uids)) {
      if (page.deleted === 0) continue
      if (removed.length + page.deleted > SLICE_MESSAGES || pages >= SLICE_PAGES) {
        next = number * PAGE_UIDS
        break
      }
      for (const place of edit.rows(number, page, walk)) {
        if ((place.row.flags & Flag.deleted) === 0) continue
        edit.expunge(page, place)
        removed.push(place.uid)
      }
      pages += 1
    }
    return { removed, next }
  }

  async #zoneOf(emailId: number): Promise<number> {
    const { store, keys } = this.#source
    return await store.read(keys.partition, (reader) => readStructure(reader, keys, emailId)?.zoneMinutes ?? 0)
  }

  #uidNextAt(modseq: number): number {
    return this.#known.findLast((known) => known.modseq <= modseq)?.uidNext ?? (this.#known[0]?.uidNext as number)
  }

  #remember(modseq: number, uidNext: number): void {
    const last = this.#known.at(-1)
    if (last !== undefined && last.modseq < modseq && last.uidNext < uidNext) this.#known.push({ modseq, uidNext })
  }
}

async function findTarget(tables: AccountTables, name: string): ReturnType<AccountTables['find']> {
  const parsed = parseMailboxName(name)
  return parsed.kind === 'name' ? await tables.find(parsed.name) : undefined
}

/** Moves a set of messages, in slices. @param destination name of a mailbox */
export async function moveMessages(
  source: TablesSource,
  mailbox: number,
  uids: UidRanges,
  destination: string,
): Promise<CopyResult> {
  const total: Transferred = { source: new RangesBuilder(), destination: new RangesBuilder() }
  let end = Infinity
  let uidValidity = 0
  for (let next: number | undefined = 0; next !== undefined; ) {
    const start: number = next
    const slice = await changeTables(source, async (tables) => {
      const target = await findTarget(tables, destination)
      if (target === undefined) return 'no-such-mailbox'
      const from = await tables.open(mailbox)
      if (from === undefined) return 'nothing'
      // What this move itself adds to the mailbox is not moved again.
      const bound = Math.min(end, from.counters.uidNext)
      const set = rangesFrom(uids, start)
      const moved = await moveSlice(tables, from, rangesBelow(set, bound), target)
      return { ...moved, bound, uidValidity: target.record.uidValidity }
    })
    if (slice === 'nothing') break
    if (slice === 'no-such-mailbox') {
      // Deleted while messages were being moved: those moved before were there.
      if (total.source.isEmpty) return { kind: 'no-such-mailbox' }
      break
    }
    for (const { first, last } of slice.done.source.finish()) total.source.addRange(first, last)
    for (const { first, last } of slice.done.destination.finish()) total.destination.addRange(first, last)
    uidValidity = slice.uidValidity
    end = slice.bound
    next = slice.next
  }
  return copyResult(total, uidValidity)
}
