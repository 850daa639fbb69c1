/**
 * Keys of words: 64 bits in two halves, made character by character while a text is read.
 * Not here: where words begin and end (text-words.ts).
 *
 * A key instead of the word: pairs of words need no string of their own, a row of a corpus has a fixed size, and words
 * of any length fit. Two of 10 million words share a key with a chance of 1 in 370,000; what shares one is counted
 * together. Whoever makes a word that shares the key of another gains what writing the other word would give him.
 */

/** Both halves of a key, or of one that is being made, as signed 32-bit integers. */
export interface WordKey {
  readonly high: number
  readonly low: number
}

const HIGH_START = 0x2c1b3c6d
const LOW_START = 0x297a2d39

/**
 * One step of the first half. Either step can be undone, so two texts that differ in one place never meet in a half; that
 * high bits don't reach low ones is what `spread` is for. FNV-1a (Fowler, Noll, Vo), and the same with other numbers.
 */
export function stepHigh(high: number, code: number): number {
  return Math.imul(high ^ code, 0x01000193)
}

/** One step of the second half. */
export function stepLow(low: number, code: number): number {
  return Math.imul(low + code, 0x5bd1e995)
}

/** Spreads every bit over all others: the finalizer of MurmurHash3 (Appleby, public domain). */
export function spread(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/** What the key of a text is before any `spread`; words of a stream go on from that of its name. */
export function startKey(text: string): WordKey {
  let high = HIGH_START
  let low = LOW_START
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    high = stepHigh(high, code)
    low = stepLow(low, code)
  }
  return { high, low }
}
