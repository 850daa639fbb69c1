/**
 * A corpus in memory: a table with open addressing, 16 octets a place. Words that come back to no counts at all are
 * let go of when the table grows. Not here: keeping it over a restart.
 */
import { firstPlace } from '../words/index.ts'
import type { Corpus, CorpusCounts, CorpusDelta } from './corpus.ts'

/** Numbers of one place: both halves of the key, counts of ham and of spam. */
const PLACE = 4
/** Logarithm of the places of an empty table. */
const FEWEST_BITS = 10
/** Of one of 16 MiB. */
const LARGE_BITS = 20

export interface MemoryCorpus extends Corpus {
  /** Words whose counts are not both 0. */
  readonly size: number
  /** Those words with their counts, in no order. */
  rows(): IterableIterator<{ readonly high: number; readonly low: number; readonly ham: number; readonly spam: number }>
}

export function createMemoryCorpus(): MemoryCorpus {
  return new Table()
}

class Table implements MemoryCorpus {
  #places = new Int32Array(PLACE << FEWEST_BITS)
  #bits = FEWEST_BITS
  #used = 0
  #ham = 0
  #spam = 0
  /** Room for `#look`. */
  #looked = new Int32Array(1)

  get size(): number {
    let size = 0
    for (const _ of this.rows()) size += 1
    return size
  }

  *rows(): IterableIterator<{ readonly high: number; readonly low: number; readonly ham: number; readonly spam: number }> {
    const places = this.#places
    for (let at = 0; at < places.length; at += PLACE) {
      const ham = places[at + 2] as number
      const spam = places[at + 3] as number
      if (ham !== 0 || spam !== 0) yield { high: (places[at] as number) >>> 0, low: (places[at + 1] as number) >>> 0, ham, spam }
    }
  }

  read(keys: Uint32Array): Promise<CorpusCounts> {
    const counts = new Int32Array(keys.length)
    const looked = this.#look(keys)
    const places = this.#places
    const end = places.length - 1
    for (let index = 0; index < keys.length; index += 2) {
      const high = (keys[index] as number) | 0
      const low = (keys[index + 1] as number) | 0
      let at = looked[index] as number
      let found = looked[index + 1] as number
      while ((found !== low || places[at] !== high) && (found !== 0 || places[at] !== 0)) {
        at = (at + PLACE) & end
        found = places[at + 1] as number
      }
      // Of a place that is free both are 0.
      counts[index] = places[at + 2] as number
      counts[index + 1] = places[at + 3] as number
    }
    return Promise.resolve({ totals: { ham: this.#ham, spam: this.#spam }, counts })
  }

  apply(deltas: readonly CorpusDelta[]): Promise<void> {
    for (const delta of deltas) this.#add(delta)
    return Promise.resolve()
  }

  #add({ keys, verdict, sign }: CorpusDelta): void {
    this.#reserve(keys.length / 2)
    const looked = this.#look(keys)
    if (verdict === 'ham') this.#ham += sign
    else this.#spam += sign
    const places = this.#places
    const end = places.length - 1
    const side = verdict === 'ham' ? 2 : 3
    for (let index = 0; index < keys.length; index += 2) {
      const high = (keys[index] as number) | 0
      const low = (keys[index + 1] as number) | 0
      let at = looked[index] as number
      for (;;) {
        // Not what was looked at: another key of this message may have come here since.
        const found = places[at + 1] as number
        if (found === low && places[at] === high) break
        if (found === 0 && places[at] === 0) {
          places[at] = high
          places[at + 1] = low
          this.#used += 1
          break
        }
        at = (at + PLACE) & end
      }
      places[at + side] = (places[at + side] as number) + sign
    }
  }

  /**
   * The first place of each key, and the low half that is there. All are looked at before any is decided on, so that the
   * processor fetches many at a time: the table is far larger than its caches.
   */
  #look(keys: Uint32Array): Int32Array {
    const places = this.#places
    const bits = this.#bits
    if (this.#looked.length < keys.length) this.#looked = new Int32Array(2 * keys.length)
    const looked = this.#looked
    for (let index = 0; index < keys.length; index += 2) {
      const at = firstPlace(keys[index] as number, keys[index + 1] as number, bits) * PLACE
      looked[index] = at
      looked[index + 1] = places[at + 1] as number
    }
    return looked
  }

  /** Makes room for so many more keys: at most two thirds of the places are used. */
  #reserve(more: number): void {
    if ((this.#used + more) * 3 * PLACE <= this.#places.length * 2) return
    const old = this.#places
    let kept = 0
    for (let at = 0; at < old.length; at += PLACE) if (old[at + 2] !== 0 || old[at + 3] !== 0) kept += 1
    // A small table soon grows again; of a large one every step is memory.
    const spare = this.#bits < LARGE_BITS ? 2 : 1
    this.#bits = Math.max(FEWEST_BITS, spare + Math.ceil(Math.log2(kept + more)))
    this.#places = new Int32Array(PLACE << this.#bits)
    this.#used = kept
    const places = this.#places
    for (let from = 0; from < old.length; from += PLACE) {
      if (old[from + 2] === 0 && old[from + 3] === 0) continue
      let at = firstPlace(old[from] as number, old[from + 1] as number, this.#bits) * PLACE
      while (places[at] !== 0 || places[at + 1] !== 0) at = (at + PLACE) & (places.length - 1)
      places[at] = old[from] as number
      places[at + 1] = old[from + 1] as number
      places[at + 2] = old[from + 2] as number
      places[at + 3] = old[from + 3] as number
    }
  }
}
