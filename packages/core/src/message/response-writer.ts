/**
 * Octets of an IMAP response being put together: atoms, numbers and strings. RFC 9051 §4
 * Not here: what is written (envelope.ts, body-structure.ts).
 */
const NUL = 0x00
const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const QUESTION = 0x3f

/** What stands between quotes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/

/** LIMIT: longer strings become literals; RFC 2683 §3.2.1.5 asks for lines of at most about 1,000 octets. */
const MAX_QUOTED_OCTETS = 1000

/** Up to here a loop is faster than a call out of JavaScript. */
const SHORT_TEXT = 16

/** Grows as it is written to; `take` gives a copy of its own size. */
export class ResponseWriter {
  // From Node's pool: it is given up when the writer is, and an allocation of its own costs more than writing.
  #octets: Buffer = Buffer.allocUnsafe(1024)
  #length = 0
  #hasLiteral = false

  /** True when a string was written that is not ASCII or came as a literal. */
  get hasLiteral(): boolean {
    return this.#hasLiteral
  }

  /** Text of ours: ASCII, with neither quotes to escape nor line ends. */
  text(text: string): void {
    this.#reserve(text.length)
    if (text.length > SHORT_TEXT) {
      this.#length += this.#octets.write(text, this.#length, 'latin1')
      return
    }
    for (let at = 0; at < text.length; at += 1) this.#octet(text.charCodeAt(at))
  }

  /** `nstring`: NIL when there is none. */
  nstring(value: Uint8Array | string | undefined): void {
    if (value === undefined) this.text('NIL')
    else this.string(value)
  }

  /** `string`: quoted when it is short ASCII, else a literal. NUL, which neither form can hold, becomes `?`. */
  string(value: Uint8Array | string): void {
    if (typeof value !== 'string') this.#stringOf(value)
    else if (value.length <= MAX_QUOTED_OCTETS && PLAIN.test(value)) this.text(`"${value}"`)
    else this.#stringOf(Buffer.from(value, 'utf8'))
  }

  take(): Uint8Array {
    return new Uint8Array(this.#octets.subarray(0, this.#length))
  }

  #stringOf(value: Uint8Array): void {
    this.#reserve(2 * value.length + 24)
    if (value.length > MAX_QUOTED_OCTETS || !isQuotable(value)) {
      this.#hasLiteral = true
      this.text(`{${value.length}}\r\n`)
      for (const octet of value) this.#octet(octet === NUL ? QUESTION : octet)
      return
    }
    this.#octet(QUOTE)
    for (const octet of value) {
      if (octet === QUOTE || octet === BACKSLASH) this.#octet(BACKSLASH)
      this.#octet(octet === NUL ? QUESTION : octet)
    }
    this.#octet(QUOTE)
  }

  #octet(octet: number): void {
    this.#octets[this.#length] = octet
    this.#length += 1
  }

  #reserve(octets: number): void {
    if (this.#length + octets <= this.#octets.length) return
    const grown = Buffer.allocUnsafeSlow(2 * (this.#length + octets))
    this.#octets.copy(grown, 0, 0, this.#length)
    this.#octets = grown
  }
}

function isQuotable(value: Uint8Array): boolean {
  for (const octet of value) {
    if (octet > 0x7f || octet === CR || octet === LF) return false
  }
  return true
}
