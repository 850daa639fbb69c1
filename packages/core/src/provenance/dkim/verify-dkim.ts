/** Verifies the DKIM signatures of a message. RFC 6376 §6 with RFC 8301, 8463 and 8616. Not here: what a result is worth. */
import { createHash, timingSafeEqual, verify } from 'node:crypto'
import type { Resolver } from '../../host/index.ts'
import type { HeaderField } from '../../message/index.ts'
import type { SignedMessage } from '../signed-message.ts'
import { hashBody, type BodyHash } from './body-hashes.ts'
import { findKey, type DkimKey, type KeyLookUp } from './key-record.ts'
import { domainOfIdentity, parseSignature, type BadSignature, type Signature } from './signature.ts'
import { HeaderIndex, unsignedField } from './signed-fields.ts'

/** RFC 8601 §2.7.1 */
export type DkimStatus = 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'

export interface DkimOptions {
  readonly resolver: Resolver
  readonly signal?: AbortSignal | undefined
  /** Milliseconds since 1970, for x=. */
  readonly now: number
  /** LIMIT: signatures looked at, from the top; default 10. The others are neutral. */
  readonly maxSignatures?: number
  /** Whether anybody may register names below a domain: then none answers for it. Default: never. */
  readonly isPublicSuffix?: (domain: string) => boolean
}

export interface DkimResult {
  readonly result: Exclude<DkimStatus, 'none'>
  /** d=, A-labels; empty when it can't be read. */
  readonly domain: string
  readonly selector: string
  /** i= when given. */
  readonly identity: string | undefined
  /** As written in a=. */
  readonly algorithm: string
  /** Of the key; undefined when there was none. */
  readonly keyBits: number | undefined
  /** b= without white space. */
  readonly signatureText: string
  /** Signed names in lower case. */
  readonly headerNames: readonly string[]
  /** The owner says that he is only trying (t=y). */
  readonly testing: boolean
  /** Services the key is for; undefined: all. */
  readonly services: readonly string[] | undefined
  /** Why it isn't a pass. */
  readonly reason: string | undefined
  /** The key came by a validated answer. */
  readonly authentic: boolean
}

const MAX_SIGNATURES = 10
/** RFC 8301 §3.2; more than the other is a burden, not a strength. */
const MIN_RSA_BITS = 1_024
const MAX_RSA_BITS = 4_096

/** One result for each signature, from the top; none for a message without. Rejects only with the signal's reason or what reading the body throws. */
export async function verifyDkim(message: SignedMessage, options: DkimOptions): Promise<readonly DkimResult[]> {
  const header = HeaderIndex.of(message)
  const fields = header.fields('dkim-signature')
  const signatures = fields.map((field) => parseSignature(header.value(field), 'dkim'))
  const max = options.maxSignatures ?? MAX_SIGNATURES
  const good = signatures.slice(0, max).filter(isReadable)
  const [hashes, ...keys] = await Promise.all([hashBody(message, good.map(bodyHashing)), ...good.map(({ selector, domain }) => findKey(selector, domain, options))])
  let checked = 0
  return signatures.map((signature, at): DkimResult => {
    if (at >= max) return { ...(isReadable(signature) ? resultOf(signature) : badResult(signature)), result: 'neutral', reason: 'too many signatures' }
    if (!isReadable(signature)) return badResult(signature)
    const [hash, key] = [hashes[checked] as BodyHash, keys[checked] as KeyLookUp]
    checked += 1
    return checkSignature(header, header.octets(fields[at] as HeaderField), signature, hash, key, options)
  })
}

function isReadable(signature: Signature | BadSignature): signature is Signature {
  return !('result' in signature)
}

/** How a signature wants the body hashed. */
export function bodyHashing({ bodyCanonicalization, lengthLimit }: Signature): { readonly canonicalization: Signature['bodyCanonicalization']; readonly lengthLimit: number | undefined } {
  return { canonicalization: bodyCanonicalization, lengthLimit }
}

function badResult({ result, reason, domain, selector, signatureText, algorithm }: BadSignature): DkimResult {
  return { result, reason, domain, selector, identity: undefined, algorithm, keyBits: undefined, signatureText, headerNames: [], testing: false, services: undefined, authentic: false }
}

function resultOf({ domain, selector, identity, algorithm, signatureText, headerNames }: Signature): Omit<DkimResult, 'result' | 'reason'> {
  return { domain, selector, identity, algorithm, keyBits: undefined, signatureText, headerNames, testing: false, services: undefined, authentic: false }
}

function checkSignature(
  header: HeaderIndex,
  field: Uint8Array,
  signature: Signature,
  hash: BodyHash,
  found: KeyLookUp,
  options: DkimOptions,
): DkimResult {
  const { domain, selector, identity, algorithm, signatureText, headerNames } = signature
  const key = found.kind === 'key' ? found.key : undefined
  const { result, reason } = found.kind === 'key' ? judge(header, field, signature, hash, found.key, options) : found
  return {
    result,
    domain,
    selector,
    identity,
    algorithm,
    keyBits: key?.bits,
    signatureText,
    headerNames,
    testing: key?.testing ?? false,
    services: key?.services,
    reason,
    authentic: found.kind === 'key' && found.authentic,
  }
}

const PASS: Judgement = { result: 'pass', reason: undefined }

type Judgement = Pick<DkimResult, 'result' | 'reason'>

function judge(header: HeaderIndex, field: Uint8Array, signature: Signature, hash: BodyHash, key: DkimKey, { now, isPublicSuffix }: DkimOptions): Judgement {
  const problem = keyProblem(signature, key)
  if (problem !== undefined) return problem
  if (isPublicSuffix?.(signature.domain) === true) return { result: 'policy', reason: 'd= is a public suffix' }
  if (!isBodyIntact(signature, hash)) return { result: 'fail', reason: 'body was changed' }
  if (!isHeaderIntact(header, field, signature, key)) return { result: 'fail', reason: 'header was changed, or another key signed it' }
  // What is wrong with a signature that is genuine.
  if (signature.expiresSeconds !== undefined && now / 1_000 > signature.expiresSeconds) return { result: 'policy', reason: 'signature has expired' }
  if (signature.lengthLimit !== undefined && signature.lengthLimit < hash.octets) return { result: 'policy', reason: 'l= leaves part of the body unsigned' }
  if (header.fields('from').length > signature.headerNames.filter((name) => name === 'from').length) {
    return { result: 'policy', reason: 'a From field is not signed' }
  }
  return PASS
}

/** Why a key may not be used for a signature. */
export function keyProblem(signature: Signature, key: DkimKey): { readonly result: 'permerror' | 'policy'; readonly reason: string } | undefined {
  if (signature.algorithm !== `${key.kind}-sha256`) return { result: 'permerror', reason: 'key is of another kind' }
  if (key.hashes !== undefined && !key.hashes.includes('sha256')) return { result: 'permerror', reason: 'key is not for sha256' }
  if (key.services !== undefined && !key.services.includes('email') && !key.services.includes('tlsrpt')) return { result: 'permerror', reason: 'key is not for mail' }
  if (key.strict && signature.identity !== undefined && domainOfIdentity(signature.identity) !== signature.domain) {
    return { result: 'permerror', reason: 'key is not for domains below d=' }
  }
  return sizeProblem(key)
}

/** A key too weak to prove anything, or too large to be worth the work. RFC 8301 §3.2 */
export function sizeProblem({ kind, bits }: DkimKey): { readonly result: 'policy'; readonly reason: string } | undefined {
  return kind === 'rsa' && (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) ? { result: 'policy', reason: `key of ${bits} bits` } : undefined
}

export function isBodyIntact({ bodyHash, lengthLimit }: Signature, { digest, octets }: BodyHash): boolean {
  // A body shorter than l= says is not the one that was signed. RFC 6376 §3.5
  return (lengthLimit === undefined || lengthLimit <= octets) && bodyHash.length === digest.length && timingSafeEqual(bodyHash, digest)
}

export function isHeaderIntact(header: HeaderIndex, field: Uint8Array, signature: Signature, key: DkimKey): boolean {
  const how = signature.headerCanonicalization
  return isSignedBy(key, header.signedData(signature.headerNames, unsignedField(field, how), how), signature.signature)
}

/** @param data what the hash is made over; Ed25519 signs the hash itself (RFC 8463 §3) */
export function isSignedBy({ kind, key }: Pick<DkimKey, 'kind' | 'key'>, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return kind === 'rsa' ? verify('sha256', data, key, signature) : verify(null, createHash('sha256').update(data).digest(), key, signature)
  } catch {
    // A signature of the wrong size is none.
    return false
  }
}
