/** The MIME tree of a message as octet ranges: what parsing gives, and what section and structure requests are answered from. */

/** A message parsed: its tree and what was odd about it. Immutable. */
export interface MessageStructure {
  readonly root: Part
  /** True when a limit (depth, parts, header octets) was reached and something below is told as opaque. */
  readonly truncated: boolean
  /** False when the message has no empty line: then all of it counts as header, as far as its lines look like fields, and a store puts one in. */
  readonly hasSeparator: boolean
}

/** One part, the message itself included. Offsets are octets from the start of what was parsed; `headerStart <= bodyStart <= end`. */
export interface Part {
  /** First octet of the header section. */
  readonly headerStart: number
  /** First octet of the body, after the empty line. */
  readonly bodyStart: number
  /** After the last octet of the body; for a part of a multipart, before the line end that belongs to the boundary. RFC 2046 §5.1.1 */
  readonly end: number
  /** Lines of the body: CR LF counted, and one more when the last line has no end. */
  readonly bodyLines: number
  /** Lower case; `text/plain` when absent or malformed, `message/rfc822` in a digest. RFC 2045 §5.2, RFC 2046 §5.1.5 */
  readonly type: string
  readonly subtype: string
  /** Content-Type parameters in order, names in lower case, values decoded (RFC 2231) to text. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
  /** Lower case; `7bit` when absent. RFC 2045 §6.1 */
  readonly transferEncoding: string
  /** Field values, unfolded and trimmed, as text; absent when the field is. */
  readonly contentId?: string
  readonly description?: string
  readonly md5?: string
  readonly location?: string
  readonly language?: readonly string[]
  readonly disposition?: { readonly type: string; readonly parameters: readonly (readonly [string, string])[] }
  /** Parts of a multipart, at least one (a multipart without any is told as `text/plain`… of its own octets); else none. */
  readonly children: readonly Part[]
  /** The embedded message of `message/rfc822` and `message/global`; its offsets are of the same octets. */
  readonly message?: Part
  /** Envelope fields of the message, or of an embedded one: raw lines, unfolded, without name; only where this part is a message. */
  readonly envelope?: EnvelopeFields
}

/** Raw octets of the header fields ENVELOPE is made of: the first of each name, unfolded, without name and line end. Absent when the field is. */
export interface EnvelopeFields {
  readonly date?: Uint8Array
  readonly subject?: Uint8Array
  readonly from?: Uint8Array
  readonly sender?: Uint8Array
  readonly replyTo?: Uint8Array
  readonly to?: Uint8Array
  readonly cc?: Uint8Array
  readonly bcc?: Uint8Array
  readonly inReplyTo?: Uint8Array
  readonly messageId?: Uint8Array
}
