/**
 * The two ways of making a message insensitive to what relays change: `simple` and `relaxed`, for header fields and for
 * bodies. RFC 6376 §3.4. Bodies go through in pieces of any size, in time linear in their octets.
 */
export type Canonicalization = 'simple' | 'relaxed'

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const CRLF = Buffer.from('\r\n')

/**
 * A header field with its line end, as it is signed.
 * @param field octets of the whole field; a line end in the middle is folding
 */
export function canonicalizeField(field: Uint8Array, how: Canonicalization): Uint8Array {
  if (how === 'simple') return endsInCrlf(field) ? field : Buffer.concat([field, CRLF])
  const text = Buffer.from(field.buffer, field.byteOffset, field.length).toString('latin1')
  const colon = text.indexOf(':')
  const name = text.slice(0, Math.max(0, colon)).toLowerCase().trimEnd()
  const value = text
    .slice(colon + 1)
    .replaceAll(/\r?\n/g, '')
    .replaceAll(/[ \t]+/g, ' ')
    .replace(/^ /, '')
    .replace(/ $/, '')
  return Buffer.from(`${name}:${value}\r\n`, 'latin1')
}

function endsInCrlf(octets: Uint8Array): boolean {
  return octets.at(-1) === LF && octets.at(-2) === CR
}

/** Makes a body canonical piece by piece. */
export interface BodyCanonicalizer {
  /** @returns what is certain by now; valid until the next call */
  push(piece: Uint8Array): Uint8Array
  /** The rest. */
  end(): Uint8Array
}

export function createBodyCanonicalizer(how: Canonicalization): BodyCanonicalizer {
  return how === 'simple' ? new SimpleBody() : new RelaxedBody()
}

const NOTHING = new Uint8Array(0)

/** Everything but empty lines at the end; a body always ends in one line end. RFC 6376 §3.4.3 */
class SimpleBody implements BodyCanonicalizer {
  /** Line ends held back, and whether a CR after them is. */
  #lineEnds = 0
  #hasCr = false

  push(piece: Uint8Array): Uint8Array {
    let content = piece.length
    while (content > 0 && (piece[content - 1] === LF || piece[content - 1] === CR)) content -= 1
    const out: Uint8Array[] = []
    let at = 0
    if (content > 0) {
      // A CR of the piece before may belong to an LF here: what is held back goes first, all that is certain after it.
      this.#flush(out)
      out.push(piece.subarray(0, content))
      at = content
    }
    for (; at < piece.length; at += 1) {
      if (piece[at] === LF && this.#hasCr) {
        this.#lineEnds += 1
        this.#hasCr = false
        continue
      }
      if (this.#hasCr || piece[at] === LF) this.#flush(out)
      if (piece[at] === CR) this.#hasCr = true
      else out.push(piece.subarray(at, at + 1))
    }
    return out.length === 1 ? (out[0] as Uint8Array) : out.length === 0 ? NOTHING : Buffer.concat(out)
  }

  end(): Uint8Array {
    if (!this.#hasCr) return CRLF
    const out: Uint8Array[] = []
    this.#flush(out)
    out.push(CRLF)
    return Buffer.concat(out)
  }

  #flush(out: Uint8Array[]): void {
    if (this.#lineEnds > 0) out.push(Buffer.alloc(2 * this.#lineEnds, CRLF))
    if (this.#hasCr) out.push(CRLF.subarray(0, 1))
    this.#lineEnds = 0
    this.#hasCr = false
  }
}

/** Without white space at line ends, runs of it as one space, without empty lines at the end. RFC 6376 §3.4.4 */
class RelaxedBody implements BodyCanonicalizer {
  #lineEnds = 0
  #hasCr = false
  #hasSpace = false
  #isEmpty = true

  push(piece: Uint8Array): Uint8Array {
    const out = Buffer.allocUnsafe(piece.length + 4)
    let length = 0
    // Line ends of earlier pieces: they go before all of this one.
    let earlier = this.#lineEnds
    let lead: Uint8Array = NOTHING
    const flush = (): void => {
      if (earlier > 0) {
        lead = Buffer.alloc(2 * earlier, CRLF)
        this.#lineEnds -= earlier
        earlier = 0
      }
      for (; this.#lineEnds > 0; this.#lineEnds -= 1) {
        out[length] = CR
        out[length + 1] = LF
        length += 2
      }
      if (this.#hasSpace) out[length++] = SPACE
      if (this.#hasCr) out[length++] = CR
      this.#hasSpace = false
      this.#hasCr = false
    }
    for (let at = 0; at < piece.length; at += 1) {
      const octet = piece[at] as number
      if (octet === LF && this.#hasCr) {
        this.#lineEnds += 1
        this.#hasCr = false
        this.#hasSpace = false
        continue
      }
      if (this.#hasCr) flush()
      if (octet === CR) this.#hasCr = true
      else if (octet === SPACE || octet === TAB) this.#hasSpace = true
      else {
        if (this.#lineEnds > 0 || this.#hasSpace) flush()
        out[length++] = octet
      }
    }
    const content = out.subarray(0, length)
    if (length > 0 || lead.length > 0) this.#isEmpty = false
    return lead.length === 0 ? content : Buffer.concat([lead, content])
  }

  end(): Uint8Array {
    if (this.#hasCr) return Buffer.from(`${'\r\n'.repeat(this.#lineEnds)}${this.#hasSpace ? ' ' : ''}\r\r\n`)
    return this.#isEmpty ? NOTHING : CRLF
  }
}
