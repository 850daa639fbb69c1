/**
 * The slow hash, as a host provides it: away from the event loop, and never more at once than it can bear.
 * Not here: the worker that runs it, which is the runner's.
 */

/** Hash functions of the SCRAM family. */
export type HashName = 'sha1' | 'sha256'

/** Octets of a digest. */
export const DIGEST_OCTETS: Readonly<Record<HashName, number>> = { sha1: 20, sha256: 32 }

/** Runs PBKDF2 (RFC 8018 §5.2), which RFC 5802 §2.2 calls Hi. */
export interface Hasher {
  /**
   * @param iterations 1 to 10,000,000
   * @returns as many octets as the digest has
   * @throws rejects with `HasherError`
   */
  pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number, hash: HashName): Promise<Uint8Array>
}

/** Why a hash was not computed. */
export type HasherErrorCode =
  /** The queue is full. */
  | 'HASHER_BUSY'
  | 'HASHER_CLOSED'
  /** A fault of the machine; see `cause`. */
  | 'HASHER_FAILED'

/** Thrown by hashers; test `code`. */
export class HasherError extends Error {
  override readonly name = 'HasherError'
  readonly code: HasherErrorCode

  constructor(code: HasherErrorCode, text: string, options?: { cause?: unknown }) {
    super(text, options)
    this.code = code
  }
}

/** The expected no behind a hasher's error, or `undefined` when it is a fault. */
export function hasherRefusal(error: unknown): 'busy' | 'unavailable' | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  if (code === 'HASHER_BUSY') return 'busy'
  if (code === 'HASHER_CLOSED') return 'unavailable'
  return undefined
}
