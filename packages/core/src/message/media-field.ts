/**
 * Header fields made of a value and parameters: Content-Type and Content-Disposition. RFC 2045 §5.1, RFC 2183 §2
 * Not here: segments and character sets of parameters (parameters.ts), and decoding of encoded words (they stay as
 * they are).
 *
 * Field values come in as binary strings, one octet a character.
 * LENIENT: missing semicolons, unquoted specials and white space in values, comments anywhere, quotes never closed.
 */
import type { Work } from './address-tokens.ts'
import { isBlank, type Parameters, ParameterSet, textOf, withoutTrailingBlanks } from './parameters.ts'

const QUOTE = 0x22
const OPEN_PAREN = 0x28
const CLOSE_PAREN = 0x29
const SLASH = 0x2f
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const BACKSLASH = 0x5c

/** LIMIT: parameters and segments of parameters of one field; what follows is passed over. Real mail has under ten. */
const MAX_SEGMENTS = 100

/** A Content-Type as read. */
export interface MediaType {
  /** Lower case. */
  readonly type: string
  readonly subtype: string
  readonly parameters: Parameters
  /** Octets of the boundary as a binary string, without trailing white space; absent when empty. RFC 2046 §5.1.1 */
  readonly boundary?: string
}

/** Content-Disposition as read. */
export interface Disposition {
  /** Lower case. */
  readonly type: string
  readonly parameters: Parameters
}

/**
 * Reads a Content-Type.
 * @param value unfolded field value as a binary string
 * @param work counts characters looked at
 * @returns undefined when it names no type
 */
export function parseMediaType(value: string, work: Work = { steps: 0 }): MediaType | undefined {
  const reader = new MediaReader(value, work)
  const type = textOf(reader.token()).toLowerCase()
  let subtype = reader.take('/') ? textOf(reader.token()).toLowerCase() : ''
  if (type === '') return undefined
  if (subtype === '') {
    // QUIRK(old mailers): `Content-Type: text` and `multipart; boundary=x` say enough to go on with.
    if (type === 'text') subtype = 'plain'
    else if (type === 'multipart') subtype = 'mixed'
    else return undefined
  }
  const raw = reader.parameters()
  const boundary = withoutTrailingBlanks(raw.get('boundary')?.octets ?? '')
  const parameters = raw.decode()
  return boundary === '' ? { type, subtype, parameters } : { type, subtype, parameters, boundary }
}

/** Reads a Content-Disposition, as `parseMediaType` does. */
export function parseDisposition(value: string, work: Work = { steps: 0 }): Disposition | undefined {
  const reader = new MediaReader(value, work)
  const type = textOf(reader.token()).toLowerCase()
  if (type === '') return undefined
  return { type, parameters: reader.parameters().decode() }
}

/** Reads a field that is one word, as Content-Transfer-Encoding: its text as written, empty when there is none. */
export function parseToken(value: string): string {
  return textOf(new MediaReader(value, { steps: 0 }).token())
}

class MediaReader {
  readonly #text: string
  readonly #work: Work
  #at = 0

  constructor(text: string, work: Work) {
    this.#text = text
    this.#work = work
  }

  /** Skips white space and comments, then takes `char` if it is there. */
  take(char: string): boolean {
    this.#skip()
    if (this.#text[this.#at] !== char) return false
    this.#at += 1
    return true
  }

  /**
   * Skips white space and comments, then reads a word: to white space, semicolon, slash or comment. Quotes around it
   * are left out.
   */
  token(): string {
    this.#skip()
    if (this.#text[this.#at] === '"') return this.#quoted()
    const start = this.#at
    while (this.#at < this.#text.length && !endsToken(this.#text.charCodeAt(this.#at))) this.#at += 1
    this.#work.steps += this.#at - start
    return this.#text.slice(start, this.#at)
  }

  /** Everything to the end as parameters, their names in lower case. */
  parameters(): ParameterSet {
    const found = new ParameterSet()
    for (let segments = 0; segments < MAX_SEGMENTS;) {
      this.#skip()
      if (this.#at >= this.#text.length) break
      const char = this.#text.charCodeAt(this.#at)
      if (char === SEMICOLON || char === EQUALS || char === SLASH) {
        this.#at += 1
        continue
      }
      const name = this.#name()
      if (!this.take('=')) continue
      this.#skip()
      const value = this.#text[this.#at] === '"' ? this.#quoted() : this.#unquoted()
      if (name === '') continue
      segments += 1
      found.add(name, value)
    }
    return found
  }

  /** An attribute: to white space, semicolon, equals sign or comment. */
  #name(): string {
    const start = this.#at
    while (this.#at < this.#text.length) {
      const char = this.#text.charCodeAt(this.#at)
      if (char === EQUALS || char === SEMICOLON || char === OPEN_PAREN || isBlank(char)) break
      this.#at += 1
    }
    this.#work.steps += this.#at - start
    return textOf(this.#text.slice(start, this.#at)).toLowerCase()
  }

  /** A quoted string, its backslashes resolved; one that is never closed ends with the value. RFC 5322 §3.2.4 */
  #quoted(): string {
    const text = this.#text
    let from = this.#at + 1
    let at = from
    let out = ''
    for (; at < text.length; at += 1) {
      const char = text.charCodeAt(at)
      if (char === QUOTE) break
      if (char === BACKSLASH && at + 1 < text.length) {
        out += text.slice(from, at)
        at += 1
        from = at
      }
    }
    this.#work.steps += at - this.#at
    this.#at = Math.min(at + 1, text.length)
    return out + text.slice(from, at)
  }

  /**
   * A value without quotes: to the semicolon, or to white space that is followed by a comment, by another parameter
   * (the semicolon was forgotten) or by nothing.
   */
  #unquoted(): string {
    const text = this.#text
    const start = this.#at
    let end = start
    let at = start
    for (;;) {
      // A word; in any but the first one an equals sign means that it is the next parameter. An encoded word starts
      // with one.
      const word = at
      const isEncoded = text.charCodeAt(word) === EQUALS
      while (at < text.length) {
        const char = text.charCodeAt(at)
        if (char === SEMICOLON || isBlank(char)) break
        if (word > start && !isEncoded && (char === EQUALS || (char === OPEN_PAREN && at === word))) {
          this.#work.steps += at - start
          this.#at = word
          return text.slice(start, end)
        }
        at += 1
      }
      if (at > word) end = at
      while (at < text.length && isBlank(text.charCodeAt(at))) at += 1
      if (at >= text.length || text.charCodeAt(at) === SEMICOLON) {
        this.#work.steps += at - start
        this.#at = at
        return text.slice(start, end)
      }
    }
  }

  /** Skips white space and comments; a comment that is never closed ends with the value. RFC 5322 §3.2.2 */
  #skip(): void {
    const text = this.#text
    let depth = 0
    for (; this.#at < text.length; this.#at += 1) {
      this.#work.steps += 1
      const char = text.charCodeAt(this.#at)
      if (char === OPEN_PAREN) depth += 1
      else if (depth > 0) {
        if (char === CLOSE_PAREN) depth -= 1
        else if (char === BACKSLASH) this.#at += 1
      } else if (!isBlank(char)) return
    }
  }
}

function endsToken(char: number): boolean {
  return isBlank(char) || char === SEMICOLON || char === SLASH || char === OPEN_PAREN
}
