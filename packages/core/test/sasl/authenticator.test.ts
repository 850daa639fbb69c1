/** What is offered, and what is remembered of a password that was right. */
import { describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../src/sasl/index.ts'
import { createCountingHasher, createSeededRandom, createStillClock, createTestHost } from './test-host.ts'

const LOGIN = 'mjl@example.org'
const MINUTE_MS = 60_000

describe('mechanisms', () => {
  const rows = [
    ['under TLS', true, false, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN']],
    ['in the clear', false, false, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5']],
    ['in the clear, allowed', false, true, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN']],
  ] as const
  for (const [name, secure, plainAllowed, expected] of rows) {
    it(name, () => expect(createTestHost().authenticator.mechanisms({ secure, plainAllowed })).toEqual(expected))
  }

  it('offers only what was set, strongest first, and starts nothing else', () => {
    const { authenticator } = createTestHost({ mechanisms: ['LOGIN', 'SCRAM-SHA-256'] })
    expect(authenticator.mechanisms({ secure: true, plainAllowed: false })).toEqual(['SCRAM-SHA-256', 'LOGIN'])
    expect(authenticator.start('login')).toBeDefined()
    for (const name of ['PLAIN', 'CRAM-MD5', 'SCRAM-SHA-256-PLUS', '__proto__', '']) {
      expect(authenticator.start(name)).toBeUndefined()
    }
  })

  it('offers neither SHA-1 nor MD5 unless asked', () => {
    const host = {
      source: { find: async () => undefined },
      hasher: createCountingHasher(),
      random: createSeededRandom(),
      clock: createStillClock(),
      hostname: 'mail.example',
    }
    const authenticator = createAuthenticator({ ...host, decoySecret: new Uint8Array(32) })
    const offered = ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']
    expect(authenticator.mechanisms({ secure: true, plainAllowed: false })).toEqual(offered)
    expect(() => createAuthenticator({ ...host, decoySecret: new Uint8Array(15) })).toThrow(RangeError)
    const cheap = { ...host, decoySecret: new Uint8Array(32), iterations: 4095 }
    expect(() => createAuthenticator(cheap)).toThrow(RangeError)
  })
})

describe('a password that was right', () => {
  it('is not hashed again for fifteen minutes', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'correct horse')
    const right = { kind: 'authenticated', account: LOGIN, login: LOGIN }
    for (let i = 0; i < 3; i += 1) {
      expect(await host.authenticator.verifyPassword(LOGIN, 'correct horse')).toEqual(right)
    }
    expect(host.hasher.calls).toHaveLength(1)
    host.clock.advance(15 * MINUTE_MS - 1)
    expect(await host.authenticator.verifyPassword(LOGIN, 'correct horse')).toEqual(right)
    expect(host.hasher.calls).toHaveLength(1)
    host.clock.advance(1)
    expect(await host.authenticator.verifyPassword(LOGIN, 'correct horse')).toEqual(right)
    expect(host.hasher.calls).toHaveLength(2)
  })

  it('stops counting at once when it is changed', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'correct horse')
    await host.authenticator.verifyPassword(LOGIN, 'correct horse')
    await host.setPassword(LOGIN, 'battery staple')
    expect(await host.authenticator.verifyPassword(LOGIN, 'correct horse')).toMatchObject({ reason: 'credentials' })
    expect(await host.authenticator.verifyPassword(LOGIN, 'battery staple')).toMatchObject({ kind: 'authenticated' })
    expect(host.hasher.calls).toHaveLength(3)
  })

  it('stops counting at once when the account is removed', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'correct horse')
    await host.authenticator.verifyPassword(LOGIN, 'correct horse')
    host.accounts.delete(LOGIN)
    expect(await host.authenticator.verifyPassword(LOGIN, 'correct horse')).toMatchObject({ reason: 'credentials' })
  })

  it('is hashed each time when it is shorter than eight characters', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, '1234567')
    for (let i = 0; i < 3; i += 1) await host.authenticator.verifyPassword(LOGIN, '1234567')
    expect(host.hasher.calls).toHaveLength(3)
  })

  it('lets no other password or account in', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'correct horse')
    await host.setPassword('other@example.org', 'something else')
    await host.authenticator.verifyPassword(LOGIN, 'correct horse')
    for (const [login, password] of [
      [LOGIN, 'correct hors'],
      [LOGIN, 'correct horse '],
      [LOGIN, 'Correct horse'],
      ['other@example.org', 'correct horse'],
      [`${LOGIN}c`, 'orrect horse'],
    ] as const) {
      expect(await host.authenticator.verifyPassword(login, password)).toMatchObject({ reason: 'credentials' })
    }
  })

  it('is remembered for ten thousand accounts at most', async () => {
    const host = createTestHost()
    await host.setPassword(LOGIN, 'correct horse')
    const { credentials } = host.accounts.get(LOGIN) as { account: string; credentials: never }
    // The same keys under many accounts: each is remembered on its own.
    const logins = Array.from({ length: 10_001 }, (_, i) => `u${i}@example.org`)
    const cheap = { pbkdf2: async () => salted }
    const salted = await createCountingHasher().pbkdf2(
      new TextEncoder().encode('correct horse'),
      (credentials as { scramSha256: { salt: Uint8Array } }).scramSha256.salt,
      4096,
      'sha256',
    )
    let hashes = 0
    const counting = {
      pbkdf2: async () => {
        hashes += 1
        return cheap.pbkdf2()
      },
    }
    const source = { find: async (login: string) => ({ account: login, credentials }) }
    const { authenticator } = createTestHost({ hasher: counting, source })
    for (const login of logins) await authenticator.verifyPassword(login, 'correct horse')
    expect(hashes).toBe(10_001)
    await authenticator.verifyPassword(logins.at(-1) as string, 'correct horse')
    expect(hashes).toBe(10_001)
    await authenticator.verifyPassword(logins[0] as string, 'correct horse')
    expect(hashes).toBe(10_002)
  })
})

describe('equal checks at the same time', () => {
  for (const password of ['correct horse', 'wrong password']) {
    for (const login of [LOGIN, 'nobody@example.org']) {
      it(`share one hash: ${login} with ${password}`, async () => {
        const host = createTestHost()
        await host.setPassword(LOGIN, 'correct horse')
        const checks = Array.from({ length: 6 }, () => host.authenticator.verifyPassword(login, password))
        const steps = await Promise.all(checks)
        const right = login === LOGIN && password === 'correct horse'
        expect(new Set(steps.map((step) => step.kind))).toEqual(new Set([right ? 'authenticated' : 'failed']))
        expect(host.hasher.calls).toHaveLength(1)
      })
    }
  }
})
