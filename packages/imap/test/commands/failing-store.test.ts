import type { Engine } from '@postern/core/conversation'
import { StoreError, type AccountStore, type OpenMailbox, type SpooledMessage } from '@postern/core/store'
import { describe, expect, test } from 'vitest'
import { startImapWorld, type ImapWorld } from '../imap-harness.ts'
import { cutInto, playConversation, type Played } from '../run-conversation.ts'

/** An object with some of its methods replaced. */
function changed<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, property) {
      const own = Reflect.get(methods, property) as unknown
      if (own !== undefined) return own
      const value = Reflect.get(target, property, target) as unknown
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
}

async function worldWith(methods: (account: AccountStore) => Partial<AccountStore>): Promise<ImapWorld> {
  const world: ImapWorld = await startImapWorld({ login: async () => changed(world.account, methods(world.account)) })
  return world
}

async function worldWithMailbox(methods: (mailbox: OpenMailbox) => Partial<OpenMailbox>): Promise<ImapWorld> {
  return worldWith((account) => ({
    async open(name, mode) {
      const mailbox = await account.open(name, mode)
      return mailbox && changed(mailbox, methods(mailbox))
    },
  }))
}

function talk(engine: Engine, text: string): Promise<Played> {
  return playConversation(engine, cutInto(Buffer.from(text), [1000]))
}

function answers({ output }: Played, tag: string): readonly string[] {
  return output.split('\r\n').filter((line) => line.startsWith(`${tag} `))
}

const LARGE = `Subject: large\r\n\r\n${'x'.repeat(200_000)}`
const appendLarge = `a LOGIN ann secret\r\nb APPEND INBOX {${LARGE.length}+}\r\n${LARGE}\r\nc SELECT INBOX\r\n`

describe('FETCH from a store that fails', () => {
  test('in the middle of a literal breaks the connection off, and nothing is written behind it', async () => {
    const world = await worldWithMailbox((mailbox) => ({
      async *read(emailId, from, to) {
        for await (const piece of mailbox.read(emailId, from, to)) {
          yield piece
          throw new StoreError('STORE_CORRUPT', 'The disk is gone')
        }
      },
    }))
    const played = await talk(world.engine, `${appendLarge}d FETCH 1 BODY.PEEK[]\r\ne NOOP\r\n`)
    expect(played.closes).toEqual([{ kind: 'close', how: 'now', reason: 'fault' }])
    expect(answers(played, 'd')).toEqual([])
    expect(answers(played, 'e')).toEqual([])
    expect(world.faults).toHaveLength(1)
  })

  test('before any octet of the message ends the command alone', async () => {
    const world = await worldWithMailbox(() => ({
      // oxlint-disable-next-line require-yield
      async *read() {
        throw new StoreError('STORE_CORRUPT', 'The disk is gone')
      },
    }))
    const played = await talk(world.engine, `${appendLarge}d FETCH 1 BODY.PEEK[]\r\ne NOOP\r\n`)
    expect(answers(played, 'd')).toEqual(['d NO [SERVERBUG] Internal error, it has been logged'])
    expect(answers(played, 'e')).toEqual(['e OK NOOP completed'])
  })

  test('a message that has gone is left out, and its number is told to be no more', async () => {
    const world = await worldWithMailbox(() => ({
      async *read() {
        yield* []
      },
    }))
    const played = await talk(world.engine, `${appendLarge}d FETCH 1 BODY.PEEK[]\r\ne UID FETCH 1 BODY.PEEK[]\r\n`)
    expect(played.output).not.toContain('FETCH (')
    expect(answers(played, 'd')).toEqual(['d NO [EXPUNGEISSUED] Some of the messages no longer exist'])
    expect(answers(played, 'e')).toEqual(['e OK FETCH completed'])
  })
})

describe('APPEND to a store that fails', () => {
  const APPEND = 'a LOGIN ann secret\r\nb APPEND INBOX {6+}\r\nX: y\r\n\r\nc NOOP\r\n'

  /** A world that counts the messages taken in and those let go. */
  async function countingWorld(append?: AccountStore['append']): Promise<{ world: ImapWorld; held: () => number }> {
    let held = 0
    const world = await worldWith((account) => ({
      ...(append === undefined ? {} : { append }),
      spool() {
        const spool = account.spool()
        return changed(spool, {
          async end(): Promise<SpooledMessage> {
            const message = await spool.end()
            held += 1
            return changed(message, { release: () => void (held -= 1) })
          },
        })
      },
    }))
    return { world, held: () => held }
  }

  test.each([
    ['stored', undefined, 'b OK [APPENDUID 1694347200 1] APPEND completed'],
    ['its disk is full', new StoreError('STORE_FULL', 'Full'), 'b NO [UNAVAILABLE] No space left, try later'],
    ['it fails', new Error('The disk is gone'), 'b NO [SERVERBUG] Internal error, it has been logged'],
  ])('lets the message go: %s', async (_, fault, answer) => {
    const { world, held } = await countingWorld(fault && (() => Promise.reject(fault)))
    const played = await talk(world.engine, APPEND)
    expect(answers(played, 'b')).toEqual([answer])
    expect(answers(played, 'c')).toEqual(['c OK NOOP completed'])
    expect(held()).toBe(0)
  })

  test('lets the message go: the mailbox was deleted meanwhile', async () => {
    const { world, held } = await countingWorld(async () => ({ kind: 'no-such-mailbox' }))
    const played = await talk(world.engine, APPEND)
    expect(answers(played, 'b')).toEqual(['b NO [TRYCREATE] No such mailbox'])
    expect(held()).toBe(0)
  })

  test('a message that it can not take now is refused, and the stream stays in step', async () => {
    const world = await worldWith((account) => ({
      spool: () =>
        changed(account.spool(), { write: () => Promise.reject(new StoreError('STORE_BUSY', 'Too many octets')) }),
    }))
    const played = await talk(world.engine, APPEND)
    expect(answers(played, 'b')).toEqual(['b NO [UNAVAILABLE] Too busy, try again'])
    expect(answers(played, 'c')).toEqual(['c OK NOOP completed'])
  })
})

describe('a peer that goes away', () => {
  test('ends a search between two turns', async () => {
    let fetched = 0
    const world = await worldWithMailbox((mailbox) => ({
      async *fetch(uids, parts) {
        for await (const rows of mailbox.fetch(uids, parts)) {
          fetched += 1
          if (fetched === 2) world.engine.end(new Error('reset'))
          yield rows
        }
      },
    }))
    for (let n = 0; n < 1500; n += 1) {
      const spool = world.account.spool()
      await spool.write(Buffer.from(`Subject: ${n}\r\n\r\ntext`))
      await world.account.append('INBOX', [{ message: await spool.end(), flags: 0, keywords: [] }])
    }
    const played = await talk(world.engine, 'a LOGIN ann secret\r\nb SELECT INBOX\r\nc SEARCH UNSEEN\r\n')
    expect(played.output).not.toContain('* SEARCH')
    expect(fetched).toBe(2)
  })
})
