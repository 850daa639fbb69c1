/** The one error a reader of wire grammar throws: the peer wrote something that is not a sentence of the protocol. */

/** What was expected and where. Caught once, in the engine, and told as 501 or BAD; test `code`. */
export class WireSyntaxError extends Error {
  override readonly name = 'WireSyntaxError'
  /** Stable, in kebab case: the production that did not match, or the limit that was passed. */
  readonly code: string
  /** What should have stood there, as the peer may read it: `sequence-set`. */
  readonly expected: string
  /** Octets from the start of what was read. */
  readonly offset: number

  constructor(code: string, expected: string, offset: number) {
    super(`Expected ${expected} at octet ${offset}`)
    this.code = code
    this.expected = expected
    this.offset = offset
  }
}
