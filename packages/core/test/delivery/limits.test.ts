/** Limits on what one account gets from one network, over restarts and under attack. */
import { defaultAdmissionLimits } from '@postern/core/admission'
import { createMemoryStore } from '@postern/core/conformance'
import { ArrivalsRegister } from '@postern/core/delivery'
import type { AccountStore } from '@postern/core/store'
import { describe, expect, it } from 'vitest'
import { createReceivingHost, GOOD_ZONE, mail, NOW_MS, told, type DirectoryInput, type ReceivingHost } from './receiving-host.ts'

const config: DirectoryInput = { domains: { 'example.org': {} }, accounts: { ada: { addresses: ['ada@example.org'] }, bob: { addresses: ['bob@example.org'] } } }
const NOW = NOW_MS / 1_000

const from = (host: ReceivingHost, ip: string, over: { readonly to?: string; readonly text?: string; readonly laterMs?: number } = {}) =>
  host.receive(mail('hi', over.text === undefined ? {} : { text: over.text }), [over.to ?? 'ada@example.org'], { connection: { remoteAddress: ip }, receivedAt: NOW_MS + (over.laterMs ?? 0) })

describe('deliveries', () => {
  it('one message more than an address may send in a minute is refused, and nothing is kept of it', async () => {
    const host = await createReceivingHost(config, { limits: { messagesPerMinute: [3, 9, 99] } })
    for (let n = 0; n < 3; n += 1) expect(told(await from(host, '192.0.2.7'))).toEqual(['ada INBOX no-bad-signals'])
    const outcome = await from(host, '192.0.2.7')
    expect(outcome).toMatchObject({ refusal: { code: 452, enhanced: '4.2.2', reason: 'rate', slow: true, text: 'Too many messages from 192.0.2.7/32 in a minute, at most 3' } })
    expect(await host.texts('ada')).toHaveLength(3)
    expect(await host.texts('ada', 'Rejects')).toEqual([])
    expect(told(await from(host, '192.0.2.8')), 'a neighbour').toEqual(['ada INBOX no-bad-signals'])
    expect(told(await from(host, '192.0.2.7', { to: 'bob@example.org' })), 'another account').toEqual(['bob INBOX no-bad-signals'])
    expect(told(await from(host, '192.0.2.7', { laterMs: 120_000 })), 'later').toEqual(['ada INBOX no-bad-signals'])
  })

  it('of a network together', async () => {
    const host = await createReceivingHost(config, { limits: { messagesPerDay: [10, 4, 99] } })
    for (const last of [1, 2, 3, 4]) await from(host, `192.0.2.${last}`)
    expect(told(await from(host, '192.0.2.5'))).toEqual(['452 4.2.2 rate'])
    expect(told(await from(host, '192.0.2.65'))).toEqual(['ada INBOX no-bad-signals'])
  })

  it('octets count as messages do', async () => {
    const host = await createReceivingHost(config, { limits: { octetsPerDay: [5_000, 99_999, 99_999] } })
    const text = 'x'.repeat(2_000)
    for (let n = 0; n < 2; n += 1) expect(told(await from(host, '192.0.2.7', { text }))).toEqual(['ada INBOX no-bad-signals'])
    expect(told(await from(host, '192.0.2.7', { text }))).toEqual(['452 4.2.2 rate'])
    expect(told(await from(host, '192.0.2.7')), 'a small one still goes').toEqual(['ada INBOX no-bad-signals'])
  })

  it('what the store counted holds after a restart', async () => {
    const store = createMemoryStore()
    // The store counts by its own clock.
    const later = Date.now() - NOW_MS
    const first = await createReceivingHost(config, { store, limits: { messagesPerDay: [2, 9, 99] } })
    for (let n = 0; n < 2; n += 1) expect(told(await from(first, '192.0.2.7', { laterMs: later }))).toEqual(['ada INBOX no-bad-signals'])
    const again = await createReceivingHost(config, { store, limits: { messagesPerDay: [2, 9, 99] } })
    expect(told(await from(again, '192.0.2.7', { laterMs: later }))).toEqual(['452 4.2.2 rate'])
    const wider = await createReceivingHost(config, { store, limits: { messagesPerDay: [9, 2, 99] } })
    expect(told(await from(wider, '192.0.2.9', { laterMs: later }))).toEqual(['452 4.2.2 rate'])
  })

  it('what the host application vouches for is not counted against its sender', async () => {
    const host = await createReceivingHost(config, { zone: GOOD_ZONE, limits: { messagesPerMinute: [0, 0, 0] }, host: { messageHook: () => Promise.resolve({ action: 'accept' }) } })
    expect(told(await from(host, '192.0.2.7'))).toEqual(['ada INBOX trusted'])
  })
})

describe('ArrivalsRegister', () => {
  const accountNamed = (name: string): AccountStore => ({ name, arrivals: () => Promise.resolve([]) }) as unknown as AccountStore
  const stored = async (register: ArrivalsRegister, name: string, ip: string): Promise<void> => {
    const account = accountNamed(name)
    await register.check(account, ip, 1, NOW)
    await register.stored(account, ip, 1, NOW)
  }

  it('two messages that open an account at the same time count in one', async () => {
    const register = new ArrivalsRegister({ ...defaultAdmissionLimits, messagesPerMinute: [2, 9, 99] })
    const ada = accountNamed('ada')
    await Promise.all([register.check(ada, '192.0.2.7', 1, NOW), register.check(ada, '192.0.2.7', 1, NOW)])
    await register.stored(ada, '192.0.2.7', 1, NOW)
    await register.stored(ada, '192.0.2.7', 1, NOW)
    expect(await register.check(ada, '192.0.2.7', 1, NOW)).toMatchObject({ what: 'messages', limit: 2 })
  })

  it('what could not be read is read anew', async () => {
    const register = new ArrivalsRegister(defaultAdmissionLimits)
    let reads = 0
    const account = { name: 'ada', arrivals: () => ((reads += 1) === 1 ? Promise.reject(new Error('disk')) : Promise.resolve([])) } as unknown as AccountStore
    await expect(register.check(account, '192.0.2.7', 1, NOW)).rejects.toThrow('disk')
    expect(await register.check(account, '192.0.2.7', 1, NOW)).toBeUndefined()
  })

  it('holds so many accounts and so many counts, though a /8 and an IPv6 /32 send to all of them', async () => {
    const register = new ArrivalsRegister(defaultAdmissionLimits, { maxAccounts: 100, maxCounts: 20_000, messagesBetweenCounts: 64 })
    for (let n = 0; n < 100_000; n += 1) {
      const at = (n * 40_503) % 2 ** 24
      const ip = n % 2 === 0 ? `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}` : `2001:db8:${(at >> 8).toString(16)}:${(at & 255).toString(16)}::1`
      // Few accounts that get much, then more accounts than are held.
      await stored(register, `a${n % (n < 60_000 ? 50 : 150)}`, ip)
      if (n % 1_000 === 999) expect(await register.counts()).toBeLessThanOrEqual(20_000 + 64 * 6)
    }
    expect(register.size).toBe(100)
  })
})
