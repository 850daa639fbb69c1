/**
 * Counts of words read from disk lately, also that there are none: most words of a message were in the one before.
 * Not here: how long they hold (corpus-overlay.ts).
 */

import { firstPlace } from '@postern/junk/words'

/** LIMIT: logarithm of the places, of 16 octets each. A word may take the place of another. */
const BITS = 16

export class RecentWords {
  /** Of each place: both halves of the key, ham, spam. */
  #places: Int32Array | undefined

  /** Puts the counts of a word at `at` and behind it. @returns whether they are known */
  read(high: number, low: number, counts: Int32Array, at: number): boolean {
    const places = this.#places
    if (places === undefined) return false
    const place = 4 * firstPlace(high, low, BITS)
    // No word has the key of an empty place: it would be read from disk each time.
    if (places[place] !== (high | 0) || places[place + 1] !== (low | 0) || (high | low) === 0) return false
    counts[at] = places[place + 2] as number
    counts[at + 1] = places[place + 3] as number
    return true
  }

  keep(high: number, low: number, ham: number, spam: number): void {
    const places = (this.#places ??= new Int32Array(4 << BITS))
    const place = 4 * firstPlace(high, low, BITS)
    places[place] = high | 0
    places[place + 1] = low | 0
    places[place + 2] = ham
    places[place + 3] = spam
  }

  clear(): void {
    this.#places = undefined
  }
}
