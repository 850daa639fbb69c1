/**
 * What happened in a mailbox after a modseq: by the change log where it reaches back so far, else by comparing pages.
 * All of an answer is of one moment.
 */
import type { MailboxChanges, MessageRow, ModSeq, Uid, UidRanges } from '@postern/core/store'
import { StoreError } from '@postern/core/store'
import type { HeadRecord } from './head-record.ts'
import { decodeHead } from './head-record.ts'
import type { AccountKeys } from './account-keys.ts'
import { PAGE_UIDS, pageOfUid, parsePageKey } from './account-keys.ts'
import { loopTurn } from './loop-turn.ts'
import type { MailboxLog } from './mailbox-log.ts'
import { readExpunged, readMailboxLog } from './mailbox-log.ts'
import type { CountersRecord, MailboxRecord } from './mailbox-records.ts'
import { decodeCounters, decodeMailbox } from './mailbox-records.ts'
import { readRow } from './mailbox-rows.ts'
import type { OrderedStore, Reader } from './ordered-store.ts'
import { Page } from './pages.ts'
import { RangesWalk, rangesBelow, uniteRanges } from './uid-ranges.ts'

const NOTHING: MailboxLog = { arrived: [], flagged: [], expunged: [] }
/** LIMIT: pages looked at in one slice, and time spent there. */
const SLICE_PAGES = 256
const SLICE_MS = 5
const READ_PAGES = 8
/** LIMIT: rounds in which a mailbox may outrun the reader; each has only what happened during the one before. */
const MAX_ROUNDS = 32

export interface ChangesSource {
  readonly store: OrderedStore
  readonly keys: AccountKeys
  readonly mailbox: number
  /** UIDNEXT at a modseq, as this session was told; needed when the log does not reach back so far. */
  readonly uidNextAt: (modseq: number) => number
}

export async function readChanges(source: ChangesSource, since: number): Promise<MailboxChanges> {
  const { store, keys } = source
  const reading = new ChangesReading(source, since)
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    // Nearly always all of it is read in this slice. What happened during further ones is added in the next round.
    const changes = await store.read(keys.partition, (reader) => reading.round(reader))
    if (changes !== undefined) return changes
    while (!reading.isThrough) {
      await loopTurn()
      await store.read(keys.partition, (reader) => reading.slice(reader))
    }
  }
  throw new StoreError('STORE_BUSY', 'The mailbox changes faster than it can be read')
}

/** A mailbox now. */
interface Now {
  readonly head: HeadRecord
  readonly record: MailboxRecord
  readonly counters: CountersRecord
}

/** Changes as far as they have been read. */
class ChangesReading {
  /** The pages of this round have been looked at. */
  isThrough = true
  readonly #source: ChangesSource
  readonly #since: number
  readonly #rows = new Map<number, MessageRow>()
  /** Up to where the log has told where to look. */
  #upTo: number
  /** UIDNEXT at `since`. */
  #known = 0
  #expunged: UidRanges = []
  #walk = new RangesWalk([])
  #wanted = new RangesWalk([])
  #next = 0

  constructor(source: ChangesSource, since: number) {
    this.#source = source
    this.#since = since
    this.#upTo = since
  }

  /** Finds out where to look, and looks. @returns undefined when that takes more slices */
  round(reader: Reader): MailboxChanges | undefined {
    const { keys, mailbox } = this.#source
    const head = reader.get(keys.head())
    const record = reader.get(keys.mailbox(mailbox))
    const counters = reader.get(keys.counters(mailbox))
    if (record === undefined || counters === undefined || head === undefined) {
      return deleted(head === undefined ? this.#since : decodeHead(head).modseq)
    }
    const now = { head: decodeHead(head), record: decodeMailbox(record), counters: decodeCounters(counters) }
    this.#plan(reader, now)
    this.slice(reader)
    return this.isThrough ? this.#finish(now) : undefined
  }

  slice(reader: Reader): void {
    const { keys, mailbox } = this.#source
    const until = performance.now() + SLICE_MS
    for (let pages = 0; pages < SLICE_PAGES && performance.now() < until; ) {
      const range = this.#walk.from(this.#next * PAGE_UIDS)
      if (range === undefined) {
        this.isThrough = true
        return
      }
      const first = Math.max(this.#next, pageOfUid(range.first))
      const last = pageOfUid(range.last)
      const limit = Math.min(READ_PAGES, last - first + 1)
      const entries = reader.range({ ...keys.pages(mailbox, first, last), limit })
      for (const { key, value } of entries) this.#look(reader, parsePageKey(key).page, value)
      const end = entries.at(-1)
      pages += Math.max(1, entries.length)
      this.#next = end === undefined || entries.length < limit ? last + 1 : parsePageKey(end.key).page + 1
    }
  }

  #plan(reader: Reader, { head, counters }: Now): void {
    const { keys, mailbox, uidNextAt } = this.#source
    const { uidNext, highestModseq } = counters
    const from = this.#upTo
    const isFirst = this.#known === 0
    const log = highestModseq > from ? readMailboxLog(reader, keys, mailbox, from, head.modseq) : NOTHING
    const everywhere = [{ first: 1 as Uid, last: Math.max(1, uidNext - 1) as Uid }]
    const places = log === undefined ? everywhere : uniteRanges([...log.arrived, ...log.flagged])
    const expunged = log === undefined ? readExpunged(reader, keys, mailbox, from, head.modseq) : log.expunged
    if (isFirst) this.#known = log === undefined ? Math.min(uidNext, uidNextAt(from)) : (log.arrived[0]?.first ?? uidNext)
    this.#expunged = uniteRanges([...this.#expunged, ...expunged])
    this.#walk = new RangesWalk(places)
    this.#wanted = new RangesWalk(places)
    this.#next = 0
    this.#upTo = head.modseq
    this.isThrough = false
  }

  #look(reader: Reader, number: number, octets: Uint8Array): void {
    const { keys, mailbox } = this.#source
    const page = Page.decode(octets, { verify: false })
    if (page.highestModseq <= this.#since) return
    for (let index = 0; index < page.count; index += 1) {
      const uid = number * PAGE_UIDS + page.slot(index)
      if (page.modseq(index) <= this.#since || !this.#wanted.has(uid)) continue
      this.#rows.set(uid, readRow(reader, keys, mailbox, uid, page.row(index)))
    }
  }

  #finish({ head, record, counters }: Now): MailboxChanges {
    const changed: MessageRow[] = []
    const arrived: MessageRow[] = []
    const gone = new RangesWalk(this.#expunged)
    for (const row of [...this.#rows.values()].sort((a, b) => a.uid - b.uid)) {
      if (!gone.has(row.uid)) (row.uid >= this.#known ? arrived : changed).push(row)
    }
    return {
      upTo: head.modseq as ModSeq,
      exists: true,
      vanished: rangesBelow(this.#expunged, this.#known),
      changed,
      arrived,
      uidNext: counters.uidNext as Uid,
      keywords: record.keywords,
    }
  }
}

function deleted(upTo: number): MailboxChanges {
  const nothing = { vanished: [], changed: [], arrived: [], uidNext: 1 as Uid, keywords: [] }
  return { ...nothing, upTo: upTo as ModSeq, exists: false }
}
