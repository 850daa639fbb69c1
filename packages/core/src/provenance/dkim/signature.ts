/** A signature as a DKIM-Signature or ARC-Message-Signature field tells it. RFC 6376 §3.5, RFC 8617 §4.1.2 */
import { AddressSyntaxError, parseDomain } from '../../address/index.ts'
import type { Canonicalization } from './canonicalization.ts'
import { decodeBase64Tag, parseTagList, splitColons, type TagList } from './tag-list.ts'

export type SignatureAlgorithm = 'rsa-sha256' | 'ed25519-sha256'

export interface Signature {
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  /** As written, without white space. */
  readonly signatureText: string
  readonly bodyHash: Uint8Array
  readonly headerCanonicalization: Canonicalization
  readonly bodyCanonicalization: Canonicalization
  /** A-labels, lower case. */
  readonly domain: string
  /** A-labels. */
  readonly selector: string
  /** Names in lower case, in the order signed, repetitions kept. */
  readonly headerNames: readonly string[]
  /** i=, decoded; undefined when absent. */
  readonly identity: string | undefined
  /** l= */
  readonly lengthLimit: number | undefined
  /** t= and x=: seconds since 1970. */
  readonly signedSeconds: number | undefined
  readonly expiresSeconds: number | undefined
}

/** What is wrong with a signature; `domain` and `selector` as far as they could be read. */
export interface BadSignature {
  /** `policy`: well formed, but of a kind that isn't taken. */
  readonly result: 'permerror' | 'policy'
  readonly reason: string
  readonly domain: string
  readonly selector: string
  readonly signatureText: string
  readonly algorithm: string
}

/** LIMIT: fields one signature may name. */
const MAX_HEADER_NAMES = 200
/** LIMIT: of a signature: an RSA key of 4,096 bits makes 512. */
const MAX_SIGNATURE_OCTETS = 1_024

/** @param value of the field: octets as text, folded or not */
export function parseSignature(value: string, kind: 'dkim' | 'arc'): Signature | BadSignature {
  const tags = parseTagList(value)
  const bad = (reason: string, result: BadSignature['result'] = 'permerror'): BadSignature => ({
    result,
    reason,
    domain: nameOf(tags?.get('d')) ?? '',
    selector: nameOf(tags?.get('s')) ?? '',
    signatureText: (tags?.get('b') ?? '').replaceAll(/\s+/g, ''),
    algorithm: tags?.get('a') ?? '',
  })
  if (tags === undefined) return bad('tags can not be read')
  if (kind === 'dkim' && tags.get('v') !== '1') return bad('version is not 1')
  for (const tag of ['a', 'b', 'bh', 'd', 'h', 's']) if (!tags.has(tag)) return bad(`tag ${tag} is missing`)
  const domain = nameOf(tags.get('d'))
  const selector = nameOf(tags.get('s'))
  if (domain === undefined || !domain.includes('.')) return bad('d= is not a domain')
  if (selector === undefined) return bad('s= is not a selector')
  const signatureText = (tags.get('b') ?? '').replaceAll(/\s+/g, '')
  const signature = decodeBase64Tag(signatureText)
  const bodyHash = decodeBase64Tag(tags.get('bh') ?? '')
  if (signature === undefined || signature.length > MAX_SIGNATURE_OCTETS) return bad('b= is not a signature')
  if (bodyHash === undefined) return bad('bh= is not a hash')
  const algorithm = tags.get('a')?.toLowerCase()
  if (algorithm === 'rsa-sha1') return bad('rsa-sha1 is not taken any more (RFC 8301)', 'policy')
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256') return bad('a= is not known')
  // QUIRK(ARC sealers): of ARC-Message-Signature fields without c= the ones seen are relaxed.
  const canonicalization = parseCanonicalization(tags.get('c') ?? (kind === 'arc' ? 'relaxed/relaxed' : 'simple/simple'))
  if (canonicalization === undefined) return bad('c= is not known')
  const headerNames = splitColons((tags.get('h') ?? '').toLowerCase())
  if (headerNames.length > MAX_HEADER_NAMES || !headerNames.every(isFieldName)) return bad('h= can not be read')
  if (!headerNames.includes('from')) return bad('From is not signed')
  if (kind === 'dkim' && tags.has('q') && !splitColons(tags.get('q') ?? '').some((method) => method.toLowerCase() === 'dns/txt')) return bad('q= is not known')
  const numbers = parseNumbers(tags)
  if (numbers === undefined) return bad('l=, t= or x= is not a number')
  const { lengthLimit, signedSeconds, expiresSeconds } = numbers
  if (signedSeconds !== undefined && expiresSeconds !== undefined && expiresSeconds <= signedSeconds) return bad('x= is not after t=')
  const identity = kind === 'dkim' && tags.has('i') ? decodeQuoted(tags.get('i') ?? '') : undefined
  if (identity !== undefined && !isWithin(domainOfIdentity(identity), domain)) return bad('i= is not within d=')
  return {
    algorithm,
    signature,
    signatureText,
    bodyHash,
    headerCanonicalization: canonicalization[0],
    bodyCanonicalization: canonicalization[1],
    domain,
    selector,
    headerNames,
    identity,
    lengthLimit,
    signedSeconds,
    expiresSeconds,
  }
}

/** Domain of an identity: what follows its last "@", A-labels; undefined when there is none. */
export function domainOfIdentity(identity: string): string | undefined {
  const at = identity.lastIndexOf('@')
  return at < 0 ? undefined : nameOf(identity.slice(at + 1))
}

function isWithin(name: string | undefined, domain: string): boolean {
  return name !== undefined && (name === domain || name.endsWith(`.${domain}`))
}

function nameOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return parseDomain(decodeUtf8(text), { allowUnderscore: true }).ascii
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

/** RFC 5322 §3.6.8 (ftext) */
function isFieldName(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x21 || code > 0x7e || code === 0x3a) return false
  }
  return text !== ''
}

/** Field values are read as latin1, one character an octet; names in them may be UTF-8. RFC 8616 */
function decodeUtf8(text: string): string {
  return !/[\x80-\xff]/.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8')
}

function parseCanonicalization(text: string): readonly [Canonicalization, Canonicalization] | undefined {
  const [header, body = 'simple', ...more] = text.toLowerCase().split('/')
  const isKnown = (name: string | undefined): name is Canonicalization => name === 'simple' || name === 'relaxed'
  return isKnown(header) && isKnown(body) && more.length === 0 ? [header, body] : undefined
}

function parseNumbers(tags: TagList): Pick<Signature, 'lengthLimit' | 'signedSeconds' | 'expiresSeconds'> | undefined {
  const [lengthLimit, signedSeconds, expiresSeconds] = ['l', 't', 'x'].map((tag) => {
    const text = tags.get(tag)
    if (text === undefined) return undefined
    // As many digits as the RFC allows for a length; a number beyond all lengths and times is as good as any other.
    return /^[0-9]{1,76}$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : Number.NaN
  })
  if (Number.isNaN(lengthLimit) || Number.isNaN(signedSeconds) || Number.isNaN(expiresSeconds)) return undefined
  return { lengthLimit, signedSeconds, expiresSeconds }
}

/** DKIM's quoted-printable. RFC 6376 §2.11 */
function decodeQuoted(text: string): string {
  return text.replaceAll(/[ \t\r\n]/g, '').replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
