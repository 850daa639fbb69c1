/**
 * All of authentication a server engine sees: which mechanisms to offer, one exchange of each, and a plain password
 * check.
 * Not here: how often one may try (admission), reply codes and base64 (the engines).
 */
import type { Clock, Random } from '../host/index.ts'
import { createCramMd5Server } from './cram-md5.ts'
import { DEFAULT_ITERATIONS, isIterationCount } from './credentials.ts'
import type { Hasher } from './hasher.ts'
import { createLoginServer } from './login.ts'
import type { CredentialSource } from './lookup.ts'
import { createLookup } from './lookup.ts'
import type { FinalStep, MechanismName, ServerExchange, Step } from './mechanism.ts'
import { failed, MAX_MESSAGE_OCTETS, MECHANISMS } from './mechanism.ts'
import { createPasswordCheck } from './password-check.ts'
import { createPlainServer } from './plain.ts'
import { createNonce, createScramServer } from './scram.ts'

/** What a host provides. */
export interface AuthenticatorOptions {
  readonly source: CredentialSource
  readonly hasher: Hasher
  readonly random: Random
  readonly clock: Clock
  /** Primary name of this host; part of CRAM-MD5's challenge. */
  readonly hostname: string
  /**
   * Secret of this installation, ≥ 16 octets, kept over restarts: what unknown names are answered with comes from it.
   */
  readonly decoySecret: Uint8Array
  /** Iterations shown for unknown names: those new passwords are derived with. Default 100,000. */
  readonly iterations?: number
  /** Offered, in any order. Default SCRAM-SHA-256, PLAIN and LOGIN; the others need their own stored keys. */
  readonly mechanisms?: readonly MechanismName[]
}

/** Checks who somebody is. */
export interface Authenticator {
  /**
   * Names to offer, strongest first. PLAIN and LOGIN show the password to whoever listens: only when the connection is
   * `secure`, or the operator allows it regardless.
   */
  mechanisms(tls: { readonly secure: boolean; readonly plainAllowed: boolean }): readonly MechanismName[]
  /**
   * Begins an exchange. The caller has seen to it that the name is among those offered on this connection.
   * @param mechanism in either case
   * @returns `undefined` for a mechanism that is not spoken here
   */
  start(mechanism: string): ServerExchange | undefined
  /** Checks name and password that came some other way (IMAP LOGIN); never a challenge. */
  verifyPassword(login: Uint8Array | string, password: Uint8Array | string): Promise<FinalStep>
}

const DEFAULT_MECHANISMS: readonly MechanismName[] = ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']
const SHOW_PASSWORD: readonly MechanismName[] = ['PLAIN', 'LOGIN']

/** @throws RangeError for iterations out of range or too short a secret */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { source, hasher, random, clock, hostname, decoySecret, iterations = DEFAULT_ITERATIONS } = options
  if (!isIterationCount(iterations)) throw new RangeError(`Iterations out of range: ${iterations}`)
  const enabled = MECHANISMS.filter((name) => (options.mechanisms ?? DEFAULT_MECHANISMS).includes(name))
  const lookup = createLookup({ source, decoySecret, iterations })
  const check = createPasswordCheck({ lookup, hasher, random, clock })

  function create(name: MechanismName): ServerExchange {
    switch (name) {
      case 'SCRAM-SHA-256':
        return createScramServer({ hash: 'sha256', lookup, nonce: createNonce(random) })
      case 'SCRAM-SHA-1':
        return createScramServer({ hash: 'sha1', lookup, nonce: createNonce(random) })
      case 'CRAM-MD5':
        return createCramMd5Server({ lookup, random, clock, hostname })
      case 'PLAIN':
        return createPlainServer(check)
      case 'LOGIN':
        return createLoginServer(check)
    }
  }

  return {
    mechanisms({ secure, plainAllowed }) {
      return enabled.filter((name) => secure || plainAllowed || !SHOW_PASSWORD.includes(name))
    },
    start(mechanism) {
      const upper = mechanism.toUpperCase()
      const name = enabled.find((candidate) => candidate === upper)
      return name === undefined ? undefined : guardExchange(create(name))
    },
    verifyPassword: check,
  }
}

/**
 * Holds for every mechanism: no message beyond the limit, "nothing came" only at the start, and nothing after the
 * end.
 */
function guardExchange(exchange: ServerExchange): ServerExchange {
  let state: 'start' | 'going' | 'over' = 'start'
  function note(step: Step): Step {
    state = step.kind === 'challenge' ? 'going' : 'over'
    return step
  }
  return {
    respond(message) {
      const misplaced = state === 'over' || (message === undefined && state !== 'start')
      if (misplaced || (message !== undefined && message.length > MAX_MESSAGE_OCTETS)) return note(failed('malformed'))
      // Until the step has settled nothing further is taken; a fault leaves the exchange over.
      state = 'over'
      const step = exchange.respond(message)
      return step instanceof Promise ? step.then(note) : note(step)
    },
  }
}
