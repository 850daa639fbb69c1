/**
 * Runs a search: finds out about messages what its tests need, the cheapest first, and no more than decides each.
 * Not here: the tests (`plan.ts`).
 */
import type { MessageRow, OpenMailbox, RowParts, Uid, UidRange, UidRanges } from '@postern/core/store'
import { UidRangesBuilder } from '../syntax/uid-ranges.ts'
import { bodyTexts, headerText, readHeader, type TextPiece } from './message-text.ts'
import { Pace, UNIT_CHARACTERS } from './pace.ts'
import type { Known, Plan } from './plan.ts'

/** UIDs taken through all stages before the next ones. LIMIT: holds what is undecided in memory. */
const SLICE = 4096
/** LIMIT: what a store gives along with a row at most. */
const ROW_BODY_OCTETS = 65_536
/** Enough for nearly every header. */
const ROW_HEADER_OCTETS = 16_384
/** Work of taking a row from the store, and of reading the facts of its header, roughly. */
const ROW_UNITS = 8
const FACTS_UNITS = 100

const NOTHING = new Uint8Array(0)

/** What a search runs on. */
export interface SearchRun {
  readonly mailbox: OpenMailbox
  readonly pace?: Pace
  /** Whether anybody still waits for the result; asked between turns. */
  readonly isWanted?: () => boolean
}

/** UIDs of the messages that match; of those found so far when nobody wants them any more. */
export async function findMessages(plan: Plan, run: SearchRun): Promise<UidRanges> {
  return new Search(plan, run).find()
}

class Search {
  readonly #plan: Plan
  readonly #mailbox: OpenMailbox
  readonly #pace: Pace
  readonly #isWanted: () => boolean
  readonly #readsHeaders: boolean

  constructor(plan: Plan, { mailbox, pace = new Pace(), isWanted = () => true }: SearchRun) {
    this.#plan = plan
    this.#mailbox = mailbox
    this.#pace = pace
    this.#isWanted = isWanted
    this.#readsHeaders = !plan.facts.isEmpty || plan.texts.some(({ of }) => of === 'text')
  }

  async find(): Promise<UidRanges> {
    const { candidates, asks, size } = this.#plan
    if (size === 0) return candidates
    const matches = new UidRangesBuilder()
    for (const slice of slicesOf(candidates)) {
      const found: Uid[] = []
      let undecided = slice
      if (asks.numbers) undecided = await this.#byNumber(undecided, found)
      if (asks.rows) undecided = await this.#byRow(undecided, found)
      if (asks.listed) undecided = await this.#byList(undecided, found)
      if (asks.listed || asks.headers || asks.texts) await this.#byOctets(undecided, found)
      for (const uid of found.sort((a, b) => a - b)) matches.add(uid)
      if (!this.#isWanted()) break
    }
    return matches.ranges
  }

  /** By what a UID alone tells. */
  async #byNumber(uids: UidRanges, found: Uid[]): Promise<UidRanges> {
    const undecided = new UidRangesBuilder()
    for (const { first, last } of uids) {
      for (let uid: number = first; uid <= last; uid += 1) {
        if (this.#pace.spend(this.#plan.size)) await this.#pace.pause()
        this.#sort({ uid }, uid as Uid, found, undecided)
      }
    }
    return undecided.ranges
  }

  async #byRow(uids: UidRanges, found: Uid[]): Promise<UidRanges> {
    const undecided = new UidRangesBuilder()
    for await (const rows of this.#fetch(uids, {})) {
      for (const row of rows) {
        if (this.#pace.spend(this.#plan.size + ROW_UNITS)) await this.#pace.pause()
        this.#sort({ uid: row.uid, row }, row.uid, found, undecided)
      }
    }
    return undecided.ranges
  }

  /** By the fields of list records. */
  async #byList(uids: UidRanges, found: Uid[]): Promise<UidRanges> {
    const undecided = new UidRangesBuilder()
    for await (const rows of this.#fetch(uids, { list: true })) {
      for (const row of rows) {
        if (this.#pace.spend(this.#plan.size + FACTS_UNITS)) await this.#pace.pause()
        const listed = row.list?.complete === true ? this.#plan.facts.read(row.list.fields) : undefined
        this.#sort({ uid: row.uid, row, listed }, row.uid, found, undecided)
      }
    }
    return undecided.ranges
  }

  /** By the header, then the text. */
  async #byOctets(uids: UidRanges, found: Uid[]): Promise<void> {
    const bodyOctets = this.#plan.asks.texts ? ROW_BODY_OCTETS : ROW_HEADER_OCTETS
    for await (const rows of this.#fetch(uids, { structure: true, bodyOctets })) {
      for (const row of rows) {
        if (this.#pace.spend(this.#plan.size + FACTS_UNITS)) await this.#pace.pause()
        if (!this.#isWanted()) return
        if (row.structure === undefined) continue
        const octets = this.#readsHeaders ? await readHeader(this.#mailbox, row, row.structure.root) : NOTHING
        this.#pace.spend(Math.ceil(octets.length / UNIT_CHARACTERS))
        const known: Known = { uid: row.uid, row, header: this.#plan.facts.read(octets) }
        const verdict = this.#plan.test(known) ?? (await this.#byText(known, row, octets))
        for (const { finder } of this.#plan.texts) finder.reset()
        if (verdict) found.push(row.uid)
      }
    }
  }

  /** Looks through a message until its text decides. */
  async #byText(known: Known, row: MessageRow, header: Uint8Array): Promise<boolean> {
    if (this.#plan.texts.some(({ of }) => of === 'text')) {
      await this.#look({ of: 'header', begins: true, text: headerText(header) })
    }
    let verdict = this.#plan.test(known)
    if (verdict !== undefined || row.structure === undefined) return verdict ?? false
    for await (const piece of bodyTexts(this.#mailbox, row, row.structure.root)) {
      await this.#look(piece)
      verdict = this.#plan.test(known)
      if (verdict !== undefined) return verdict
    }
    return this.#plan.test({ ...known, scanned: true }) ?? false
  }

  async #look({ of, begins, text }: TextPiece): Promise<void> {
    const units = Math.ceil(text.length / UNIT_CHARACTERS) + 1
    // Decoding and folding.
    this.#pace.spend(4 * units)
    for (const search of this.#plan.texts) {
      if (of === 'header' && search.of === 'body') continue
      if (begins) search.finder.restart()
      search.finder.push(text)
      if (this.#pace.spend(units)) await this.#pace.pause()
    }
  }

  #sort(known: Known, uid: Uid, found: Uid[], undecided: UidRangesBuilder): void {
    const verdict = this.#plan.test(known)
    if (verdict === undefined) undecided.add(uid)
    else if (verdict) found.push(uid)
  }

  /** Batches of rows; none any more when nobody waits for them. */
  async *#fetch(uids: UidRanges, parts: RowParts): AsyncGenerator<readonly MessageRow[], void> {
    if (uids.length === 0) return
    for await (const rows of this.#mailbox.fetch(uids, parts)) {
      if (!this.#isWanted()) return
      yield rows
    }
  }
}

/** The ranges in pieces of at most `SLICE` UIDs. */
function* slicesOf(ranges: UidRanges): Generator<UidRanges, void> {
  let slice: UidRange[] = []
  let room = SLICE
  for (const range of ranges) {
    for (let first: number = range.first; first <= range.last; ) {
      const last = Math.min(range.last, first + room - 1)
      slice.push({ first: first as Uid, last: last as Uid })
      room -= last - first + 1
      first = last + 1
      if (room > 0) continue
      yield slice
      slice = []
      room = SLICE
    }
  }
  if (slice.length > 0) yield slice
}
