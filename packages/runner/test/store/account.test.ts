/** The account over the engine: erasure, damage, crashes between steps, and that records always agree. */
import type { Clock, Timer } from '@postern/core/host'
import type { AccountStore, EmailId, MailStore, MessageRow, OpenMailbox, Uid } from '@postern/core/store'
import { Flag } from '@postern/core/store'
import { mailStoreCases } from '@postern/core/conformance'
import { describe, expect, it } from 'vitest'
import { AccountKeys, MessagePart } from '../../src/store/account-keys.ts'
import type { OpenMailStore } from '../../src/store/mail-store.ts'
import { createMemoryBlobs } from '../../src/store/memory-blobs.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import { openOverMemory } from '../../src/store/memory-store.ts'
import type { OrderedStore } from '../../src/store/ordered-store.ts'
import { verifyAccount } from '../../src/store/verify.ts'

const ALL = [{ first: 1 as Uid, last: 0xffff_ffff as Uid }]

/** A clock that stands still until it is moved; its timers never fire by themselves. */
class TestClock implements Clock {
  ms = 1_800_000_000_000

  now(): number {
    return this.ms
  }

  monotonic(): number {
    return this.ms
  }

  timer(): Timer {
    return { cancel() {} }
  }
}

interface Opened {
  readonly engine: OrderedStore
  readonly blobs: ReturnType<typeof createMemoryBlobs>
  readonly clock: TestClock
  readonly store: OpenMailStore
  readonly account: AccountStore
  readonly keys: AccountKeys
}

async function openAccount(): Promise<Opened> {
  const engine = createMemoryOrderedStore()
  const blobs = createMemoryBlobs()
  const clock = new TestClock()
  const store = openOverMemory(engine, blobs, { clock })
  const account = await store.createAccount('ann')
  return { engine, blobs, clock, store, account, keys: new AccountKeys(1) }
}

async function append(account: AccountStore, mailbox: string, text: string, flags = 0): Promise<void> {
  const sink = account.spool()
  await sink.write(Buffer.from(text))
  const message = await sink.end()
  const result = await account.append(mailbox, [{ message, flags, keywords: [] }])
  message.release()
  expect(result.kind).toBe('appended')
}

async function open(account: AccountStore, name = 'INBOX'): Promise<OpenMailbox> {
  const opened = await account.open(name, 'read-only')
  if (opened === undefined) throw new Error(`No mailbox ${name}`)
  return opened
}

async function rowsOf(session: OpenMailbox): Promise<MessageRow[]> {
  const rows: MessageRow[] = []
  for await (const batch of session.fetch(ALL, {})) rows.push(...batch)
  return rows
}

async function octetsOf(session: OpenMailbox, emailId: EmailId): Promise<number> {
  let octets = 0
  for await (const piece of session.read(emailId, 0, Infinity)) octets += piece.length
  return octets
}

async function countMessageRecords({ engine, keys }: Opened): Promise<number> {
  const entries = await engine.range({ from: keys.message(0, 0), to: keys.messageParts(2 ** 39).to, limit: 100_000 })
  return entries.length
}

const letter = (n: number, octets = 20): string =>
  `Subject: ${n}\r\nMessage-ID: <${n}@example.com>\r\n\r\n${'x'.repeat(octets)}`

describe('erasure', () => {
  it('waits ten minutes and until every session was told', async () => {
    const opened = await openAccount()
    const { account, store, clock } = opened
    await append(account, 'INBOX', letter(1), Flag.deleted)
    await append(account, 'INBOX', letter(2))
    const late = await open(account)
    const prompt = await open(account)
    const [gone] = await rowsOf(late)
    await prompt.expunge()
    prompt.told((await prompt.changesSince(prompt.snapshot.modseq)).upTo)

    clock.ms += 599_000
    await store.erase()
    expect(await octetsOf(late, gone?.emailId as EmailId)).toBe(letter(1).length)
    clock.ms += 2_000
    await store.erase()
    expect(await octetsOf(late, gone?.emailId as EmailId)).toBe(letter(1).length)
    expect((await rowsOf(late)).map((row) => row.uid)).toEqual([1, 2])

    late.told((await late.changesSince(late.snapshot.modseq)).upTo)
    await store.erase()
    expect(await octetsOf(late, gone?.emailId as EmailId)).toBe(0)
    expect(await countMessageRecords(opened)).toBe(3)
    expect(await verifyAccount({ ...opened, store: opened.engine })).toEqual([])
    const session = await open(account)
    expect((await session.changesSince(late.snapshot.modseq)).vanished).toEqual([{ first: 1, last: 1 }])
  })

  it('spares messages that have another place, and erases them with the last', async () => {
    const opened = await openAccount()
    const { account, store, clock } = opened
    await account.create('there')
    for (let n = 0; n < 5; n += 1) await append(account, 'INBOX', letter(n))
    const inbox = await open(account)
    await inbox.copy(ALL, 'there')
    await inbox.copy(ALL, 'INBOX')
    await inbox.move([{ first: 1 as Uid, last: 2 as Uid }], 'there')
    await inbox.storeFlags(ALL, { mode: 'add', flags: Flag.deleted, keywords: [] })
    await inbox.expunge()
    inbox.close()
    clock.ms += 700_000
    await store.erase()
    expect(await verifyAccount({ ...opened, store: opened.engine })).toEqual([])
    const there = await open(account, 'there')
    for (const row of await rowsOf(there)) expect(await octetsOf(there, row.emailId)).toBe(row.sizeOctets)
    there.close()
    await account.delete('there')
    expect(await countMessageRecords(opened)).toBe(15)
    clock.ms += 700_000
    await store.erase()
    expect(await countMessageRecords(opened)).toBe(0)
    expect(await verifyAccount({ ...opened, store: opened.engine })).toEqual([])
  })

  it('goes in small changes over many and large messages', async () => {
    const opened = await openAccount()
    const { account, store, clock, engine } = opened
    const sink = account.spool()
    await sink.write(Buffer.from(letter(1, 50_000)))
    const message = await sink.end()
    const many = Array.from({ length: 60 }, () => ({ message, flags: Flag.deleted, keywords: [] }))
    for (let n = 0; n < 5; n += 1) await account.append('INBOX', many)
    const large = account.spool()
    await large.write(Buffer.from(letter(2, 400_000)))
    const blob = await large.end()
    await account.append('INBOX', [{ message: blob, flags: Flag.deleted, keywords: [] }])
    const session = await open(account)
    await session.expunge()
    session.close()
    clock.ms += 700_000
    let most = 0
    const commit = engine.commit.bind(engine)
    engine.commit = (batch) => {
      most = Math.max(most, (batch.delete?.length ?? 0) + (batch.put?.length ?? 0))
      return commit(batch)
    }
    await store.erase()
    expect(most).toBeLessThan(330)
    expect(await countMessageRecords(opened)).toBe(0)
    expect(await verifyAccount({ ...opened, store: engine })).toEqual([])
  })

  it('trims the change log; who is further behind is told all the same', async () => {
    const opened = await openAccount()
    const { account, store, engine, keys } = opened
    for (let n = 0; n < 4; n += 1) await append(account, 'INBOX', letter(n))
    const early = await open(account)
    await append(account, 'INBOX', letter(9))
    await early.storeFlags([{ first: 2 as Uid, last: 3 as Uid }], { mode: 'add', flags: Flag.deleted, keywords: [] })
    await early.expunge([{ first: 3 as Uid, last: 3 as Uid }])
    for (let n = 0; n < 10_050; n += 1) await account.setSubscribed('x', n % 2 === 0)
    await early.storeFlags([{ first: 2 as Uid, last: 2 as Uid }], { mode: 'remove', flags: Flag.deleted, keywords: [] })
    await store.erase()
    expect((await engine.range({ ...keys.logAfter(0), limit: 20_000 })).length).toBeLessThanOrEqual(10_001)
    const changes = await early.changesSince(early.snapshot.modseq)
    expect(changes.vanished).toEqual([{ first: 3, last: 3 }])
    expect(changes.changed.map((row) => [row.uid, row.flags])).toEqual([[2, 0]])
    expect(changes.arrived.map((row) => row.uid)).toEqual([5])
    expect([...(await open(account)).snapshot.uids]).toEqual([1, 2, 4, 5])
  })
})

describe('a large mailbox', () => {
  it('is opened and followed in slices while it changes', async () => {
    const opened = await openAccount()
    const { account, engine, blobs, keys } = opened
    await account.create('large')
    await append(account, 'INBOX', letter(1))
    const inbox = await open(account)
    await inbox.copy(ALL, 'large')
    const grower = await open(account, 'large')
    for (let n = 0; n < 17; n += 1) await grower.copy(ALL, 'large')
    const early = await open(account, 'large')
    expect(early.snapshot.uids.size).toBe(131_072)

    // Another handle knows nothing of what this one has read.
    const fresh = await openOverMemory(engine, blobs).account('ann')
    const run = { isOver: false }
    const changing = (async () => {
      for (let uid = 1; !run.isOver; uid += 1000) {
        const range = [{ first: uid as Uid, last: (uid + 3) as Uid }]
        await early.storeFlags(range, { mode: 'add', flags: Flag.deleted | Flag.seen, keywords: [] })
        await early.expunge(range)
        await append(account, 'large', letter(uid))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const late = await open(fresh as AccountStore, 'large')
    await early.storeFlags(ALL, { mode: 'add', flags: Flag.flagged, keywords: [] })
    const changes = await late.changesSince(late.snapshot.modseq)
    run.isOver = true
    await changing
    expect(late.snapshot.uids.size).toBe(late.snapshot.status.messages)
    expect(changes.changed.length).toBeGreaterThan(100_000)

    const last = await late.changesSince(changes.upTo)
    const view = [changes, last].reduce(
      (uids, { vanished, arrived }) => uids.remove(vanished).append(arrived.map(({ uid }) => uid)),
      late.snapshot.uids,
    )
    expect(view.size).toBe((await open(account, 'large')).snapshot.status.messages)
    expect(await verifyAccount({ store: engine, blobs, keys })).toEqual([])
  })
})

describe('damage', () => {
  it.each([
    ['list', MessagePart.list, { list: true }],
    ['structure', MessagePart.structure, { structure: true }],
    ['body', MessagePart.body, { bodyOctets: 65_536 }],
  ] as const)('to a %s record is told for that message only', async (_, part, parts) => {
    const { account, engine, keys } = await openAccount()
    for (let n = 0; n < 3; n += 1) await append(account, 'INBOX', letter(n))
    const key = keys.message(2, part)
    const [value] = await engine.getMany([key])
    const damaged = new Uint8Array(value as Uint8Array)
    damaged[damaged.length - 6] = (damaged[damaged.length - 6] as number) ^ 1
    await engine.commit({ partition: keys.partition, put: [{ key, value: damaged }] })

    const session = await open(account)
    const given: number[] = []
    const fetching = (async () => {
      for await (const batch of session.fetch(ALL, parts)) given.push(...batch.map((row) => row.uid))
    })()
    await expect(fetching).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(given).toEqual([1, 3])
    expect((await rowsOf(session)).map((row) => row.uid)).toEqual([1, 2, 3])
    expect(await verifyAccount({ store: engine, keys, blobs: createMemoryBlobs() })).toHaveLength(1)
    await session.storeFlags(ALL, { mode: 'add', flags: Flag.seen, keywords: [] })
  })

  it('to a page is told when it is to be written', async () => {
    const { account, engine, keys } = await openAccount()
    await append(account, 'INBOX', letter(1))
    const key = keys.page(1, 0)
    const [value] = await engine.getMany([key])
    const damaged = new Uint8Array(value as Uint8Array)
    damaged[20] = (damaged[20] as number) ^ 1
    await engine.commit({ partition: keys.partition, put: [{ key, value: damaged }] })
    const again = await openOverMemory(engine, createMemoryBlobs()).account('ann')
    const session = await open(again as AccountStore)
    const storing = session.storeFlags(ALL, { mode: 'add', flags: Flag.seen, keywords: [] })
    await expect(storing).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})

describe('records agree', () => {
  const models = mailStoreCases(async () => {
    const engine = createMemoryOrderedStore()
    const kept: OrderedStore = Object.assign(Object.create(engine) as OrderedStore, { close: async () => undefined })
    const blobs = createMemoryBlobs()
    const clock = new TestClock()
    let store: OpenMailStore = openOverMemory(kept, blobs, { clock })
    const check = async (): Promise<void> => {
      const account = await store.account('ann')
      if (account === undefined) return
      expect(await verifyAccount({ store: engine, keys: account.keys, blobs })).toEqual([])
    }
    const steps: MailStore = withErasure(store, clock)
    return {
      store: steps,
      async reopen() {
        await check()
        await store.close()
        store = openOverMemory(kept, blobs, { clock })
        return withErasure(store, clock)
      },
      async close() {
        await check()
        clock.ms += 700_000
        await store.erase()
        await check()
      },
    }
  }).filter(({ name }) => name.startsWith('random') || name.startsWith('operations') || name.startsWith('many'))
  for (const { name, run } of models) it(`after: ${name}`, run)

  it('there are models', () => {
    expect(models.length).toBeGreaterThan(5)
  })
})

/** Lets time go on and the eraser come by before every append. */
function withErasure(store: OpenMailStore, clock: TestClock): MailStore {
  const patched = new WeakSet<AccountStore>()
  const patch = (account: AccountStore): AccountStore => {
    if (patched.has(account)) return account
    patched.add(account)
    const append = account.append.bind(account)
    account.append = async (mailbox, messages) => {
      clock.ms += 400_000
      await store.erase()
      return await append(mailbox, messages)
    }
    return account
  }
  const create = store.createAccount.bind(store)
  const find = store.account.bind(store)
  store.createAccount = async (name) => patch(await create(name))
  store.account = async (name) => {
    const found = await find(name)
    if (found !== undefined) patch(found)
    return found
  }
  return store
}
