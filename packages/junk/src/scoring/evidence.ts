/** What scorings are given, and what they give. Arithmetic only: nothing here knows messages or where counts are kept. */

/** The words of one message as counted in a corpus. */
export interface CountedWords {
  readonly count: number
  /** Of each word: messages of ham, then of spam with it. What is below 0 counts as 0. */
  readonly counts: Int32Array
  /** Of each word: 0 for a word alone, else how many words its pair is apart. */
  readonly distances: Uint8Array
  /** Of each word: a number of where it stands, below 3. */
  readonly sources: Uint8Array
  /** Messages learned. */
  readonly totals: { readonly ham: number; readonly spam: number }
}

/** A word that took part. */
export interface WordEvidence {
  /** Its number in the message. */
  readonly index: number
  /** That a message with this word is spam, by this word alone: 0 to 1. */
  readonly probability: number
}

/** What the words say together. */
export interface Score {
  /** 0 to 1; 0.5 when no word says anything. */
  readonly probability: number
  /** The words it was made of, in no order. */
  readonly evidence: readonly WordEvidence[]
}

/** A way to make one probability of many words. Pure. */
export type Scoring = (words: CountedWords) => Score

/** Share of spam among the shares of messages with a word: what would be seen if there were as much ham as spam. NaN when never seen. */
export function spamShare({ counts, totals }: CountedWords, index: number): number {
  const ham = Math.max(0, counts[2 * index] as number) / Math.max(1, totals.ham)
  const spam = Math.max(0, counts[2 * index + 1] as number) / Math.max(1, totals.spam)
  return spam / (ham + spam)
}

/** Messages seen with a word. */
export function timesSeen({ counts }: CountedWords, index: number): number {
  return Math.max(0, counts[2 * index] as number) + Math.max(0, counts[2 * index + 1] as number)
}

/**
 * A share moved towards 0.5, as if the word had been seen `strength` more times in a message that could be either.
 * Robinson, "A Statistical Approach to the Spam Problem" (Linux Journal 107, 2003).
 */
export function smoothShare(share: number, seen: number, strength: number): number {
  return (strength * 0.5 + seen * share) / (strength + seen)
}

export function logistic(odds: number): number {
  return 1 / (1 + Math.exp(-odds))
}
