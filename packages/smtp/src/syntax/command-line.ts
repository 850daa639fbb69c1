/**
 * A command line as its command reads it: a method for each production, from left to right. RFC 5321 §4.1.1, §4.1.2.
 * Not here: line ends and limits (core frames), and what addresses mean (path.ts).
 */
import { findPathEnd } from '@postern/core/address'
import { WireSyntaxError } from '@postern/core/conversation'
import { type EsmtpParameter, parseParameter } from './parameters.ts'

const TAB = 0x09
const SPACE = 0x20

/** What is taken though the grammar has no place for it. */
export interface LineQuirks {
  /** QUIRK(sloppy-senders): a space between `FROM:` or `TO:` and the path, from scanners, scripts and old Exchange. */
  readonly spaceAfterColon: boolean
  /** QUIRK(sloppy-senders): spaces and tabs at the end of a line. RFC 5321 §4.1.1 asks receivers to tolerate them. */
  readonly trailingSpace: boolean
}

/** Reader of one line. Its methods throw `WireSyntaxError` when what they read is not there. */
export class CommandReader {
  readonly #octets: Uint8Array
  readonly #quirks: LineQuirks
  #at = 0

  /** @param octets the line without its end; read from, not kept */
  constructor(octets: Uint8Array, quirks: LineQuirks) {
    this.#octets = quirks.trailingSpace ? withoutTrailingSpace(octets) : octets
    this.#quirks = quirks
  }

  /** Whether it holds NUL or another control character, a bare CR among them: nothing a command can hold. */
  get hasControl(): boolean {
    return this.#octets.some((octet) => octet < SPACE || octet === 0x7f)
  }

  /** The verb, in upper case; what is no verb comes back as it is, for nobody to know. */
  verb(): string {
    return this.#text(this.#untilSpace()).toUpperCase()
  }

  get isAtEnd(): boolean {
    return this.#at === this.#octets.length
  }

  space(): void {
    if (this.#octets[this.#at] !== SPACE) throw new WireSyntaxError('space', 'space', this.#at)
    this.#at += 1
  }

  /** `FROM:` or `TO:`, in either case. */
  keyword(keyword: string): void {
    const end = this.#at + keyword.length
    if (this.#text(this.#octets.subarray(this.#at, end)).toUpperCase() !== keyword) {
      throw new WireSyntaxError('keyword', keyword, this.#at)
    }
    this.#at = end
  }

  /** A path with its brackets, unread: whether it may hold UTF-8 is known only after the parameters. */
  path(): Uint8Array {
    if (this.#quirks.spaceAfterColon) this.#skipSpaces()
    const end = findPathEnd(this.#octets, this.#at)
    if (end < 0) throw new WireSyntaxError('path', 'address in angle brackets', this.#at)
    const path = this.#octets.slice(this.#at, end)
    this.#at = end
    return path
  }

  /** Everything up to the next space or the end, at least one octet. @throws {WireSyntaxError} for what is not ASCII */
  word(expected: string): string {
    const at = this.#at
    const octets = this.#untilSpace()
    if (octets.length === 0 || octets.some((octet) => octet >= 0x80)) throw new WireSyntaxError('word', expected, at)
    return this.#text(octets)
  }

  /** *( SP esmtp-param ), none twice. @throws {WireSyntaxError} with code `parameter` */
  parameters(): readonly EsmtpParameter[] {
    const parameters: EsmtpParameter[] = []
    const seen = new Set<string>()
    while (!this.isAtEnd) {
      this.space()
      const at = this.#at
      const parameter = parseParameter(decodeUtf8(this.#untilSpace(), at), at)
      if (seen.has(parameter.keyword)) throw new WireSyntaxError('parameter', 'each parameter once', at)
      seen.add(parameter.keyword)
      parameters.push(parameter)
    }
    return parameters
  }

  /** Takes the rest of the line, whatever it is. */
  rest(): void {
    this.#at = this.#octets.length
  }

  end(): void {
    if (!this.isAtEnd) throw new WireSyntaxError('end-of-line', 'end of line', this.#at)
  }

  #skipSpaces(): void {
    while (this.#octets[this.#at] === SPACE) this.#at += 1
  }

  #untilSpace(): Uint8Array {
    const start = this.#at
    const space = this.#octets.indexOf(SPACE, start)
    this.#at = space < 0 ? this.#octets.length : space
    return this.#octets.subarray(start, this.#at)
  }

  #text(octets: Uint8Array): string {
    return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1')
  }
}

function withoutTrailingSpace(octets: Uint8Array): Uint8Array {
  let end = octets.length
  while (end > 0 && (octets[end - 1] === SPACE || octets[end - 1] === TAB)) end -= 1
  return octets.subarray(0, end)
}

function decodeUtf8(octets: Uint8Array, offset: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)
  } catch {
    throw new WireSyntaxError('parameter', 'UTF-8', offset)
  }
}
