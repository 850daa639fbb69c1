/** What the exchanges ask of a host, made for tests: a counting hasher, seeded octets, a clock that stands still. */
import { createHash, pbkdf2Sync } from 'node:crypto'
import type { Clock, Random } from '../../src/host/index.ts'
import type { Authenticator, AuthenticatorOptions, Hasher, StoredCredentials } from '../../src/sasl/index.ts'
import { createAuthenticator, deriveCredentials, DIGEST_OCTETS } from '../../src/sasl/index.ts'

export const ITERATIONS = 4096

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (octets: Uint8Array): string => new TextDecoder().decode(octets)

export interface CountingHasher extends Hasher {
  readonly calls: { readonly iterations: number; readonly saltOctets: number; readonly hash: string }[]
}

export function createCountingHasher(): CountingHasher {
  const calls: CountingHasher['calls'] = []
  return {
    calls,
    async pbkdf2(password, salt, iterations, hash) {
      calls.push({ iterations, saltOctets: salt.length, hash })
      return Uint8Array.from(pbkdf2Sync(password, salt, iterations, DIGEST_OCTETS[hash], hash))
    },
  }
}

export function createSeededRandom(seed = 'seed'): Random {
  let counter = 0
  return (octets) => {
    const out = new Uint8Array(octets)
    for (let at = 0; at < octets; at += 32) {
      counter += 1
      out.set(createHash('sha256').update(`${seed} ${counter}`).digest().subarray(0, Math.min(32, octets - at)), at)
    }
    return out
  }
}

export function createStillClock(): Clock & { advance(ms: number): void } {
  let now = 0
  return {
    now: () => 1_700_000_000_000 + now,
    monotonic: () => now,
    timer: () => ({ cancel() {} }),
    advance(ms) {
      now += ms
    },
  }
}

export interface TestHost {
  readonly authenticator: Authenticator
  readonly hasher: CountingHasher
  readonly clock: ReturnType<typeof createStillClock>
  /** By prepared login. */
  readonly accounts: Map<string, { account: string; credentials: StoredCredentials }>
  setPassword(login: string, password: string, account?: string): Promise<void>
}

export function createTestHost(overrides: Partial<AuthenticatorOptions> = {}): TestHost {
  const hasher = createCountingHasher()
  const clock = createStillClock()
  const random = createSeededRandom('server')
  const accounts: TestHost['accounts'] = new Map()
  const authenticator = createAuthenticator({
    source: { find: async (login) => accounts.get(login) },
    hasher,
    random,
    clock,
    hostname: 'mail.example',
    decoySecret: utf8('0123456789abcdef0123456789abcdef'),
    iterations: ITERATIONS,
    mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'],
    ...overrides,
  })
  return {
    authenticator,
    hasher,
    clock,
    accounts,
    async setPassword(login, password, account = login) {
      const options = { iterations: ITERATIONS, scramSha1: true, cramMd5: true }
      const derived = await deriveCredentials(password, options, createCountingHasher(), random)
      if (derived.kind === 'refused') throw new Error(`Refused: ${derived.fault}`)
      accounts.set(login, { account, credentials: derived.credentials })
    },
  }
}
