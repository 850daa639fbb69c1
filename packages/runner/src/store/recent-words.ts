/**
 * Counts of words read from disk lately, also that there are none: most words of a message were in the one before.
 * Not here: how long they hold (corpus-overlay.ts).
 */
import { firstPlace } from '@postern/junk/words'

/** LIMIT: logarithm of the places, of 16 octets each. A word may take the place of another. */
const BITS = 17

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

  /** Adds counts to words that are known; there need not be all of theirs. */
  add(rows: Iterable<{ readonly high: number; readonly low: number; readonly ham: number; readonly spam: number }>): void {
    const places = this.#places
    if (places === undefined) return
    for (const { high, low, ham, spam } of rows) {
      const place = 4 * firstPlace(high, low, BITS)
      if (places[place] !== (high | 0) || places[place + 1] !== (low | 0)) continue
      places[place + 2] = (places[place + 2] as number) + ham
      places[place + 3] = (places[place + 3] as number) + spam
    }
  }

  clear(): void {
    this.#places = undefined
  }
}
