/**
 * Words of a text, in one pass. Not here: markup (html-text.ts) and what a URL consists of (url-words.ts).
 *
 * A word is a run of three or more letters, digits and signs such as `$`, in lower case; apostrophes, dots, hyphens,
 * underlines and `@` belong to it between letters. What is invisible is passed over, so that it can't cut words. Of
 * scripts written without spaces every two neighbours make a word, as does every character beyond the basic plane. Of an
 * address the domain, and of an IPv4 address its networks are words too.
 */
import { characterKinds, DIGIT_SHIFT, IDEOGRAPH, INNER, INVISIBLE, KIND_MASK, KIND_SHIFT, LETTER, LOWER_MASK, SEPARATOR, SURROGATE } from './character-kind.ts'
import { CodeUnits } from './code-units.ts'
import { MAX_WORD_LENGTH, type WordCollector } from './word-collector.ts'
import { stepHigh, stepLow } from './word-key.ts'

const DOT = 0x2e
const AT = 0x40
const COLON = 0x3a
const SLASH = 0x2f

/** Shorter words are passed over: they are in every message. */
const MIN_WORD_LENGTH = 3
/** Longer ones with two digits and no joint number or name one thing, and are never seen again. */
const MAX_NUMBERED = 7
/** LIMIT: URLs looked at in one text. */
const MAX_URLS = 1_000
/** LIMIT: characters of one URL. */
const MAX_URL_LENGTH = 1_024

const NOTHING: readonly string[] = []

const room = new CodeUnits()

/**
 * Takes the words of a text into the present stream.
 * @param ascii its octets, when it is known that there is nothing but ASCII in it
 * @returns URLs found in it, as they are written
 */
export function addTextWords(text: string, words: WordCollector, ascii?: Uint8Array): readonly string[] {
  let plain = text
  let units = ascii === undefined ? room.ofText(text) : room.ofOctets(ascii)
  if (ascii === undefined && !room.isLatin) {
    // Compatibility forms are letters in disguise: full-width, circled, mathematical.
    plain = text.normalize('NFKC')
    units = room.ofText(plain)
  }
  words.readFrom(plain)
  return addUnitWords(units, 0, plain.length, words)
}

/** As `addTextWords`, of `[start, end)` of the text that was told to `readFrom` last. @param text its code units */
export function addUnitWords(text: Uint16Array, start: number, end: number, words: WordCollector): readonly string[] {
  const characters = characterKinds()
  const begin = words.start
  let urls = NOTHING as string[]
  let at = start
  while (at < end && !words.isFull) {
    const code = text[at] as number
    const kind = ((characters[code] as number) >> KIND_SHIFT) & KIND_MASK
    if (kind === LETTER) {
      const from = at
      let { high, low } = begin
      let size = 0
      let digits = 0
      let joints = 0
      let atSign = -1
      let to = at
      for (; at < end; at += 1) {
        const next = text[at] as number
        const character = characters[next] as number
        const nextKind = (character >> KIND_SHIFT) & KIND_MASK
        if (nextKind !== LETTER) {
          if (nextKind === INVISIBLE) continue
          if (nextKind !== INNER || at + 1 >= end || kindOf(characters, text[at + 1] as number) !== LETTER) break
          if (next === AT) atSign = at
          joints += 1
        }
        digits += character >> DIGIT_SHIFT
        size += 1
        to = at + 1
        if (size <= MAX_WORD_LENGTH) {
          const folded = character & LOWER_MASK
          high = stepHigh(high, folded)
          low = stepLow(low, folded)
        }
      }
      if (size > MAX_WORD_LENGTH) {
        const magnitude = 32 - Math.clz32(size)
        high = stepHigh(high, magnitude)
        low = stepLow(low, magnitude)
      }
      const isNumbering = joints === 0 && size > MAX_NUMBERED && digits > 1
      if (size >= MIN_WORD_LENGTH && !isNumbering) {
        words.add(from, to, high, low)
        if (atSign > 0) addDomain(text, atSign + 1, to, words, characters)
        else if (joints === 3 && digits + joints === size) addNetworks(text, from, to, words)
      }
      if (at + 2 < end && text[at] === COLON && text[at + 1] === SLASH && text[at + 2] === SLASH) {
        const urlEnd = endOfUrl(text, at, end)
        if (urls === NOTHING) urls = []
        if (urls.length < MAX_URLS) urls.push(String.fromCharCode(...text.subarray(from, urlEnd)))
        at = urlEnd
      }
    } else if (kind === SEPARATOR) {
      do at += 1
      while (at < end && kindOf(characters, text[at] as number) === SEPARATOR)
    } else if (kind === IDEOGRAPH) {
      at = addUnspaced(text, at, end, words, characters)
    } else if (kind === SURROGATE) {
      const to = Math.min(end, at + 2)
      const point = pointAt(text, at, to)
      words.add(at, to, stepHigh(begin.high, point), stepLow(begin.low, point))
      at = to
    } else {
      at += 1
    }
  }
  if (at < end) words.noteTruncated()
  return urls
}

function kindOf(characters: Uint32Array, code: number): number {
  return ((characters[code] as number) >> KIND_SHIFT) & KIND_MASK
}

/** The number of a character in two halves; of one without the other that of the half. */
function pointAt(text: Uint16Array, at: number, end: number): number {
  const high = text[at] as number
  const low = at + 1 < end ? (text[at + 1] as number) : 0
  return high < 0xdc00 && low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : high
}

/** The networks an IPv4 address is in, as words too. */
function addNetworks(text: Uint16Array, from: number, to: number, words: WordCollector): void {
  let { high, low } = words.start
  for (let at = from; at < to; at += 1) {
    const code = text[at] as number
    if (code === DOT) words.add(from, at, high, low)
    high = stepHigh(high, code)
    low = stepLow(low, code)
  }
}

/** What follows the `@` of an address, as a word too. */
function addDomain(text: Uint16Array, from: number, to: number, words: WordCollector, characters: Uint32Array): void {
  let high = stepHigh(words.start.high, AT)
  let low = stepLow(words.start.low, AT)
  for (let at = from; at < Math.min(to, from + MAX_WORD_LENGTH); at += 1) {
    const folded = (characters[text[at] as number] as number) & LOWER_MASK
    high = stepHigh(high, folded)
    low = stepLow(low, folded)
  }
  words.add(from - 1, to, high, low)
}

/** Every two neighbours of a run without spaces; a lone character is a word. @returns end of the run */
function addUnspaced(text: Uint16Array, from: number, end: number, words: WordCollector, characters: Uint32Array): number {
  const { start } = words
  let at = from
  for (;;) {
    const code = text[at] as number
    const isNext = at + 1 < end && kindOf(characters, text[at + 1] as number) === IDEOGRAPH
    if (isNext || at === from) {
      const next = isNext ? (text[at + 1] as number) : 0
      words.add(at, isNext ? at + 2 : at + 1, stepHigh(stepHigh(start.high, code), next), stepLow(stepLow(start.low, code), next))
    }
    at += 1
    if (!isNext || words.isFull) return at
  }
}

function endOfUrl(text: Uint16Array, from: number, end: number): number {
  const limit = Math.min(end, from + MAX_URL_LENGTH)
  let at = from
  while (at < limit) {
    const code = text[at] as number
    if (code <= 0x20 || code === 0x22 || code === 0x3c || code === 0x3e || code > 0x7e) break
    at += 1
  }
  return at
}
