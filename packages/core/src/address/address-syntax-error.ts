/** The one error of this room: text that is no domain, address or path. */

/** What is wrong; `ADDRESS_NEEDS_SMTPUTF8` is what SMTP answers with 5.6.7 instead of a syntax error. RFC 6531 §3.5 */
export type AddressErrorCode = 'ADDRESS_SYNTAX' | 'ADDRESS_NEEDS_SMTPUTF8' | 'ADDRESS_TOO_LONG'

/** Text that breaks the grammar of addresses. The message names what was expected and never repeats the text. */
export class AddressSyntaxError extends Error {
  override readonly name = 'AddressSyntaxError'
  readonly code: AddressErrorCode
  /** Octets (of a string: UTF-16 units) before the place where it went wrong. */
  readonly offset: number
  /** What would have been right there. */
  readonly expected: string

  constructor(code: AddressErrorCode, offset: number, expected: string) {
    super(`Expected ${expected} at octet ${offset}`)
    this.code = code
    this.offset = offset
    this.expected = expected
  }
}
