/** Paths of the envelope, with what is wrong with them told apart as SMTP replies do. RFC 5321 §4.1.2, RFC 6531 §3.5 */
import { type AddressOptions, AddressSyntaxError, type ForwardPath, parseForwardPath, parseReversePath, type ReversePath } from '@postern/core/address'

/** A path, or why it is none. */
export type PathReading<P> =
  | { readonly kind: 'path'; readonly path: P }
  /** Beyond ASCII in a transaction without SMTPUTF8. */
  | { readonly kind: 'needs-smtputf8' }
  /** `expected` names the production that should have stood there, or the limit that was passed. */
  | { readonly kind: 'malformed'; readonly expected: string }

/** @param octets with brackets @param options.utf8 whether SMTPUTF8 was given */
export function readReversePath(octets: Uint8Array, options: AddressOptions): PathReading<ReversePath> {
  return read(() => parseReversePath(octets, options))
}

/** @param octets with brackets @param options.utf8 whether SMTPUTF8 was given */
export function readForwardPath(octets: Uint8Array, options: AddressOptions): PathReading<ForwardPath> {
  return read(() => parseForwardPath(octets, options))
}

function read<P>(parse: () => P): PathReading<P> {
  try {
    return { kind: 'path', path: parse() }
  } catch (error) {
    if (!(error instanceof AddressSyntaxError)) throw error
    if (error.code === 'ADDRESS_NEEDS_SMTPUTF8') return { kind: 'needs-smtputf8' }
    return { kind: 'malformed', expected: error.expected }
  }
}
