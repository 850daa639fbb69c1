/** A message as signatures are made and checked over. */

/** Octets of a whole message, with CRLF line ends. */
export interface SignedMessage {
  /** The header section, with or without the empty line after it. */
  readonly header: Uint8Array
  /** The body, in pieces of any size; may be read more than once. A piece is valid until the next is asked for. */
  body(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}
