/**
 * The distinct words of one message, and pairs of neighbouring ones, as keys. Pairs that skip words are the "orthogonal
 * sparse bigrams" of Siefkes, Assis, Chhabra, Yerazunis, "Combining Winnow and Orthogonal Sparse Bigrams for
 * Incremental Spam Filtering" (PKDD 2004).
 * Not here: reading texts (text-words.ts), and which texts there are (message-words.ts).
 *
 * Words come in streams, each with a name: a pair lies within one stream, and the same word in two of them is two.
 */
import { KeySet } from './key-set.ts'
import { spread, startKey, stepHigh, stepLow, type WordKey } from './word-key.ts'

/** LIMIT: words of one message, repetitions counted, before pairs: all but one in a thousand messages have fewer. */
export const MAX_WORDS = 10_000
/** LIMIT: a longer word is known by its first characters and its length. */
export const MAX_WORD_LENGTH = 40
/**
 * A word goes with each of this many before it: in fields with two, in what a message says with its neighbour only, where
 * farther pairs are many and say little. Chosen by cross-validation: docs/decisions/0012-junk-scoring.md
 */
const FIELD_WINDOW = 2
const CONTENT_WINDOW = 1

/** Where a word stands: in the fields and hosts a message came by, in the rest of its header, or in what it says. */
export type WordSource = 'trace' | 'header' | 'content'
/** In the order of their numbers in `MessageWords.sources`. */
export const WORD_SOURCES: readonly WordSource[] = ['trace', 'header', 'content']

/** The distinct words of a message. */
export interface MessageWords {
  readonly count: number
  /** Two of each word, higher half first. No key is 0. */
  readonly keys: Uint32Array
  /** Of each word: 0 for a word alone, else how many words its pair is apart, 1 for neighbours. */
  readonly distances: Uint8Array
  /** Of each word: the number of its source. */
  readonly sources: Uint8Array
  /** A cap was reached: what came after it is not in. */
  readonly truncated: boolean
  /** The word as text: `stream:word`, of a pair `stream:word word`, with `…` for each word between. @param index from 0 */
  readonly nameOf: (index: number) => string
}

/** Room for the words of one message; one for all, as a message is read in one go and making room costs as much as reading. */
const scratch = {
  /** Of each word taken: its text, from, to, its stream. */
  places: new Int32Array(4 * MAX_WORDS),
  /** Halves of the words taken, finished. */
  highs: new Int32Array(MAX_WORDS),
  lows: new Int32Array(MAX_WORDS),
  set: new KeySet((1 + FIELD_WINDOW) * MAX_WORDS),
}

/** Takes words until `finish`. Only one may be at work at a time. */
export class WordCollector {
  readonly #texts: string[] = []
  readonly #streams: string[] = []
  readonly #places = scratch.places
  readonly #highs = scratch.highs
  readonly #lows = scratch.lows
  readonly #set = scratch.set
  #count = 0
  /** Of each stream, the number of its source. */
  readonly #sources: number[] = []
  #streamStart = 0
  #window = FIELD_WINDOW
  #start: WordKey = startKey('')
  #limit = MAX_WORDS
  #truncated = false

  constructor() {
    this.#set.clear()
  }

  get isFull(): boolean {
    return this.#count >= this.#limit
  }

  /** From now on takes half of the words there is room for, so that none of what follows hides the rest; or again all. */
  allow(share: 'half' | 'all'): void {
    this.#limit = share === 'all' ? MAX_WORDS : Math.ceil((this.#count + MAX_WORDS) / 2)
  }

  /** What words of the present stream start from. */
  get start(): WordKey {
    return this.#start
  }

  /** Begins a stream. @param name empty for the text of the message @param isPaired whether neighbours make words too */
  begin(name: string, source: WordSource, isPaired = true): void {
    this.#start = startKey(name)
    this.#window = isPaired ? (source === 'content' ? CONTENT_WINDOW : FIELD_WINDOW) : 0
    this.#streams.push(name)
    this.#sources.push(WORD_SOURCES.indexOf(source))
    this.#streamStart = this.#count
  }

  /** Says which text the next words are of. */
  readFrom(text: string): void {
    this.#texts.push(text)
  }

  noteTruncated(): void {
    this.#truncated = true
  }

  /** Takes a text as one word, as it is written. */
  addWhole(text: string): void {
    this.readFrom(text)
    let { high, low } = this.#start
    const end = Math.min(text.length, 2 * MAX_WORD_LENGTH)
    for (let at = 0; at < end; at += 1) {
      const code = text.charCodeAt(at)
      high = stepHigh(high, code)
      low = stepLow(low, code)
    }
    this.add(0, end, high, low)
  }

  /** Takes the word `[from, to)` of the text, and its pairs. @param high and low stepped through all of it */
  add(from: number, to: number, high: number, low: number): void {
    if (this.#count >= this.#limit) {
      this.#truncated = true
      return
    }
    const index = this.#count
    this.#count += 1
    const place = 4 * index
    this.#places[place] = this.#texts.length - 1
    this.#places[place + 1] = from
    this.#places[place + 2] = to
    this.#places[place + 3] = this.#streams.length - 1
    const ownHigh = spread(high)
    const ownLow = spread(low)
    const highs = this.#highs
    const lows = this.#lows
    highs[index] = ownHigh
    lows[index] = ownLow
    const set = this.#set
    set.add(ownHigh, ownLow, index << 3)
    const first = Math.max(this.#streamStart, index - this.#window)
    for (let other = index - 1; other >= first; other -= 1) {
      const distance = index - other
      const pairHigh = Math.imul((highs[other] as number) + distance, 0x9e3779b1) ^ ownHigh
      const pairLow = (Math.imul((lows[other] as number) ^ distance, 0x7feb352d) + ownLow) | 0
      set.add(pairHigh, pairLow, (index << 3) | distance)
    }
  }

  keys(): Uint32Array {
    return this.#set.keys()
  }

  finish(): MessageWords {
    const keys = this.#set.keys()
    const origins = this.#set.origins()
    const places = this.#places.slice(0, 4 * this.#count)
    const distances = new Uint8Array(origins.length)
    const sources = new Uint8Array(origins.length)
    for (let index = 0; index < origins.length; index += 1) {
      const origin = origins[index] as number
      distances[index] = origin & 7
      sources[index] = this.#sources[places[4 * (origin >> 3) + 3] as number] as number
    }
    const names = new WordNames(this.#texts, this.#streams, places)
    const nameOf = (index: number): string => names.nameOf(origins[index] as number)
    return { count: origins.length, keys, distances, sources, truncated: this.#truncated, nameOf }
  }
}

/** What words look like; made only of those that are asked for. */
class WordNames {
  readonly #texts: readonly string[]
  readonly #streams: readonly string[]
  readonly #places: Int32Array

  constructor(texts: readonly string[], streams: readonly string[], places: Int32Array) {
    this.#texts = texts
    this.#streams = streams
    this.#places = places
  }

  nameOf(origin: number): string {
    const index = origin >> 3
    const distance = origin & 7
    const stream = this.#streams[this.#places[4 * index + 3] as number] as string
    const word = this.#wordAt(index)
    const text = distance === 0 ? word : `${this.#wordAt(index - distance)} ${'… '.repeat(distance - 1)}${word}`
    return stream === '' ? text : `${stream}:${text}`
  }

  #wordAt(index: number): string {
    const place = 4 * index
    const from = this.#places[place + 1] as number
    const to = this.#places[place + 2] as number
    const word = (this.#texts[this.#places[place] as number] as string).slice(from, Math.min(to, from + 2 * MAX_WORD_LENGTH))
    return to - from > 2 * MAX_WORD_LENGTH ? `${word}…` : word
  }
}
