/** The client's side of choosing a mechanism and running it: for mail sent through a relay that wants a login. */
import type { Random } from '../host/index.ts'
import { createCramMd5Client } from './cram-md5.ts'
import type { Hasher } from './hasher.ts'
import { createLoginClient } from './login.ts'
import type { ClientExchange, MechanismName } from './mechanism.ts'
import { MAX_MESSAGE_OCTETS, MECHANISMS } from './mechanism.ts'
import { createPlainClient } from './plain.ts'
import { preparedText, preparePassword } from './prepare.ts'
import { createNonce, createScramClient } from './scram.ts'

/** Who to log in as, and what that takes. */
export interface ClientExchangeOptions {
  readonly login: string
  readonly password: string
  readonly hasher: Hasher
  readonly random: Random
}

/**
 * The mechanism to use: the first of `preference` that the server offers.
 * @param offered as the server announced them, in either case
 * @param secure whether the connection is protected by TLS; PLAIN and LOGIN are passed over when it is not
 */
export function selectMechanism(
  offered: readonly string[],
  secure: boolean,
  preference: readonly MechanismName[] = MECHANISMS,
): MechanismName | undefined {
  const names = new Set(offered.map((name) => name.toUpperCase()))
  return preference.find((name) => names.has(name) && (secure || (name !== 'PLAIN' && name !== 'LOGIN')))
}

/** Begins the client half of an exchange. */
export function createClientExchange(mechanism: MechanismName, options: ClientExchangeOptions): ClientExchange {
  return guardChallenges(create(mechanism, options))
}

function create(mechanism: MechanismName, { login, password, hasher, random }: ClientExchangeOptions): ClientExchange {
  // A password outside OpaqueString goes as it is: the server that gave it out may not prepare at all.
  const octets = new TextEncoder().encode(preparedText(preparePassword(password)) ?? password)
  switch (mechanism) {
    case 'SCRAM-SHA-256':
      return createScramClient({ hash: 'sha256', login, password: octets, hasher, nonce: createNonce(random) })
    case 'SCRAM-SHA-1':
      return createScramClient({ hash: 'sha1', login, password: octets, hasher, nonce: createNonce(random) })
    case 'CRAM-MD5':
      return createCramMd5Client(login, octets)
    case 'PLAIN':
      return createPlainClient(login, password)
    case 'LOGIN':
      return createLoginClient(login, password)
  }
}

/** Refuses challenges beyond the limit, whatever the mechanism. */
function guardChallenges(exchange: ClientExchange): ClientExchange {
  return {
    clientFirst: exchange.clientFirst,
    get complete() {
      return exchange.complete
    },
    respond(challenge) {
      const tooLong = challenge !== undefined && challenge.length > MAX_MESSAGE_OCTETS
      if (tooLong) return { kind: 'failed', reason: 'malformed' }
      return exchange.respond(challenge)
    },
  }
}
