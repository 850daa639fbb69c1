/**
 * Replies as values, and the one place where they become octets. RFC 5321 §4.2; enhanced codes: RFC 2034 §4.
 * Not here: which reply is right when (reply-codes.ts names them).
 */

/** One reply, of one or more lines. */
export interface Reply {
  /** 200 to 599. */
  readonly code: number
  /** `2.1.0`: its class is the first digit of `code`. Absent where RFC 2034 §4 wants none: greeting, EHLO, 3yz. */
  readonly enhanced?: string
  /** Text without line ends; may be empty. What is not printable ASCII is written as `?`. */
  readonly lines: readonly string[]
}

/** A reply that can't be written as one: a fault of whoever made it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
  readonly code = 'REPLY_MALFORMED'
}

/** LIMIT: 512 octets with CR LF. RFC 5321 §4.5.3.1.5 */
const MAX_LINE_OCTETS = 510
/** Lines are broken at a space from this column on, so that words stay whole where they can. */
const WRAP_COLUMN = 400
/** LIMIT: what a reader of replies must hold. Of longer ones the end is kept, where the id is, and the middle left out. */
const MAX_LINES = 200

/**
 * Writes a reply with its line ends; long lines become several, the enhanced code stands on each.
 * @throws {ReplyError} for a code out of range, an enhanced code of another class, or CR, LF or NUL in the text
 */
export function formatReply(reply: Reply): Uint8Array {
  const { code, enhanced } = reply
  if (!Number.isInteger(code) || code < 200 || code > 599) throw new ReplyError('Expected a reply code of 200 to 599')
  if (enhanced !== undefined && !isEnhancedCode(enhanced, code)) {
    throw new ReplyError(`Expected an enhanced code of the class of ${code}`)
  }
  const prefix = enhanced === undefined ? '' : `${enhanced} `
  // A challenge is one line of base64, however long. RFC 4954 §4
  const width = code === 334 ? Number.POSITIVE_INFINITY : MAX_LINE_OCTETS - 4 - prefix.length
  const lines: string[] = []
  for (const line of reply.lines) wrap(printable(line), width, lines)
  if (lines.length === 0) lines.push('')
  if (lines.length > MAX_LINES) lines.splice(MAX_LINES - 1, lines.length - MAX_LINES)
  let text = ''
  const last = lines.length - 1
  for (let index = 0; index < last; index += 1) text += `${code}-${prefix}${lines[index]}\r\n`
  text += `${code} ${prefix}${lines[last]}\r\n`
  return Buffer.from(text, 'latin1')
}

/** RFC 2034 §4: class "." subject "." detail. */
function isEnhancedCode(enhanced: string, code: number): boolean {
  return /^[245]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(enhanced) && enhanced.charCodeAt(0) - 0x30 === Math.floor(code / 100)
}

/** Replies are ASCII even under SMTPUTF8: RFC 6531 §3.7.4.2 allows UTF-8 only where a VRFY or EXPN shows a mailbox. */
function printable(line: string): string {
  if (/^[ -~]*$/.test(line)) return line
  if (/[\r\n\0]/.test(line)) throw new ReplyError('CR, LF or NUL in a reply')
  return line.replaceAll(/[^ -~]/gu, '?')
}

function wrap(line: string, width: number, lines: string[]): void {
  let rest = line
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const isGood = space >= WRAP_COLUMN
    lines.push(rest.slice(0, isGood ? space : width))
    rest = rest.slice(isGood ? space + 1 : width)
  }
  lines.push(rest)
}
