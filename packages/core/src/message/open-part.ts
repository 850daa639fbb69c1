/**
 * A part of a message whose end has not come yet, and the part it becomes.
 * Not here: finding where it starts and ends (parts.ts).
 */
import type { PartFields } from './part-fields.ts'
import type { Part } from './structure.ts'

const LF = 0x0a
const CR = 0x0d

/**
 * Where a line starts: offset in the message, line ends before it, and the three octets before it, nearest first (−1:
 * none).
 */
export interface LineStart {
  readonly offset: number
  readonly lines: number
  readonly before: readonly [number, number, number]
}

/** A part under construction. */
export class OpenPart {
  /** `message`: the message itself or an embedded one; `child`: a part of a multipart. */
  readonly role: 'message' | 'child'
  readonly inDigest: boolean
  /** Open parts around it. */
  readonly depth: number
  readonly headerStart: number
  /** Line ends before `headerStart`. */
  readonly headerLines: number
  bodyStart = 0
  /** Line ends before `bodyStart`. */
  bodyLines = 0
  /** From the end of the header on. */
  fields: PartFields | undefined
  /** It should have parts, but a limit was reached. */
  isOpaque = false
  readonly children: Part[] = []
  message: Part | undefined

  constructor(is: Pick<OpenPart, 'role' | 'inDigest' | 'depth' | 'headerStart' | 'headerLines'>) {
    this.role = is.role
    this.inDigest = is.inDigest
    this.depth = is.depth
    this.headerStart = is.headerStart
    this.headerLines = is.headerLines
  }

  /**
   * Whether the body is a message that can be looked into. RFC 2046 §5.2.1 forbids it other encodings than the
   * identity, RFC 6532 §3.7 allows them for `message/global`; encoded, both are leaves.
   */
  get holdsMessage(): boolean {
    const { type, subtype, transferEncoding } = this.fields as PartFields
    if (type !== 'message' || (subtype !== 'rfc822' && subtype !== 'global')) return false
    return transferEncoding !== 'base64' && transferEncoding !== 'quoted-printable'
  }

  /** The part, its body ended `lineEnd` octets before `start`. */
  close(start: LineStart, lineEnd: 0 | 1 | 2): Part {
    const { type, subtype, parameters, transferEncoding, optional } = this.fields as PartFields
    const end = Math.max(this.bodyStart, start.offset - lineEnd)
    let bodyLines = 0
    if (end > this.bodyStart) {
      const lastIsOpen = start.before[lineEnd] !== LF
      bodyLines = start.lines - this.bodyLines - (lineEnd > 0 ? 1 : 0) + (lastIsOpen ? 1 : 0)
    }
    const isChildless = type === 'multipart' && this.children.length === 0
    const told = this.isOpaque
      ? { type: 'application', subtype: 'octet-stream', parameters }
      : isChildless
        ? { type: 'text', subtype: 'plain', parameters: [] }
        : { type, subtype, parameters }
    return {
      headerStart: this.headerStart,
      bodyStart: this.bodyStart,
      end,
      bodyLines,
      ...told,
      transferEncoding,
      children: this.children,
      ...(this.message === undefined ? undefined : { message: this.message }),
      ...optional,
    }
  }
}

/** Octets of the line end before a line that begins at `start`. */
export function lineEndOctets(start: LineStart): 0 | 1 | 2 {
  if (start.before[0] !== LF) return 0
  return start.before[1] === CR ? 2 : 1
}

/** The three octets before `at`, nearest first, of which some may lie before the piece, in `tail`. */
export function octetsBefore(piece: Buffer, at: number, tail: LineStart['before']): LineStart['before'] {
  if (at >= 3) return [piece[at - 1] as number, piece[at - 2] as number, piece[at - 3] as number]
  if (at === 2) return [piece[1] as number, piece[0] as number, tail[0]]
  if (at === 1) return [piece[0] as number, tail[0], tail[1]]
  return tail
}
