/**
 * Parameters of header fields put together from what was written: plain, with a character set, in segments. RFC 2231
 * Not here: reading the written form (media-field.ts).
 *
 * Values come as binary strings, one octet a character; text is made of them at the end.
 */
import { decodeCharset, decodeUnlabelled } from './charset.ts'

const NON_ASCII = /[^\0-\x7f]/
/** `name*`, `name*n`, `name*n*`; LIMIT: numbers of three digits, more than segments are read. */
const SEGMENT_NAME = /^([^*]+)\*(?:(\d{1,3})(\*)?)?$/

/** Name and value of each parameter: names in lower case and once each, values decoded to text. */
export type Parameters = readonly (readonly [name: string, value: string])[]

/** A parameter put together: its octets, and the character set these are in when it was told. */
export interface RawParameter {
  readonly octets: string
  readonly charset: string | undefined
}

/** What was seen of one parameter. RFC 2231 §3, §4 */
interface Pieces {
  plain: string | undefined
  extended: string | undefined
  /** `name*n`: by number. */
  readonly segments: Map<number, { readonly value: string; readonly encoded: boolean }>
}

/** The parameters of one field, by name, in order of first appearance. */
export class ParameterSet {
  readonly #pieces = new Map<string, Pieces>()

  /**
   * Files `value` under its name: `name`, `name*`, `name*n` or `name*n*`. The first of each kind counts. RFC 2231 §7
   */
  add(written: string, value: string): void {
    const match = SEGMENT_NAME.exec(written)
    const name = match?.[1] ?? written
    let pieces = this.#pieces.get(name)
    if (pieces === undefined) {
      pieces = { plain: undefined, extended: undefined, segments: new Map() }
      this.#pieces.set(name, pieces)
    }
    if (match === null) {
      pieces.plain ??= value
    } else if (match[2] === undefined) {
      pieces.extended ??= value
    } else {
      const number = Number(match[2])
      if (!pieces.segments.has(number)) pieces.segments.set(number, { value, encoded: match[3] !== undefined })
    }
  }

  /** One parameter's octets. */
  get(name: string): RawParameter | undefined {
    const pieces = this.#pieces.get(name)
    return pieces && putTogether(pieces)
  }

  /** All of them as text. */
  decode(): Parameters {
    const parameters: (readonly [string, string])[] = []
    for (const [name, pieces] of this.#pieces) {
      const raw = putTogether(pieces)
      if (raw !== undefined) parameters.push([name, textOf(raw.octets, raw.charset)])
    }
    return parameters
  }
}

/** Text of a binary string in a character set, or in UTF-8 or windows-1252, whichever it is. RFC 6532 §3.2 */
export function textOf(octets: string, charset?: string): string {
  if (charset !== undefined) return decodeCharset(Buffer.from(octets, 'latin1'), charset)
  return NON_ASCII.test(octets) ? decodeUnlabelled(Buffer.from(octets, 'latin1')) : octets
}

/** Without white space and line end at the end; as boundaries are compared. */
export function withoutTrailingBlanks(text: string): string {
  let end = text.length
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(0, end)
}

/** Space, tab, CR or LF. */
export function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x09 || char === 0x0d || char === 0x0a
}

/**
 * Extended before continued before plain: senders add the plain form for readers that know no other. RFC 2231 §3 to
 * §4.1
 */
function putTogether(pieces: Pieces): RawParameter | undefined {
  if (pieces.extended !== undefined) {
    const { charset, rest } = cutCharset(pieces.extended)
    return { octets: percentDecoded(rest), charset }
  }
  const first = pieces.segments.get(0)
  if (first === undefined) {
    return pieces.plain === undefined ? undefined : { octets: pieces.plain, charset: undefined }
  }
  let octets = ''
  let charset: string | undefined
  // Segments count from 0 without gaps; what comes after a gap is lost text, not other text.
  for (let number = 0, segment: typeof first | undefined = first; segment !== undefined;) {
    let { value } = segment
    if (number === 0 && segment.encoded) ({ charset, rest: value } = cutCharset(value))
    octets += segment.encoded ? percentDecoded(value) : value
    number += 1
    segment = pieces.segments.get(number)
  }
  return { octets, charset }
}

/** `charset'language'value`; without the quotes all of it is value. RFC 2231 §4 */
function cutCharset(value: string): { charset: string | undefined; rest: string } {
  const first = value.indexOf("'")
  const second = first < 0 ? -1 : value.indexOf("'", first + 1)
  if (second < 0) return { charset: undefined, rest: value }
  return { charset: value.slice(0, first) || undefined, rest: value.slice(second + 1) }
}

function percentDecoded(value: string): string {
  if (!value.includes('%')) return value
  return value.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
