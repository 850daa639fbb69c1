/**
 * The MIME tree of a message as octet ranges, made in one pass over its octets as they come. RFC 2045, RFC 2046 §5.1
 * Not here: decoding of anything, and what fields mean (part-fields.ts).
 *
 * Nothing of a body is kept, and the result is the same for any cutting of the octets. Nothing throws: what can't be
 * understood is told as text or as opaque octets. The cost is linear: boundaries are looked up, never compared in turn.
 */
import type { Work } from './address-tokens.ts'
import { Boundaries, type Delimiter, MAX_BOUNDARY_LINE_OCTETS } from './boundaries.ts'
import { readField } from './header.ts'
import { KeptHeader } from './kept-header.ts'
import { lineEndOctets, type LineStart, octetsBefore, OpenPart } from './open-part.ts'
import { type PartFields, readPartFields } from './part-fields.ts'
import type { MessageStructure, Part } from './structure.ts'

const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d

/** LIMIT: parts within parts, the message itself the first; mail made by programs stays under ten. */
const MAX_DEPTH = 100
/** LIMIT: parts and messages within; the tree of one message is kept in memory whole. */
const MAX_PARTS = 10_000

const NOTHING: Buffer = Buffer.alloc(0)

/** Takes a message in pieces. */
export interface StructureScanner {
  /** The next octets; not kept. */
  push(octets: Uint8Array): void
  /** All octets have come. Once. */
  end(): MessageStructure
}

/** @param options.work counts lines, and octets of headers and possible boundaries */
export function createStructureScanner(options: { readonly work?: Work } = {}): StructureScanner {
  return new Scanner(options.work ?? { steps: 0 })
}

/** The tree of a message that is there whole. */
export function parseStructure(octets: Uint8Array, options: { readonly work?: Work } = {}): MessageStructure {
  const scanner = createStructureScanner(options)
  scanner.push(octets)
  return scanner.end()
}

class Scanner implements StructureScanner {
  readonly #work: Work
  /** Open parts, the message first. The octets that come belong to the last one: to its header or to its body. */
  readonly #open: OpenPart[] = [
    new OpenPart({ role: 'message', inDigest: false, depth: 0, headerStart: 0, headerLines: 0 }),
  ]
  #inHeader = true
  readonly #header = new KeptHeader()
  readonly #boundaries: Boundaries
  #partCount = 1
  #root: Part | undefined
  #truncated = false
  #hasSeparator = false

  /** Octets and line ends before the current piece, and the last three octets of these, nearest first. */
  #base = 0
  #lines = 0
  #tail: LineStart['before'] = [-1, -1, -1]

  /** A line that began in an earlier piece: where, how long it is so far, and its first octets. */
  #lineStart: LineStart = { offset: 0, lines: 0, before: [-1, -1, -1] }
  #lineLength = 0
  #line: Buffer = NOTHING

  constructor(work: Work) {
    this.#work = work
    this.#boundaries = new Boundaries(work)
  }

  push(octets: Uint8Array): void {
    const piece = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    if (piece.length === 0) return
    let at = this.#lineLength > 0 ? this.#resumeLine(piece) : 0
    while (at < piece.length) at = this.#inHeader ? this.#scanHeader(piece, at) : this.#scanBody(piece, at)
    if (this.#inHeader) this.#header.keep(piece)
    this.#tail = octetsBefore(piece, piece.length, this.#tail)
    this.#base += piece.length
  }

  end(): MessageStructure {
    if (this.#lineLength > 0) {
      const delimiter = this.#boundaries.find(this.#line, 0, this.#lineLength)
      if (delimiter !== undefined) this.#applyDelimiter(NOTHING, delimiter, this.#lineStart, this.#base)
    }
    this.#closeFrom(0, NOTHING, { offset: this.#base, lines: this.#lines, before: this.#tail }, 0)
    return { root: this.#root as Part, truncated: this.#truncated, hasSeparator: this.#hasSeparator }
  }

  /** Goes through lines of a header section from a line start. @returns where to go on */
  #scanHeader(piece: Buffer, from: number): number {
    let at = from
    while (at < piece.length) {
      const first = piece[at]
      const isEmpty = first === LF || (first === CR && piece[at + 1] === LF)
      const next = isEmpty ? at + (first === LF ? 1 : 2) : piece.indexOf(LF, at) + 1
      if (next === 0) {
        this.#holdLine(piece, at)
        return piece.length
      }
      const delimiter = first === DASH ? this.#boundaries.find(piece, at, next) : undefined
      if (delimiter !== undefined) {
        const start = this.#startOf(piece, at)
        this.#countLines(1)
        this.#applyDelimiter(piece, delimiter, start, this.#base + next)
        return next
      }
      this.#countLines(1)
      if (isEmpty) {
        this.#finishHeader(piece, this.#base + next)
        return next
      }
      at = next
    }
    return at
  }

  /** Goes through lines of a body from a line start. @returns where to go on */
  #scanBody(piece: Buffer, from: number): number {
    const length = piece.length
    const hasBoundaries = !this.#boundaries.isEmpty
    let lines = 0
    let at = from
    while (at < length) {
      const first = piece[at]
      // Empty lines are dealt with here: a search costs more than looking.
      if (first === LF) {
        lines += 1
        at += 1
        continue
      }
      const next = piece.indexOf(LF, at) + 1
      if (next === 0) break
      const delimiter = hasBoundaries && first === DASH ? this.#boundaries.find(piece, at, next) : undefined
      if (delimiter !== undefined) {
        this.#countLines(lines)
        const start = this.#startOf(piece, at)
        this.#countLines(1)
        this.#applyDelimiter(piece, delimiter, start, this.#base + next)
        return next
      }
      lines += 1
      at = next
    }
    this.#countLines(lines)
    if (at < length) this.#holdLine(piece, at)
    return length
  }

  #countLines(lines: number): void {
    this.#lines += lines
    this.#work.steps += lines
  }

  #startOf(piece: Buffer, at: number): LineStart {
    return { offset: this.#base + at, lines: this.#lines, before: octetsBefore(piece, at, this.#tail) }
  }

  /** Notes a line that has no end in this piece. */
  #holdLine(piece: Buffer, at: number): void {
    this.#lineStart = this.#startOf(piece, at)
    // Most messages come in one piece and need none.
    if (this.#line === NOTHING) this.#line = Buffer.allocUnsafeSlow(MAX_BOUNDARY_LINE_OCTETS)
    piece.copy(this.#line, 0, at)
    this.#lineLength = piece.length - at
  }

  /** Goes on with the line noted. @returns where the next line starts, or the end of the piece */
  #resumeLine(piece: Buffer): number {
    const lineFeed = piece.indexOf(LF)
    const next = lineFeed < 0 ? piece.length : lineFeed + 1
    if (this.#lineLength < this.#line.length) piece.copy(this.#line, this.#lineLength, 0, next)
    this.#lineLength += next
    if (lineFeed < 0) return next
    const length = this.#lineLength
    this.#lineLength = 0
    this.#countLines(1)
    const delimiter = this.#boundaries.find(this.#line, 0, length)
    if (delimiter !== undefined) this.#applyDelimiter(piece, delimiter, this.#lineStart, this.#base + next)
    else if (this.#inHeader && length === 2 && this.#line[0] === CR) this.#finishHeader(piece, this.#base + next)
    return next
  }

  /**
   * Ends what is open within the multipart and begins its next part, or its epilogue.
   * @param start of the delimiter line, whose end is counted already
   * @param next offset of the line after it
   */
  #applyDelimiter(piece: Buffer, delimiter: Delimiter, start: LineStart, next: number): void {
    const { multipart } = delimiter
    this.#closeFrom(multipart.depth + 1, piece, start, lineEndOctets(start))
    const isFull = this.#partCount >= MAX_PARTS
    if (!delimiter.isClose && !isFull) {
      this.#begin('child', next, this.#lines)
      return
    }
    if (!delimiter.isClose) this.#truncated = true
    this.#boundaries.remove(multipart)
  }

  /**
   * Opens a part in the last open one; its header starts at offset `headerStart`, in the current piece or at its end.
   */
  #begin(role: OpenPart['role'], headerStart: number, headerLines: number): OpenPart {
    const inDigest = role === 'child' && this.#open.at(-1)?.fields?.subtype === 'digest'
    const part = new OpenPart({ role, inDigest, depth: this.#open.length, headerStart, headerLines })
    this.#open.push(part)
    this.#partCount += 1
    this.#inHeader = true
    this.#header.begin(headerStart - this.#base)
    return part
  }

  /** The header section of the last open part has ended with an empty line, before offset `bodyStart`. */
  #finishHeader(piece: Buffer, bodyStart: number): void {
    const part = this.#open.at(-1) as OpenPart
    const { header, isCut } = this.#takeHeader(piece, part, bodyStart)
    if (part === this.#open[0]) this.#hasSeparator = true
    this.#beginBody(part, this.#fieldsOf(part, header, isCut), bodyStart, this.#lines)
    const boundary = part.fields?.boundary
    if (boundary !== undefined) {
      if (this.#hasRoom(part)) this.#boundaries.add(part, boundary)
    } else if (part.holdsMessage && this.#hasRoom(part)) {
      this.#begin('message', bodyStart, this.#lines)
    }
  }

  /**
   * The header section of the last open part has ended without an empty line, `lineEnd` octets before `start`. The body
   * starts at the first line that is no field, if there is one.
   */
  #breakHeader(piece: Buffer, start: LineStart, lineEnd: 0 | 1 | 2): void {
    const part = this.#open.at(-1) as OpenPart
    const end = Math.max(part.headerStart, start.offset - lineEnd)
    const { header, isCut } = this.#takeHeader(piece, part, end)
    const length = fieldsLength(header)
    const isAllFields = length === header.length
    const fields = this.#fieldsOf(part, header.subarray(0, length), isCut && isAllFields)
    if (isAllFields) this.#beginBody(part, fields, end, start.lines)
    else this.#beginBody(part, fields, part.headerStart + length, part.headerLines + countLineFeeds(header, length))
    if (!part.holdsMessage || !this.#hasRoom(part)) return
    // A message without a header; its body is what is left.
    const message = this.#begin('message', part.bodyStart, part.bodyLines)
    this.#beginBody(message, this.#fieldsOf(message, NOTHING, false), part.bodyStart, part.bodyLines)
  }

  #takeHeader(piece: Buffer, part: OpenPart, end: number): { readonly header: Buffer; readonly isCut: boolean } {
    const taken = this.#header.take(piece, end - this.#base, end - part.headerStart)
    if (taken.isCut) this.#truncated = true
    return taken
  }

  #fieldsOf(part: OpenPart, header: Buffer, isCut: boolean): PartFields {
    const isMessage = part.role === 'message'
    return readPartFields(header, { isCut, isMessage, inDigest: part.inDigest, work: this.#work })
  }

  #beginBody(part: OpenPart, fields: PartFields, bodyStart: number, lines: number): void {
    part.fields = fields
    part.bodyStart = bodyStart
    part.bodyLines = lines
    this.#inHeader = false
  }

  /** Whether the last open part may have parts; else it becomes opaque. */
  #hasRoom(part: OpenPart): boolean {
    if (this.#open.length < MAX_DEPTH && this.#partCount < MAX_PARTS) return true
    part.isOpaque = true
    this.#truncated = true
    return false
  }

  /**
   * Closes open parts until `depth` are left, last first.
   * @param start of the line that follows them
   * @param lineEnd octets before `start` that don't belong to them any more
   */
  #closeFrom(depth: number, piece: Buffer, start: LineStart, lineEnd: 0 | 1 | 2): void {
    while (this.#open.length > depth) {
      if (this.#inHeader) this.#breakHeader(piece, start, lineEnd)
      const part = this.#open.pop() as OpenPart
      this.#boundaries.remove(part)
      const closed = part.close(start, lineEnd)
      const parent = this.#open.at(-1)
      if (parent === undefined) this.#root = closed
      else if (part.role === 'message') parent.message = closed
      else parent.children.push(closed)
    }
  }
}

/** Octets from the start of a header section that are fields with names. */
function fieldsLength(header: Buffer): number {
  let at = 0
  for (let field = readField(header, 0); field !== undefined; field = readField(header, at)) {
    if (field.nameEnd === field.start) return at
    at = field.end
  }
  return at
}

function countLineFeeds(octets: Buffer, to: number): number {
  let count = 0
  const range = octets.subarray(0, to)
  for (let at = range.indexOf(LF); at >= 0; at = range.indexOf(LF, at + 1)) count += 1
  return count
}
