/**
 * Lists of addresses in header fields: From, To, Cc, Bcc, Sender, Reply-To. RFC 5322 §3.4 with its obsolete forms, RFC
 * 6532.
 * Not here: addresses of the SMTP envelope (core/address), and decoding of encoded words.
 *
 * LENIENT: whatever is written becomes entries: nothing throws, and an address is rather told in a strange form than
 * hidden.
 */
import { type AddressToken, AddressTokens, type Work } from './address-tokens.ts'

const NUL = 0x00
const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const DOT = 0x2e

/**
 * One entry of an address list; a group comes as its start, its mailboxes and its end. Starts and ends are balanced and
 * never nested. The octets are copies and hold no CR, LF or NUL.
 */
export type AddressEntry =
  | {
      readonly kind: 'mailbox'
      /**
       * Display name, else a comment or words after the address; unquoted and unescaped, encoded words left as they
       * are; never empty.
       */
      readonly name: Uint8Array | undefined
      /** Without quotes and backslashes. Empty, with an empty domain, for `<>`. */
      readonly localpart: Uint8Array
      /** Empty when there is none; a literal keeps its brackets. */
      readonly domain: Uint8Array
    }
  | { readonly kind: 'group-start'; readonly name: Uint8Array }
  | { readonly kind: 'group-end' }

/**
 * Entries of an address field in order; empty elements are passed over.
 * @param value folded or not, without the field's name
 * @param options.maxEntries where reading stops, 1,000 by default; the end of an open group is told all the same
 * @param options.work counts octets looked at
 */
export function parseAddressList(
  value: Uint8Array,
  options: { readonly maxEntries?: number; readonly work?: Work } = {},
): AddressEntry[] {
  const work = options.work ?? { steps: 0 }
  const list = new AddressList(options.maxEntries ?? 1000, work)
  const tokens = new AddressTokens(value, work)
  while (!list.isFull) {
    const token = tokens.next()
    if (token.kind === 'end') break
    list.take(token)
  }
  return list.end()
}

/** Where in an element the reader is: in a phrase or bare address, inside `<…>`, or after it. */
type Place = 'phrase' | 'angle' | 'after'

class AddressList {
  readonly #entries: AddressEntry[] = []
  readonly #maxEntries: number
  readonly #work: Work
  #place: Place = 'phrase'
  /** Words and "@" before `<`, or all of a bare address. */
  #phrase: AddressToken[] = []
  #angle: AddressToken[] = []
  /** Words and "@" after `>`: a display name in the wrong place, or an address without a comma before it. */
  #rest: AddressToken[] = []
  #comment: AddressToken | undefined
  #inGroup = false

  constructor(maxEntries: number, work: Work) {
    this.#maxEntries = maxEntries
    this.#work = work
  }

  get isFull(): boolean {
    return this.#entries.length >= this.#maxEntries
  }

  take(token: AddressToken): void {
    switch (token.kind) {
      case 'comment':
        if (this.#place !== 'phrase' || this.#phrase.length > 0) this.#comment = token
        return
      case 'word':
      case '@':
        this.#words().push(token)
        return
      case '<':
        // LENIENT: another `<` before `>` or `,` starts another address.
        if (this.#place === 'after' || this.#angle.length > 0) this.#endAngle()
        this.#place = 'angle'
        return
      case '>':
        if (this.#place === 'angle') this.#place = 'after'
        return
      case ':':
        return this.#colon(token)
      case ',':
        // In a route commas stand between domains: <@a,@b:user@host>. RFC 5322 §4.4
        if (this.#place === 'angle' && this.#angle[0]?.kind === '@') return
        return this.#endElement()
      case ';':
        // LENIENT: outside of a group it separates addresses, as some clients let people type.
        this.#endElement()
        return this.#endGroup()
      case 'end':
        return
    }
  }

  end(): AddressEntry[] {
    this.#endElement()
    this.#endGroup()
    return this.#entries
  }

  #words(): AddressToken[] {
    switch (this.#place) {
      case 'phrase':
        return this.#phrase
      case 'angle':
        return this.#angle
      case 'after':
        return this.#rest
    }
  }

  #colon(token: AddressToken): void {
    if (this.#place === 'angle' && this.#angle[0]?.kind === '@') {
      // The end of a route, which is dropped. RFC 5322 §4.4
      this.#angle = []
    } else if (this.#place === 'phrase') {
      this.#endGroup()
      this.#push({ kind: 'group-start', name: this.#text(this.#phrase, 0, this.#phrase.length) })
      this.#inGroup = this.#entries.at(-1)?.kind === 'group-start'
      this.#phrase = []
      this.#comment = undefined
    } else {
      // LENIENT: <mailto:user@host>
      this.#words().push({ ...token, kind: 'word' })
    }
  }

  #endGroup(): void {
    if (!this.#inGroup) return
    this.#inGroup = false
    this.#entries.push({ kind: 'group-end' })
  }

  #endElement(): void {
    if (this.#place !== 'phrase') this.#endAngle()
    this.#bareAddresses()
    this.#comment = undefined
  }

  /** Tells `phrase <angle>`; what came after it becomes the next phrase when there is an address in it. */
  #endAngle(): void {
    const rest = this.#rest
    const isAddress = rest.some((token) => token.kind === '@')
    this.#work.steps += rest.length
    this.#mailbox(this.#angle, addressIn(this.#angle, 0), this.#phrase.length > 0 || isAddress ? this.#phrase : rest)
    this.#place = 'phrase'
    this.#phrase = isAddress ? rest : []
    this.#angle = []
    this.#rest = []
  }

  /** Tells every address of a phrase that no `<` followed: one, or several when commas were forgotten. */
  #bareAddresses(): void {
    const words = this.#phrase
    this.#phrase = []
    const lastAt = words.findLastIndex((token) => token.kind === '@')
    for (let at = 0; at < words.length && !this.isFull; ) {
      const range = addressIn(words, at)
      // Words that no address follows belong to the one before them.
      const isLast = range.end > lastAt
      const name = range.start > at ? words.slice(at, range.start) : isLast ? words.slice(range.end) : []
      this.#work.steps += range.end - at
      this.#mailbox(words, range, name)
      at = isLast ? words.length : range.end
    }
  }

  #mailbox(words: readonly AddressToken[], range: AddressRange, nameWords: readonly AddressToken[]): void {
    const { start, at, end } = range
    let name = this.#text(nameWords, 0, nameWords.length)
    if (name.length === 0 && this.#comment !== undefined) name = trim(this.#text([this.#comment], 0, 1))
    this.#comment = undefined
    this.#push({
      kind: 'mailbox',
      name: name.length > 0 ? name : undefined,
      localpart: this.#text(words, start, at, isGlued),
      domain: this.#text(words, at + 1, end, isGlued),
    })
  }

  #push(entry: AddressEntry): void {
    if (!this.isFull) this.#entries.push(entry)
  }

  /** Words `[from, to)` joined: by a space where there was white space, unless they are `glued`. */
  #text(words: readonly AddressToken[], from: number, to: number, glued = isAdjacent): Uint8Array {
    if (from >= to) return new Uint8Array(0)
    let size = to - from - 1
    for (let index = from; index < to; index += 1) size += (words[index] as AddressToken).octets.length
    this.#work.steps += size + 1
    const out = new Uint8Array(size)
    let length = 0
    for (let index = from; index < to; index += 1) {
      const word = words[index] as AddressToken
      if (index > from && !glued(words[index - 1] as AddressToken, word)) {
        out[length] = SPACE
        length += 1
      }
      for (const octet of word.octets) {
        if (octet === NUL || octet === CR || octet === LF) continue
        out[length] = octet
        length += 1
      }
    }
    return length === size ? out : out.slice(0, length)
  }
}

/**
 * An address among words: its localpart is `[start, at)`, "@" at `at`, its domain `(at, end)`; without "@", `at` is
 * `end`.
 */
interface AddressRange {
  readonly start: number
  readonly at: number
  readonly end: number
}

/** The first address in words from `from` on, or all of them as localpart when there is no "@". */
function addressIn(words: readonly AddressToken[], from: number): AddressRange {
  let at = from
  while (at < words.length && words[at]?.kind !== '@') at += 1
  if (at === words.length) return { start: from, at, end: at }
  let start = Math.max(from, at - 1)
  while (start > from && isGlued(words[start - 1] as AddressToken, words[start] as AddressToken)) start -= 1
  let end = at + 1
  while (end < words.length) {
    const word = words[end] as AddressToken
    if (word.kind === '@') {
      // LENIENT: of several "@" without space between them the last one counts.
      if (word.spaced) break
      at = end
    } else if (end > at + 1 && !isGlued(words[end - 1] as AddressToken, word)) {
      break
    }
    end += 1
  }
  return { start, at, end }
}

function isAdjacent(_before: AddressToken, word: AddressToken): boolean {
  return !word.spaced
}

/** Whether two words are of one localpart or domain: without space, or with a dot between them. RFC 5322 §4.4 */
function isGlued(before: AddressToken, word: AddressToken): boolean {
  if (!word.spaced || word.kind === '@' || before.kind === '@') return true
  return before.octets.at(-1) === DOT || word.octets[0] === DOT
}

function trim(octets: Uint8Array): Uint8Array {
  let start = 0
  let end = octets.length
  while (start < end && isBlank(octets[start])) start += 1
  while (end > start && isBlank(octets[end - 1])) end -= 1
  return octets.slice(start, end)
}

function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB
}
