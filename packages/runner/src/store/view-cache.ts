/**
 * UIDs of mailboxes at a modseq, shared by all sessions: read from the pages once, then kept up by the change log when
 * somebody opens the mailbox again. 4 octets a message, none when UIDs have no gaps.
 */
import type { UidRanges } from '@postern/core/store'
import { UidList } from '@postern/core/store'
import type { HeadRecord } from './head-record.ts'
import { decodeHead } from './head-record.ts'
import type { AccountKeys } from './account-keys.ts'
import { PAGE_UIDS, pageOfUid, parsePageKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { loopTurn } from './loop-turn.ts'
import { firstUnseen } from './mailbox-edit.ts'
import { readMailboxLog } from './mailbox-log.ts'
import type { CountersRecord, MailboxRecord } from './mailbox-records.ts'
import { decodeCounters, decodeMailbox } from './mailbox-records.ts'
import type { OrderedStore, Reader } from './ordered-store.ts'
import { Page } from './pages.ts'

/** LIMIT: mailboxes whose UIDs are kept, of one account. */
const MAX_VIEWS = 32
/** LIMIT: pages read in one slice: 2 MiB, 3 ms. */
const SLICE_PAGES = 512
const READ_PAGES = 64
/** Attempts at reading a mailbox that keeps changing, before its writer is made to wait. */
const MAX_ATTEMPTS = 3

/** A mailbox at one moment. */
export interface View {
  readonly head: HeadRecord
  readonly record: MailboxRecord
  readonly counters: CountersRecord
  readonly uids: UidList
  readonly firstUnseen: number | undefined
  /** False when the log did not reach back far enough. */
  readonly isComplete: boolean
}

interface Kept {
  readonly uids: UidList
  /** The account's modseq at which these were the UIDs. */
  readonly modseq: number
}

export class ViewCache {
  readonly #store: OrderedStore
  readonly #keys: AccountKeys
  /** Runs something while the account's writer stands still. */
  readonly #alone: <T>(run: () => Promise<T>) => Promise<T>
  readonly #kept = new Map<number, Kept>()

  constructor(store: OrderedStore, keys: AccountKeys, alone: <T>(run: () => Promise<T>) => Promise<T>) {
    this.#store = store
    this.#keys = keys
    this.#alone = alone
  }

  forget(mailbox: number): void {
    this.#kept.delete(mailbox)
  }

  /** @returns undefined when there is no such mailbox */
  async open(mailbox: number): Promise<View | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const view = await this.#attempt(mailbox)
      if (view === undefined || this.#agrees(mailbox, view)) return view
    }
    // Nothing changes now: what the pages hold is right, even if a damaged store counts otherwise.
    return await this.#alone(() => this.#attempt(mailbox))
  }

  /** Whether the UIDs are as many as there should be; else the pages are to be read again. */
  #agrees(mailbox: number, view: View): boolean {
    const agrees = view.isComplete && view.uids.size === view.counters.total
    if (!agrees) this.#kept.delete(mailbox)
    return agrees
  }

  async #attempt(mailbox: number): Promise<View | undefined> {
    const kept = this.#kept.get(mailbox) ?? (await this.#readUids(mailbox))
    if (kept === undefined) return undefined
    const view = await this.#store.read(this.#keys.partition, (reader) => this.#bringUp(reader, mailbox, kept))
    if (view !== undefined) this.#keep(mailbox, { uids: view.uids, modseq: view.head.modseq })
    return view
  }

  /** Brings UIDs up to this moment by the log, and reads what else belongs to a view. */
  #bringUp(reader: Reader, mailbox: number, kept: Kept): View | undefined {
    const keys = this.#keys
    const head = reader.get(keys.head())
    const record = reader.get(keys.mailbox(mailbox))
    const counters = reader.get(keys.counters(mailbox))
    if (head === undefined || record === undefined || counters === undefined) return undefined
    const now = { head: decodeHead(head), record: decodeMailbox(record), counters: decodeCounters(counters) }
    let { uids } = kept
    let isComplete = true
    if (now.counters.highestModseq > kept.modseq) {
      const log = readMailboxLog(reader, keys, mailbox, kept.modseq, now.head.modseq)
      isComplete = log !== undefined
      if (log !== undefined) uids = uids.append(each(log.arrived)).remove(log.expunged)
    }
    return { ...now, uids, isComplete, firstUnseen: readFirstUnseen(reader, keys, mailbox, now.counters) }
  }

  /** Reads all UIDs, in slices; what changes meanwhile is for the log to tell. */
  async #readUids(mailbox: number): Promise<Kept | undefined> {
    const { partition } = this.#keys
    let modseq: number | undefined
    let end = 0
    let uids = UidList.empty
    let from: Uint8Array | undefined = this.#keys.pages(mailbox).from
    while (from !== undefined) {
      const start: Uint8Array = from
      const slice = await this.#store.read(partition, (reader) => {
        if (modseq === undefined) {
          const [head, counters] = [this.#keys.head(), this.#keys.counters(mailbox)].map((key) => reader.get(key))
          if (head === undefined || counters === undefined) return undefined
          modseq = decodeHead(head).modseq
          end = decodeCounters(counters).uidNext
        }
        return this.#readSlice(reader, mailbox, start, end)
      })
      if (slice === undefined) return undefined
      uids = uids.append(slice.uids)
      from = slice.next
      if (from !== undefined) await loopTurn()
    }
    return { uids, modseq: modseq ?? 0 }
  }

  /** UIDs below `end` of the next pages, and where to go on. */
  #readSlice(
    reader: Reader,
    mailbox: number,
    start: Uint8Array,
    end: number,
  ): { readonly uids: readonly number[]; readonly next: Uint8Array | undefined } {
    const { to } = this.#keys.pages(mailbox)
    const uids: number[] = []
    let from = start
    for (let pages = 0; pages < SLICE_PAGES; pages += READ_PAGES) {
      const entries = reader.range({ from, to, limit: READ_PAGES })
      for (const { key, value } of entries) {
        const page = Page.decode(value, { verify: false })
        const base = parsePageKey(key).page * PAGE_UIDS
        for (let index = 0; index < page.count; index += 1) {
          const uid = base + page.slot(index)
          if (uid < end) uids.push(uid)
        }
      }
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ_PAGES) return { uids, next: undefined }
      from = keyAfter(last.key)
    }
    return { uids, next: from }
  }

  #keep(mailbox: number, kept: Kept): void {
    this.#kept.delete(mailbox)
    this.#kept.set(mailbox, kept)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_VIEWS) break
      this.#kept.delete(oldest)
    }
  }
}

function* each(ranges: UidRanges): IterableIterator<number> {
  for (const { first, last } of ranges) for (let uid: number = first; uid <= last; uid += 1) yield uid
}

/** Lowest UID without \Seen. */
function readFirstUnseen(
  reader: Reader,
  keys: AccountKeys,
  mailbox: number,
  counters: CountersRecord,
): number | undefined {
  if (counters.unseen === 0) return undefined
  const hint = counters.firstUnseenHint
  let { from } = keys.pages(mailbox, pageOfUid(hint))
  const { to } = keys.pages(mailbox)
  // The hint is nearly always the answer.
  for (let limit = 1; ; limit = READ_PAGES) {
    const entries = reader.range({ from, to, limit })
    for (const { key, value } of entries) {
      const base = parsePageKey(key).page * PAGE_UIDS
      const slot = firstUnseen(Page.decode(value, { verify: false }), Math.max(0, hint - base))
      if (slot !== undefined) return base + slot
    }
    const last = entries.at(-1)
    if (last === undefined || entries.length < limit) return undefined
    from = keyAfter(last.key)
  }
}
