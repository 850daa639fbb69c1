/**
 * Encoded words: text beyond ASCII in header fields. RFC 2047, with the language suffix of RFC 2231 §5.
 * Not here: where in a field they may stand, and parameters (RFC 2231 §4).
 *
 * LENIENT: words are found inside of other text too; "Q" text may hold spaces; letters that were split between two
 * words of one charset are put together; what can't be decoded stays as it is.
 */
import type { Work } from './address-tokens.ts'
import { decodeCharset, decodeUnlabelled } from './charset.ts'
import { decodeTransfer } from './transfer-encoding.ts'

/** LIMIT: charset, language and encoding together; the longest registered charset has 45 octets. */
const MAX_LABEL = 100
/** LIMIT: RFC 2047 §2 allows 75; with fewer the first word fits on a line of 78 behind the names of most fields. */
const MAX_WORD = 62

/** One encoded word: `[start, end)` of the text, its octets decoded. */
interface EncodedWord {
  readonly start: number
  readonly end: number
  readonly charset: string
  readonly octets: Uint8Array
}

/**
 * Text of a field value: unfolded, its encoded words decoded, white space between two of them left out.
 * @param value raw octets, folded or not; those beyond ASCII outside of encoded words are UTF-8, else windows-1252
 * @param work counts octets looked at
 */
export function decodeEncodedWords(value: Uint8Array, work: Work = { steps: 0 }): string {
  const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
  const words = new EncodedWords(text, work)
  const parts: string[] = []
  let run: EncodedWord[] = []
  let end = 0
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const between = value.subarray(end, word.start)
    const isAdjacent = run.length > 0 && isBlank(between)
    work.steps += between.length
    if (!isAdjacent) {
      parts.push(textOfWords(run), plainText(between))
      run = []
    } else if (run[0]?.charset !== word.charset) {
      parts.push(textOfWords(run))
      run = []
    }
    run.push(word)
    end = word.end
  }
  parts.push(textOfWords(run), plainText(value.subarray(end)))
  return parts.join('')
}

/**
 * Text as a field value of ASCII only: as it is where possible, else with encoded words of at most 62 characters, a
 * space between them. `decodeEncodedWords` gives the text back. CR, LF and NUL are encoded like others: refuse them
 * before.
 */
export function encodeEncodedWords(text: string): string {
  if (isPlainText(text)) return text
  const parts = text.split(' ')
  // From the first to the last part that needs it: spaces between encoded words must be encoded with them.
  let first = parts.findIndex((part) => needsEncoding(part))
  let last = parts.findLastIndex((part) => needsEncoding(part))
  // White space at either end would be trimmed.
  if (text.endsWith(' ')) last = parts.length - 1
  if (text.startsWith(' ')) first = 0
  if (first < 0) first = last - 1
  last = Math.max(last, first + (text.startsWith(' ') ? 1 : 0))
  const before = parts.slice(0, first).map((part) => `${part} `)
  const after = parts.slice(last + 1).map((part) => ` ${part}`)
  return `${before.join('')}${encodeWords(parts.slice(first, last + 1).join(' '))}${after.join('')}`
}

/** Finds encoded words from left to right; every character is looked at a bounded number of times. */
class EncodedWords {
  readonly #text: string
  readonly #work: Work
  #at = 0
  /** The first "=?" and the first "?=" found by the last search for one; searched for again only when passed. */
  #start = -1
  #end = -1

  constructor(text: string, work: Work) {
    this.#text = text
    this.#work = work
  }

  next(): EncodedWord | undefined {
    for (;;) {
      const start = this.#startFrom(this.#at)
      if (start === NEVER) return undefined
      const word = this.#wordAt(start)
      this.#at = word?.end ?? start + 2
      if (word !== undefined) return word
    }
  }

  #wordAt(start: number): EncodedWord | undefined {
    const head = this.#text.slice(start, start + MAX_LABEL)
    this.#work.steps += head.length
    const match = /^=\?([^?=\s]+)\?([bq])\?/i.exec(head)
    if (match === null) return undefined
    const [label, charset = '', encoding = ''] = match
    const from = start + label.length
    const end = this.#endFrom(from)
    // LENIENT: a word without its end before another one begins is text.
    if (end === NEVER || this.#startFrom(from) + 2 <= end) return undefined
    // LENIENT: a line folded inside of a word.
    const content = this.#text.slice(from, end).replaceAll(/\r?\n[ \t]*/g, '')
    this.#work.steps += content.length
    const octets = encoding.toLowerCase() === 'b' ? decodeTransfer(latin1Octets(content), 'base64') : decodeQ(content)
    return { start, end: end + 2, charset: charset.toLowerCase(), octets }
  }

  #startFrom(at: number): number {
    if (this.#start < at) this.#start = this.#find('=?', at)
    return this.#start
  }

  #endFrom(at: number): number {
    if (this.#end < at) this.#end = this.#find('?=', at)
    return this.#end
  }

  #find(mark: string, at: number): number {
    const found = this.#text.indexOf(mark, at)
    this.#work.steps += (found < 0 ? this.#text.length : found) - at
    return found < 0 ? NEVER : found
  }
}

/** Beyond every text. */
const NEVER = Number.MAX_SAFE_INTEGER

/** Text of words of one charset that follow each other. */
function textOfWords(words: readonly EncodedWord[]): string {
  const [first] = words
  if (first === undefined) return ''
  const pieces = words.map((word, index) => withoutReset(word, words[index + 1]))
  return decodeCharset(words.length === 1 ? first.octets : Buffer.concat(pieces), first.charset)
}

/**
 * Octets of a word without the return to ASCII at its end, when the next one changes the set again at once: each word
 * of ISO-2022-JP ends in ASCII (RFC 2047 §3), and two changes in a row are an error to `TextDecoder`.
 */
function withoutReset(word: EncodedWord, next: EncodedWord | undefined): Uint8Array {
  const { charset, octets } = word
  if (next?.octets[0] !== ESCAPE || !charset.startsWith('iso-2022-')) return octets
  const end = octets.length - 3
  const isReset = octets[end] === ESCAPE && octets[end + 1] === 0x28 && octets[end + 2] === 0x42
  return isReset ? octets.subarray(0, end) : octets
}

const ESCAPE = 0x1b

/** RFC 5322 §2.2.3: line ends are left out, the white space after them stays. */
function plainText(octets: Uint8Array): string {
  return decodeUnlabelled(octets).replaceAll(/[\r\n]/g, '')
}

/** RFC 2047 §4.2 */
function decodeQ(content: string): Uint8Array {
  const out = new Uint8Array(content.length)
  let length = 0
  for (let at = 0; at < content.length; at += 1) {
    let octet = content.charCodeAt(at)
    if (octet === 0x5f) octet = 0x20
    else if (octet === 0x3d && /^[0-9a-f]{2}$/i.test(content.slice(at + 1, at + 3))) {
      octet = Number.parseInt(content.slice(at + 1, at + 3), 16)
      at += 2
    }
    out[length] = octet
    length += 1
  }
  return out.slice(0, length)
}

/**
 * Encoded words of UTF-8 for all of `text`, each of at most 62 characters, a space between them: "Q" for
 * mostly ASCII text, else "B"; no code point split. What a phrase needs as soon as a part of it does. RFC 2047 §5
 */
export function encodeWords(text: string): string {
  const octets = new TextEncoder().encode(text)
  let sizeInQ = 0
  for (const octet of octets) sizeInQ += isSafeInQ(octet) || octet === 0x20 ? 1 : 3
  // "Q" as long as a reader without decoder could guess at the text; "B" takes a third more than the octets.
  const isQ = sizeInQ <= 2 * octets.length
  const head = isQ ? '=?utf-8?q?' : '=?utf-8?b?'
  const room = MAX_WORD - head.length - 2
  const words: string[] = []
  let chunk = ''
  let size = 0
  const close = (): void => {
    words.push(`${head}${isQ ? chunk : Buffer.from(chunk).toString('base64')}?=`)
    chunk = ''
    size = 0
  }
  for (const character of text) {
    const added = isQ ? encodeQ(character) : character
    const addedSize = isQ ? added.length : Buffer.byteLength(character)
    const total = isQ ? size + addedSize : 4 * Math.ceil((size + addedSize) / 3)
    if (total > room) close()
    chunk += added
    size += addedSize
  }
  close()
  return words.join(' ')
}

function encodeQ(character: string): string {
  if (character === ' ') return '_'
  const octets = Buffer.from(character)
  if (octets.length === 1 && isSafeInQ(octets[0] as number)) return character
  return octets.toString('hex').toUpperCase().replaceAll(/../g, '=$&')
}

/** What a "Q" word may hold as it is wherever it stands, phrases included. RFC 2047 §5 (3) */
function isSafeInQ(octet: number): boolean {
  return (octet >= 0x30 && octet <= 0x39) || ((octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a) || SAFE.has(octet)
}

const SAFE: ReadonlySet<number> = new Set(new TextEncoder().encode('!*+-/'))

/**
 * Whether text may stand in a field as it is: printable ASCII, spaces only inside, nothing that reads as an encoded
 * word.
 */
export function isPlainText(text: string): boolean {
  return !text.startsWith(' ') && !text.endsWith(' ') && !text.split(' ').some((part) => needsEncoding(part))
}

/** LIMIT: a line has 998 characters at most, and white space is the only place to fold it. RFC 5322 §2.1.1 */
function needsEncoding(part: string): boolean {
  return part.length > 900 || part.includes('=?') || !/^[\x21-\x7e]*$/.test(part)
}

function isBlank(octets: Uint8Array): boolean {
  return octets.every((octet) => octet === 0x20 || octet === 0x09 || octet === 0x0d || octet === 0x0a)
}

function latin1Octets(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}
