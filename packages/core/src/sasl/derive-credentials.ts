/** A new password made into what is stored of it. */
import type { Random } from '../host/index.ts'
import { cramMd5Keys } from './cram-md5-keys.ts'
import type { StoredCredentials } from './credentials.ts'
import { DEFAULT_ITERATIONS, isIterationCount, SALT_OCTETS } from './credentials.ts'
import type { Hasher, HashName } from './hasher.ts'
import type { PreparationFault } from './prepare.ts'
import { preparePassword } from './prepare.ts'
import type { ScramKeys } from './scram-keys.ts'
import { serverKeys } from './scram-keys.ts'

/** What to derive. */
export interface DeriveOptions {
  /** 4,096 to 10,000,000, for both hash functions. Default 100,000. */
  readonly iterations?: number
  /** Keep keys for SCRAM-SHA-1. Default false. */
  readonly scramSha1?: boolean
  /** Keep states for CRAM-MD5, which make a stolen store easy to guess. Default false. */
  readonly cramMd5?: boolean
}

/** Credentials, or why the password cannot be taken. */
export type Derivation =
  | { readonly kind: 'derived'; readonly credentials: StoredCredentials }
  | { readonly kind: 'refused'; readonly fault: PreparationFault }

/**
 * Derives what is stored of `password`, with fresh salts.
 * @throws RangeError for iterations out of range; rejects with `HasherError`
 */
export async function deriveCredentials(
  password: Uint8Array | string,
  options: DeriveOptions,
  hasher: Hasher,
  random: Random,
): Promise<Derivation> {
  const iterations = options.iterations ?? DEFAULT_ITERATIONS
  if (!isIterationCount(iterations)) throw new RangeError(`Iterations out of range: ${iterations}`)
  const prepared = preparePassword(password)
  if (prepared.kind === 'refused') return prepared
  const octets = new TextEncoder().encode(prepared.text)
  const derive = async (hash: HashName): Promise<ScramKeys> => {
    const salt = random(SALT_OCTETS)
    return { salt, iterations, ...serverKeys(hash, await hasher.pbkdf2(octets, salt, iterations, hash)) }
  }
  const scramSha256 = await derive('sha256')
  const credentials: StoredCredentials = {
    scramSha256,
    ...(options.scramSha1 === true ? { scramSha1: await derive('sha1') } : {}),
    ...(options.cramMd5 === true ? { cramMd5: cramMd5Keys(octets) } : {}),
  }
  return { kind: 'derived', credentials }
}
