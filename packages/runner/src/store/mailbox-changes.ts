/**
 * What happened in a mailbox after a modseq: by the change log where it reaches back so far, else by comparing pages. All of
 * an answer is of one moment.
 */
import type { MailboxChanges, MessageRow, ModSeq, Uid, UidRanges } from '@postern/core/store'
import type { HeadRecord } from './head-record.ts'
import { decodeHead } from './head-record.ts'
import type { AccountKeys } from './keys.ts'
import { PAGE_UIDS, pageOfUid, parsePageKey } from './keys.ts'
import { loopTurn } from './loop-turn.ts'
import { readExpunged, readMailboxLog } from './mailbox-log.ts'
import type { CountersRecord, MailboxRecord } from './mailbox-records.ts'
import { decodeCounters, decodeMailbox } from './mailbox-records.ts'
import { readRow } from './mailbox-rows.ts'
import type { OrderedStore, Reader } from './ordered-store.ts'
import { Page } from './pages.ts'
import { RangesWalk, rangesBelow, uniteRanges } from './uid-ranges.ts'

/** LIMIT: pages looked at in one slice. */
const SLICE_PAGES = 256
const SLICE_MS = 5
const READ_PAGES = 8
const MAX_ATTEMPTS = 3

export interface ChangesSource {
  readonly store: OrderedStore
  readonly keys: AccountKeys
  readonly mailbox: number
  /** UIDNEXT at a modseq, as this session was told; needed when the log does not reach back so far. */
  readonly uidNextAt: (modseq: number) => number
  /** Runs something while the account's writer stands still. */
  readonly alone: <T>(run: () => Promise<T>) => Promise<T>
}

/** A mailbox now. */
interface Now {
  readonly head: HeadRecord
  readonly record: MailboxRecord
  readonly counters: CountersRecord
}

/** Where to look, and what is known without looking. */
interface Plan {
  readonly now: Now
  /** UIDs that may have come or changed. */
  readonly places: UidRanges
  /** UIDNEXT at `since`. */
  readonly known: number
  readonly expunged: UidRanges
}

export async function readChanges(source: ChangesSource, since: number): Promise<MailboxChanges> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const changes = await readOnce(source, since)
    if (changes !== 'changed') return changes
  }
  const changes = await source.alone(() => readOnce(source, since))
  if (changes === 'changed') throw new Error('A mailbox changed while its writer stood still')
  return changes
}

async function readOnce(source: ChangesSource, since: number): Promise<MailboxChanges | 'changed'> {
  const { store, keys } = source
  // Little is read in the slice of the plan; much in slices of its own, during which the account may have gone on.
  const start = await store.read(keys.partition, (reader) => {
    const plan = makePlan(reader, source, since)
    if ('upTo' in plan) return plan
    const scan = new ChangesScan(source, plan, since)
    scan.slice(reader)
    return scan
  })
  if (!(start instanceof ChangesScan)) return start
  if (start.done) return start.finish()
  while (!start.done) {
    await loopTurn()
    await store.read(keys.partition, (reader) => start.slice(reader))
  }
  const head = await store.read(keys.partition, (reader) => reader.get(keys.head()))
  if (head === undefined || decodeHead(head).modseq !== start.plan.now.head.modseq) return 'changed'
  return start.finish()
}

function makePlan(reader: Reader, source: ChangesSource, since: number): Plan | MailboxChanges {
  const { keys, mailbox } = source
  const [head, record, counters] = [keys.head(), keys.mailbox(mailbox), keys.counters(mailbox)].map((key) => reader.get(key))
  if (head === undefined || record === undefined || counters === undefined) {
    const upTo = head === undefined ? since : decodeHead(head).modseq
    const nothing = { vanished: [], changed: [], arrived: [], uidNext: 1 as Uid, keywords: [] }
    return { ...nothing, upTo: upTo as ModSeq, exists: false }
  }
  const now = { head: decodeHead(head), record: decodeMailbox(record), counters: decodeCounters(counters) }
  const upTo = now.head.modseq
  const { uidNext, highestModseq } = now.counters
  if (highestModseq <= since) return { now, places: [], known: uidNext, expunged: [] }
  const log = readMailboxLog(reader, keys, mailbox, since, upTo)
  if (log !== undefined) {
    const known = log.arrived[0]?.first ?? uidNext
    return { now, places: uniteRanges([...log.arrived, ...log.flagged]), known, expunged: log.expunged }
  }
  const expunged = readExpunged(reader, keys, mailbox, since, upTo)
  const everywhere = [{ first: 1 as Uid, last: Math.max(1, uidNext - 1) as Uid }]
  return { now, places: everywhere, known: Math.min(uidNext, source.uidNextAt(since)), expunged }
}

/** Looks through pages for rows that came or changed. */
class ChangesScan {
  readonly plan: Plan
  done = false
  readonly #source: ChangesSource
  readonly #since: number
  readonly #walk: RangesWalk
  readonly #rows: RangesWalk
  readonly #changed: MessageRow[] = []
  readonly #arrived: MessageRow[] = []
  #next = 0

  constructor(source: ChangesSource, plan: Plan, since: number) {
    this.#source = source
    this.plan = plan
    this.#since = since
    this.#walk = new RangesWalk(plan.places)
    this.#rows = new RangesWalk(plan.places)
  }

  slice(reader: Reader): void {
    const { keys, mailbox } = this.#source
    const until = performance.now() + SLICE_MS
    for (let pages = 0; pages < SLICE_PAGES && performance.now() < until; ) {
      const range = this.#walk.from(this.#next * PAGE_UIDS)
      if (range === undefined) {
        this.done = true
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

  finish(): MailboxChanges {
    const { now, known, expunged } = this.plan
    return {
      upTo: now.head.modseq as ModSeq,
      exists: true,
      vanished: rangesBelow(expunged, known),
      changed: this.#changed,
      arrived: this.#arrived,
      uidNext: now.counters.uidNext as Uid,
      keywords: now.record.keywords,
    }
  }

  #look(reader: Reader, number: number, octets: Uint8Array): void {
    const { keys, mailbox } = this.#source
    const page = Page.decode(octets, { verify: false })
    if (page.highestModseq <= this.#since) return
    for (let index = 0; index < page.count; index += 1) {
      const uid = number * PAGE_UIDS + page.slot(index)
      if (page.modseq(index) <= this.#since || !this.#rows.has(uid)) continue
      const row = readRow(reader, keys, mailbox, uid, page.row(index))
      if (uid >= this.plan.known) this.#arrived.push(row)
      else this.#changed.push(row)
    }
  }
}
