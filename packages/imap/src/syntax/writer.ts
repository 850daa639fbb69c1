/**
 * Writes one response: text as it stands, and strings as quoted or literal, whichever can hold them. The one place
 * where octets that would end or break a line are refused.
 */

const CRLF = Buffer.from('\r\n')
/** LIMIT: longer strings go as literals, since clients may hold a line in a small buffer. RFC 2683 §3.2.1.5 */
const MAX_QUOTED = 1000

/** Builds the octets of one response, from its first character to its CR LF. */
export class ResponseWriter {
  /** Text not yet turned into octets; every character is one octet. */
  #text = ''
  readonly #pieces: Uint8Array[] = []

  constructor(start = '') {
    this.text(start)
  }

  /**
   * Writes protocol text as it stands.
   * @throws RangeError when it holds CR, LF, NUL or anything but US-ASCII: a fault of the caller
   */
  text(text: string): this {
    if (/[^\x01-\x09\x0b\x0c\x0e-\x7f]/.test(text)) throw new RangeError('Response text with CR, LF, NUL or non-ASCII')
    this.#text += text
    return this
  }

  /** Writes octets that are themselves whole productions (an envelope ready to send). They are not looked at. */
  octets(octets: Uint8Array): this {
    this.#flush()
    this.#pieces.push(octets)
    return this
  }

  // string = quoted / literal
  /** Text goes as UTF-8; all but short US-ASCII goes as a literal. */
  string(value: string | Uint8Array): this {
    const octets = typeof value === 'string' ? Buffer.from(value) : value
    if (octets.length > MAX_QUOTED || !isQuotable(octets)) return this.literal(octets)
    const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
    this.#text += `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`
    return this
  }

  // nstring = string / nil
  nstring(value: string | Uint8Array | undefined): this {
    return value === undefined ? this.text('NIL') : this.string(value)
  }

  // literal = "{" number "}" CRLF *CHAR8
  literal(octets: Uint8Array): this {
    this.literalStart(octets.length)
    return this.octets(octets)
  }

  /** Announces a literal whose octets are written by whoever calls this. */
  literalStart(sizeOctets: number): this {
    this.#text += `{${sizeOctets}}\r\n`
    return this
  }

  /** What was written so far, without a line end; the writer begins anew. */
  take(): readonly Uint8Array[] {
    this.#flush()
    return this.#pieces.splice(0)
  }

  /** The response with its CR LF. */
  line(): readonly Uint8Array[] {
    if (this.#pieces.length === 0) {
      const octets = Buffer.from(`${this.#text}\r\n`, 'latin1')
      this.#text = ''
      return [octets]
    }
    this.#flush()
    return [...this.#pieces.splice(0), CRLF]
  }

  #flush(): void {
    if (this.#text === '') return
    this.#pieces.push(Buffer.from(this.#text, 'latin1'))
    this.#text = ''
  }
}

/** Whether octets can stand between quotes for every client: US-ASCII without NUL, CR and LF. */
function isQuotable(octets: Uint8Array): boolean {
  for (const octet of octets) {
    if (octet === 0 || octet === 0x0a || octet === 0x0d || octet > 0x7e) return false
  }
  return true
}

/** One response line of text alone. @throws RangeError as `ResponseWriter.text` */
export function responseLine(text: string): Uint8Array {
  return new ResponseWriter(text).line()[0] as Uint8Array
}
