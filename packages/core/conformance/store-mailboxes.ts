/** Cases of the store suite about mailboxes: names, UIDVALIDITY, subscriptions, recent messages, counts. */
import assert from 'node:assert/strict'
import type { StoreCase } from './mail-store.ts'
import {
  ALL,
  append,
  appendLetters,
  letter,
  listed,
  modSeq,
  namesOf,
  newAccount,
  only,
  opened,
  range,
  row,
  rows,
  status,
  text,
  uidsOf,
} from './store-steps.ts'
import { Flag } from '../src/store/index.ts'

const badNames = ['', '/', 'a/', '/a', 'a//b', 'a\u0000b', 'a\nb', 'a\u007fb', 'a\u0085b', 'a\u2028b', 'a\ud800b']

export const mailboxCases: readonly StoreCase[] = [
  [
    'a created mailbox has its parents, which are listed by name after the inbox',
    async (store) => {
      const account = await newAccount(store, 'b/c/d', 'a', 'Z')
      assert.deepEqual(await namesOf(account), ['INBOX', 'Z', 'a', 'b', 'b/c', 'b/c/d'])
      const ids = (await account.mailboxes()).map((mailbox) => mailbox.id)
      assert.equal(new Set(ids).size, ids.length)
      const validities = (await account.mailboxes()).map((mailbox) => mailbox.uidValidity)
      assert.equal(new Set(validities).size, validities.length)
      assert.equal((await account.create('b/c')).kind, 'exists')
      assert.equal((await account.create('b/c/e')).kind, 'created')
    },
  ],
  [
    'special uses are kept',
    async (store) => {
      const account = await newAccount(store)
      const result = await account.create('Out', { specialUse: ['\\Sent', '\\Archive'] })
      assert(result.kind === 'created')
      assert.deepEqual(result.mailbox.specialUse, ['\\Sent', '\\Archive'])
      assert.deepEqual((await account.mailbox('Out'))?.specialUse, ['\\Sent', '\\Archive'])
      await account.rename('Out', 'Outgoing')
      assert.deepEqual((await account.mailbox('Outgoing'))?.specialUse, ['\\Sent', '\\Archive'])
    },
  ],
  [
    'the inbox is found in any case, also as first level; other names only as they are',
    async (store) => {
      const account = await newAccount(store, 'inbox/Later', 'Work')
      assert.deepEqual(await namesOf(account), ['INBOX', 'INBOX/Later', 'Work'])
      assert.equal((await account.mailbox('iNbOx'))?.name, 'INBOX')
      assert.equal((await account.mailbox('Inbox/Later'))?.name, 'INBOX/Later')
      assert.equal(await account.mailbox('work'), undefined)
      assert.equal((await account.create('Inbox')).kind, 'exists')
      assert.equal((await opened(account, 'inbox')).snapshot.mailbox.name, 'INBOX')
    },
  ],
  [
    'names are stored in NFC and found in any form',
    async (store) => {
      const account = await newAccount(store, 'Ka\u0308se')
      assert.deepEqual(await namesOf(account), ['INBOX', 'K\u00e4se'])
      assert.equal((await account.mailbox('Ka\u0308se'))?.name, 'K\u00e4se')
      assert.equal((await account.create('K\u00e4se')).kind, 'exists')
    },
  ],
  [
    'malformed names are refused and leave nothing behind',
    async (store) => {
      const account = await newAccount(store, 'fine')
      for (const name of [...badNames, 'x'.repeat(1001), Array.from({ length: 600 }, () => 'a').join('/')]) {
        const created = await account.create(name)
        assert(created.kind === 'bad-name', `${JSON.stringify(name)} was ${created.kind}`)
        assert(created.reason.length > 0)
        assert.equal((await account.rename('fine', name)).kind, 'bad-name')
        assert.equal(await account.mailbox(name), undefined)
        assert.equal(await account.open(name, 'read-only'), undefined)
        assert.equal((await account.delete(name)).kind, 'no-such-mailbox')
      }
      assert.deepEqual(await namesOf(account), ['INBOX', 'fine'])
      assert.equal((await account.create('%*&#. ~')).kind, 'created')
      assert.equal((await account.create('x'.repeat(1000))).kind, 'created')
    },
  ],
  [
    'a mailbox is deleted unless it is the inbox or has children',
    async (store) => {
      const account = await newAccount(store, 'a/b')
      assert.equal((await account.delete('INBOX')).kind, 'inbox')
      assert.equal((await account.delete('x')).kind, 'no-such-mailbox')
      assert.equal((await account.delete('a')).kind, 'has-children')
      assert.equal((await account.delete('a/b')).kind, 'deleted')
      assert.equal((await account.delete('a')).kind, 'deleted')
      assert.equal((await account.delete('a')).kind, 'no-such-mailbox')
      assert.deepEqual(await namesOf(account), ['INBOX'])
    },
  ],
  [
    'a session on a deleted mailbox finds nothing and changes nothing',
    async (store) => {
      const account = await newAccount(store, 'a')
      await appendLetters(account, 'a', 'one', 'two')
      const open = await opened(account, 'a')
      const { emailId } = await row(open, 1)
      const { id } = open.snapshot.mailbox
      await account.delete('a')
      assert.deepEqual(await rows(open), [])
      assert.equal(await text(open, emailId), '')
      const changes = await open.changesSince(open.snapshot.modseq)
      assert.equal(changes.exists, false)
      assert.deepEqual([changes.vanished, changes.changed, changes.arrived], [[], [], []])
      assert(changes.upTo > open.snapshot.modseq)
      const stored = await open.storeFlags(ALL, { mode: 'add', flags: Flag.deleted, keywords: ['x'] })
      assert.deepEqual([stored.rows, stored.modified], [[], []])
      assert.deepEqual(await open.expunge(), [])
      assert.equal((await open.copy(ALL, 'INBOX')).kind, 'nothing')
      assert.equal((await open.move(ALL, 'INBOX')).kind, 'nothing')
      assert.deepEqual(await account.status([id]), [undefined])
      await account.create('a')
      await append(account, 'a', letter('new'))
      assert.deepEqual(await rows(open), [])
      assert.equal((await open.changesSince(changes.upTo)).exists, false)
      open.close()
      open.close()
    },
  ],
  [
    'a name used again has a higher UIDVALIDITY and another id',
    async (store, reopen) => {
      let account = await newAccount(store, 'a')
      const first = await account.mailbox('a')
      await append(account, 'a', letter('one'))
      await account.delete('a')
      if (reopen !== undefined) account = (await (await reopen()).account('ann')) ?? account
      await account.create('a')
      const second = await account.mailbox('a')
      assert(first !== undefined && second !== undefined)
      assert(second.uidValidity > first.uidValidity)
      assert.notEqual(second.id, first.id)
      assert.equal((await status(account, 'a')).messages, 0)
    },
  ],
  [
    'renaming keeps id, UIDVALIDITY, messages and children, and makes parents',
    async (store) => {
      const account = await newAccount(store, 'a/b/c')
      await append(account, 'a/b', letter('inside'))
      const before = await account.mailbox('a/b')
      const session = await opened(account, 'a/b')
      const result = await account.rename('a/b', 'x/y/z')
      assert(result.kind === 'renamed')
      assert.deepEqual(result.mailbox, { ...before, name: 'x/y/z' })
      assert.deepEqual(await namesOf(account), ['INBOX', 'a', 'x', 'x/y', 'x/y/z', 'x/y/z/c'])
      const open = await opened(account, 'x/y/z')
      assert.equal(await text(open, (await row(open, 1)).emailId), letter('inside'))
      assert.equal((await session.changesSince(session.snapshot.modseq)).exists, true)
      assert.deepEqual(uidsOf(await rows(session)), [1])
    },
  ],
  [
    'renaming is refused where it must be',
    async (store) => {
      const account = await newAccount(store, 'a', 'b')
      assert.equal((await account.rename('x', 'y')).kind, 'no-such-mailbox')
      assert.equal((await account.rename('a', 'b')).kind, 'exists')
      assert.equal((await account.rename('a', 'a')).kind, 'exists')
      assert.equal((await account.rename('a', 'Inbox')).kind, 'exists')
      await account.create(`a/${'x'.repeat(500)}`)
      assert.equal((await account.rename('a', 'y'.repeat(600))).kind, 'bad-name')
      assert.equal((await namesOf(account)).length, 4)
    },
  ],
  [
    'a mailbox can be renamed to below itself',
    async (store) => {
      const account = await newAccount(store, 'a/x')
      await append(account, 'a', letter('one'))
      assert.equal((await account.rename('a', 'a/b')).kind, 'renamed')
      assert.deepEqual(await namesOf(account), ['INBOX', 'a', 'a/b', 'a/b/x'])
      assert.equal((await status(account, 'a')).messages, 0)
      assert.equal((await status(account, 'a/b')).messages, 1)
    },
  ],
  [
    'renaming to a name that was used since gives a new UIDVALIDITY',
    async (store) => {
      const account = await newAccount(store, 'old', 'a')
      await account.delete('a')
      await account.create('a')
      const former = (await account.mailbox('a'))?.uidValidity ?? 0
      await account.delete('a')
      await append(account, 'old', letter('one'))
      const result = await account.rename('old', 'a')
      assert(result.kind === 'renamed')
      assert(result.mailbox.uidValidity > former)
      assert.equal((await account.mailbox('a'))?.uidValidity, result.mailbox.uidValidity)
      assert.equal((await status(account, 'a')).uidValidity, result.mailbox.uidValidity)
      const back = await account.rename('a', 'elsewhere')
      assert(back.kind === 'renamed')
      assert.equal(back.mailbox.uidValidity, result.mailbox.uidValidity)
    },
  ],
  [
    'renaming the inbox moves its messages and leaves it, with its children',
    async (store) => {
      const account = await newAccount(store, 'INBOX/child')
      await append(account, 'INBOX', letter('one'), { flags: Flag.seen, keywords: ['Blue'] })
      await append(account, 'INBOX', letter('two'))
      const session = await opened(account)
      const ids = (await rows(session)).map((each) => each.emailId)
      const result = await account.rename('inbox', 'Old/Mail')
      assert(result.kind === 'renamed')
      assert.equal(result.mailbox.name, 'Old/Mail')
      assert.deepEqual(await namesOf(account), ['INBOX', 'INBOX/child', 'Old', 'Old/Mail'])
      assert.equal((await status(account)).messages, 0)
      assert.equal((await status(account)).uidNext, 3)
      assert.deepEqual(listed((await session.changesSince(session.snapshot.modseq)).vanished), [1, 2])
      const moved = await rows(await opened(account, 'Old/Mail'))
      assert.deepEqual(
        moved.map((each) => each.emailId),
        ids,
      )
      assert.deepEqual(uidsOf(moved), [1, 2])
      assert.equal(moved[0]?.flags, Flag.seen)
      assert.equal(moved[0]?.keywordBits, 1)
      assert.equal(await append(account, 'INBOX', letter('three')), 3)
    },
  ],
  [
    'subscriptions are kept apart from mailboxes',
    async (store) => {
      const account = await newAccount(store, 'b')
      await account.setSubscribed('b', true)
      await account.setSubscribed('b', true)
      await account.setSubscribed('a/missing', true)
      await account.setSubscribed('inbox', true)
      assert.deepEqual(await account.subscriptions(), ['INBOX', 'a/missing', 'b'])
      await account.delete('b')
      await account.setSubscribed('a/missing', false)
      await account.setSubscribed('never', false)
      assert.deepEqual(await account.subscriptions(), ['INBOX', 'b'])
    },
  ],
  [
    'counts are those of the messages',
    async (store) => {
      const account = await newAccount(store, 'other')
      const sizes = [10, 100, 1000].map((n) => letter('x', 'y'.repeat(n)))
      for (const [n, each] of sizes.entries()) await append(account, 'INBOX', each, { flags: n === 0 ? Flag.seen : 0 })
      const open = await opened(account)
      await open.storeFlags(only(2), { mode: 'add', flags: Flag.deleted, keywords: [] })
      const octets = sizes.reduce((sum, each) => sum + each.length, 0)
      const now = await status(account)
      assert.deepEqual(
        [now.messages, now.unseen, now.deleted, now.sizeOctets, now.uidNext],
        [3, 2, 1, octets, 4],
      )
      await open.expunge()
      const after = await status(account)
      assert.deepEqual(
        [after.messages, after.unseen, after.deleted, after.sizeOctets, after.uidNext],
        [2, 1, 0, octets - (sizes[1] as string).length, 4],
      )
      assert(after.highestModseq > now.highestModseq)
      const ids = (await account.mailboxes()).map((mailbox) => mailbox.id)
      const [inbox, other] = await account.status(ids)
      assert.deepEqual([inbox?.messages, other?.messages], [2, 0])
      assert.deepEqual(await account.status([]), [])
    },
  ],
  [
    'the first message without \\Seen is told at opening',
    async (store) => {
      const account = await newAccount(store)
      await appendLetters(account, 'INBOX', 'one', 'two', 'three')
      const open = await opened(account)
      assert.equal(open.snapshot.firstUnseen, 1)
      await open.storeFlags(only(1, 2), { mode: 'add', flags: Flag.seen, keywords: [] })
      assert.equal((await opened(account)).snapshot.firstUnseen, 3)
      await open.storeFlags(only(2), { mode: 'remove', flags: Flag.seen, keywords: [] })
      assert.equal((await opened(account)).snapshot.firstUnseen, 2)
      await open.storeFlags(ALL, { mode: 'add', flags: Flag.seen | Flag.deleted, keywords: [] })
      assert.equal((await opened(account)).snapshot.firstUnseen, undefined)
      await append(account, 'INBOX', letter('four'))
      await open.expunge()
      assert.equal((await opened(account)).snapshot.firstUnseen, 4)
    },
  ],
  [
    'recent messages are claimed once, by who opens to write',
    async (store) => {
      const account = await newAccount(store, 'other')
      await appendLetters(account, 'INBOX', 'one', 'two')
      assert.equal((await status(account)).recent, 2)
      assert.equal((await opened(account, 'INBOX', 'read-only')).snapshot.recent, undefined)
      assert.equal((await status(account)).recent, 2)
      assert.deepEqual((await opened(account)).snapshot.recent, range(1, 2))
      assert.equal((await status(account)).recent, 0)
      assert.equal((await opened(account)).snapshot.recent, undefined)
      await append(account, 'INBOX', letter('three'))
      const open = await opened(account, 'INBOX', 'read-only')
      await open.copy(only(3), 'other')
      assert.equal((await status(account, 'other')).recent, 1)
      await open.storeFlags(ALL, { mode: 'add', flags: Flag.deleted, keywords: [] })
      assert.equal((await status(account)).recent, 1)
      await open.expunge()
      assert.equal((await status(account)).recent, 0)
    },
  ],
  [
    'a snapshot is one moment',
    async (store) => {
      const account = await newAccount(store)
      await appendLetters(account, 'INBOX', 'one', 'two')
      const { snapshot } = await opened(account)
      await append(account, 'INBOX', letter('three'))
      assert.deepEqual([...snapshot.uids], [1, 2])
      assert.equal(snapshot.status.messages, 2)
      assert.equal(snapshot.status.uidNext, 3)
      const later = (await opened(account)).snapshot
      assert(later.modseq > snapshot.modseq)
      assert(later.status.highestModseq <= later.modseq)
      assert.deepEqual([...later.uids], [1, 2, 3])
      assert.equal((await opened(account)).snapshot.modseq, modSeq(later.modseq))
    },
  ],
]
