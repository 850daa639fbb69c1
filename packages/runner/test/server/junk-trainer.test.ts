/** The trainer against an independent store: whatever happens to messages, and wherever it is killed, the counts come out the same. */
import { createHash } from 'node:crypto'
import { createMemoryStore } from '@postern/core/conformance'
import { silentLogger, type Clock, type Timer } from '@postern/core/host'
import { Flag, MAX_UID, StoreError, type AccountStore, type FilingPolicy, type MailStore, type Uid } from '@postern/core/store'
import { readMessageKeys } from '@postern/junk/words'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { createJunkReader } from '../../src/server/junk-reader.ts'
import { MessageThread } from '../../src/server/message-thread.ts'
import { JunkTrainer, type Trained } from '../../src/server/junk-trainer.ts'
import { systemClock } from '../../src/host/clock.ts'
import { lmdbStore } from '../../src/store/lmdb-store.ts'
import { createMemoryBlobs } from '../../src/store/memory-blobs.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import { openOverMemory } from '../../src/store/memory-store.ts'
import type { OpenMailStore } from '../../src/store/mail-store.ts'
import type { OrderedStore } from '../../src/store/ordered-store.ts'
import { verifyAccount } from '../../src/store/verify.ts'
import { AccountKeys } from '../../src/store/account-keys.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const ALL = [{ first: 1 as Uid, last: MAX_UID }]
const MAILBOXES = ['INBOX', 'Junk', 'Archive', 'Other'] as const

/** A clock that stands still until it is moved; only the short pauses after a conflict with another process end by themselves. */
class StillClock implements Clock {
  ms = 1_800_000_000_000
  now = (): number => this.ms
  monotonic = (): number => this.ms
  timer(ms: number, fire: () => void): Timer {
    return ms < 100 ? systemClock.timer(ms, fire) : { cancel() {} }
  }
}

const policy: FilingPolicy = {
  flagsOnEntering({ name }) {
    if (name === 'Junk') return { set: Flag.junk, clear: Flag.notJunk }
    if (name === 'Archive') return { set: Flag.notJunk, clear: Flag.junk }
    return name === 'INBOX' ? { set: 0, clear: Flag.junk | Flag.notJunk } : undefined
  },
  correspondents: () => [],
}

const thread = new MessageThread({ logger: silentLogger })
const reader = createJunkReader(thread)
afterAll(() => thread.close())

interface Trainee {
  readonly store: MailStore
  readonly trainer: JunkTrainer
  readonly trained: Trained[]
  readonly account: AccountStore
}

function trainerOf(store: MailStore, clock: Clock, enabled: () => boolean = () => true): { readonly trainer: JunkTrainer; readonly trained: Trained[] } {
  const trained: Trained[] = []
  return { trainer: new JunkTrainer({ store, clock, logger: silentLogger, reader, isEnabled: enabled, trained: (each) => void trained.push(each) }), trained }
}

async function traineeOf(store: MailStore, clock: Clock): Promise<Trainee> {
  store.usePolicy(() => policy)
  const account = (await store.account('ann')) ?? (await store.createAccount('ann'))
  for (const name of MAILBOXES) await account.create(name)
  return { store, account, ...trainerOf(store, clock) }
}

const letter = (n: number): string => `From: w${n}x@example.com\r\nSubject: number${'abcdefghijklmnop'[n % 16]}\r\n\r\nsome words and ${'abcdefghijklmnop'[n % 16]}${'qrstuvwxyz'[n % 10]}ly\r\n`
const WORDS = Uint32Array.from(Array.from({ length: 40 }, (_, n) => [...readMessageKeys(Buffer.from(letter(n)))]).flat())

async function append(account: AccountStore, mailbox: string, n: number, flags = 0, text = letter(n)): Promise<void> {
  const spool = account.spool()
  await spool.write(Buffer.from(text))
  const message = await spool.end()
  await account.append(mailbox, [{ message, flags, keywords: [] }])
  message.release()
}

async function told({ training }: AccountStore): Promise<unknown> {
  const { totals, counts } = await training.corpus.read(WORDS)
  return { ham: totals.ham, spam: totals.spam, counts: createHash('sha256').update(counts).digest('hex') }
}

type Step =
  | { readonly kind: 'append'; readonly mailbox: string; readonly n: number; readonly flags: number }
  | { readonly kind: 'flags'; readonly mailbox: string; readonly uid: number; readonly flags: number }
  | { readonly kind: 'copy'; readonly mailbox: string; readonly uid: number; readonly to: string }
  | { readonly kind: 'move'; readonly mailbox: string; readonly uid: number; readonly to: string }
  | { readonly kind: 'expunge'; readonly mailbox: string; readonly uid: number }
  | { readonly kind: 'delete'; readonly mailbox: string }
  | { readonly kind: 'train' }
  | { readonly kind: 'erase' }
  | { readonly kind: 'retrain' }
  | { readonly kind: 'killed'; readonly commits: number; readonly retrain: boolean }

const mailbox = fc.constantFrom(...MAILBOXES)
const uid = fc.integer({ min: 1, max: 6 })
const flags = fc.constantFrom(0, Flag.junk, Flag.notJunk, Flag.junk | Flag.notJunk)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), mailbox, n: fc.nat({ max: 39 }), flags }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flags' as const), mailbox, uid, flags }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('copy' as const, 'move' as const), mailbox, uid, to: mailbox }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('expunge' as const), mailbox, uid }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), mailbox: fc.constantFrom('Junk', 'Archive', 'Other') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('train' as const, 'erase' as const, 'retrain' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('killed' as const), commits: fc.nat({ max: 8 }), retrain: fc.boolean() }) },
)

async function take({ account }: Trainee, given: Step): Promise<void> {
  if (given.kind === 'append') return append(account, given.mailbox, given.n, given.flags)
  if (given.kind === 'delete') {
    await account.delete(given.mailbox)
    await account.create(given.mailbox)
    return
  }
  if (given.kind === 'train' || given.kind === 'erase' || given.kind === 'retrain' || given.kind === 'killed') return
  const open = await account.open(given.mailbox, 'read-only')
  if (open === undefined) return
  const one = [{ first: given.uid as Uid, last: given.uid as Uid }]
  if (given.kind === 'flags') await open.storeFlags(one, { mode: 'replace', flags: given.flags, keywords: [] })
  else if (given.kind === 'expunge') {
    await open.storeFlags(one, { mode: 'add', flags: Flag.deleted, keywords: [] })
    await open.expunge(one)
  } else await open[given.kind](one, given.to)
  open.close()
}

/** An engine that breaks off after some commits, as a killed process does: what was committed stays. */
function killedAfter(store: OrderedStore, commits: number): OrderedStore {
  let left = commits
  return {
    read: (partition, fn) => store.read(partition, fn),
    getMany: (wanted) => store.getMany(wanted),
    range: (range) => store.range(range),
    limits: store.limits,
    writable: true,
    close: async () => undefined,
    commit: (batch) => {
      left -= 1
      return left < 0 ? Promise.reject(new StoreError('STORE_CLOSED', 'Killed')) : store.commit(batch)
    },
  }
}

describe('the trainer', () => {
  it('counts as an independent store does, whatever is appended, flagged, copied, moved, expunged, deleted and retrained, and wherever it is killed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const clock = new StillClock()
        const engine = createMemoryOrderedStore()
        const blobs = createMemoryBlobs()
        const store = openOverMemory(engine, blobs, { clock })
        const real = await traineeOf(store, clock)
        const model = await traineeOf(createMemoryStore({ clock }), clock)
        const erase = async (): Promise<void> => {
          clock.ms += 700_000
          await store.erase()
        }
        for (const given of steps) {
          await take(real, given)
          await take(model, given)
          if (given.kind === 'train') {
            await real.trainer.settled()
            await model.trainer.settled()
          } else if (given.kind === 'erase') await erase()
          else if (given.kind === 'retrain') {
            await real.trainer.settled()
            await erase()
            await real.trainer.settled()
            const before = await told(real.account)
            await real.trainer.retrain('ann')
            expect(await told(real.account)).toEqual(before)
          } else if (given.kind === 'killed') {
            const doomed = openOverMemory(killedAfter(engine, given.commits), blobs, { clock })
            const { trainer } = trainerOf(doomed, clock)
            await trainer.start()
            await trainer.settled()
            if (given.retrain) await trainer.retrain('ann').catch(() => undefined)
            await trainer.close()
          }
        }
        await real.trainer.start()
        for (let round = 0; round < 3; round += 1) {
          await real.trainer.settled()
          await erase()
        }
        await real.trainer.settled()
        await model.trainer.settled()
        expect(await told(real.account)).toEqual(await told(model.account))
        expect((await real.account.training.waiting(10)).messages).toEqual([])
        expect(await verifyAccount({ store: engine, blobs, keys: new AccountKeys(1) })).toEqual([])
        await store.close()
      }),
      { numRuns: 60 },
    )
  }, 120_000)

  it('learns more than fits one commit, large messages too, and tells of it', async () => {
    const clock = new StillClock()
    const { account, trainer, trained } = await traineeOf(openOverMemory(createMemoryOrderedStore(), createMemoryBlobs(), { clock }), clock)
    const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'la', 'me', 'ni', 'po', 'ru']
    const wordOf = (n: number): string => [...String(n).padStart(5, '0')].map((digit) => syllables[Number(digit)]).join('')
    const long = `Subject: long\r\n\r\n${Array.from({ length: 40_000 }, (_, n) => wordOf(n * 7)).join(' ')}\r\n`
    expect(readMessageKeys(Buffer.from(long)).length / 2, 'fewer than a third fit one commit').toBeGreaterThan(5_000)
    for (let n = 0; n < 30; n += 1) await append(account, 'Junk', n, 0, `X-N: ${n}\r\n${long}`)
    for (let n = 0; n < 70; n += 1) await append(account, 'Archive', n % 40)
    await trainer.settled()
    expect((await account.training.state()).totals).toEqual({ ham: 70, spam: 30 })
    expect(trained.length).toBeGreaterThan(2)
    expect(trained.reduce((sum, { ham, spam }) => ({ ham: sum.ham + ham, spam: sum.spam + spam }), { ham: 0, spam: 0 })).toEqual({ ham: 70, spam: 30 })
    const junk = await account.open('Junk', 'read-only')
    await junk?.move(ALL, 'Archive')
    await trainer.settled()
    expect((await account.training.state()).totals).toEqual({ ham: 100, spam: 0 })
    expect(trained.reduce((sum, { forgotten }) => sum + forgotten, 0)).toBe(30)
  })

  it('learns nothing for an account without a filter, and still takes out what is withdrawn', async () => {
    const clock = new StillClock()
    const store = openOverMemory(createMemoryOrderedStore(), createMemoryBlobs(), { clock })
    const { account, trainer } = await traineeOf(store, clock)
    await append(account, 'Junk', 1)
    await trainer.settled()
    await trainer.close()
    const other = trainerOf(store, clock, () => false)
    await append(account, 'Junk', 2)
    await other.trainer.settled()
    expect((await account.training.state()).totals).toEqual({ ham: 0, spam: 1 })
    await (await account.open('Junk', 'read-only'))?.move([{ first: 1 as Uid, last: 1 as Uid }], 'INBOX')
    await other.trainer.settled()
    expect((await account.training.state()).totals).toEqual({ ham: 0, spam: 0 })
  })

  it('learns all anew when words are read in another way than those that were learned', async () => {
    const clock = new StillClock()
    const { account, trainer } = await traineeOf(openOverMemory(createMemoryOrderedStore(), createMemoryBlobs(), { clock }), clock)
    await append(account, 'Junk', 1)
    await append(account, 'Archive', 2)
    const { messages, upTo } = await account.training.waiting(1)
    const strange = Uint32Array.of(1, 2, 3, 4)
    expect(await account.training.settle(upTo, messages.map(({ emailId }) => ({ emailId, before: undefined, counted: 'spam', keys: strange })), 12_345)).toBe('settled')
    await trainer.settled()
    expect((await account.training.state()).totals).toEqual({ ham: 1, spam: 1 })
    expect([...(await account.training.corpus.read(strange)).counts]).toEqual([0, 0, 0, 0])
  })

  it('goes on after a restart with what was left, over LMDB', async () => {
    const dir = await temporaryDirectory()
    const clock = new StillClock()
    let open: OpenMailStore = await lmdbStore({ dir, clock })
    let { account } = await traineeOf(open, clock)
    const reopen = async (): Promise<Trainee> => {
      await open.close()
      open = await lmdbStore({ dir, clock })
      const trainee = await traineeOf(open, clock)
      account = trainee.account
      return trainee
    }
    for (let n = 0; n < 20; n += 1) await append(account, n % 2 === 0 ? 'Junk' : 'Archive', n)
    let trainee = await reopen()
    expect((await account.training.state()).totals).toEqual({ ham: 0, spam: 0 })
    await trainee.trainer.start()
    await trainee.trainer.settled()
    expect((await account.training.state()).totals).toEqual({ ham: 10, spam: 10 })
    const junk = await account.open('Junk', 'read-only')
    await junk?.storeFlags(ALL, { mode: 'add', flags: Flag.deleted, keywords: [] })
    await junk?.expunge()
    junk?.close()
    clock.ms += 700_000
    await open.erase()
    trainee = await reopen()
    expect((await account.training.state()).totals).toEqual({ ham: 10, spam: 10 })
    await trainee.trainer.start()
    await trainee.trainer.settled()
    expect((await account.training.state()).totals).toEqual({ ham: 10, spam: 0 })
    await open.erase()
    const before = await told(account)
    trainee = await reopen()
    expect(await trainee.trainer.retrain('ann')).toEqual({ messages: 10, ham: 10, spam: 0 })
    expect(await told(account)).toEqual(before)
    await open.close()
  })
})
