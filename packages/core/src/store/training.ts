/**
 * What a filter of content asks of an account's store: judgements its owner made that are yet to be learned, octets to
 * learn from, and counts of words. A store keeps and finds these; what a word is, and what counts mean, it does not know.
 *
 * Changes of flags only leave that there is something to learn, within their own commit. Learning comes later, by
 * whoever reads the words, in commits of its own, each of which counts messages and remembers that it did: a crash
 * between loses nothing and counts nothing twice.
 */
import type { EmailId } from './numbers.ts'

export type WordVerdict = 'ham' | 'spam'

/** Counts of words, all of one moment. */
export interface WordCounts {
  /** Messages learned. */
  readonly totals: { readonly ham: number; readonly spam: number }
  /** Of each key asked for, in order: messages of ham, then of spam with it. */
  readonly counts: Int32Array
}

/** One message learned or unlearned. */
export interface WordDelta {
  /** 64-bit keys of its distinct words: two halves of each, higher first. */
  readonly keys: Uint32Array
  readonly verdict: WordVerdict
  readonly sign: 1 | -1
}

/** Counts by word: what `createJunkFilter` takes for its corpus. */
export interface WordCorpus {
  /** @param keys two halves of each, higher first; may repeat */
  read(keys: Uint32Array): Promise<WordCounts>
  /** Applies all deltas or, when it rejects, none. */
  apply(deltas: readonly WordDelta[]): Promise<void>
}

/** A message for which something was left. */
export interface WaitingMessage {
  readonly emailId: EmailId
  /** The newest judgement of any of its places; undefined: none, or that was withdrawn, or the message is to be erased. */
  readonly judged: WordVerdict | undefined
  /** As what its words are counted now. */
  readonly counted: WordVerdict | undefined
}

/** Judgements that wait, oldest first. */
export interface WaitingTraining {
  readonly messages: readonly WaitingMessage[]
  /** To be handed back to `settle`. Empty when nothing waits. */
  readonly upTo: string
}

/** As what a message's words are counted from now on. */
export interface CountedMessage {
  readonly emailId: EmailId
  /** As `WaitingMessage.counted` was. */
  readonly before: WordVerdict | undefined
  /** `none`: not at all, as its judgement was withdrawn; undefined: not at all, whatever its judgement. */
  readonly counted: WordVerdict | 'none' | undefined
  /** Keys of its words; needed where it is counted otherwise than before. */
  readonly keys: Uint32Array
}

/** What was learned in a corpus, and how its words were read. */
export interface TrainingState {
  readonly totals: { readonly ham: number; readonly spam: number }
  /** Number of the way words were read for it; undefined: nothing was ever learned. */
  readonly reading: number | undefined
}

export type SettleResult =
  | 'settled'
  /** Something was settled or rebuilt in between: ask again what waits. Nothing was changed. */
  | 'stale'
  /** The corpus was made by another way of reading words, so that nothing can be taken out of it: rebuild it. */
  | 'other-reading'

/** A message of a corpus made anew; `none`: its judgement was withdrawn, and that is all there is to know. */
export interface RebuiltMessage {
  readonly emailId: EmailId
  readonly counted: WordVerdict | 'none'
  /** Keys of its words; none for `none`. */
  readonly keys: Uint32Array
}

/** A corpus that is being made anew beside the one in use. */
export interface CorpusRebuild {
  /** As what the corpus in use counts messages, in their order: undefined where nobody ever said; `none` after a judgement was withdrawn. */
  known(emailIds: readonly EmailId[]): Promise<readonly (WordVerdict | 'none' | undefined)[]>
  /** Counts messages that were not counted in it before; those that went meanwhile are left out. */
  count(messages: readonly RebuiltMessage[]): Promise<void>
  /** Puts it in place of the one in use, at once. */
  finish(): Promise<void>
  /** Gives it up. */
  abort(): Promise<void>
}

/** What an account has learned of words, and what it is yet to learn. */
export interface AccountTraining {
  readonly corpus: WordCorpus
  state(): Promise<TrainingState>
  /** Judgements left by changes, at most `most` messages (the rest comes when these are settled). */
  waiting(most: number): Promise<WaitingTraining>
  /** The first octets of a message as BODY[] returns it, at most `most`; undefined when it is gone. */
  octets(emailId: EmailId, most: number): Promise<Uint8Array | undefined>
  /**
   * Counts what was learned and takes those judgements off the list, in one commit. A message that went meanwhile is
   * not counted.
   * @param messages one for each that waited, in their order @param reading number of the way words are read
   */
  settle(upTo: string, messages: readonly CountedMessage[], reading: number): Promise<SettleResult>
  /** Begins a new corpus; one that was begun earlier is given up. Nothing can be settled until it is finished or given up. */
  rebuild(reading: number): Promise<CorpusRebuild>
}
