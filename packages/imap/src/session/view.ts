/**
 * The selected mailbox as one client was told of it: which message has which number, which flags it has heard of. What
 * happened since is `updates.ts`.
 */
import type {
  MessageRow,
  ModSeq,
  OpenMailbox,
  SequenceNumber,
  Uid,
  UidList,
  UidRange,
  UidRanges,
} from '@postern/core/store'
import { FlagText } from '../syntax/flag.ts'
import { flagsLine, permanentFlagsLine } from '../responses/mailbox.ts'

/** What a client knows of its selected mailbox. */
export class View {
  readonly mailbox: OpenMailbox
  readonly readOnly: boolean
  readonly #recent: UidRange | undefined
  readonly #flags: FlagText
  readonly #toldFlags = new ToldFlags()
  #uids: UidList
  #told: ModSeq

  constructor(mailbox: OpenMailbox, readOnly: boolean) {
    const { snapshot } = mailbox
    this.mailbox = mailbox
    this.readOnly = readOnly
    this.#uids = snapshot.uids
    this.#told = snapshot.modseq
    this.#flags = new FlagText(snapshot.keywords)
    this.#recent = readOnly ? lastMessages(snapshot.uids, snapshot.status.recent) : snapshot.recent
  }

  /** UIDs of all messages the client was told of. */
  get uids(): UidList {
    return this.#uids
  }

  /** The modseq up to which the client was told everything. */
  get told(): ModSeq {
    return this.#told
  }

  /** Messages, as EXISTS said. */
  get size(): number {
    return this.#uids.size
  }

  /** Every UID the client may mean: changes that reach no further leave alone what it has not heard of. */
  get all(): UidRanges {
    const last = this.#uids.last
    return last === undefined ? [] : [{ first: 1 as Uid, last }]
  }

  sequenceOf(uid: number): SequenceNumber | undefined {
    return this.#uids.sequenceOf(uid)
  }

  /** Whether a message is recent to this session. RFC 3501 §2.3.2 */
  isRecent(uid: number): boolean {
    return this.#recent !== undefined && uid >= this.#recent.first && uid <= this.#recent.last
  }

  /** Messages recent to this session, as RECENT tells. */
  get recentCount(): number {
    if (this.#recent === undefined) return 0
    return this.#uids.countBelow(this.#recent.last + 1) - this.#uids.countBelow(this.#recent.first)
  }

  /** UIDs recent to this session. */
  get recent(): UidRange | undefined {
    return this.#recent
  }

  /** Names of the mailbox's keywords, as far as the client was told. */
  get keywords(): readonly string[] {
    return this.#flags.keywords
  }

  /** Flags of a message with parentheses: `(\Seen work)`; \Recent included. */
  formatFlags(row: MessageRow): string {
    return this.#flags.format(row, this.isRecent(row.uid))
  }

  /** Whether the client has heard of every keyword of the row: if not, `learnKeywords` comes first. RFC 3501 §7.2.6 */
  knowsKeywordsOf(row: Pick<MessageRow, 'keywordBits' | 'wideKeywords'>): boolean {
    return this.#flags.knows(row)
  }

  /**
   * Takes in the keywords of the mailbox as they are now.
   * @returns the FLAGS and PERMANENTFLAGS lines to send first, none when nothing is new
   */
  learnKeywords(keywords: readonly string[]): readonly Uint8Array[] {
    if (keywords.length <= this.#flags.keywords.length) return []
    this.#flags.keywords = keywords
    return [flagsLine(keywords), permanentFlagsLine(keywords, this.readOnly)]
  }

  /** Asks the store for the keywords, for a row with one the client has not heard of. @returns lines to send first */
  async fetchKeywords(): Promise<readonly Uint8Array[]> {
    return this.learnKeywords((await this.mailbox.changesSince(this.#told)).keywords)
  }

  /** The client knows the flags these rows have now: it was told, or asked for them with .SILENT. */
  flagsTold(rows: Iterable<Pick<MessageRow, 'uid' | 'modseq'>>): void {
    for (const { uid, modseq } of rows) if (modseq > this.#told) this.#toldFlags.add(uid, modseq)
  }

  /** Whether the client knows the flags a row has now. */
  hasToldFlags(row: Pick<MessageRow, 'uid' | 'modseq'>): boolean {
    return this.#toldFlags.has(row.uid, row.modseq)
  }

  /** The client was told of these messages and of no others. */
  setUids(uids: UidList): void {
    this.#uids = uids
  }

  /** Everything up to `modseq` is told. */
  advance(modseq: ModSeq): void {
    if (modseq === this.#told) return
    this.#told = modseq
    this.#toldFlags.forget(modseq)
    this.mailbox.told(modseq)
  }
}

/** The highest `count` of a mailbox. */
function lastMessages(uids: UidList, count: number): UidRange | undefined {
  const first = uids.at(uids.size - count + 1)
  const last = uids.last
  return first === undefined || last === undefined ? undefined : { first, last }
}

interface Span {
  readonly first: number
  last: number
}

/**
 * Which messages' flags were told ahead of the rest, by the modseq of the change. Kept as runs of ascending ranges,
 * since they are told in UID order: usually one run.
 */
class ToldFlags {
  readonly #runs = new Map<number, Span[][]>()

  add(uid: number, modseq: number): void {
    const runs = this.#runs.get(modseq)
    if (runs === undefined) {
      this.#runs.set(modseq, [[{ first: uid, last: uid }]])
      return
    }
    if (this.has(uid, modseq)) return
    const run = runs.at(-1) as Span[]
    const tail = run.at(-1) as Span
    if (uid === tail.last + 1) tail.last = uid
    else if (uid > tail.last) run.push({ first: uid, last: uid })
    else runs.push([{ first: uid, last: uid }])
  }

  has(uid: number, modseq: number): boolean {
    return this.#runs.get(modseq)?.some((run) => holds(run, uid)) ?? false
  }

  /** Drops what lies behind. */
  forget(upTo: number): void {
    for (const modseq of this.#runs.keys()) if (modseq <= upTo) this.#runs.delete(modseq)
  }
}

/** Whether one of ascending ranges holds a number. */
function holds(run: readonly Span[], uid: number): boolean {
  let low = 0
  let high = run.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((run[middle] as Span).last < uid) low = middle + 1
    else high = middle
  }
  const span = run[low]
  return span !== undefined && span.first <= uid
}
