/**
 * Whether a name and a password belong together: the end of PLAIN, LOGIN and IMAP's LOGIN command.
 * One PBKDF2 for every attempt, on known and unknown names alike; except that a check which succeeded is remembered
 * for a while, so that clients which open many connections do not pay for each, and equal checks at the same time
 * share one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, Random } from '../host/index.ts'
import type { Hasher } from './hasher.ts'
import { hasherRefusal } from './hasher.ts'
import type { Candidate, Lookup } from './lookup.ts'
import type { FinalStep } from './mechanism.ts'
import { failed } from './mechanism.ts'
import { decodeUtf8, prepareLogin, preparePassword } from './prepare.ts'
import type { ScramKeys } from './scram-keys.ts'
import { serverKeys } from './scram-keys.ts'

/** LIMIT: a short password is quickly guessed from whatever is remembered of it. */
const MIN_REMEMBERED_CHARACTERS = 8
/** LIMIT: about 2 MiB. */
const MAX_REMEMBERED = 10_000
const REMEMBERED_MS = 15 * 60_000

/** What a check needs. */
export interface PasswordCheckOptions {
  readonly lookup: Lookup
  readonly hasher: Hasher
  readonly random: Random
  readonly clock: Clock
}

/** Checks a password. Rejects only with what the lookup or the hasher throws. */
export type PasswordCheck = (login: Uint8Array | string, password: Uint8Array | string) => Promise<FinalStep>

export function createPasswordCheck({ lookup, hasher, random, clock }: PasswordCheckOptions): PasswordCheck {
  const memoryKey = random(32)
  /** Until when (monotonic) a success holds, by `remembranceOf`; oldest first. */
  const remembered = new Map<string, number>()
  const underWay = new Map<string, Promise<boolean>>()

  /**
   * A keyed digest of account, keys and password: a changed password changes the keys, so nothing of the old one
   * matches.
   */
  function remembranceOf(candidate: Candidate<ScramKeys>, login: string, password: string): string {
    const owner = candidate.account ?? login
    const mac = createHmac('sha256', memoryKey).update(candidate.keys.storedKey)
    // Told apart by its length, so that no owner and password run into one another.
    return mac.update(`${owner.length} ${owner}${password}`).digest('base64')
  }

  function isRemembered(remembrance: string): boolean {
    const until = remembered.get(remembrance)
    return until !== undefined && clock.monotonic() < until
  }

  function remember(remembrance: string): void {
    const now = clock.monotonic()
    remembered.delete(remembrance)
    for (const [oldest, until] of remembered) {
      if (until > now && remembered.size < MAX_REMEMBERED) break
      remembered.delete(oldest)
    }
    remembered.set(remembrance, now + REMEMBERED_MS)
  }

  async function matches(keys: ScramKeys, password: string): Promise<boolean> {
    const octets = new TextEncoder().encode(password)
    const saltedPassword = await hasher.pbkdf2(octets, keys.salt, keys.iterations, 'sha256')
    return timingSafeEqual(serverKeys('sha256', saltedPassword).storedKey, keys.storedKey)
  }

  return async (login, password) => {
    for (const octets of [login, password]) {
      if (typeof octets !== 'string' && decodeUtf8(octets) === undefined) return failed('malformed')
    }
    const name = prepareLogin(login)
    if (name.kind === 'refused') return failed('credentials')
    const secret = preparePassword(password)
    if (secret.kind === 'refused') return failed('credentials', name.text)
    const candidate = await lookup.scram(name.text, 'sha256')
    const { account } = candidate
    const remembrance = remembranceOf(candidate, name.text, secret.text)
    if (account !== undefined && isRemembered(remembrance)) return { kind: 'authenticated', account, login: name.text }
    let check = underWay.get(remembrance)
    if (check === undefined) {
      check = matches(candidate.keys, secret.text).finally(() => underWay.delete(remembrance))
      underWay.set(remembrance, check)
    }
    let matched: boolean
    try {
      matched = await check
    } catch (error) {
      const refusal = hasherRefusal(error)
      if (refusal === undefined) throw error
      return failed(refusal, name.text)
    }
    if (!matched || account === undefined) return failed('credentials', name.text)
    if ([...secret.text].length >= MIN_REMEMBERED_CHARACTERS) remember(remembrance)
    return { kind: 'authenticated', account, login: name.text }
  }
}
