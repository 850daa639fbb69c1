/** When a client that idles is told: soon after a notice, once for a burst, and now and then without one. */
import type { Effect } from '@postern/core/conversation'
import type { OpenMailbox } from '@postern/core/store'
import { describe, expect, test } from 'vitest'
import { startImapWorld, type ImapWorld } from '../imap-harness.ts'

interface Idler {
  readonly world: ImapWorld
  /** What the engine wanted since this was last asked: writes as text, timers by name and time. */
  wanted(): Promise<readonly string[]>
  /** Looks for changes begun so far. */
  readonly looks: () => number
  /** Holds looks back until released. */
  hold(): () => void
}

async function startIdling(): Promise<Idler> {
  let looks = 0
  let held: Promise<void> | undefined
  const world: ImapWorld = await startImapWorld({
    login: async () =>
      new Proxy(world.account, {
        get: (target, property) => {
          const value = Reflect.get(target, property, target) as unknown
          if (property === 'open') {
            return async (name: string, mode: 'read-write' | 'read-only') => {
              const mailbox = (await target.open(name, mode)) as OpenMailbox
              return new Proxy(mailbox, {
                get: (own, key) => {
                  const inner = Reflect.get(own, key, own) as unknown
                  if (key === 'changesSince') {
                    return async (since: OpenMailbox['snapshot']['modseq']) => {
                      looks += 1
                      const changes = await own.changesSince(since)
                      await held
                      return changes
                    }
                  }
                  return typeof inner === 'function' ? (inner as () => unknown).bind(own) : inner
                },
              })
            }
          }
          return typeof value === 'function' ? (value as () => unknown).bind(target) : value
        },
      }),
  })
  const { engine } = world
  let wants: string[] = []
  const show = (effect: Effect): string =>
    effect.kind === 'write'
      ? Buffer.concat(effect.octets).toString('latin1').trimEnd()
      : effect.kind === 'timer'
        ? `${effect.name} ${effect.ms ?? 'off'}`
        : effect.kind
  const pump = (): void => {
    for (let effect = engine.next(); effect !== undefined; effect = engine.next()) wants.push(show(effect))
  }
  engine.onWake(() => {})
  const wanted = async (): Promise<readonly string[]> => {
    for (let turn = 0; turn < 5; turn += 1) {
      pump()
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    const all = wants
    wants = []
    return all
  }
  for (const line of ['a LOGIN ann secret\r\n', 'b SELECT INBOX\r\n', 'c IDLE\r\n']) {
    await wanted()
    engine.feed(Buffer.from(line))
  }
  return {
    world,
    wanted,
    looks: () => looks,
    hold() {
      let release = (): void => {}
      held = new Promise((resolve) => {
        release = resolve
      })
      return () => release()
    },
  }
}

describe('IDLE', () => {
  test('looks at once, and every 30 seconds when nothing is noticed', async () => {
    const { world, wanted, looks } = await startIdling()
    expect(await wanted()).toEqual(['+ idling', 'updates 30000', 'command 1800000'])
    expect(looks()).toBe(1)
    world.engine.timeout('updates')
    expect(await wanted()).toEqual(['updates 30000'])
    expect(looks()).toBe(2)
  })

  test('tells a burst of changes together, a moment after the first', async () => {
    const { world, wanted, looks } = await startIdling()
    await wanted()
    for (let n = 0; n < 5; n += 1) await world.act?.('append INBOX')
    expect(await wanted()).toEqual(['updates 100'])
    expect(looks()).toBe(1)
    world.engine.timeout('updates')
    expect(await wanted()).toEqual(['* 5 EXISTS\r\n* 0 RECENT', 'updates 30000'])
    expect(looks()).toBe(2)
  })

  test('looks again soon when something is noticed while it tells', async () => {
    const { world, wanted, hold } = await startIdling()
    await wanted()
    await world.act?.('append INBOX')
    await wanted()
    const release = hold()
    world.engine.timeout('updates')
    expect(await wanted()).toEqual([])
    await world.act?.('append INBOX')
    release()
    expect(await wanted()).toEqual(['* 1 EXISTS\r\n* 0 RECENT', 'updates 30000', 'updates 100'])
    world.engine.timeout('updates')
    expect(await wanted()).toEqual(['* 2 EXISTS\r\n* 0 RECENT', 'updates 30000'])
  })

  test('DONE takes the timer back', async () => {
    const { world, wanted } = await startIdling()
    await wanted()
    world.engine.feed(Buffer.from('DONE\r\n'))
    expect(await wanted()).toEqual(['updates off', 'c OK IDLE completed', 'command 1800000'])
    await world.act?.('append INBOX')
    expect(await wanted()).toEqual([])
  })
})
