/**
 * Header fields as they are written: folded, ASCII only but for addresses that can't be. RFC 5322 §2.2.3, RFC 2047, RFC
 * 2231 The one place that keeps line ends out of what others put into fields. Not here: which fields a message has.
 */
import { type Address, formatAddress } from '../address/index.ts'
import { encodeEncodedWords, encodeWords, isPlainText } from './encoded-word.ts'

/** Longest line where there is a place to fold, and at all. RFC 5322 §2.1.1 */
const LINE = 78
const MAX_LINE = 998
/** Characters of a parameter value in one piece. RFC 2231 §3 */
const PARAMETER_PIECE = 50

/** What is wrong with a value that was to be written. */
export type ComposeErrorCode =
  | 'COMPOSE_FIELD_NAME'
  | 'COMPOSE_FIELD_VALUE'
  | 'COMPOSE_RESERVED_FIELD'
  | 'COMPOSE_MEDIA_TYPE'

/** A value that can't be written into a message; test `code`. Nothing of the message was made. */
export class ComposeError extends Error {
  override readonly name = 'ComposeError'
  readonly code: ComposeErrorCode
  /** The field or attachment it was meant for. */
  readonly field: string

  constructor(code: ComposeErrorCode, field: string, expected: string) {
    super(`Expected ${expected}`)
    this.code = code
    this.field = field
  }
}

/** Who a message is from or to. */
export interface Mailbox {
  /** Display name, as people read it. */
  readonly name?: string
  readonly address: Address
}

/**
 * `Name: value` with its line end, folded before spaces. @param value what stands after the colon, on one line
 * @throws {ComposeError} the name is none (COMPOSE_FIELD_NAME); the value has CR, LF, NUL or another control, or can't
 * be folded
 */
export function formatField(name: string, value: string): string {
  if (!/^[!-9;-~]{1,77}$/.test(name)) throw new ComposeError('COMPOSE_FIELD_NAME', '', 'field name')
  checkValue(name, value)
  const head = `${name}:`
  const lines: string[] = []
  let line = head
  // Each piece is white space with the word after it: no line is white space only.
  for (const piece of ` ${value.trimEnd()}`.match(/[ \t]*[^ \t]+/g) ?? []) {
    if (line.length + piece.length > LINE && line !== head) {
      lines.push(line)
      line = piece
    } else {
      line += piece
    }
  }
  lines.push(line)
  // Addresses are the only thing beyond ASCII: what counts is octets.
  if (lines.some((text) => Buffer.byteLength(text) > MAX_LINE)) {
    throw new ComposeError('COMPOSE_FIELD_VALUE', name, 'value that can be folded')
  }
  return `${lines.join('\r\n')}\r\n`
}

/** An unstructured field (Subject and the like) of any text. @throws {ComposeError} as `formatField` does */
export function formatTextField(name: string, text: string): string {
  checkValue(name, text)
  return formatField(name, encodeEncodedWords(text))
}

/**
 * A field of addresses.
 * @throws {ComposeError} as `formatField` does, or a localpart has a control (AddressSyntaxError)
 */
export function formatAddressField(name: string, mailboxes: readonly Mailbox[]): string {
  return formatField(name, mailboxes.map((mailbox) => formatMailbox(name, mailbox)).join(', '))
}

/**
 * `; name="value"`, or with RFC 2231 encoding where the value is long or not ASCII.
 * @throws {ComposeError} as `formatField` does
 */
export function formatParameter(field: string, name: string, value: string): string {
  checkValue(field, value)
  if (/^[\x20-\x7e]*$/.test(value) && value.length <= PARAMETER_PIECE) {
    return `; ${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`
  }
  const pieces: string[] = []
  let piece = "utf-8''"
  for (const character of value) {
    const encoded = encodeExtended(character)
    if (piece.length + encoded.length > PARAMETER_PIECE) {
      pieces.push(piece)
      piece = ''
    }
    piece += encoded
  }
  pieces.push(piece)
  if (pieces.length === 1) return `; ${name}*=${piece}`
  return pieces.map((text, index) => `; ${name}*${index}*=${text}`).join('')
}

function formatMailbox(field: string, { name, address }: Mailbox): string {
  // A localpart beyond ASCII needs SMTPUTF8 anyway; then the domain may be readable too. RFC 6532 §3.2
  const utf8 = /[^\x00-\x7f]/.test(address.localpart)
  const written = formatAddress(address, { utf8 })
  if (name === undefined || name === '') return written
  return `${formatPhrase(field, name)} <${written}>`
}

/**
 * A display name: as it is when it is made of atoms, else quoted, else as encoded words. RFC 5322 §3.2.5, RFC 2047 §5
 * (3)
 */
function formatPhrase(field: string, name: string): string {
  checkValue(field, name)
  if (!isPlainText(name)) return encodeWords(name)
  if (/^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/.test(name)) return name
  return `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** Letters, digits and what else an attribute-char may be; percent-encoded UTF-8 for the rest. RFC 2231 §7 */
function encodeExtended(character: string): string {
  if (/^[A-Za-z0-9!#$&+\-.^_`{|}~]$/.test(character)) return character
  return Buffer.from(character).toString('hex').toUpperCase().replaceAll(/../g, '%$&')
}

/** Refuses what would end a line or a string: controls other than tab, C1 included. */
function checkValue(field: string, value: string): void {
  if (/[\x00-\x08\x0a-\x1f\x7f-\x9f]/.test(value)) {
    throw new ComposeError('COMPOSE_FIELD_VALUE', field, 'value without control characters')
  }
}
