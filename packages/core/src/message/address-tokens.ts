/**
 * The tokens of an address field: words, comments and the specials that have a meaning between them. RFC 5322 §3.2,
 * §4.1 Not here: what a sequence of tokens means.
 *
 * LENIENT: a quote or parenthesis that is never closed, and from there on every later one, is an ordinary octet:
 * swallowing the rest of the field would hide the addresses in it.
 */

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const OPEN_PAREN = 0x28
const CLOSE_PAREN = 0x29
const EQUALS = 0x3d
const QUESTION = 0x3f
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d

/** LIMIT: RFC 2047 §2 allows 75 octets; senders that fold nothing write longer ones. */
const MAX_ENCODED_WORD = 512

/** Octets looked at so far, for tests that show that work grows with the input only. */
export interface Work {
  steps: number
}

/** A token of an address field. `octets` may be a view of the field's value. */
export interface AddressToken {
  readonly kind: 'word' | 'comment' | '@' | ',' | ':' | ';' | '<' | '>' | 'end'
  /** What is written: quoted strings and comments without their delimiters and backslashes. */
  readonly octets: Uint8Array
  /** True when white space or a comment comes before it. */
  readonly spaced: boolean
}

const NOTHING = new Uint8Array(0)

/** Reads tokens from left to right; every octet is looked at a bounded number of times. */
export class AddressTokens {
  readonly #value: Uint8Array
  readonly #work: Work
  #at = 0
  #spaced = false
  #hasQuotes = true
  #hasComments = true
  #hasLiterals = true
  #afterAt = false

  constructor(value: Uint8Array, work: Work) {
    this.#value = value
    this.#work = work
  }

  /** The next token; `end` again and again when there is no more. */
  next(): AddressToken {
    this.#skipSpace()
    const token = this.#read()
    this.#spaced = token.kind === 'comment'
    // A comment may stand between "@" and a literal.
    this.#afterAt = token.kind === '@' || (this.#afterAt && token.kind === 'comment')
    return token
  }

  #read(): AddressToken {
    const octet = this.#value[this.#at]
    if (octet === undefined) return this.#token('end', NOTHING)
    const special = SPECIALS[octet]
    if (special !== undefined) {
      this.#work.steps += 1
      this.#at += 1
      return this.#token(special.kind, special.octets)
    }
    if (octet === OPEN_PAREN && this.#hasComments) {
      const end = this.#endOfComment()
      if (end >= 0) return this.#delimited('comment', end)
      this.#hasComments = false
    }
    if (octet === QUOTE && this.#hasQuotes) {
      const end = this.#endOf(QUOTE)
      if (end >= 0) return this.#delimited('word', end)
      this.#hasQuotes = false
    }
    if (octet === OPEN_BRACKET && this.#afterAt && this.#hasLiterals) {
      const end = this.#endOf(CLOSE_BRACKET)
      if (end >= 0) return this.#wordTo(end + 1)
      this.#hasLiterals = false
    }
    return this.#wordTo(this.#endOfAtom())
  }

  #token(kind: AddressToken['kind'], octets: Uint8Array): AddressToken {
    return { kind, octets, spaced: this.#spaced }
  }

  #wordTo(end: number): AddressToken {
    const octets = this.#value.subarray(this.#at, end)
    this.#work.steps += 1
    this.#at = end
    return this.#token('word', octets)
  }

  /** A token whose last octet, the closing delimiter, is at `end`. */
  #delimited(kind: 'word' | 'comment', end: number): AddressToken {
    const octets = unescape(this.#value.subarray(this.#at + 1, end))
    this.#at = end + 1
    return this.#token(kind, octets)
  }

  #skipSpace(): void {
    const from = this.#at
    while (isSpace(this.#value[this.#at])) this.#at += 1
    if (this.#at > from) this.#spaced = true
    this.#work.steps += this.#at - from
  }

  /** Index of the closing delimiter of what starts here, or −1. */
  #endOf(delimiter: number): number {
    const value = this.#value
    let at = this.#at + 1
    while (at < value.length && value[at] !== delimiter) at += value[at] === BACKSLASH ? 2 : 1
    this.#work.steps += at - this.#at
    return at < value.length ? at : -1
  }

  /** Index of the parenthesis that closes the comment that starts here, or −1. Nesting is a counter. RFC 5322 §3.2.2 */
  #endOfComment(): number {
    const value = this.#value
    let depth = 0
    let at = this.#at
    for (; at < value.length; at += 1) {
      const octet = value[at]
      if (octet === BACKSLASH) at += 1
      else if (octet === OPEN_PAREN) depth += 1
      else if (octet === CLOSE_PAREN) {
        depth -= 1
        if (depth === 0) break
      }
    }
    this.#work.steps += at - this.#at
    return at < value.length ? at : -1
  }

  #endOfAtom(): number {
    const value = this.#value
    let at = this.#at
    if (value[at] === EQUALS && value[at + 1] === QUESTION) {
      const end = this.#endOfEncodedWord()
      if (end >= 0) return end
    }
    // The first octet is taken whatever it is: an opening delimiter without its end comes here too.
    at += 1
    while (at < value.length && !this.#endsAtom(value[at] as number)) at += 1
    this.#work.steps += at - this.#at
    return at
  }

  #endsAtom(octet: number): boolean {
    if (octet === QUOTE) return this.#hasQuotes
    if (octet === OPEN_PAREN) return this.#hasComments
    return isSpace(octet) || SPECIALS[octet] !== undefined
  }

  /**
   * End of an encoded word that starts here, or −1.
   * QUIRK(senders): the encoded text may hold commas and other specials that RFC 2047 §5 (3) forbids in a phrase.
   */
  #endOfEncodedWord(): number {
    const value = this.#value
    const last = Math.min(value.length, this.#at + MAX_ENCODED_WORD)
    let marks = 0
    let at = this.#at + 1
    for (; at < last && !isSpace(value[at]); at += 1) {
      if (value[at] !== QUESTION) continue
      marks += 1
      if (marks === 4) break
    }
    this.#work.steps += at - this.#at
    return marks === 4 && value[at + 1] === EQUALS ? at + 2 : -1
  }
}

const SPECIALS: readonly (Pick<AddressToken, 'kind' | 'octets'> | undefined)[] = Array.from({ length: 256 }, (_, octet) => {
  const kind = ([',', ':', ';', '<', '>', '@'] as const).find((special) => special.charCodeAt(0) === octet)
  return kind && { kind, octets: Uint8Array.of(octet) }
})

function isSpace(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB || octet === CR || octet === LF
}

/** The octets without the backslashes of quoted pairs. RFC 5322 §3.2.1 */
function unescape(octets: Uint8Array): Uint8Array {
  if (!octets.includes(BACKSLASH)) return octets
  const out = new Uint8Array(octets.length)
  let length = 0
  for (let at = 0; at < octets.length; at += 1) {
    if (octets[at] === BACKSLASH && at + 1 < octets.length) at += 1
    out[length] = octets[at] as number
    length += 1
  }
  return out.subarray(0, length)
}
