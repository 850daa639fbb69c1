/** Hashes of a body as several signatures want them, in one pass. */
import { createHash, hash } from 'node:crypto'
import type { SignedMessage } from '../signed-message.ts'
import { canonicalizeBody, createBodyCanonicalizer, type BodyCanonicalizer, type Canonicalization } from './canonicalization.ts'

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

/** LIMIT: octets of a body that is made canonical whole: more would need new memory each time. */
const MAX_WHOLE = 65_536

/** @returns in the order asked */
export async function hashBody(message: SignedMessage, wanted: readonly BodyHashing[]): Promise<readonly BodyHash[]> {
  if (wanted.length === 0) return []
  const body = message.body()
  const whole = wholeOf(body)
  const [only, ...others] = wanted
  // As most messages come: one call instead of three and an object between them.
  if (whole !== undefined && only !== undefined && others.length === 0) return [hashWhole(whole, only)]
  const runs: Run[] = []
  const taps = wanted.map((hashing) => {
    let run = runs.find(({ canonicalization }) => canonicalization === hashing.canonicalization)
    if (run === undefined) runs.push((run = new Run(hashing.canonicalization)))
    return run.tap(hashing.lengthLimit)
  })
  // A body in memory needs no waiting between its pieces.
  if (Symbol.iterator in body) for (const piece of body) for (const run of runs) run.push(piece)
  else for await (const piece of body) for (const run of runs) run.push(piece)
  for (const run of runs) run.end()
  return taps.map((tap) => tap.result())
}

/** A body that is there in one piece, and small. */
function wholeOf(body: ReturnType<SignedMessage['body']>): Uint8Array | undefined {
  const [piece, ...others]: readonly Uint8Array[] = Array.isArray(body) ? body : []
  return others.length === 0 && piece !== undefined && piece.length <= MAX_WHOLE ? piece : undefined
}

function hashWhole(body: Uint8Array, { canonicalization, lengthLimit }: BodyHashing): BodyHash {
  const canonical = canonicalizeBody(body, canonicalization)
  return { digest: hash('sha256', canonical.subarray(0, lengthLimit), 'buffer'), octets: canonical.length }
}

/** One canonicalization, and the hashes over it: those of the same length are one. */
class Run {
  readonly canonicalization: Canonicalization
  readonly #canonicalizer: BodyCanonicalizer
  readonly #taps: Tap[] = []

  constructor(canonicalization: Canonicalization) {
    this.canonicalization = canonicalization
    this.#canonicalizer = createBodyCanonicalizer(canonicalization)
  }

  tap(lengthLimit = Number.POSITIVE_INFINITY): Tap {
    let tap = this.#taps.find(({ limit }) => limit === lengthLimit)
    if (tap === undefined) this.#taps.push((tap = new Tap(lengthLimit)))
    return tap
  }

  push(piece: Uint8Array): void {
    this.#hash(this.#canonicalizer.push(piece))
  }

  end(): void {
    this.#hash(this.#canonicalizer.end())
  }

  #hash(octets: Uint8Array): void {
    if (octets.length > 0) for (const tap of this.#taps) tap.update(octets)
  }
}

/** The hash over what of a canonical body comes before a limit. */
class Tap {
  readonly limit: number
  readonly #hash = createHash('sha256')
  #octets = 0
  #result: BodyHash | undefined

  constructor(limit: number) {
    this.limit = limit
  }

  update(octets: Uint8Array): void {
    const left = this.limit - this.#octets
    if (left > 0) this.#hash.update(left < octets.length ? octets.subarray(0, left) : octets)
    this.#octets += octets.length
  }

  result(): BodyHash {
    return (this.#result ??= { digest: this.#hash.digest(), octets: this.#octets })
  }
}
