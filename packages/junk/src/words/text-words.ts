/**
 * Words of a text, in one pass. Not here: markup (html-text.ts) and what a URL consists of (url-words.ts).
 *
 * A word is a run of three or more letters, digits and signs such as `$`, in lower case; apostrophes, dots, hyphens,
 * underlines and `@` belong to it between letters. What is invisible is passed over, so that it can't cut words. Of
 * scripts written without spaces every two neighbours make a word, as does every character beyond the basic plane. Of an
 * address the domain, and of an IPv4 address its networks are words too.
 */
import { characterKinds, IDEOGRAPH, INNER, INVISIBLE, LETTER, SURROGATE } from './character-kind.ts'
import { MAX_WORD_LENGTH, type WordCollector } from './word-collector.ts'
import { stepHigh, stepLow } from './word-key.ts'

const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
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

/**
 * Takes the words of a text into the present stream.
 * @returns URLs found in it, as they are written
 */
export function addTextWords(text: string, words: WordCollector): readonly string[] {
  // Compatibility forms are letters in disguise: full-width, circled, mathematical.
  const plain = /[^\x00-\xff]/.test(text) ? text.normalize('NFKC') : text
  words.readFrom(plain)
  return addRangeWords(plain, 0, plain.length, words)
}

/** As `addTextWords`, of `[start, end)` of the text that was told to `readFrom` last. */
export function addRangeWords(text: string, start: number, end: number, words: WordCollector): readonly string[] {
  const { kinds, lower } = characterKinds()
  const begin = words.start
  let urls = NOTHING as string[]
  let at = start
  while (at < end && !words.isFull) {
    const code = text.charCodeAt(at)
    const kind = kinds[code] as number
    if (kind === LETTER) {
      const from = at
      let { high, low } = begin
      let size = 0
      let digits = 0
      let joints = 0
      let atSign = -1
      let to = at
      for (; at < end; at += 1) {
        const next = text.charCodeAt(at)
        const nextKind = kinds[next] as number
        if (nextKind !== LETTER) {
          if (nextKind === INVISIBLE) continue
          if (nextKind !== INNER || at + 1 >= end || kinds[text.charCodeAt(at + 1)] !== LETTER) break
          if (next === AT) atSign = at
          joints += 1
        } else if (next <= NINE && next >= ZERO) {
          digits += 1
        }
        size += 1
        to = at + 1
        if (size <= MAX_WORD_LENGTH) {
          const folded = lower[next] as number
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
        if (atSign > 0) addDomain(text, atSign + 1, to, words, lower)
        else if (joints === 3 && digits + joints === size) addNetworks(text, from, to, words)
      }
      if (text.charCodeAt(at) === COLON && text.charCodeAt(at + 1) === SLASH && text.charCodeAt(at + 2) === SLASH) {
        const urlEnd = endOfUrl(text, at, end)
        if (urls === NOTHING) urls = []
        if (urls.length < MAX_URLS) urls.push(text.slice(from, urlEnd))
        at = urlEnd
      }
    } else if (kind === IDEOGRAPH) {
      at = addUnspaced(text, at, end, words, kinds)
    } else if (kind === SURROGATE) {
      const to = Math.min(end, at + 2)
      const point = text.codePointAt(at) as number
      words.add(at, to, stepHigh(begin.high, point), stepLow(begin.low, point))
      at = to
    } else {
      at += 1
    }
  }
  if (at < end) words.noteTruncated()
  return urls
}

/** The networks an IPv4 address is in, as words too. */
function addNetworks(text: string, from: number, to: number, words: WordCollector): void {
  let { high, low } = words.start
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at)
    if (code === DOT) words.add(from, at, high, low)
    high = stepHigh(high, code)
    low = stepLow(low, code)
  }
}

/** What follows the `@` of an address, as a word too. */
function addDomain(text: string, from: number, to: number, words: WordCollector, lower: Uint16Array): void {
  let high = stepHigh(words.start.high, AT)
  let low = stepLow(words.start.low, AT)
  for (let at = from; at < Math.min(to, from + MAX_WORD_LENGTH); at += 1) {
    const folded = lower[text.charCodeAt(at)] as number
    high = stepHigh(high, folded)
    low = stepLow(low, folded)
  }
  words.add(from - 1, to, high, low)
}

/** Every two neighbours of a run without spaces; a lone character is a word. @returns end of the run */
function addUnspaced(text: string, from: number, end: number, words: WordCollector, kinds: Uint8Array): number {
  const { start } = words
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    const isNext = at + 1 < end && kinds[text.charCodeAt(at + 1)] === IDEOGRAPH
    if (isNext || at === from) {
      const next = isNext ? text.charCodeAt(at + 1) : 0
      words.add(at, isNext ? at + 2 : at + 1, stepHigh(stepHigh(start.high, code), next), stepLow(stepLow(start.low, code), next))
    }
    at += 1
    if (!isNext || words.isFull) return at
  }
}

function endOfUrl(text: string, from: number, end: number): number {
  const limit = Math.min(end, from + MAX_URL_LENGTH)
  let at = from
  while (at < limit) {
    const code = text.charCodeAt(at)
    if (code <= 0x20 || code === 0x22 || code === 0x3c || code === 0x3e || code > 0x7e) break
    at += 1
  }
  return at
}
