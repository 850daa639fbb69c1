import { limitLogins, NetworkLimiter } from '@postern/core/admission'
import type { Authenticator, FinalStep } from '@postern/core/sasl'
import { expect, test } from 'vitest'

/** Knows one name and password; counts what it was asked. */
function known(): Authenticator & { asked: number } {
  const check = (ok: boolean): FinalStep => (ok ? { kind: 'authenticated', account: 'ada', login: 'ada' } : { kind: 'failed', reason: 'credentials' })
  const authenticator = {
    asked: 0,
    mechanisms: () => ['PLAIN' as const],
    start: () => ({
      respond(message: Uint8Array | undefined) {
        authenticator.asked += 1
        return check(Buffer.from(message ?? []).toString() === 'right')
      },
    }),
    async verifyPassword(_login: unknown, password: Uint8Array | string) {
      authenticator.asked += 1
      return check(password === 'right')
    },
  }
  return authenticator
}

const limiter = () => new NetworkLimiter([{ windowMs: 60_000, limits: [2, 3, 100] }])

test('failures of either way count together, and beyond the limit nobody is asked', async () => {
  const inner = known()
  let limitedTimes = 0
  const limited = limitLogins(inner, limiter(), { remoteAddress: '192.0.2.1', nowMs: () => 0, onLimited: () => (limitedTimes += 1) })
  expect(await limited.verifyPassword('ada', 'wrong')).toMatchObject({ reason: 'credentials' })
  expect(limited.start('PLAIN')?.respond(Buffer.from('wrong'))).toMatchObject({ reason: 'credentials' })
  expect(await limited.verifyPassword('ada', 'right'), 'also the right one waits').toMatchObject({ reason: 'busy' })
  expect(limited.start('PLAIN')?.respond(Buffer.from('right'))).toMatchObject({ reason: 'busy' })
  expect(inner.asked).toBe(2)
  expect(limitedTimes).toBe(2)
})

test('a good login takes its own failures back', async () => {
  const shared = limiter()
  const limited = limitLogins(known(), shared, { remoteAddress: '192.0.2.1', nowMs: () => 0 })
  await limited.verifyPassword('ada', 'wrong')
  await limited.verifyPassword('ada', 'right')
  expect(shared.size).toBe(0)
})

test('connections of one network share the limit, and time gives room again', async () => {
  const shared = limiter()
  let now = 0
  const of = (address: string) => limitLogins(known(), shared, { remoteAddress: address, nowMs: () => now })
  await of('192.0.2.1').verifyPassword('ada', 'wrong')
  await of('192.0.2.1').verifyPassword('ada', 'wrong')
  await of('192.0.2.2').verifyPassword('ada', 'wrong')
  expect(await of('192.0.2.3').verifyPassword('ada', 'right')).toMatchObject({ reason: 'busy' })
  now = 60_000
  expect(await of('192.0.2.3').verifyPassword('ada', 'right')).toMatchObject({ kind: 'authenticated' })
})
