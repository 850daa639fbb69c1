/** Hashes of a body as several signatures want them, in one pass. */
import { createHash } from 'node:crypto'
import type { SignedMessage } from '../signed-message.ts'
import { createBodyCanonicalizer, type BodyCanonicalizer, type Canonicalization } from './canonicalization.ts'

export interface BodyHashing {
  readonly canonicalization: Canonicalization
  /** Octets of the canonical body that are hashed; undefined: all. */
  readonly lengthLimit: number | undefined
}

export interface BodyHash {
  /** SHA-256. */
  readonly digest: Uint8Array
  /** Octets of the canonical body, all of them. */
  readonly octets: number
}

/** @returns in the order asked */
export async function hashBody(message: SignedMessage, wanted: readonly BodyHashing[]): Promise<readonly BodyHash[]> {
  const runs = new Map<Canonicalization, Run>()
  const taps = wanted.map(({ canonicalization, lengthLimit }) => {
    let run = runs.get(canonicalization)
    if (run === undefined) runs.set(canonicalization, (run = new Run(createBodyCanonicalizer(canonicalization))))
    return run.tap(lengthLimit)
  })
  if (runs.size > 0) {
    const all = [...runs.values()]
    const body = message.body()
    // A body in memory needs no waiting between its pieces.
    if (Symbol.iterator in body) for (const piece of body) for (const run of all) run.push(piece)
    else for await (const piece of body) for (const run of all) run.push(piece)
    for (const run of all) run.end()
  }
  return taps.map((tap) => tap())
}

interface Tap {
  readonly limit: number
  readonly hash: ReturnType<typeof createHash>
  digest: Uint8Array | undefined
}

/** One canonicalization, and the hashes over it: those of the same length are one. */
class Run {
  readonly #canonicalizer: BodyCanonicalizer
  readonly #taps = new Map<number, Tap>()
  #octets = 0

  constructor(canonicalizer: BodyCanonicalizer) {
    this.#canonicalizer = canonicalizer
  }

  tap(lengthLimit: number | undefined): () => BodyHash {
    const limit = lengthLimit ?? Number.POSITIVE_INFINITY
    const tap: Tap = this.#taps.get(limit) ?? { limit, hash: createHash('sha256'), digest: undefined }
    this.#taps.set(limit, tap)
    return () => ({ digest: (tap.digest ??= tap.hash.digest()), octets: this.#octets })
  }

  push(piece: Uint8Array): void {
    this.#hash(this.#canonicalizer.push(piece))
  }

  end(): void {
    this.#hash(this.#canonicalizer.end())
  }

  #hash(octets: Uint8Array): void {
    if (octets.length === 0) return
    for (const { limit, hash } of this.#taps.values()) {
      const left = limit - this.#octets
      if (left > 0) hash.update(left < octets.length ? octets.subarray(0, left) : octets)
    }
    this.#octets += octets.length
  }
}
