/**
 * The four messages of SCRAM, read and written (RFC 5802 §7). What does not follow the grammar to the letter is
 * `undefined`: an exchange that bends is one that was tampered with.
 * Not here: what the values prove.
 */
import { Buffer } from 'node:buffer'
import { decodeUtf8 } from './prepare.ts'

/** LIMIT: fewer characters do not make a nonce unique, more only feed the hash. Clients send 16 to 64. */
const MIN_NONCE = 8
const MAX_NONCE = 512

/** client-first-message. */
export interface ClientFirst {
  /** As it came, up to and with its second comma: bound into the exchange by `c=`. */
  readonly gs2Header: string
  readonly authzid: string | undefined
  readonly username: string
  readonly nonce: string
  /** client-first-message-bare, as it came. */
  readonly bare: string
}

/** server-first-message. */
export interface ServerFirst {
  readonly nonce: string
  readonly salt: Uint8Array
  readonly iterations: number
  /** The whole message, as it came. */
  readonly text: string
}

/** client-final-message. */
export interface ClientFinal {
  /** Base64 text of `c=`. */
  readonly channelBinding: string
  readonly nonce: string
  readonly proof: Uint8Array
  /** client-final-message-without-proof, as it came. */
  readonly withoutProof: string
}

/** server-final-message. */
export type ServerFinal =
  | { readonly kind: 'verifier'; readonly signature: Uint8Array }
  | { readonly kind: 'error'; readonly value: string }

// printable = %x21-2B / %x2D-7E
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/
// attr-val = ALPHA "=" value, of letters not defined in RFC 5802; `m` among the defined ones must fail the exchange
// (§5.1).
const EXTENSION = /^[A-Za-z]=[^\0]+$/
const DEFINED = 'ancrsipvem'
// posit-number, up to ten million and some.
const ITERATIONS = /^[1-9][0-9]{0,8}$/

/**
 * Reads a client-first-message without channel binding: `p=` is refused, this server announces no -PLUS (RFC 5802
 * §6).
 */
export function parseClientFirst(octets: Uint8Array): ClientFirst | undefined {
  const text = decodeUtf8(octets)
  if (text === undefined) return undefined
  // gs2-header = gs2-cbind-flag "," [ authzid ] ","
  const afterFlag = text.indexOf(',')
  const afterAuthzid = afterFlag < 0 ? -1 : text.indexOf(',', afterFlag + 1)
  if (afterAuthzid < 0) return undefined
  const flag = text.slice(0, afterFlag)
  if (flag !== 'n' && flag !== 'y') return undefined
  const authzidText = text.slice(afterFlag + 1, afterAuthzid)
  const authzid = authzidText === '' ? undefined : saslName(valueOf('a', authzidText))
  if (authzidText !== '' && authzid === undefined) return undefined
  // client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
  const bare = text.slice(afterAuthzid + 1)
  const [first, second, ...extensions] = bare.split(',')
  const username = saslName(valueOf('n', first))
  const nonce = valueOf('r', second)
  if (username === undefined || !isNonce(nonce) || !extensions.every(isExtension)) return undefined
  return { gs2Header: text.slice(0, afterAuthzid + 1), authzid, username, nonce, bare }
}

/** Reads a server-first-message. */
export function parseServerFirst(octets: Uint8Array): ServerFirst | undefined {
  const text = decodeUtf8(octets)
  if (text === undefined) return undefined
  // server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
  const [first, second, third, ...extensions] = text.split(',')
  const nonce = valueOf('r', first)
  const salt = base64(valueOf('s', second))
  const count = valueOf('i', third)
  if (nonce === undefined || !NONCE.test(nonce) || salt === undefined || salt.length === 0) return undefined
  if (count === undefined || !ITERATIONS.test(count) || !extensions.every(isExtension)) return undefined
  return { nonce, salt, iterations: Number(count), text }
}

/** Reads a client-final-message. */
export function parseClientFinal(octets: Uint8Array): ClientFinal | undefined {
  const text = decodeUtf8(octets)
  if (text === undefined) return undefined
  // client-final-message = channel-binding "," nonce ["," extensions] "," proof
  const attributes = text.split(',')
  const proofText = attributes.pop()
  const [first, second, ...extensions] = attributes
  const channelBinding = valueOf('c', first)
  const nonce = valueOf('r', second)
  const proof = base64(valueOf('p', proofText))
  if (channelBinding === undefined || nonce === undefined || proof === undefined) return undefined
  if (!extensions.every(isExtension)) return undefined
  return { channelBinding, nonce, proof, withoutProof: attributes.join(',') }
}

/** Reads a server-final-message. */
export function parseServerFinal(octets: Uint8Array): ServerFinal | undefined {
  const text = decodeUtf8(octets)
  if (text === undefined) return undefined
  // server-final-message = (server-error / verifier) ["," extensions]
  const [first, ...extensions] = text.split(',')
  if (!extensions.every(isExtension)) return undefined
  const error = valueOf('e', first)
  if (error !== undefined) return error === '' ? undefined : { kind: 'error', value: error }
  const signature = base64(valueOf('v', first))
  return signature === undefined ? undefined : { kind: 'verifier', signature }
}

/** A name as `saslname`: `,` and `=` written `=2C` and `=3D`. */
export function formatSaslName(name: string): string {
  return name.replace(/[=,]/g, (character) => (character === '=' ? '=3D' : '=2C'))
}

/** Base64 of octets or of text. */
export function formatBase64(value: Uint8Array | string): string {
  return (typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)).toString('base64')
}

function valueOf(letter: string, attribute: string | undefined): string | undefined {
  return attribute !== undefined && attribute.startsWith(`${letter}=`) ? attribute.slice(2) : undefined
}

// saslname = 1*(value-safe-char / "=2C" / "=3D")
function saslName(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.includes('\0') || /=(?!2C|3D)/.test(text)) return undefined
  return text.replace(/=2C|=3D/g, (escape) => (escape === '=2C' ? ',' : '='))
}

function isNonce(text: string | undefined): text is string {
  return text !== undefined && text.length >= MIN_NONCE && text.length <= MAX_NONCE && NONCE.test(text)
}

function isExtension(text: string): boolean {
  return EXTENSION.test(text) && !DEFINED.includes(text.charAt(0))
}

/** Strict: only what an encoder writes, padding and unused bits included. */
function base64(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? Uint8Array.from(octets) : undefined
}
