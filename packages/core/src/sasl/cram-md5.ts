/**
 * CRAM-MD5: HMAC-MD5 over a challenge. RFC 2195. Old and weak; offered only by setting.
 * Not here: what the server keeps (`cram-md5-keys.ts`).
 */
import { Buffer } from 'node:buffer'
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, Random } from '../host/index.ts'
import { cramMd5Digest } from './cram-md5-keys.ts'
import type { Lookup } from './lookup.ts'
import type { ClientExchange, ServerExchange, Step } from './mechanism.ts'
import { failed } from './mechanism.ts'
import { decodeUtf8, prepareLogin } from './prepare.ts'

const DIGEST_HEX = /^[0-9a-f]{32}$/

/** What the server half needs. */
export interface CramMd5ServerOptions {
  readonly lookup: Lookup
  readonly random: Random
  readonly clock: Clock
  /** Primary name of this host, part of the challenge. */
  readonly hostname: string
}

/** Server half. The server speaks first: an initial response is malformed. */
export function createCramMd5Server({ lookup, random, clock, hostname }: CramMd5ServerOptions): ServerExchange {
  let challenge: Uint8Array | undefined
  async function check(message: Uint8Array, sent: Uint8Array): Promise<Step> {
    const text = decodeUtf8(message)
    if (text === undefined) return failed('malformed')
    // user name SP digest; a name may hold spaces, a digest cannot.      RFC 2195 §2
    const space = text.lastIndexOf(' ')
    const hex = text.slice(space + 1)
    if (space < 1 || !DIGEST_HEX.test(hex)) return failed('malformed')
    const name = prepareLogin(text.slice(0, space))
    if (name.kind === 'refused') return failed('credentials')
    const { keys, account } = await lookup.cramMd5(name.text)
    const matched = timingSafeEqual(cramMd5Digest(keys, sent), Buffer.from(hex, 'hex'))
    if (!matched || account === undefined) return failed('credentials', name.text)
    return { kind: 'authenticated', account, login: name.text }
  }
  return {
    respond(message) {
      if (challenge !== undefined) return message === undefined ? failed('malformed') : check(message, challenge)
      if (message !== undefined) return failed('malformed')
      // A msg-id that never comes twice; the digits are random, so the clock need not be right.
      const unique = Buffer.from(random(18)).toString('hex')
      challenge = new TextEncoder().encode(`<${unique}.${Math.trunc(clock.now())}@${hostname}>`)
      return { kind: 'challenge', message: challenge }
    },
  }
}

/** Client half. */
export function createCramMd5Client(login: string, password: Uint8Array): ClientExchange {
  let sent = false
  return {
    clientFirst: false,
    get complete() {
      return sent
    },
    respond(challenge) {
      if (sent || challenge === undefined || challenge.length === 0) return { kind: 'failed', reason: 'malformed' }
      if (login === '') return { kind: 'failed', reason: 'unsendable' }
      sent = true
      const digest = createHmac('md5', password).update(challenge).digest('hex')
      return { kind: 'response', message: new TextEncoder().encode(`${login} ${digest}`) }
    },
  }
}
