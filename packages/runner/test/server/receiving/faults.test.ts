/** A fault at any call of the store costs one command or one message, and nothing is lost, doubled or left behind by it. */
import { afterEach, describe, expect, it } from 'vitest'
import type { MailStore } from '@postern/core/store'
import { memoryStore } from '../../../src/index.ts'
import { createReceivingServer, letter, SENDER_IP, type ReceivingServer } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

/** A store whose calls are counted while `armed`, one of which fails. */
class FaultyStore {
  armed = false
  calls: string[] = []
  /** Whether it takes mail at all. */
  accepting = true
  /** The call that throws, from 0 on. */
  failAt = -1

  /** The real thing behind a proxy; what it gives out is behind one as well. */
  wrap<T extends object>(target: T, path: string): T {
    return new Proxy(target, {
      get: (real, name) => {
        if (name === 'accepting' && path === 'store') return this.accepting
        const value: unknown = Reflect.get(real, name, real)
        if (typeof value !== 'function' || typeof name !== 'string') return value
        return (...args: unknown[]): unknown => {
          if (this.armed) {
            this.calls.push(`${path}.${name}`)
            if (this.calls.length - 1 === this.failAt) throw new Error(`Fault at ${path}.${name}`)
          }
          const result: unknown = (value as (...args: unknown[]) => unknown).apply(real, args)
          if (name === 'account') return (result as Promise<object | undefined>).then((account) => (account === undefined ? undefined : this.wrap(account, 'account')))
          if (name === 'spool') return this.wrap(result as object, 'spool')
          return result
        }
      },
    })
  }
}

const open: ReceivingServer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((running) => running[Symbol.asyncDispose]()))
})

async function createFaultyServer(): Promise<{ readonly running: ReceivingServer; readonly faulty: FaultyStore }> {
  const faulty = new FaultyStore()
  const store: MailStore = faulty.wrap(memoryStore() as MailStore, 'store')
  const running = await createReceivingServer({ accounts: { ada: { addresses: [{ address: 'ada@example.org', mailbox: 'New' }] }, bob: { addresses: ['bob@example.org'] } } }, { store })
  open.push(running)
  return { running, faulty }
}

/** One conversation that delivers one message. @returns its last reply */
async function converse(running: ReceivingServer): Promise<string | undefined> {
  const client = await SmtpClient.over(running.server, SENDER_IP).greet()
  const reply = await client.send(letter('hi'))
  await client.quit()
  return reply
}

describe('a fault of the store', () => {
  it('at each of its calls while a message comes: told to try again and not stored, or stored; the next session is served', { timeout: 120_000 }, async () => {
    const whole = await createFaultyServer()
    whole.faulty.armed = true
    expect(await converse(whole.running)).toMatch(/^250 2\.0\.0 /)
    whole.faulty.armed = false
    const { calls } = whole.faulty
    expect(calls).toEqual(expect.arrayContaining(['store.spool', 'spool.write', 'spool.end', 'store.account', 'account.judgements', 'account.lastWroteTo', 'account.append', 'account.create', 'account.forgetReject']))
    const outcomes = new Map<string, Set<string>>()
    for (let at = 0; at < calls.length; at += 1) {
      const { running, faulty } = await createFaultyServer()
      faulty.failAt = at
      faulty.armed = true
      const reply = await converse(running)
      faulty.armed = false
      const what = calls[at] ?? ''
      expect(reply?.slice(0, 3), what).toMatch(/^(250|451)$/)
      expect(await running.stored(), what).toEqual(reply?.startsWith('250') === true ? ['ada New 1'] : [])
      outcomes.set(what, new Set([...(outcomes.get(what) ?? []), reply?.slice(0, 3) ?? '']))
      expect(await converse(running), `after ${what}`).toMatch(/^250 2\.0\.0 /)
    }
    expect(outcomes.get('account.append')).toEqual(new Set(['451']))
    // What follows a message that is durable already is not worth having it sent twice.
    expect(outcomes.get('account.forgetReject')).toEqual(new Set(['250']))
  })

  it('that takes no mail for now: told before the data, and told of', async () => {
    const { running, faulty } = await createFaultyServer()
    const rejected = running.server.once('rejected')
    faulty.accepting = false
    expect(await converse(running)).toMatch(/^452 4\.3\.1 /)
    expect(await rejected).toMatchObject({ reason: 'storage', envelope: { from: 'sender@example.com', to: ['ada@example.org'] } })
    faulty.accepting = true
    expect(await converse(running)).toMatch(/^250 2\.0\.0 /)
  })

  it('while a reject is kept: the sender hears what he would have heard', async () => {
    const { running, faulty } = await createFaultyServer()
    const forge = async (): Promise<string | undefined> => {
      const client = await SmtpClient.over(running.server, '203.0.113.1').greet()
      const { value } = await running.hurry(client.send(letter('forged')))
      client.destroy()
      return value
    }
    faulty.armed = true
    expect(await forge()).toMatch(/^550 5\.7\.26 /)
    const at = faulty.calls.indexOf('account.keepReject')
    expect(at).toBeGreaterThan(0)
    faulty.calls = []
    faulty.failAt = at
    expect(await forge()).toMatch(/^550 5\.7\.26 /)
    faulty.armed = false
    expect(await converse(running)).toMatch(/^250 2\.0\.0 /)
  })

  it('of the resolver, which is none of its own: the sender comes back', async () => {
    const { running } = await createFaultyServer()
    const query = running.dns.query
    Object.defineProperty(running.dns, 'query', { value: () => Promise.reject(new TypeError('a defect')), configurable: true })
    expect(await converse(running)).toMatch(/^451 /)
    Object.defineProperty(running.dns, 'query', { value: query })
    expect(await converse(running)).toMatch(/^250 /)
  })
})
