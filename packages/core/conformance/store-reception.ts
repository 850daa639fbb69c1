/** Cases of the store suite about what an account remembers of senders: judgements, correspondents, arrivals, rejects. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { AccountStore, FilingPolicy, NewMessage, OpenMailbox, ReceptionFacts, SenderIdentity } from '../src/store/index.ts'
import { Flag, MAX_JUDGEMENTS } from '../src/store/index.ts'
import type { StoreCase } from './mail-store.ts'
import { ALL, append, letter, newAccount, opened, range, rows, spooled, status, uidsOf } from './store-steps.ts'

const address: SenderIdentity = { kind: 'from-address', value: 'ann@example.com' }
const domain: SenderIdentity = { kind: 'from-domain', value: 'example.com' }
const stranger: SenderIdentity = { kind: 'from-address', value: 'eve@example.com' }

const now = (): number => Math.floor(Date.now() / 1_000)

function facts(over: Partial<ReceptionFacts> = {}): ReceptionFacts {
  return { receivedSeconds: 1_700_000_000, identities: [address, domain], validated: true, fromLocalpart: 'ann', network: '192.0.2.1/32', ...over }
}

/** `+` for ham, `-` for junk, of one identity in a mailbox, newest first. */
async function judged(account: AccountStore, identity: SenderIdentity = address, mailbox = 'INBOX'): Promise<string> {
  const [judgements] = await account.judgements(mailbox, [identity])
  return (judgements ?? []).map(({ junk }) => (junk ? '-' : '+')).join('')
}

/** Flags of the one message in a mailbox. */
async function flagsIn(mailbox: OpenMailbox): Promise<number | undefined> {
  const all = await rows(mailbox)
  assert.equal(all.length, 1)
  return all[0]?.flags
}

/** What most owners want: moved to Junk is junk, to the archive is not, in the inbox nothing is said. */
const policy: FilingPolicy = {
  flagsOnEntering({ name }) {
    if (name.startsWith('Junk')) return { set: Flag.junk, clear: Flag.notJunk }
    if (name.startsWith('Archive')) return { set: Flag.notJunk, clear: Flag.junk }
    return name === 'INBOX' || name === 'Rejects' ? { set: 0, clear: Flag.junk | Flag.notJunk } : undefined
  },
  correspondents({ name }) {
    return name === 'Sent' ? [{ level: 'address', value: 'bob@example.org' }, { level: 'domain', value: 'example.org' }] : []
  },
}

async function reject(account: AccountStore, text: string, over: Partial<NewMessage> = {}, limits = { maxMessages: 10, maxAgeSeconds: 1_000 }) {
  const message = await spooled(account, text)
  try {
    const mail: NewMessage = { message, flags: Flag.seen, keywords: [], reception: facts({ intendedMailbox: 'INBOX' }), ...over }
    return await account.keepReject('Rejects', mail, createHash('sha256').update(text).digest(), limits)
  } finally {
    message.release()
  }
}

export const receptionCases: readonly StoreCase[] = [
  [
    'a message that came without flags is no judgement, one that came with one is',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('neutral'), { reception: facts() })
      assert.equal(await judged(account), '')
      await append(account, 'INBOX', letter('junk'), { reception: facts(), flags: Flag.junk })
      await append(account, 'INBOX', letter('both'), { reception: facts(), flags: Flag.junk | Flag.notJunk })
      await append(account, 'INBOX', letter('own'), { flags: Flag.junk })
      assert.equal(await judged(account), '-')
      assert.equal(await judged(account, domain), '-')
      assert.equal(await judged(account, stranger), '')
    },
  ],
  [
    'a judgement tells when the message came, whether it was authenticated, and senders of a domain apart',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('a'), { reception: facts({ receivedSeconds: 10 }), flags: Flag.junk })
      await append(account, 'INBOX', letter('b'), { reception: facts({ receivedSeconds: 30, validated: false }), flags: Flag.notJunk })
      await append(account, 'INBOX', letter('c'), { reception: facts({ receivedSeconds: 20, fromLocalpart: 'eve' }), flags: Flag.notJunk })
      const [found = []] = await account.judgements('INBOX', [domain])
      assert.deepEqual(
        found.map(({ receivedSeconds, junk, validated }) => [receivedSeconds, junk, validated]),
        [
          [30, false, false],
          [20, false, true],
          [10, true, true],
        ],
      )
      assert.equal(found[0]?.localpart, found[2]?.localpart)
      assert.notEqual(found[0]?.localpart, found[1]?.localpart)
    },
  ],
  [
    'judgements are asked for together, in the order asked, and none are of a mailbox that is not there',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('a'), { reception: facts(), flags: Flag.junk })
      const found = await account.judgements('inbox', [stranger, domain, address])
      assert.deepEqual(found.map(({ length }) => length), [0, 1, 1])
      assert.deepEqual(await account.judgements('Elsewhere', [address, domain]), [[], []])
      assert.deepEqual(await account.judgements('INBOX', []), [])
    },
  ],
  [
    'flag changes make, change and withdraw a judgement',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('a'), { reception: facts() })
      const open = await opened(account)
      const set = (flags: number, mode: 'add' | 'remove' | 'replace') => open.storeFlags(ALL, { flags, keywords: [], mode })
      await set(Flag.junk, 'add')
      assert.equal(await judged(account), '-')
      await set(Flag.notJunk, 'replace')
      assert.equal(await judged(account), '+')
      await set(Flag.junk, 'add')
      assert.equal(await judged(account), '', 'both say nothing')
      await set(Flag.notJunk, 'remove')
      assert.equal(await judged(account), '-')
      await set(Flag.seen, 'add')
      assert.equal(await judged(account), '-')
      await set(0, 'replace')
      assert.equal(await judged(account), '')
      open.close()
    },
  ],
  [
    'a judgement stays when the message is expunged',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('a'), { reception: facts(), flags: Flag.junk | Flag.deleted })
      const open = await opened(account)
      await open.expunge()
      open.close()
      assert.equal(await judged(account), '-')
    },
  ],
  [
    'the newest hundred judgements are kept',
    async (store) => {
      const account = await newAccount(store)
      const message = await spooled(account, letter('a'))
      const mails = Array.from({ length: 130 }, (_, n) => ({ message, flags: n < 30 ? Flag.junk : Flag.notJunk, keywords: [], reception: facts({ receivedSeconds: 1_000 + n }) }))
      await account.append('INBOX', mails)
      message.release()
      assert.equal(await judged(account), '+'.repeat(MAX_JUDGEMENTS))
    },
  ],
  [
    'messages that are judged by the hundred are all judged',
    async (store) => {
      const account = await newAccount(store)
      const message = await spooled(account, letter('a'))
      const mails = Array.from({ length: 300 }, (_, n) => ({ message, flags: 0, keywords: [], reception: facts({ identities: [{ kind: 'from-address', value: `s${n}@example.com` }] }) }))
      await account.append('INBOX', mails)
      message.release()
      const senders = Array.from({ length: 300 }, (_, n): SenderIdentity => ({ kind: 'from-address', value: `s${n}@example.com` }))
      const count = async (): Promise<number> => (await account.judgements('INBOX', senders)).flat().length
      const open = await opened(account)
      await open.storeFlags(ALL, { flags: Flag.junk, keywords: [], mode: 'add' })
      assert.equal(await count(), 300)
      await open.storeFlags(ALL, { flags: Flag.junk, keywords: [], mode: 'remove' })
      assert.equal(await count(), 0)
      store.usePolicy(() => policy)
      await account.create('Archive')
      await open.copy(ALL, 'Archive')
      assert.equal(await count(), 300)
      open.close()
    },
  ],
  [
    'the policy of filing decides on flags at delivery, APPEND, COPY and MOVE, and so on judgements',
    async (store) => {
      store.usePolicy(() => policy)
      const account = await newAccount(store)
      await account.create('Archive')
      await account.create('Junk')
      await append(account, 'INBOX', letter('a'), { reception: facts(), flags: Flag.junk | Flag.seen })
      const inbox = await opened(account)
      assert.equal(await flagsIn(inbox), Flag.seen)
      assert.equal(await judged(account), '')
      await inbox.copy(ALL, 'Archive')
      assert.equal(await judged(account), '+')
      await inbox.move(ALL, 'Junk')
      inbox.close()
      assert.equal(await judged(account), '-', 'it counts for the mailbox it first came to')
      assert.equal(await judged(account, address, 'Junk'), '')
      const junk = await opened(account, 'Junk')
      assert.equal(await flagsIn(junk), Flag.seen | Flag.junk)
      junk.close()
    },
  ],
  [
    'a policy given later holds for accounts that are open',
    async (store) => {
      const account = await newAccount(store)
      await account.create('Archive')
      store.usePolicy((name) => (name === account.name ? policy : undefined))
      await append(account, 'Archive', letter('a'))
      const open = await opened(account, 'Archive')
      assert.equal(await flagsIn(open), Flag.notJunk)
      open.close()
    },
  ],
  [
    'whom an account wrote to is remembered to the day',
    async (store, reopen) => {
      const account = await newAccount(store)
      const ann = { level: 'address', value: 'ann@example.com' } as const
      const others = [{ level: 'domain', value: 'ann@example.com' } as const, { level: 'address', value: 'bob@example.com' } as const]
      assert.deepEqual(await account.lastWroteTo([ann, ...others]), [undefined, undefined, undefined])
      await account.wroteTo([ann], 1_000_000)
      await account.wroteTo([ann], 1_500_000)
      assert.deepEqual(await account.lastWroteTo([ann, ...others]), [1_500_000, undefined, undefined])
      await account.wroteTo([ann], 900_000)
      const again = reopen === undefined ? account : await (await reopen()).account(account.name)
      const [last] = (await again?.lastWroteTo([ann])) ?? []
      assert.equal(last, 1_500_000)
      assert.deepEqual(await again?.lastWroteTo([]), [])
    },
  ],
  [
    'mail appended among what was sent tells whom the account wrote to',
    async (store) => {
      store.usePolicy(() => policy)
      const account = await newAccount(store)
      await account.create('Sent')
      const bob = [{ level: 'address', value: 'bob@example.org' } as const, { level: 'domain', value: 'example.org' } as const]
      await append(account, 'INBOX', letter('a'))
      assert.deepEqual(await account.lastWroteTo(bob), [undefined, undefined])
      await append(account, 'Sent', letter('b'))
      for (const last of await account.lastWroteTo(bob)) assert(last !== undefined && Math.abs(last - now()) < 100)
    },
  ],
  [
    'arrivals are counted by minute and network, also over a restart',
    async (store, reopen) => {
      const account = await newAccount(store)
      const before = now()
      await append(account, 'INBOX', letter('a'), { reception: facts() })
      await append(account, 'INBOX', letter('b'), { reception: facts() })
      await append(account, 'INBOX', letter('c'), { reception: facts({ network: '2001:db8::/64' }) })
      await append(account, 'INBOX', letter('d'), { reception: facts({ network: undefined }) })
      await append(account, 'INBOX', letter('e'))
      const again = reopen === undefined ? account : await (await reopen()).account(account.name)
      const found = (await again?.arrivals(before - 120)) ?? []
      const of = (network: string, what: 'messages' | 'octets'): number => found.filter((each) => each.network === network).reduce((sum, each) => sum + each[what], 0)
      assert.equal(of('192.0.2.1/32', 'messages'), 2)
      assert.equal(of('192.0.2.1/32', 'octets'), letter('a').length * 2)
      assert.equal(of('2001:db8::/64', 'messages'), 1)
      for (const { seconds } of found) assert(seconds % 60 === 0 && seconds > before - 120)
      assert.deepEqual(await again?.arrivals(now() + 3_600), [])
    },
  ],
  [
    'a reject is kept once, in a mailbox made for it, whatever its octets or its Message-ID repeat',
    async (store, reopen) => {
      const account = await newAccount(store)
      assert.equal((await reject(account, letter('one'))).kind, 'kept')
      assert.equal((await reject(account, letter('one'))).kind, 'duplicate')
      assert.equal((await reject(account, letter('one', 'other words'))).kind, 'duplicate')
      assert.equal((await reject(account, 'Subject: without an id\r\n\r\n')).kind, 'kept')
      assert.equal((await reject(account, 'Subject: without an id\r\n\r\n')).kind, 'duplicate')
      assert.deepEqual(await account.subscriptions(), ['Rejects'])
      assert.equal((await status(account, 'Rejects')).messages, 2)
      assert.equal((await status(account, 'Rejects')).unseen, 0)
      const again = reopen === undefined ? account : await (await reopen()).account(account.name)
      assert(again !== undefined)
      assert.equal((await reject(again, letter('one'))).kind, 'duplicate')
    },
  ],
  [
    'rejects are kept up to a number, and again when there is room',
    async (store) => {
      const account = await newAccount(store)
      const limits = { maxMessages: 2, maxAgeSeconds: 1_000 }
      for (const subject of ['one', 'two']) assert.equal((await reject(account, letter(subject), {}, limits)).kind, 'kept')
      assert.equal((await reject(account, letter('three'), {}, limits)).kind, 'full')
      assert.equal(await account.forgetReject('Rejects', 'one@example.com'), 1)
      assert.equal(await account.forgetReject('Rejects', 'one@example.com'), 0)
      assert.equal(await account.forgetReject('Rejects', 'nobody@example.com'), 0)
      assert.equal(await account.forgetReject('Elsewhere', 'two@example.com'), 0)
      assert.equal((await reject(account, letter('three'), {}, limits)).kind, 'kept')
      // Of an age below nothing all are too old.
      assert.equal((await reject(account, letter('four'), {}, { maxMessages: 2, maxAgeSeconds: -10 })).kind, 'kept')
      assert.equal((await status(account, 'Rejects')).messages, 1)
    },
  ],
  [
    'a reject that its owner expunged may be kept again',
    async (store) => {
      const account = await newAccount(store)
      await reject(account, letter('one'))
      const open = await opened(account, 'Rejects')
      await open.storeFlags(ALL, { flags: Flag.deleted, keywords: [], mode: 'add' })
      await open.expunge()
      open.close()
      assert.equal((await reject(account, letter('one'))).kind, 'kept')
    },
  ],
  [
    'a reject judged where it is kept counts there; moved away it counts for the mailbox it was meant for',
    async (store) => {
      store.usePolicy(() => policy)
      const account = await newAccount(store)
      await account.create('Archive')
      await account.create('Archive/Old')
      await reject(account, letter('one'))
      const rejects = await opened(account, 'Rejects')
      await rejects.storeFlags(ALL, { flags: Flag.junk, keywords: [], mode: 'add' })
      assert.equal(await judged(account), '')
      assert.equal(await judged(account, address, 'Rejects'), '-')
      await rejects.move(ALL, 'Archive')
      rejects.close()
      assert.equal(await judged(account, address, 'Rejects'), '')
      assert.equal(await judged(account), '+')
      const archive = await opened(account, 'Archive')
      assert.deepEqual(uidsOf(await rows(archive)), [1])
      await archive.move([range(1, 1)], 'Archive/Old')
      archive.close()
      assert.equal(await judged(account), '+')
      assert.equal(await account.forgetReject('Rejects', 'one@example.com'), 0, 'it is nobody\'s reject any more')
    },
  ],
  [
    'a mailbox made anew knows nothing of the one before it',
    async (store) => {
      const account = await newAccount(store)
      await account.create('Lists')
      await append(account, 'Lists', letter('a'), { reception: facts(), flags: Flag.junk })
      assert.equal(await judged(account, address, 'Lists'), '-')
      await account.rename('Lists', 'More')
      assert.equal(await judged(account, address, 'More'), '-')
      await account.delete('More')
      await account.create('More')
      assert.equal(await judged(account, address, 'More'), '')
    },
  ],
]
