/** Client half against server half, and what a server must not let through. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClientExchange, MechanismName, ServerExchange, Step, StoredCredentials } from '../../src/sasl/index.ts'
import { createClientExchange, HasherError, MECHANISMS, selectMechanism } from '../../src/sasl/index.ts'
import { createCramMd5Server } from '../../src/sasl/cram-md5.ts'
import { createLoginServer } from '../../src/sasl/login.ts'
import type { Lookup } from '../../src/sasl/lookup.ts'
import { createPasswordCheck } from '../../src/sasl/password-check.ts'
import { createPlainServer } from '../../src/sasl/plain.ts'
import { preparePassword } from '../../src/sasl/prepare.ts'
import { clientProof } from '../../src/sasl/scram-keys.ts'
import { createScramServer } from '../../src/sasl/scram.ts'
import type { TestHost } from './test-host.ts'
import { createCountingHasher, createSeededRandom, createTestHost, text, utf8 } from './test-host.ts'

function clientOf(mechanism: MechanismName, login: string, password: string): ClientExchange {
  const random = createSeededRandom('client')
  return createClientExchange(mechanism, { login, password, hasher: createCountingHasher(), random })
}

function start(host: TestHost, mechanism: string): ServerExchange {
  const exchange = host.authenticator.start(mechanism)
  if (exchange === undefined) throw new Error(`No ${mechanism}`)
  return exchange
}

/** Runs both halves to the end. @param initial whether the client may send an initial response */
async function converse(
  server: ServerExchange,
  client: ClientExchange,
  initial: boolean,
): Promise<{ step: Step; challenges: string[]; complete: boolean }> {
  const challenges: string[] = []
  const first = initial && client.clientFirst ? await client.respond(undefined) : undefined
  let step = await server.respond(first?.kind === 'response' ? first.message : undefined)
  while (step.kind === 'challenge') {
    challenges.push(text(step.message))
    const answer = await client.respond(step.message)
    if (answer.kind === 'failed') throw new Error(`Client gave up: ${answer.reason}`)
    step = await server.respond(answer.message)
  }
  return { step, challenges, complete: client.complete }
}

describe('client half and server half', () => {
  for (const mechanism of MECHANISMS) {
    for (const initial of [true, false]) {
      it(`${mechanism} ${initial ? 'with' : 'without'} an initial response`, async () => {
        const host = createTestHost()
        await host.setPassword('mjl@example.org', 'te\u0301st pass', 'mjl')
        const client = clientOf(mechanism, 'mjl@EXAMPLE.org', 't\u00e9st\u00a0pass')
        const { step, complete } = await converse(start(host, mechanism), client, initial)
        expect(step).toEqual({ kind: 'authenticated', account: 'mjl', login: 'mjl@example.org' })
        expect(complete).toBe(true)
      })
    }

    it(`${mechanism} over passwords and names of all kinds`, async () => {
      const password = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
        .filter((value) => preparePassword(value).kind === 'prepared')
      const local = fc.constantFrom('a', 'B.c', 'm=j,l', 'j\u00f6rg', 'o"brien', '=2C', 'x y')
      await fc.assert(
        fc.asyncProperty(password, local, async (secret, name) => {
          const host = createTestHost()
          await host.setPassword(`${name}@example.org`, secret, 'x')
          const client = clientOf(mechanism, `${name}@example.org`, secret)
          const { step } = await converse(start(host, mechanism), client, true)
          expect(step).toEqual({ kind: 'authenticated', account: 'x', login: `${name}@example.org` })
        }),
        { numRuns: 25 },
      )
    })
  }
})

describe('a wrong password and an unknown name look alike', () => {
  for (const mechanism of MECHANISMS) {
    it(mechanism, async () => {
      const host = createTestHost()
      await host.setPassword('known@example.org', 'correct horse')
      const attempt = async (login: string): Promise<object> => {
        const before = host.hasher.calls.length
        const client = clientOf(mechanism, login, 'wrong pw')
        const { step, challenges } = await converse(start(host, mechanism), client, true)
        // Salts, nonces and random digits differ by nature: their shape must not.
        const shapes = challenges.map((challenge) => challenge.replace(/[A-Za-z0-9+/]/g, 'x'))
        return { step: { ...step, login: undefined }, shapes, calls: host.hasher.calls.slice(before) }
      }
      const known = await attempt('known@example.org')
      expect(known).toMatchObject({ step: { kind: 'failed', reason: 'credentials' } })
      expect(await attempt('nobody@example.org')).toEqual(known)
    })

    it(`${mechanism}, when the account has no keys for it`, async () => {
      const host = createTestHost()
      await host.setPassword('known@example.org', 'correct horse')
      const { account, credentials } = host.accounts.get('known@example.org') as { account: string; credentials: never }
      const { scramSha256 } = credentials as { scramSha256: never }
      host.accounts.set('known@example.org', { account, credentials: { scramSha256 } })
      const client = clientOf(mechanism, 'known@example.org', 'correct horse')
      const { step } = await converse(start(host, mechanism), client, true).catch(() => ({ step: { kind: 'gave up' } }))
      const needsOwnKeys = mechanism === 'SCRAM-SHA-1' || mechanism === 'CRAM-MD5'
      expect(step.kind).toBe(needsOwnKeys ? 'failed' : 'authenticated')
    })
  }

  it('shows an unknown name the same salt each time, in every spelling of case', async () => {
    const host = createTestHost()
    const saltOf = async (login: string): Promise<string | undefined> => {
      const step = await start(host, 'SCRAM-SHA-256').respond(utf8(`n,,n=${login},r=abcdefghij`))
      return step.kind === 'challenge' ? /,s=([^,]+),i=4096$/.exec(text(step.message))?.[1] : undefined
    }
    const salt = await saltOf('nobody@example.org')
    expect(Buffer.from(salt ?? '', 'base64')).toHaveLength(16)
    expect(await saltOf('nobody@example.org')).toBe(salt)
    expect(await saltOf('NoBody@Example.ORG')).toBe(salt)
    expect(await saltOf('nobodx@example.org')).not.toBe(salt)
  })

  it('a response that matches decoy keys still fails', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    const credentials = host.accounts.get(LOGIN)?.credentials as Required<StoredCredentials>
    // Keys of a known password, marked as a decoy's.
    const lookup: Lookup = {
      scram: async () => ({ keys: credentials.scramSha256, account: undefined }),
      cramMd5: async () => ({ keys: credentials.cramMd5, account: undefined }),
    }
    const { hasher, clock } = host
    const random = createSeededRandom()
    const check = createPasswordCheck({ lookup, hasher, random, clock })
    const servers: Partial<Record<MechanismName, ServerExchange>> = {
      'SCRAM-SHA-256': createScramServer({ hash: 'sha256', lookup, nonce: 'servernonce' }),
      'CRAM-MD5': createCramMd5Server({ lookup, random, clock, hostname: 'mail.example' }),
      PLAIN: createPlainServer(check),
      LOGIN: createLoginServer(check),
    }
    for (const [mechanism, server] of Object.entries(servers)) {
      const { step } = await converse(server, clientOf(mechanism as MechanismName, LOGIN, 'password'), true)
      expect(step).toEqual({ kind: 'failed', reason: 'credentials', login: LOGIN })
    }
  })
})

const LOGIN = 'mjl@example.org'
const NONCE = 'rOprNGfwEbeRWgbNEkqO'

describe('first messages that must fail', () => {
  const long = 'x'.repeat(9000)
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['PLAIN', 'nothing', '', 'malformed'],
    ['PLAIN', 'one NUL', `${LOGIN}\0password`, 'malformed'],
    ['PLAIN', 'three NULs', `\0${LOGIN}\0password\0`, 'malformed'],
    ['PLAIN', 'NUL in the password', `\0${LOGIN}\0pass\0word`, 'malformed'],
    ['PLAIN', 'no name', `\0\0password`, 'malformed'],
    ['PLAIN', 'no password', `\0${LOGIN}\0`, 'malformed'],
    ['PLAIN', 'another authzid', `admin@example.org\0${LOGIN}\0password`, 'authorization'],
    ['PLAIN', 'an authzid that cannot be a name', `\u0007\0${LOGIN}\0password`, 'authorization'],
    ['PLAIN', 'a control character in the password', `\0${LOGIN}\0pass\tword`, 'credentials'],
    ['PLAIN', 'a password over 1,024 octets', `\0${LOGIN}\0${'x'.repeat(1025)}`, 'credentials'],
    ['PLAIN', 'over 8 KiB', `\0${LOGIN}\0${long}`, 'malformed'],
    ['LOGIN', 'an empty name', '', 'malformed'],
    ['LOGIN', 'over 8 KiB', long, 'malformed'],
    ['CRAM-MD5', 'an initial response', `${LOGIN} 00000000000000000000000000000000`, 'malformed'],
    ['SCRAM-SHA-256', 'nothing', '', 'malformed'],
    ['SCRAM-SHA-256', 'channel binding', `p=tls-unique,,n=${LOGIN},r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'an unknown flag', `x,,n=${LOGIN},r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'no gs2 header', `n=${LOGIN},r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'another authzid', `n,a=admin@example.org,n=${LOGIN},r=${NONCE}`, 'authorization'],
    ['SCRAM-SHA-256', 'an empty authzid', `n,a=,n=${LOGIN},r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'a bare authzid', `n,${LOGIN},n=${LOGIN},r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'a mandatory extension first', `n,,m=x,n=${LOGIN},r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'a mandatory extension last', `n,,n=${LOGIN},r=${NONCE},m=x`, 'malformed'],
    ['SCRAM-SHA-256', 'an attribute twice', `n,,n=${LOGIN},r=${NONCE},n=x`, 'malformed'],
    ['SCRAM-SHA-256', 'an extension without value', `n,,n=${LOGIN},r=${NONCE},z=`, 'malformed'],
    ['SCRAM-SHA-256', 'a trailing comma', `n,,n=${LOGIN},r=${NONCE},`, 'malformed'],
    ['SCRAM-SHA-256', 'nonce before name', `n,,r=${NONCE},n=${LOGIN}`, 'malformed'],
    ['SCRAM-SHA-256', 'an empty name', `n,,n=,r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'a bad escape in the name', `n,,n=a=b,r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'a lower-case escape', `n,,n=a=2cb,r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'NUL in the name', `n,,n=a\0b,r=${NONCE}`, 'malformed'],
    ['SCRAM-SHA-256', 'a control character in the name', `n,,n=a\u0007b,r=${NONCE}`, 'credentials'],
    ['SCRAM-SHA-256', 'a huge name', `n,,n=${'x'.repeat(1025)},r=${NONCE}`, 'credentials'],
    ['SCRAM-SHA-256', 'no nonce', `n,,n=${LOGIN}`, 'malformed'],
    ['SCRAM-SHA-256', 'a nonce of 7', `n,,n=${LOGIN},r=1234567`, 'malformed'],
    ['SCRAM-SHA-256', 'a nonce of 513', `n,,n=${LOGIN},r=${'x'.repeat(513)}`, 'malformed'],
    ['SCRAM-SHA-256', 'a space in the nonce', `n,,n=${LOGIN},r=${NONCE} x`, 'malformed'],
    ['SCRAM-SHA-256', 'over 8 KiB', `n,,n=${LOGIN},r=${NONCE},z=${long}`, 'malformed'],
  ]
  for (const [mechanism, name, message, reason] of rows) {
    it(`${mechanism}: ${name}`, async () => {
      const host = createTestHost()
      await host.setPassword(LOGIN, 'password')
      const exchange = start(host, mechanism)
      expect(await exchange.respond(utf8(message))).toMatchObject({ kind: 'failed', reason })
      expect(host.hasher.calls).toEqual([])
      expect(await exchange.respond(utf8(''))).toEqual({ kind: 'failed', reason: 'malformed' })
    })
  }

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'LOGIN']) {
    it(`${mechanism}: not UTF-8`, async () => {
      const host = createTestHost()
      const exchange = start(host, mechanism)
      const message = mechanism === 'PLAIN' ? [0, 0xff, 0, 0x61] : [0xff, 0xfe]
      let step = await exchange.respond(Uint8Array.from(message))
      if (step.kind === 'challenge') step = await exchange.respond(utf8('password'))
      expect(step).toEqual({ kind: 'failed', reason: 'malformed' })
    })
  }

  it('PLAIN takes an authzid that is the same name in another spelling', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    const step = await start(host, 'PLAIN').respond(utf8(`mjl@EXAMPLE.ORG\0${LOGIN}\0password`))
    expect(step).toMatchObject({ kind: 'authenticated', account: LOGIN })
  })

  it('LOGIN asks in the words clients wait for, and keeps no view of what was fed', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    const exchange = start(host, 'LOGIN')
    expect(await exchange.respond(undefined)).toEqual({ kind: 'challenge', message: utf8('Username:') })
    const name = utf8(LOGIN)
    expect(await exchange.respond(name)).toEqual({ kind: 'challenge', message: utf8('Password:') })
    name.fill(0)
    expect(await exchange.respond(utf8('password'))).toMatchObject({ kind: 'authenticated' })
  })
})

describe('SCRAM final messages that must fail', () => {
  const flip = (base64: string): string => {
    const octets = Buffer.from(base64, 'base64')
    octets[0] = (octets[0] as number) ^ 1
    return octets.toString('base64')
  }
  type Row = readonly [string, string, (final: string) => string, 'credentials' | 'malformed' | 'none']
  const rows: readonly Row[] = [
    ['untouched', 'n,,', (final) => final, 'none'],
    ['untouched with y', 'y,,', (final) => final, 'none'],
    ['untouched with its own authzid', `n,a=${LOGIN},`, (final) => final, 'none'],
    ['a bit of the proof', 'n,,', (final) => final.replace(/p=(.*)$/, (_, p: string) => `p=${flip(p)}`), 'credentials'],
    ['another gs2 header', 'n,,', (final) => final.replace('c=biws', 'c=eSws'), 'credentials'],
    ['y turned into n on the way', 'y,,', (final) => final.replace('c=eSws', 'c=biws'), 'credentials'],
    ['the nonce', 'n,,', (final) => final.replace('r=', 'r=x'), 'credentials'],
    ['the nonce cut short', 'n,,', (final) => final.replace(/r=[^,]+/, `r=${NONCE}`), 'credentials'],
    ['an extension put in', 'n,,', (final) => final.replace(',p=', ',z=1,p='), 'credentials'],
    ['a mandatory extension', 'n,,', (final) => final.replace(',p=', ',m=1,p='), 'malformed'],
    ['something after the proof', 'n,,', (final) => `${final},z=1`, 'malformed'],
    ['no proof', 'n,,', (final) => final.replace(/,p=.*$/, ''), 'malformed'],
    ['an empty proof', 'n,,', (final) => final.replace(/,p=.*$/, ',p='), 'credentials'],
    ['a short proof', 'n,,', (final) => final.replace(/,p=.*$/, ',p=AAAA'), 'credentials'],
    ['a proof without padding', 'n,,', (final) => final.replace(/=+$/, ''), 'malformed'],
    ['a proof with a line end', 'n,,', (final) => `${final}\n`, 'malformed'],
    ['attributes in another order', 'n,,', (final) => final.replace(/^(c=[^,]*),(r=[^,]*)/, '$2,$1'), 'malformed'],
    ['nothing', 'n,,', () => '', 'malformed'],
    ['over 8 KiB', 'n,,', (final) => final.replace(',p=', `,z=${'x'.repeat(9000)},p=`), 'malformed'],
  ]
  for (const mechanism of ['SCRAM-SHA-1', 'SCRAM-SHA-256'] as const) {
    for (const [name, header, tamper, reason] of rows) {
      it(`${mechanism}: ${name}`, async () => {
        const host = createTestHost()
        await host.setPassword(LOGIN, 'password')
        const exchange = start(host, mechanism)
        const { final } = await scramByHand(exchange, mechanism, header)
        const step = await exchange.respond(utf8(tamper(final)))
        if (reason === 'none') {
          expect(step.kind).toBe('challenge')
          expect(await exchange.respond(utf8(''))).toMatchObject({ kind: 'authenticated' })
        } else {
          expect(step).toEqual({ kind: 'failed', reason, ...(name === 'over 8 KiB' ? {} : { login: LOGIN }) })
        }
      })
    }
  }

  it('does not finish when the last answer is not empty', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    const exchange = start(host, 'SCRAM-SHA-256')
    const { final } = await scramByHand(exchange, 'SCRAM-SHA-256', 'n,,')
    expect(await exchange.respond(utf8(final))).toMatchObject({ kind: 'challenge' })
    expect(await exchange.respond(utf8('x'))).toEqual({ kind: 'failed', reason: 'malformed' })
  })

  it('takes no proof for another gs2 header or nonce, though its key is right', async () => {
    for (const forged of [{ channelBinding: 'eSws' }, { nonce: 'of another exchange' }]) {
      const host = createTestHost()
      await host.setPassword(LOGIN, 'password')
      const exchange = start(host, 'SCRAM-SHA-256')
      const { final } = await scramByHand(exchange, 'SCRAM-SHA-256', 'n,,', forged)
      expect(await exchange.respond(utf8(final))).toEqual({ kind: 'failed', reason: 'credentials', login: LOGIN })
    }
  })

  it('does not take a final message of another exchange', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    const recorded = await scramByHand(start(host, 'SCRAM-SHA-256'), 'SCRAM-SHA-256', 'n,,')
    const exchange = start(host, 'SCRAM-SHA-256')
    await exchange.respond(utf8(recorded.first))
    expect(await exchange.respond(utf8(recorded.final))).toMatchObject({ kind: 'failed', reason: 'credentials' })
  })
})

describe('CRAM-MD5 answers that must fail', () => {
  const rows: readonly (readonly [string, (login: string, digest: string) => string, string])[] = [
    ['upper-case digits', (login, digest) => `${login} ${digest.toUpperCase()}`, 'malformed'],
    ['a digest cut short', (login, digest) => `${login} ${digest.slice(1)}`, 'malformed'],
    ['no name', (_, digest) => ` ${digest}`, 'malformed'],
    ['no space', (login, digest) => login + digest, 'malformed'],
    ['nothing', () => '', 'malformed'],
    ['zeros', (login) => `${login} ${'0'.repeat(32)}`, 'credentials'],
    ['another name', (_, digest) => `other@example.org ${digest}`, 'credentials'],
  ]
  for (const [name, answer, reason] of rows) {
    it(name, async () => {
      const host = createTestHost()
      await host.setPassword(LOGIN, 'password')
      await host.setPassword('other@example.org', 'different')
      const exchange = start(host, 'CRAM-MD5')
      const challenge = await exchange.respond(undefined)
      if (challenge.kind !== 'challenge') throw new Error('No challenge')
      const right = await clientOf('CRAM-MD5', LOGIN, 'password').respond(challenge.message)
      const [login, digest] = right.kind === 'response' ? text(right.message).split(' ') : []
      const step = await exchange.respond(utf8(answer(login as string, digest as string)))
      expect(step).toMatchObject({ kind: 'failed', reason })
    })
  }

  it('challenges with a msg-id that never comes twice', async () => {
    const host = createTestHost()
    const seen = new Set<string>()
    for (let i = 0; i < 20; i += 1) {
      const step = await start(host, 'CRAM-MD5').respond(undefined)
      seen.add(step.kind === 'challenge' ? text(step.message) : '')
    }
    expect(seen.size).toBe(20)
    for (const challenge of seen) expect(challenge).toMatch(/^<[0-9a-f]{36}\.[0-9]+@mail\.example>$/)
  })
})

describe('a server that must not be believed', () => {
  const serverFirst = (nonce: string, rest = 's=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'): string => `r=${nonce},${rest}`
  const rows: readonly (readonly [string, (clientNonce: string) => string, string])[] = [
    ['another nonce', () => serverFirst('abcdefghijklmnopqrstuvwxyz'), 'malformed'],
    ['no nonce of its own', (nonce) => serverFirst(nonce), 'malformed'],
    ['too few iterations', (nonce) => serverFirst(`${nonce}x`, 's=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095'), 'server'],
    ['too many iterations', (nonce) => serverFirst(`${nonce}x`, 's=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001'), 'server'],
    ['iterations with a leading zero', (nonce) => serverFirst(`${nonce}x`, 's=W22ZaJ0S,i=04096'), 'malformed'],
    ['no salt', (nonce) => serverFirst(`${nonce}x`, 's=,i=4096'), 'malformed'],
    ['a salt that is not base64', (nonce) => serverFirst(`${nonce}x`, 's=*,i=4096'), 'malformed'],
    ['a mandatory extension', (nonce) => `m=x,${serverFirst(`${nonce}x`)}`, 'malformed'],
    ['nothing', () => '', 'malformed'],
    ['over 8 KiB', (nonce) => `${serverFirst(`${nonce}x`)},z=${'x'.repeat(9000)}`, 'malformed'],
  ]
  for (const [name, answer, reason] of rows) {
    it(name, async () => {
      const client = clientOf('SCRAM-SHA-256', LOGIN, 'password')
      const first = await client.respond(undefined)
      const nonce = first.kind === 'response' ? text(first.message).split(',r=')[1] : ''
      expect(await client.respond(utf8(answer(nonce as string)))).toEqual({ kind: 'failed', reason })
      expect(client.complete).toBe(false)
    })
  }

  for (const [name, final, reason] of [
    ['a wrong signature', 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'server'],
    ['a short signature', 'v=AAAA', 'server'],
    ['an error', 'e=invalid-proof', 'refused'],
    ['nothing', '', 'malformed'],
  ] as const) {
    it(`${name} at the end`, async () => {
      const host = createTestHost()
      await host.setPassword(LOGIN, 'password')
      const server = start(host, 'SCRAM-SHA-256')
      const client = clientOf('SCRAM-SHA-256', LOGIN, 'password')
      const first = await client.respond(undefined)
      const offered = await server.respond(first.kind === 'response' ? first.message : undefined)
      const proof = await client.respond(offered.kind === 'challenge' ? offered.message : undefined)
      expect(proof.kind).toBe('response')
      expect(client.complete).toBe(false)
      expect(await client.respond(utf8(final))).toEqual({ kind: 'failed', reason })
      expect(client.complete).toBe(false)
    })
  }

  it('is not sent names and passwords that break the message', async () => {
    for (const [login, password] of [['a\0b', 'x'], ['a', 'x\0y'], ['', 'x'], ['a', '']] as const) {
      const step = await clientOf('PLAIN', login, password).respond(undefined)
      expect(step).toEqual({ kind: 'failed', reason: 'unsendable' })
    }
  })
})

describe('selectMechanism', () => {
  const all = ['login', 'PLAIN', 'cram-md5', 'SCRAM-SHA-1', 'scram-sha-256', 'GSSAPI']
  type Row = readonly [string, readonly string[], boolean, readonly MechanismName[] | undefined, string | undefined]
  const rows: readonly Row[] = [
    ['the strongest offered', all, true, undefined, 'SCRAM-SHA-256'],
    ['the first preferred', all, true, ['CRAM-MD5', 'SCRAM-SHA-256'], 'CRAM-MD5'],
    ['no password in the clear', ['PLAIN', 'LOGIN'], false, undefined, undefined],
    ['PLAIN under TLS', ['LOGIN', 'PLAIN'], true, undefined, 'PLAIN'],
    ['nothing in common', ['GSSAPI'], true, undefined, undefined],
  ]
  for (const [name, offered, secure, preference, expected] of rows) {
    it(name, () => expect(selectMechanism(offered, secure, preference)).toBe(expected))
  }
})

describe('whatever comes', () => {
  for (const mechanism of MECHANISMS) {
    it(`${mechanism} answers, and authenticates nobody`, async () => {
      const host = createTestHost()
      await host.setPassword(LOGIN, 'a password nobody sends')
      const alphabet = fc.constantFrom(...'nyp,=arcmv\0\n +/AB09@é'.split(''))
      const message = fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        fc.string({ unit: alphabet, maxLength: 80 }).map(utf8),
        fc.string({ unit: alphabet, maxLength: 40 }).map((tail) => utf8(`n,,n=${LOGIN},r=abcdefgh,${tail}`)),
        fc.string({ unit: alphabet, maxLength: 40 }).map((tail) => utf8(`c=biws,r=abcdefgh,${tail}`)),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(message, { nil: undefined }), { maxLength: 4 }), async (messages) => {
          const exchange = start(host, mechanism)
          for (const octets of messages) {
            const step = await exchange.respond(octets)
            expect(step.kind).not.toBe('authenticated')
          }
        }),
        { numRuns: 150 },
      )
    })

    it(`${mechanism} as a client answers any challenge`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), async (challenges) => {
          const client = clientOf(mechanism, LOGIN, 'password')
          for (const octets of challenges) expect(['response', 'failed']).toContain((await client.respond(octets)).kind)
        }),
        { numRuns: 100 },
      )
    })
  }
})

describe('an exchange that is over', () => {
  it('takes no second try', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    const exchange = start(host, 'PLAIN')
    expect(await exchange.respond(utf8(`\0${LOGIN}\0wrong`))).toMatchObject({ reason: 'credentials' })
    expect(await exchange.respond(utf8(`\0${LOGIN}\0password`))).toEqual({ kind: 'failed', reason: 'malformed' })
  })

  it('takes no second message while the first is checked', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    const exchange = start(host, 'PLAIN')
    const first = exchange.respond(utf8(`\0${LOGIN}\0wrong`))
    expect(await exchange.respond(utf8(`\0${LOGIN}\0password`))).toEqual({ kind: 'failed', reason: 'malformed' })
    expect(await first).toMatchObject({ reason: 'credentials' })
  })

  it('leaves nothing behind when it is dropped half way', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'password')
    for (const mechanism of MECHANISMS) await start(host, mechanism).respond(undefined)
    const { step } = await converse(start(host, 'LOGIN'), clientOf('LOGIN', LOGIN, 'password'), true)
    expect(step).toMatchObject({ kind: 'authenticated' })
    expect(host.hasher.calls).toHaveLength(1)
  })
})

describe('a hasher that cannot', () => {
  for (const [code, reason] of [['HASHER_BUSY', 'busy'], ['HASHER_CLOSED', 'unavailable']] as const) {
    it(`${code} is said as ${reason}`, async () => {
      const host = createTestHost({ hasher: { pbkdf2: async () => Promise.reject(new HasherError(code, 'No')) } })
      await host.setPassword(LOGIN, 'password')
      const step = await start(host, 'PLAIN').respond(utf8(`\0${LOGIN}\0password`))
      expect(step).toEqual({ kind: 'failed', reason, login: LOGIN })
    })
  }

  it('is a fault otherwise, and the exchange is over', async () => {
    const hasher = { pbkdf2: async () => Promise.reject(new HasherError('HASHER_FAILED', 'No')) }
    const host = createTestHost({ hasher })
    const exchange = start(host, 'PLAIN')
    await expect(exchange.respond(utf8(`\0${LOGIN}\0password`))).rejects.toMatchObject({ code: 'HASHER_FAILED' })
    expect(await exchange.respond(utf8(''))).toEqual({ kind: 'failed', reason: 'malformed' })
  })
})

/** The client's side with a gs2 header of one's own. */
async function scramByHand(
  server: ServerExchange,
  mechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-256',
  header: string,
  forged: { readonly channelBinding?: string; readonly nonce?: string } = {},
): Promise<{ first: string; final: string }> {
  const hash = mechanism === 'SCRAM-SHA-1' ? 'sha1' : 'sha256'
  const bare = `n=${LOGIN},r=${NONCE}`
  const first = header + bare
  const step = await server.respond(utf8(first))
  const offered = step.kind === 'challenge' ? text(step.message) : ''
  const [, nonce, salt] = /^r=([^,]+),s=([^,]+),i=4096$/.exec(offered) ?? []
  const octets = Uint8Array.from(Buffer.from(salt as string, 'base64'))
  const salted = await createCountingHasher().pbkdf2(utf8('password'), octets, 4096, hash)
  const channelBinding = forged.channelBinding ?? Buffer.from(header).toString('base64')
  const withoutProof = `c=${channelBinding},r=${forged.nonce ?? nonce}`
  const proof = clientProof(hash, salted, `${bare},${offered},${withoutProof}`)
  return { first, final: `${withoutProof},p=${Buffer.from(proof).toString('base64')}` }
}
