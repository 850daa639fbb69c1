/**
 * The two ways of making a message insensitive to what relays change: `simple` and `relaxed`, for header fields and for
 * bodies. RFC 6376 §3.4. Bodies go through in pieces of any size, in time linear in their octets.
 */
export type Canonicalization = 'simple' | 'relaxed'

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
const UPPER_A = 0x41
const UPPER_Z = 0x5a
const CRLF = Buffer.from('\r\n')

/**
 * A header field with its line end, as it is signed.
 * @param field octets of the whole field; a line end in the middle is folding
 */
export function canonicalizeField(field: Uint8Array, how: Canonicalization): Uint8Array {
  const out = Buffer.allocUnsafe(field.length + MAX_ADDED)
  return out.subarray(0, writeCanonicalField(field, { start: 0, end: field.length }, how, out, 0))
}

/** Octets that a canonical field may have more than the field: a colon and a line end. */
export const MAX_ADDED = 3

/** Writes a field of a header, canonical, where there is room for it. @returns where the next one goes */
export function writeCanonicalField(header: Uint8Array, { start, end }: { readonly start: number; readonly end: number }, how: Canonicalization, out: Uint8Array, to: number): number {
  return how === 'simple' ? writeSimple(header, start, end, out, to) : writeRelaxed(header, start, end, out, to)
}

function writeSimple(header: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  out.set(header.subarray(start, end), to)
  const length = to + end - start
  if (end - start >= 2 && header[end - 1] === LF && header[end - 2] === CR) return length
  out.set(CRLF, length)
  return length + 2
}

/** RFC 6376 §3.4.2 */
function writeRelaxed(header: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  let length = to
  let at = start
  for (; at < end && header[at] !== COLON; at += 1) {
    const octet = header[at] as number
    out[length++] = octet >= UPPER_A && octet <= UPPER_Z ? octet | 0x20 : octet
  }
  while (length > to && isBlank(out[length - 1] as number)) length -= 1
  out[length++] = COLON
  const value = length
  let hasSpace = false
  for (at += 1; at < end; at += 1) {
    const octet = header[at] as number
    if (octet > SPACE || (octet !== LF && !isBlank(octet) && (octet !== CR || header[at + 1] !== LF))) {
      // White space before the first octet goes, and so does that after the last.
      if (hasSpace && length > value) out[length++] = SPACE
      hasSpace = false
      out[length++] = octet
    } else if (isBlank(octet)) hasSpace = true
  }
  out[length++] = CR
  out[length++] = LF
  return length
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB
}

/** Makes a body canonical piece by piece. */
export interface BodyCanonicalizer {
  /** @returns what is certain by now; valid until any canonicalizer is called again */
  push(piece: Uint8Array): Uint8Array
  /** The rest. */
  end(): Uint8Array
}

export function createBodyCanonicalizer(how: Canonicalization): BodyCanonicalizer {
  return how === 'simple' ? new SimpleBody() : new RelaxedBody()
}

/** A body that is there whole, canonical; valid until any canonicalizer is called again. */
export function canonicalizeBody(body: Uint8Array, how: Canonicalization): Uint8Array {
  const canonicalizer = createBodyCanonicalizer(how)
  const content = canonicalizer.push(body)
  const rest = canonicalizer.end()
  // Where relaxed content lies already. It has a line end more than the body at most.
  const out = scratchOf(body.length + CRLF.length)
  out.set(content)
  out.set(rest, content.length)
  return out.subarray(0, content.length + rest.length)
}

const NOTHING = new Uint8Array(0)

/** Everything but empty lines at the end; a body always ends in one line end. RFC 6376 §3.4.3 */
class SimpleBody implements BodyCanonicalizer {
  /** Line ends held back, and whether a CR after them is. */
  #lineEnds = 0
  #hasCr = false

  push(piece: Uint8Array): Uint8Array {
    const start = this.#hasCr && piece[0] === LF ? 1 : 0
    if (start === 1) {
      this.#lineEnds += 1
      this.#hasCr = false
    }
    if (start === piece.length) return NOTHING
    const hasCr = piece[piece.length - 1] === CR
    const last = piece.length - (hasCr ? 1 : 0)
    let end = last
    while (end - start >= 2 && piece[end - 1] === LF && piece[end - 2] === CR) end -= 2
    // A CR that no LF follows is content too.
    const isContent = end > start || this.#hasCr
    const held = isContent ? this.#held() : NOTHING
    this.#lineEnds = (isContent ? 0 : this.#lineEnds) + (last - end) / 2
    this.#hasCr = hasCr
    return held.length === 0 ? piece.subarray(start, end) : Buffer.concat([held, piece.subarray(start, end)])
  }

  end(): Uint8Array {
    return this.#hasCr ? Buffer.concat([this.#held(), CRLF]) : CRLF
  }

  #held(): Uint8Array {
    if (this.#lineEnds === 0 && !this.#hasCr) return NOTHING
    return Buffer.alloc(2 * this.#lineEnds + (this.#hasCr ? 1 : 0), CRLF)
  }
}

/** Without white space at line ends, runs of it as one space, without empty lines at the end. RFC 6376 §3.4.4 */
class RelaxedBody implements BodyCanonicalizer {
  /** Held back until it is known whether content follows: line ends of earlier pieces, those of this one, a space, a CR. */
  #earlier = 0
  #lineEnds = 0
  #hasSpace = false
  #hasCr = false
  #isEmpty = true

  push(piece: Uint8Array): Uint8Array {
    // A space and a CR may have been held back before.
    const out = scratchOf(piece.length + 2)
    let length = 0
    let at = 0
    while (at < piece.length) {
      if (this.#lineEnds === 0 && !this.#hasSpace && !this.#hasCr) {
        const end = endOfCanonical(piece, at)
        if (end - at > SHORT) {
          out.set(piece.subarray(at, end), length)
          length += end - at
        } else for (let copied = at; copied < end; copied += 1) out[length++] = piece[copied] as number
        at = end
        if (at >= piece.length) break
      }
      const octet = piece[at] as number
      at += 1
      if (octet === LF && this.#hasCr) {
        this.#lineEnds += 1
        this.#hasCr = false
        this.#hasSpace = false
        continue
      }
      if (this.#hasCr) length = this.#flush(out, length)
      if (octet === CR) this.#hasCr = true
      else if (octet === SPACE || octet === TAB) this.#hasSpace = true
      else {
        length = this.#flush(out, length)
        out[length++] = octet
      }
    }
    const content = out.subarray(0, length)
    const lead = length > 0 ? this.#earlier : 0
    this.#earlier += this.#lineEnds - lead
    this.#lineEnds = 0
    if (length > 0) this.#isEmpty = false
    return lead === 0 ? content : Buffer.concat([Buffer.alloc(2 * lead, CRLF), content])
  }

  /** What was held back is content after all. @returns the length of `out` now */
  #flush(out: Uint8Array, at: number): number {
    let length = at
    for (; this.#lineEnds > 0; this.#lineEnds -= 1) {
      out[length++] = CR
      out[length++] = LF
    }
    if (this.#hasSpace) out[length++] = SPACE
    if (this.#hasCr) out[length++] = CR
    this.#hasSpace = false
    this.#hasCr = false
    return length
  }

  end(): Uint8Array {
    if (this.#hasCr) return Buffer.from(`${'\r\n'.repeat(this.#earlier)}${this.#hasSpace ? ' ' : ''}\r\r\n`)
    return this.#isEmpty ? NOTHING : CRLF
  }
}

/** LIMIT: octets kept for the next piece: as many as bodies are read in. */
const MAX_SCRATCH = 65_538
let scratch: Uint8Array = new Uint8Array(0)

/** What is canonical is hashed at once, so all bodies can be made so in one place: new memory would cost more than the work. */
function scratchOf(octets: number): Uint8Array {
  if (octets > MAX_SCRATCH) return new Uint8Array(octets)
  if (scratch.length < octets) scratch = new Uint8Array(Math.min(MAX_SCRATCH, 2 * octets))
  return scratch
}

/** Fewer octets than this are copied faster one by one. */
const SHORT = 24

/** Most text needs no change: up to where octets, with what follows them in the piece, stay as they are. */
function endOfCanonical(piece: Uint8Array, from: number): number {
  // White space and line ends stay when content follows them at once, so the last octets are never sure.
  const last = piece.length - 2
  let at = from
  while (at < last) {
    const octet = piece[at] as number
    if (octet > SPACE) at += (piece[at + 1] as number) > SPACE ? 2 : 1
    else if (octet === SPACE && (piece[at + 1] as number) > SPACE) at += 2
    else if (octet === CR && piece[at + 1] === LF && (piece[at + 2] as number) > SPACE) at += 3
    else return at
  }
  return at
}
