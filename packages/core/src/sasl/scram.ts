/**
 * SCRAM-SHA-1 and SCRAM-SHA-256, both halves: RFC 5802 and RFC 7677. Neither the password nor anything that could
 * replace it crosses the wire, and the server proves itself too.
 * Not here: channel binding. No -PLUS mechanism is announced, so `p` is refused and `y` is true (RFC 5802 §6).
 */
import { timingSafeEqual } from 'node:crypto'
import type { Random } from '../host/index.ts'
import { MIN_ITERATIONS } from './credentials.ts'
import type { Hasher, HashName } from './hasher.ts'
import { hasherRefusal } from './hasher.ts'
import type { Candidate, Lookup } from './lookup.ts'
import type { ClientExchange, ClientFailureReason, ClientStep, ServerExchange, Step } from './mechanism.ts'
import { failed } from './mechanism.ts'
import { preparedText, prepareLogin } from './prepare.ts'
import type { ScramKeys } from './scram-keys.ts'
import { clientProof, proves, serverKeys, serverSignature } from './scram-keys.ts'
import {
  formatBase64,
  formatSaslName,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
} from './scram-message.ts'

/**
 * Most iterations a client half does for a server. LIMIT: 0.35 s of the one hashing thread; a hostile relay must not
 * keep it from checking logins.
 */
const MAX_CLIENT_ITERATIONS = 1_000_000

/** A nonce of 24 random octets (threat A50 asks for 18 at least): 32 characters of base64, none of them a comma. */
export function createNonce(random: Random): string {
  return formatBase64(random(24))
}

/** What the server half needs. */
export interface ScramServerOptions {
  readonly hash: HashName
  readonly lookup: Lookup
  /** This side's part of the nonce, printable ASCII without comma, never the same twice. */
  readonly nonce: string
}

/** Where the server stands after its first message. */
interface Offered {
  readonly login: string
  readonly candidate: Candidate<ScramKeys>
  readonly nonce: string
  /** What `c=` must be. */
  readonly channelBinding: string
  /** AuthMessage up to client-final-message-without-proof. */
  readonly authMessageHead: string
}

/**
 * Server half. Its last message goes out as a challenge, which the client answers with nothing: IMAP and SMTP carry
 * no data with success.
 */
export function createScramServer({ hash, lookup, nonce: ownNonce }: ScramServerOptions): ServerExchange {
  let offered: Offered | undefined
  let success: Step | undefined

  async function first(message: Uint8Array): Promise<Step> {
    const client = parseClientFirst(message)
    if (client === undefined) return failed('malformed')
    const login = preparedText(prepareLogin(client.username))
    if (login === undefined) return failed('credentials')
    if (client.authzid !== undefined && preparedText(prepareLogin(client.authzid)) !== login) {
      return failed('authorization', login)
    }
    const candidate = await lookup.scram(login, hash)
    const nonce = client.nonce + ownNonce
    const text = `r=${nonce},s=${formatBase64(candidate.keys.salt)},i=${candidate.keys.iterations}`
    const channelBinding = formatBase64(client.gs2Header)
    offered = { login, candidate, nonce, channelBinding, authMessageHead: `${client.bare},${text},` }
    return challenge(text)
  }

  function final(message: Uint8Array, { login, candidate, nonce, channelBinding, authMessageHead }: Offered): Step {
    const client = parseClientFinal(message)
    if (client === undefined) return failed('malformed', login)
    const authMessage = authMessageHead + client.withoutProof
    const { keys, account } = candidate
    const proven = proves(hash, keys.storedKey, authMessage, client.proof)
    const bound = client.nonce === nonce && client.channelBinding === channelBinding
    if (!proven || !bound || account === undefined) return failed('credentials', login)
    success = { kind: 'authenticated', account, login }
    return challenge(`v=${formatBase64(serverSignature(hash, keys.serverKey, authMessage))}`)
  }

  return {
    respond(message) {
      if (success !== undefined) return message?.length === 0 ? success : failed('malformed')
      if (offered !== undefined) return message === undefined ? failed('malformed') : final(message, offered)
      return message === undefined ? challenge('') : first(message)
    },
  }
}

/** What the client half needs. */
export interface ScramClientOptions {
  readonly hash: HashName
  readonly login: string
  /** Prepared, as octets. */
  readonly password: Uint8Array
  readonly hasher: Hasher
  /** This side's part of the nonce, printable ASCII without comma, never the same twice. */
  readonly nonce: string
}

/**
 * Client half. Refuses servers that ask for fewer than 4,096 iterations, which would make a recorded proof cheap to
 * guess from, or for more than 1,000,000.
 */
export function createScramClient({ hash, login, password, hasher, nonce }: ScramClientOptions): ClientExchange {
  const bare = `n=${formatSaslName(login)},r=${nonce}`
  let state: 'start' | 'offered' | 'proven' | 'complete' | 'failed' = 'start'
  let expected: Uint8Array | undefined

  async function prove(message: Uint8Array): Promise<ClientStep> {
    const server = parseServerFirst(message)
    if (server === undefined || !server.nonce.startsWith(nonce) || server.nonce.length === nonce.length) {
      return refuse('malformed')
    }
    if (server.iterations < MIN_ITERATIONS || server.iterations > MAX_CLIENT_ITERATIONS) return refuse('server')
    let saltedPassword: Uint8Array
    try {
      saltedPassword = await hasher.pbkdf2(password, server.salt, server.iterations, hash)
    } catch (error) {
      const refusal = hasherRefusal(error)
      if (refusal === undefined) throw error
      return refuse(refusal)
    }
    const withoutProof = `c=${formatBase64(GS2_HEADER)},r=${server.nonce}`
    const authMessage = `${bare},${server.text},${withoutProof}`
    expected = serverSignature(hash, serverKeys(hash, saltedPassword).serverKey, authMessage)
    state = 'proven'
    return response(`${withoutProof},p=${formatBase64(clientProof(hash, saltedPassword, authMessage))}`)
  }

  function verify(message: Uint8Array, signature: Uint8Array): ClientStep {
    const server = parseServerFinal(message)
    if (server === undefined) return refuse('malformed')
    if (server.kind === 'error') return refuse('refused')
    const same = server.signature.length === signature.length && timingSafeEqual(server.signature, signature)
    if (!same) return refuse('server')
    state = 'complete'
    return response('')
  }

  function refuse(reason: ClientFailureReason): ClientStep {
    state = 'failed'
    return { kind: 'failed', reason }
  }

  return {
    clientFirst: true,
    get complete() {
      return state === 'complete'
    },
    respond(message) {
      if (state === 'start') {
        if (login === '' || login.includes('\0')) return refuse('unsendable')
        state = 'offered'
        return response(GS2_HEADER + bare)
      }
      if (message === undefined) return refuse('malformed')
      if (state === 'offered') return prove(message)
      if (state === 'proven' && expected !== undefined) return verify(message, expected)
      return refuse('malformed')
    },
  }
}

/** No channel binding on this side, and no other authorization identity. */
const GS2_HEADER = 'n,,'

function challenge(text: string): Step {
  return { kind: 'challenge', message: new TextEncoder().encode(text) }
}

function response(text: string): ClientStep {
  return { kind: 'response', message: new TextEncoder().encode(text) }
}
