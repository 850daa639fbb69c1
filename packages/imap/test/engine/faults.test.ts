import type { Engine } from '@postern/core/conversation'
import { StoreError, type AccountStore, type SpooledMessage } from '@postern/core/store'
import { describe, expect, test } from 'vitest'
import { plainAuthenticator, startImapWorld, type ImapWorld } from '../imap-harness.ts'
import { cutInto, playConversation } from '../run-conversation.ts'

/** A world whose account answers as `change` says. */
async function worldWith(change: (account: AccountStore) => Partial<AccountStore>): Promise<ImapWorld> {
  const world: ImapWorld = await startImapWorld({
    login: async () => {
      const { account } = world
      return new Proxy(account, {
        get: (target, property) => {
          const changed = Reflect.get(change(account), property) as unknown
          if (changed !== undefined) return changed
          const value = Reflect.get(target, property, target) as unknown
          return typeof value === 'function' ? (value as () => unknown).bind(target) : value
        },
      })
    },
  })
  return world
}

async function talk(engine: Engine, text: string): Promise<readonly string[]> {
  const { output } = await playConversation(engine, cutInto(Buffer.from(text), [7]))
  return output.split('\r\n')
}

describe('faults', () => {
  const ERRORS: readonly (readonly [error: Error, answer: string, logged: number])[] = [
    [new StoreError('STORE_FULL', 'full'), 'b NO [UNAVAILABLE] No space left, try later', 1],
    [new StoreError('STORE_BUSY', 'busy'), 'b NO [UNAVAILABLE] Too busy, try again', 0],
    [new StoreError('STORE_FAILED', 'failed'), 'b NO [SERVERBUG] Internal error, it has been logged', 1],
    [new StoreError('STORE_CORRUPT', 'corrupt'), 'b NO [SERVERBUG] Internal error, it has been logged', 1],
    [new TypeError('x is not a function'), 'b NO [SERVERBUG] Internal error, it has been logged', 1],
  ]
  test.each(ERRORS)('%s of a store is told and the conversation goes on', async (fault, answer, logged) => {
    const rejects = async (): Promise<never> => {
      throw fault
    }
    const throws = (): never => {
      throw fault
    }
    for (const create of [rejects, throws]) {
      const world = await worldWith(() => ({ create }))
      const lines = await talk(world.engine, 'a LOGIN ann secret\r\nb CREATE x\r\nc NOOP\r\n')
      expect(lines).toContain(answer)
      expect(lines).toContain('c OK NOOP completed')
      expect(world.faults).toHaveLength(logged)
    }
  })

  test('a login that the store can not serve is told', async () => {
    const world = await startImapWorld({ login: () => Promise.reject(new Error('no such file')) })
    expect(await talk(world.engine, 'a LOGIN ann secret\r\nb NOOP\r\n')).toContain('a NO [SERVERBUG] Internal error, it has been logged')
    expect(world.faults).toHaveLength(1)
  })

  test('an authenticator that throws is told', async () => {
    const authenticator = { ...plainAuthenticator, verifyPassword: () => Promise.reject(new Error('worker died')) }
    const world = await startImapWorld({ authenticator })
    expect(await talk(world.engine, 'a LOGIN ann secret\r\n')).toContain('a NO [SERVERBUG] Internal error, it has been logged')
  })

  test('changes that can not be read are told next time, and the command is completed', async () => {
    let failures = 1
    const world = await worldWith((account) => ({
      open: async (name, mode) => {
        const mailbox = await account.open(name, mode)
        if (mailbox === undefined) return undefined
        return new Proxy(mailbox, {
          get: (target, property) => {
            if (property === 'changesSince' && failures > 0) {
              failures -= 1
              return () => Promise.reject(new Error('unreadable'))
            }
            const value = Reflect.get(target, property, target) as unknown
            return typeof value === 'function' ? (value as () => unknown).bind(target) : value
          },
        })
      },
    }))
    const append = 'APPEND INBOX {6+}\r\nA: b\r\n\r\n'
    const lines = await talk(world.engine, `a LOGIN ann secret\r\nb SELECT INBOX\r\nc ${append}d NOOP\r\n`)
    const completed = lines.findIndex((line) => line.startsWith('c OK'))
    expect(completed).toBeGreaterThan(0)
    expect(lines.slice(completed + 1, completed + 4)).toEqual(['* 1 EXISTS', '* 0 RECENT', 'd OK NOOP completed'])
    expect(world.faults).toHaveLength(1)
  })

  test('a mailbox opened while the peer goes is closed again', async () => {
    let closed = 0
    let opening: (() => void) | undefined
    const world = await worldWith((account) => ({
      open: async (name, mode) => {
        const mailbox = await account.open(name, mode)
        await new Promise<void>((resolve) => {
          opening = resolve
        })
        if (mailbox === undefined) return undefined
        return new Proxy(mailbox, {
          get: (target, property) => {
            if (property === 'close') return () => void (closed += 1)
            return Reflect.get(target, property, target) as unknown
          },
        })
      },
    }))
    const { engine } = world
    const pump = (): void => {
      while (engine.next() !== undefined);
    }
    const rest = async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) {
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
        pump()
      }
    }
    engine.onWake(() => {})
    pump()
    engine.feed(Buffer.from('a LOGIN ann secret\r\nb SELECT INBOX\r\n'))
    pump()
    await rest()
    expect(opening).toBeDefined()
    engine.end(new Error('reset'))
    pump()
    opening?.()
    await rest()
    expect(closed).toBe(1)
    expect(world.faults).toEqual([])
  })

  test('a message taken in for a command that is not run is released', async () => {
    let taken = 0
    let released = 0
    const world = await worldWith((account) => ({
      spool: () => {
        const spool = account.spool()
        return {
          write: (octets) => spool.write(octets),
          abort: (cause) => spool.abort(cause),
          end: async (): Promise<SpooledMessage> => {
            const message = await spool.end()
            taken += 1
            return Object.assign(Object.create(message) as SpooledMessage, { release: () => void (released += 1) })
          },
        }
      },
    }))
    const literal = '{6+}\r\nA: b\r\n'
    const lines = await talk(
      world.engine,
      `a LOGIN ann secret\r\nb APPEND INBOX ${literal} garbage\r\nc APPEND INBOX ${literal} {9+}\r\nA: b\r\n\r\nx\r\nd APPEND INBOX ${literal}`,
    )
    expect(lines.find((line) => line.startsWith('b '))).toMatch(/^b BAD /)
    expect(lines.find((line) => line.startsWith('c '))).toMatch(/^c BAD /)
    expect(taken).toBeGreaterThanOrEqual(3)
    expect(released).toBe(taken)
  })

  test('a peer that does not read holds one block', async () => {
    let asked = 0
    const world = await worldWith((account) => ({
      status: (ids) => {
        asked += 1
        return account.status(ids)
      },
    }))
    for (let n = 0; n < 640; n += 1) await world.account.create(`Mailbox number ${n}`)
    const { engine } = world
    engine.onWake(() => {})
    const untilWrite = async (): Promise<boolean> => {
      for (let turn = 0; turn < 20; turn += 1) {
        const effect = engine.next()
        if (effect?.kind === 'write') return true
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
      return false
    }
    expect(await untilWrite()).toBe(true)
    engine.feed(Buffer.from('a LOGIN ann secret\r\n'))
    expect(await untilWrite()).toBe(true)
    engine.feed(Buffer.from('b LIST "" * RETURN (STATUS (MESSAGES))\r\n'))
    for (let written = 1; written <= 5; written += 1) {
      expect(await untilWrite()).toBe(true)
      for (let turn = 0; turn < 5; turn += 1) {
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
      expect(asked).toBeLessThanOrEqual(written + 1)
    }
  })
})
