/**
 * Keys for every name, known or not: names nobody has get decoys that look like keys and that no response matches, so
 * that neither text nor time tells which names exist (threat A47).
 * Not here: the check itself.
 */
import { createHmac } from 'node:crypto'
import type { CramMd5Keys } from './cram-md5-keys.ts'
import type { StoredCredentials } from './credentials.ts'
import { SALT_OCTETS } from './credentials.ts'
import type { HashName } from './hasher.ts'
import { DIGEST_OCTETS } from './hasher.ts'
import { MD5_STATE_OCTETS } from './md5-state.ts'
import type { ScramKeys } from './scram-keys.ts'

/** Where a host keeps credentials. */
export interface CredentialSource {
  /**
   * Whose name `login` is. Takes about as long for unknown names as for known ones. A rejection is a fault.
   * @param login prepared: NFC, domain in lower case
   */
  find(login: string): Promise<{ readonly account: string; readonly credentials: StoredCredentials } | undefined>
  /**
   * One spelling for all names `find` holds to be the same (case, `name+tag`, domain aliases). Names that share it
   * share a decoy; without that a stranger could tell a known name by its salt staying the same under another
   * spelling. Default: lower case.
   */
  canonical?(login: string): string
}

/** Keys to check a response against. */
export interface Candidate<Keys> {
  readonly keys: Keys
  /** Who they belong to; `undefined` for a decoy, which must fail whatever the comparison says. */
  readonly account: string | undefined
}

/** Finds keys, and never says "no such name". */
export interface Lookup {
  scram(login: string, hash: HashName): Promise<Candidate<ScramKeys>>
  cramMd5(login: string): Promise<Candidate<CramMd5Keys>>
}

/** What decoys are made of. */
export interface LookupOptions {
  readonly source: CredentialSource
  /** Secret of this installation, ≥ 16 octets, the same after a restart: decoys must not change. */
  readonly decoySecret: Uint8Array
  /** Iterations shown for unknown names: those of most accounts. */
  readonly iterations: number
}

/** @throws RangeError when the secret is too short */
export function createLookup(options: LookupOptions): Lookup {
  const { source, iterations } = options
  if (options.decoySecret.length < 16) throw new RangeError('Expected a decoy secret of at least 16 octets')
  const decoySecret = Uint8Array.from(options.decoySecret)

  function decoy(purpose: string, name: string, octets: number): Uint8Array {
    const digest = createHmac('sha256', decoySecret).update(`${purpose}\0${name}`).digest()
    return Uint8Array.from(digest.subarray(0, octets))
  }

  return {
    async scram(login, hash) {
      const name = canonicalName(source, login)
      // Made for known names as well: the same work is done for both.
      const digestOctets = DIGEST_OCTETS[hash]
      const keys: ScramKeys = {
        salt: decoy(`salt ${hash}`, name, SALT_OCTETS),
        iterations,
        storedKey: decoy(`stored ${hash}`, name, digestOctets),
        serverKey: decoy(`server ${hash}`, name, digestOctets),
      }
      const found = await source.find(login)
      const real = hash === 'sha256' ? found?.credentials.scramSha256 : found?.credentials.scramSha1
      return found === undefined || real === undefined
        ? { keys, account: undefined }
        : { keys: real, account: found.account }
    },
    async cramMd5(login) {
      const name = canonicalName(source, login)
      const keys: CramMd5Keys = {
        inner: decoy('inner', name, MD5_STATE_OCTETS),
        outer: decoy('outer', name, MD5_STATE_OCTETS),
      }
      const found = await source.find(login)
      const real = found?.credentials.cramMd5
      return found === undefined || real === undefined
        ? { keys, account: undefined }
        : { keys: real, account: found.account }
    },
  }
}

function canonicalName(source: CredentialSource, login: string): string {
  return source.canonical === undefined ? login.toLowerCase() : source.canonical(login)
}
