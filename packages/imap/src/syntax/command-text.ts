/** The octets of one command as frames hand them over: stretches of text, and literals between them. */

/** A literal of a command. */
export type Literal =
  /** Its octets, whole. */
  | { readonly kind: 'memory'; readonly octets: Uint8Array; readonly binary: boolean }
  /** Its octets went to a sink; `result` is what became of them. */
  | { readonly kind: 'sunk'; readonly result: unknown; readonly sizeOctets: number; readonly binary: boolean }
  /** Its octets have not been sent or not been read; stands last, while it is decided what to do with it. */
  | {
      readonly kind: 'announced'
      readonly sizeOctets: number
      /** The client waits for a go-ahead. */
      readonly synchronizing: boolean
      /** `~{n}`: may hold NUL. RFC 3516 §4.4 */
      readonly binary: boolean
    }

/**
 * A command, or its beginning. Text, literal, text, literal, …: `texts[n]` stands before `literals[n]`. Texts are
 * without line ends and without the marks that announce literals; a whole command ends in a text, which may be empty.
 */
export interface CommandText {
  readonly texts: readonly Uint8Array[]
  readonly literals: readonly Literal[]
}
