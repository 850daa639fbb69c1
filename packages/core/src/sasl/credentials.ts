/**
 * What is stored of a password, and its octets. Never the password: SCRAM keys (RFC 5802 §3) and, by setting, the MD5
 * states of CRAM-MD5 (RFC 2195 §2).
 * Not here: how they come about (`derive-credentials.ts`) or where they lie.
 */
import type { CramMd5Keys } from './cram-md5-keys.ts'
import type { HashName } from './hasher.ts'
import { DIGEST_OCTETS } from './hasher.ts'
import { MD5_STATE_OCTETS } from './md5-state.ts'
import type { ScramKeys } from './scram-keys.ts'

/** LIMIT: RFC 7677 §4 asks for 4,096 at least; ten million would keep the hashing worker for seconds. */
export const MIN_ITERATIONS = 4096
export const MAX_ITERATIONS = 10_000_000
const MIN_SALT_OCTETS = 8
const MAX_SALT_OCTETS = 64

/**
 * Rounds of PBKDF2 unless configured. LIMIT: 34 ms of one core here (2-core VM with SHA extensions, Node 20), so one
 * worker checks about 30 passwords a second. RFC 7677 §4 asks for ≥ 4,096 (1.4 ms) and suggests 0.1 s of a good
 * machine; the 600,000 of OWASP's 2023 sheet are 207 ms, five logins a second, which hands strangers an easy way to
 * fill the queue.
 */
export const DEFAULT_ITERATIONS = 100_000

/** Octets of a new salt; decoys for unknown names have as many. */
export const SALT_OCTETS = 16

/** Derived credentials of one account. */
export interface StoredCredentials {
  /** Checks PLAIN and LOGIN too. */
  readonly scramSha256: ScramKeys
  readonly scramSha1?: ScramKeys
  readonly cramMd5?: CramMd5Keys
}

/** Thrown by `decodeCredentials`; test `code`. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError'
  readonly code = 'CREDENTIALS_CORRUPT'
}

const VERSION = 1
const SCRAM_SHA_256 = 1
const SCRAM_SHA_1 = 2
const CRAM_MD5 = 3

/**
 * Stored form: version u8, then sections in ascending order of kind: kind u8, length u16, body.
 * SCRAM body: iterations u32, salt length u8, salt, StoredKey, ServerKey. CRAM-MD5 body: inner and outer state.
 * @throws RangeError for values outside the ranges given at their types
 */
export function encodeCredentials(credentials: StoredCredentials): Uint8Array {
  const sections = [encodeSection(SCRAM_SHA_256, encodeScram('sha256', credentials.scramSha256))]
  if (credentials.scramSha1 !== undefined) {
    sections.push(encodeSection(SCRAM_SHA_1, encodeScram('sha1', credentials.scramSha1)))
  }
  if (credentials.cramMd5 !== undefined) {
    const { inner, outer } = credentials.cramMd5
    if (inner.length !== MD5_STATE_OCTETS || outer.length !== MD5_STATE_OCTETS) {
      throw new RangeError('CRAM-MD5 state of the wrong length')
    }
    sections.push(encodeSection(CRAM_MD5, concat([inner, outer])))
  }
  return concat([Uint8Array.of(VERSION), ...sections])
}

/**
 * Reads the stored form; the result shares nothing with `octets`.
 * @throws CredentialsError for anything `encodeCredentials` does not write
 */
export function decodeCredentials(octets: Uint8Array): StoredCredentials {
  if (octets[0] !== VERSION) throw new CredentialsError(`Expected credentials of version ${VERSION}`)
  // A copy first: `slice` of a Buffer would share its memory.
  const own = Uint8Array.from(octets)
  const view = new DataView(own.buffer)
  let scramSha256: ScramKeys | undefined
  let scramSha1: ScramKeys | undefined
  let cramMd5: CramMd5Keys | undefined
  let last = 0
  for (let at = 1; at < own.length; ) {
    const kind = own[at] as number
    if (kind <= last) throw new CredentialsError('Credential sections out of order')
    last = kind
    if (at + 3 > own.length) throw new CredentialsError('Credentials cut short')
    const end = at + 3 + view.getUint16(at + 1)
    if (end > own.length) throw new CredentialsError('Credentials cut short')
    const body = own.slice(at + 3, end)
    at = end
    if (kind === SCRAM_SHA_256) scramSha256 = decodeScram('sha256', body)
    else if (kind === SCRAM_SHA_1) scramSha1 = decodeScram('sha1', body)
    else if (kind === CRAM_MD5) cramMd5 = decodeCramMd5(body)
    else throw new CredentialsError(`Unknown credential section ${kind}`)
  }
  if (scramSha256 === undefined) throw new CredentialsError('Credentials without SCRAM-SHA-256')
  return {
    scramSha256,
    ...(scramSha1 === undefined ? {} : { scramSha1 }),
    ...(cramMd5 === undefined ? {} : { cramMd5 }),
  }
}

/** Whether `iterations` is a number of rounds that may be stored. */
export function isIterationCount(iterations: number): boolean {
  return Number.isInteger(iterations) && iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS
}

function isSaltLength(octets: number): boolean {
  return octets >= MIN_SALT_OCTETS && octets <= MAX_SALT_OCTETS
}

function encodeScram(hash: HashName, keys: ScramKeys): Uint8Array {
  const { salt, iterations, storedKey, serverKey } = keys
  const digestOctets = DIGEST_OCTETS[hash]
  if (!isIterationCount(iterations)) throw new RangeError(`Iterations out of range: ${iterations}`)
  if (!isSaltLength(salt.length)) throw new RangeError(`Salt of ${salt.length} octets`)
  if (storedKey.length !== digestOctets || serverKey.length !== digestOctets) {
    throw new RangeError('SCRAM key of the wrong length')
  }
  const head = new Uint8Array(5)
  new DataView(head.buffer).setUint32(0, iterations)
  head[4] = salt.length
  return concat([head, salt, storedKey, serverKey])
}

function decodeScram(hash: HashName, body: Uint8Array): ScramKeys {
  const digestOctets = DIGEST_OCTETS[hash]
  const saltOctets = body[4]
  if (saltOctets === undefined || body.length !== 5 + saltOctets + 2 * digestOctets) {
    throw new CredentialsError('SCRAM keys of the wrong length')
  }
  const iterations = new DataView(body.buffer, body.byteOffset).getUint32(0)
  if (!isIterationCount(iterations)) throw new CredentialsError('SCRAM iterations out of range')
  if (!isSaltLength(saltOctets)) throw new CredentialsError('SCRAM salt out of range')
  const keysAt = 5 + saltOctets
  return {
    salt: body.slice(5, keysAt),
    iterations,
    storedKey: body.slice(keysAt, keysAt + digestOctets),
    serverKey: body.slice(keysAt + digestOctets),
  }
}

function decodeCramMd5(body: Uint8Array): CramMd5Keys {
  if (body.length !== 2 * MD5_STATE_OCTETS) throw new CredentialsError('CRAM-MD5 states of the wrong length')
  return { inner: body.slice(0, MD5_STATE_OCTETS), outer: body.slice(MD5_STATE_OCTETS) }
}

function encodeSection(kind: number, body: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(kind, body.length >>> 8, body.length & 0xff), body])
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
