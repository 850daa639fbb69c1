/** Mail addresses as values, and how they are written. Not here: reading them, and who owns them. */
import { AddressSyntaxError } from './address-syntax-error.ts'
import type { Domain } from './domain.ts'
import { formatAddressLiteral, type IpAddress } from './ip-network.ts'

/** An address with a domain. The localpart is decoded: no quotes, no backslashes; NFC; may be empty. */
export interface Address {
  readonly localpart: string
  readonly domain: Domain
}

/** A mailbox of the envelope: an address, or one at a host named by number. RFC 5321 §4.1.2 */
export type MailboxPath =
  | { readonly kind: 'address'; readonly address: Address }
  | { readonly kind: 'literal'; readonly localpart: string; readonly ip: IpAddress }

/** Where a message comes from; `null` for notices. RFC 5321 §4.1.2, §4.5.5 */
export type ReversePath = { readonly kind: 'null' } | MailboxPath

/** Where a message goes to; `postmaster` is the one without a domain. RFC 5321 §4.1.1.3, §4.5.1 */
export type ForwardPath = { readonly kind: 'postmaster' } | MailboxPath

/**
 * `localpart@domain`, the localpart quoted when it must be.
 * @param options.utf8 whether the domain is written with U-labels; by default as A-labels
 * @throws {AddressSyntaxError} the localpart holds a control character
 */
export function formatAddress(address: Address, options: { readonly utf8?: boolean } = {}): string {
  const { domain } = address
  return `${formatLocalpart(address.localpart)}@${options.utf8 === true ? domain.unicode : domain.ascii}`
}

/**
 * A path with its angle brackets.
 * @param options as of `formatAddress`
 * @throws {AddressSyntaxError} as `formatAddress` does
 */
export function formatPath(path: ReversePath | ForwardPath, options: { readonly utf8?: boolean } = {}): string {
  switch (path.kind) {
    case 'null':
      return '<>'
    case 'postmaster':
      return '<postmaster>'
    case 'address':
      return `<${formatAddress(path.address, options)}>`
    case 'literal':
      return `<${formatLocalpart(path.localpart)}@${formatAddressLiteral(path.ip)}>`
  }
}

/**
 * A localpart as a dot-string where that is possible, else as a quoted string. RFC 5321 §4.1.2: the least quoting.
 * @throws {AddressSyntaxError} it holds a control character
 */
export function formatLocalpart(localpart: string): string {
  for (let at = 0; at < localpart.length; at += 1) {
    if (isControl(localpart.charCodeAt(at))) throw new AddressSyntaxError('ADDRESS_SYNTAX', at, 'printable character')
  }
  if (isDotString(localpart)) return localpart
  return `"${localpart.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** The key an address is found by: decoded localpart, "@", Unicode domain. Case of the localpart is left as it is. */
export function addressKey(address: Address): string {
  return `${address.localpart}@${address.domain.unicode}`
}

/** Whether a path can only be told to peers that offer SMTPUTF8: its localpart is not ASCII. RFC 6531 §3.5 */
export function needsSmtpUtf8(path: ReversePath | ForwardPath): boolean {
  switch (path.kind) {
    case 'null':
    case 'postmaster':
      return false
    case 'address':
      return !isAscii(path.address.localpart)
    case 'literal':
      return !isAscii(path.localpart)
  }
}

/** Whether two addresses are equal, letter case of the localpart included. RFC 5321 §2.4 */
export function isSameAddress(a: Address, b: Address): boolean {
  return a.localpart === b.localpart && a.domain.ascii === b.domain.ascii
}

/** C0, DEL and C1. */
export function isControl(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code < 0xa0)
}

/**
 * Atom characters: RFC 5321 §4.1.2, and everything beyond ASCII. RFC 6531 §3.3
 * @param code of a character or of an octet of UTF-8
 */
export function isAtomCode(code: number): boolean {
  return code >= 0x80 || ATOM_CODES[code] === true
}

const ATOM_CODES: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]/.test(String.fromCharCode(code)),
)

function isDotString(text: string): boolean {
  let atStart = true
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x2e ? atStart : !isAtomCode(code)) return false
    atStart = code === 0x2e
  }
  return !atStart
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) >= 0x80) return false
  }
  return true
}
