/** Cases of the store suite about what is left to be learned, and counts of what was. */
import assert from 'node:assert/strict'
import type { AccountStore, CountedMessage, EmailId, SettleResult, WordVerdict } from '../src/store/index.ts'
import { Flag } from '../src/store/index.ts'
import type { StoreCase } from './mail-store.ts'
import { ALL, append, letter, newAccount, opened, range, rows } from './store-steps.ts'

const READING = 7

/** What waits, as `1=spam 2=undefined`. */
async function waiting({ training }: AccountStore, most = 100): Promise<string> {
  const { messages } = await training.waiting(most)
  return messages.map(({ emailId, judged }) => `${emailId}=${judged}`).join(' ')
}

/** A word of its own for each message, and one they all have. */
function wordsOf(emailId: EmailId): Uint32Array {
  return Uint32Array.of(9, 9, 1, emailId)
}

/** Learns what waits, as a trainer does. */
async function learn({ training }: AccountStore, most = 100, reading = READING): Promise<SettleResult> {
  const { messages, upTo } = await training.waiting(most)
  const counted = messages.map(({ emailId, judged, counted: before }): CountedMessage => ({ emailId, before, counted: judged, keys: wordsOf(emailId) }))
  return training.settle(upTo, counted, reading)
}

/** Messages counted and those with the common word, as `ham/spam ham/spam`. */
async function counts({ training }: AccountStore): Promise<string> {
  const { totals, counts: found } = await training.corpus.read(Uint32Array.of(9, 9))
  assert.deepEqual((await training.state()).totals, totals)
  return `${totals.ham}/${totals.spam} ${found[0]}/${found[1]}`
}

async function idOf(account: AccountStore, mailbox: string): Promise<EmailId> {
  const [first] = await rows(await opened(account, mailbox))
  assert(first !== undefined)
  return first.emailId
}

const set = async (account: AccountStore, mailbox: string, flags: number): Promise<void> => {
  await (await opened(account, mailbox)).storeFlags(ALL, { mode: 'replace', flags, keywords: [] })
}

export const trainingCases: readonly StoreCase[] = [
  [
    'flags that say whether a message is junk leave it to be learned, others do not',
    async (store) => {
      const account = await newAccount(store)
      let told = 0
      const stop = store.watchTraining((name) => {
        if (name === account.name) told += 1
      })
      await append(account, 'INBOX', letter('neutral'))
      const id = await idOf(account, 'INBOX')
      assert.equal(await waiting(account), '')
      await set(account, 'INBOX', Flag.seen)
      assert.equal(told, 0)
      await set(account, 'INBOX', Flag.seen | Flag.junk)
      assert.equal(await waiting(account), `${id}=spam`)
      assert.equal(told, 1)
      await set(account, 'INBOX', Flag.junk)
      assert.equal(told, 1)
      await set(account, 'INBOX', Flag.junk | Flag.notJunk)
      assert.equal(await waiting(account), `${id}=undefined`, 'both say nothing')
      await set(account, 'INBOX', Flag.notJunk)
      assert.equal(await waiting(account), `${id}=ham`, 'the newest stands for all')
      stop()
      await set(account, 'INBOX', 0)
      assert.equal(told, 3)
    },
  ],
  [
    'what was learned is counted once, and taken back when the flag is',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('a'), { flags: Flag.junk })
      await append(account, 'INBOX', letter('b'), { flags: Flag.notJunk })
      assert.equal(await counts(account), '0/0 0/0')
      assert.equal(await learn(account), 'settled')
      assert.equal(await counts(account), '1/1 1/1')
      assert.equal(await waiting(account), '')
      assert.equal(await learn(account), 'settled')
      assert.equal(await counts(account), '1/1 1/1')
      await set(account, 'INBOX', Flag.junk)
      await learn(account)
      assert.equal(await counts(account), '0/2 0/2')
      await set(account, 'INBOX', 0)
      await learn(account)
      assert.equal(await counts(account), '0/0 0/0')
    },
  ],
  [
    'a copy is no further message; the judgement of the newest place counts',
    async (store) => {
      const account = await newAccount(store, 'Junk')
      store.usePolicy(() => ({ flagsOnEntering: ({ name }) => (name === 'Junk' ? { set: Flag.junk, clear: Flag.notJunk } : { set: 0, clear: Flag.junk | Flag.notJunk }), correspondents: () => [] }))
      await append(account, 'INBOX', letter('a'))
      const inbox = await opened(account)
      const id = await idOf(account, 'INBOX')
      await inbox.copy(ALL, 'Junk')
      await inbox.copy(ALL, 'Junk')
      assert.equal(await waiting(account), `${id}=spam`)
      await learn(account)
      assert.equal(await counts(account), '0/1 0/1')
      await (await opened(account, 'Junk')).move([range(1, 1)], 'INBOX')
      assert.equal(await waiting(account), `${id}=undefined`)
      await learn(account)
      assert.equal(await counts(account), '0/0 0/0')
    },
  ],
  [
    'what waits is learned in parts, in order',
    async (store) => {
      const account = await newAccount(store)
      for (let n = 0; n < 5; n += 1) await append(account, 'INBOX', letter(`m${n}`))
      await set(account, 'INBOX', Flag.junk)
      const all = (await waiting(account)).split(' ')
      assert.equal(all.length, 5)
      assert.equal(await waiting(account, 2), all.slice(0, 2).join(' '))
      await learn(account, 2)
      assert.equal(await counts(account), '0/2 0/2')
      await set(account, 'INBOX', Flag.notJunk)
      await learn(account, 4)
      await learn(account, 4)
      await learn(account, 4)
      assert.equal(await counts(account), '5/0 5/0')
      assert.equal(await waiting(account), '')
    },
  ],
  [
    'what was settled meanwhile is not settled again',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('a'), { flags: Flag.junk })
      const { messages, upTo } = await account.training.waiting(10)
      const counted = messages.map(({ emailId }): CountedMessage => ({ emailId, before: undefined, counted: 'spam', keys: wordsOf(emailId) }))
      assert.equal(await account.training.settle(upTo, counted, READING), 'settled')
      assert.equal(await account.training.settle(upTo, counted, READING), 'stale')
      assert.equal(await account.training.settle('', counted, READING), 'stale')
      assert.equal(await counts(account), '0/1 0/1')
      await set(account, 'INBOX', Flag.notJunk)
      assert.equal(await learn(account, 10, READING + 1), 'other-reading')
      assert.equal(await counts(account), '0/1 0/1')
      assert.equal((await account.training.state()).reading, READING)
      assert.equal(await learn(account), 'settled')
      assert.equal(await counts(account), '1/0 1/0')
    },
  ],
  [
    'a corpus made anew takes the place of the old one at once',
    async (store, reopen) => {
      let account = await newAccount(store)
      await append(account, 'INBOX', letter('a'), { flags: Flag.junk })
      await append(account, 'INBOX', letter('b'), { flags: Flag.notJunk })
      await append(account, 'INBOX', letter('c'))
      await learn(account)
      const ids = (await rows(await opened(account))).map(({ emailId }) => emailId) as [EmailId, EmailId, EmailId]
      const given = await account.training.rebuild(READING)
      await given.count([{ emailId: ids[0], counted: 'ham', keys: wordsOf(ids[0]) }])
      await given.abort()
      assert.equal(await counts(account), '1/1 1/1')

      const rebuild = await account.training.rebuild(READING + 1)
      const known: readonly (WordVerdict | 'none' | undefined)[] = await rebuild.known(ids)
      assert.deepEqual(known, ['spam', 'ham', undefined])
      await rebuild.count([{ emailId: ids[0], counted: 'spam', keys: wordsOf(ids[0]) }])
      await rebuild.count(ids.map((emailId) => ({ emailId, counted: emailId === ids[1] ? 'none' : 'spam', keys: wordsOf(emailId) })))
      assert.equal(await counts(account), '1/1 1/1')
      await set(account, 'INBOX', Flag.junk)
      assert.equal(await learn(account, 10, READING + 1), 'stale')
      await rebuild.finish()
      assert.equal(await counts(account), '0/2 0/2')
      assert.equal((await account.training.state()).reading, READING + 1)
      assert.equal(await learn(account, 10, READING + 1), 'settled')
      assert.equal(await counts(account), '0/3 0/3')
      if (reopen === undefined) return
      account = (await (await reopen()).account(account.name)) as AccountStore
      assert.equal(await counts(account), '0/3 0/3')
      assert.equal(await waiting(account), '')
    },
  ],
  [
    'octets to learn from are the first of the message',
    async (store) => {
      const account = await newAccount(store)
      const long = letter('long', `${'0123456789'.repeat(30_000)}\r\n`)
      await append(account, 'INBOX', long)
      const id = await idOf(account, 'INBOX')
      assert.equal(Buffer.from((await account.training.octets(id, 1e9)) ?? []).toString(), long)
      assert.equal(Buffer.from((await account.training.octets(id, 200_001)) ?? []).toString(), long.slice(0, 200_001))
      assert.equal(await account.training.octets(99_999 as EmailId, 10), undefined)
    },
  ],
]
