/**
 * What a filter has learned: how many ham and spam messages, and of each word in how many of either. A contract; the
 * memory corpus beside it fulfils it, a store may do so on disk.
 *
 * Changes are deltas, and the order in which deltas are applied never matters: a corpus may keep them as rows of their
 * own and fold many into its counts later, as long as `read` sees them.
 */

/** One message learned or unlearned. */
export interface CorpusDelta {
  /** Keys of its distinct words: two halves of each, higher first. Not changed by anyone; a corpus copies what it keeps. */
  readonly keys: Uint32Array
  readonly verdict: Verdict
  /** 1: the message and its words are counted once more; −1: once less. */
  readonly sign: 1 | -1
}

export type Verdict = 'ham' | 'spam'

/** Messages counted. */
export interface CorpusTotals {
  readonly ham: number
  readonly spam: number
}

/** What a corpus answers, all of one moment. */
export interface CorpusCounts {
  readonly totals: CorpusTotals
  /** Of each key asked for, in order: messages of ham, then of spam with it; 0 when never seen. */
  readonly counts: Int32Array
}

/**
 * Counts are whole numbers. While something was unlearned that was not yet learned a count is below 0: it is kept so
 * (otherwise the order would matter), and scorings take it as 0.
 */
export interface Corpus {
  /** @param keys two halves of each, higher first; may repeat */
  read(keys: Uint32Array): Promise<CorpusCounts>
  /** Applies all deltas or, when it rejects, none. */
  apply(deltas: readonly CorpusDelta[]): Promise<void>
}
