/** Cases of the store suite about changes: flags, EXPUNGE, COPY, MOVE, and what other sessions hear of them. */
import assert from 'node:assert/strict'
import type { AccountStore, ModSeq, OpenMailbox } from '../src/store/index.ts'
import { Flag } from '../src/store/index.ts'
import type { StoreCase } from './mail-store.ts'
import {
  ALL,
  append,
  appendLetters,
  letter,
  listed,
  modSeq,
  newAccount,
  only,
  opened,
  range,
  row,
  rows,
  spooled,
  status,
  text,
  uidsOf,
} from './store-steps.ts'

const add = (flags: number, ...keywords: string[]) => ({ mode: 'add' as const, flags, keywords })
const remove = (flags: number, ...keywords: string[]) => ({ mode: 'remove' as const, flags, keywords })
const replace = (flags: number, ...keywords: string[]) => ({ mode: 'replace' as const, flags, keywords })

/** An account whose inbox holds `count` messages, and a session on it. */
async function filled(
  store: Parameters<typeof newAccount>[0],
  count: number,
  ...mailboxes: string[]
): Promise<{ account: AccountStore; open: OpenMailbox }> {
  const account = await newAccount(store, ...mailboxes)
  const message = await spooled(account, letter('one of several'))
  const many = Array.from({ length: count }, () => ({ message, flags: 0, keywords: [] }))
  await account.append('INBOX', many)
  return { account, open: await opened(account) }
}

export const changeCases: readonly StoreCase[] = [
  [
    'flags are replaced, added and removed',
    async (store) => {
      const { open } = await filled(store, 2)
      let result = await open.storeFlags(only(1), add(Flag.seen | Flag.flagged, 'Blue'))
      assert.deepEqual(
        result.rows.map((each) => [each.uid, each.flags, each.keywordBits]),
        [[1, Flag.seen | Flag.flagged, 1]],
      )
      assert.deepEqual(result.keywords, ['Blue'])
      assert.deepEqual(result.modified, [])
      result = await open.storeFlags(only(1), remove(Flag.flagged, 'blue'))
      assert.deepEqual(
        result.rows.map((each) => [each.flags, each.keywordBits]),
        [[Flag.seen, 0]],
      )
      result = await open.storeFlags(ALL, replace(Flag.mdnSent | Flag.junk, 'Red', 'BLUE'))
      assert.deepEqual(
        result.rows.map((each) => [each.uid, each.flags, each.keywordBits]),
        [
          [1, Flag.mdnSent | Flag.junk, 3],
          [2, Flag.mdnSent | Flag.junk, 3],
        ],
      )
      assert.deepEqual(result.keywords, ['Blue', 'Red'])
      const found = await rows(open)
      assert.deepEqual(found, result.rows)
      const empty = await open.storeFlags(ALL, replace(0))
      assert.deepEqual(
        empty.rows.map((each) => [each.flags, each.keywordBits]),
        [
          [0, 0],
          [0, 0],
        ],
      )
    },
  ],
  [
    'only what changes gets a new modseq',
    async (store) => {
      const { account, open } = await filled(store, 3)
      await open.storeFlags(only(2), add(Flag.seen))
      const before = await rows(open)
      const result = await open.storeFlags(ALL, add(Flag.seen))
      assert.deepEqual(
        result.rows.map((each) => each.modseq > (before[each.uid - 1]?.modseq ?? 0)),
        [true, false, true],
      )
      const { highestModseq } = await status(account)
      assert.equal(result.rows[0]?.modseq, highestModseq)
      await open.storeFlags(ALL, add(Flag.seen))
      await open.storeFlags(ALL, remove(Flag.flagged, 'never', 'used'))
      assert.equal((await status(account)).highestModseq, highestModseq)
      assert.equal((await opened(account)).snapshot.modseq, highestModseq)
      assert.deepEqual((await opened(account)).snapshot.keywords, [])
    },
  ],
  [
    'messages that do not exist are passed over',
    async (store) => {
      const { account, open } = await filled(store, 2)
      const result = await open.storeFlags([range(2, 2 ** 32 - 1)], add(Flag.seen))
      assert.deepEqual(uidsOf(result.rows), [2])
      const before = await status(account)
      const none = await open.storeFlags(only(77), add(Flag.seen, 'Blue'))
      assert.deepEqual([none.rows, none.modified, none.keywords], [[], [], []])
      assert.deepEqual(await status(account), before)
    },
  ],
  [
    'a message changed since is not changed again',
    async (store) => {
      const { open } = await filled(store, 3)
      const since = open.snapshot.modseq
      await open.storeFlags(only(2), add(Flag.flagged))
      const result = await open.storeFlags(ALL, add(Flag.seen), { unchangedSince: since })
      assert.deepEqual(listed(result.modified), [2])
      assert.deepEqual(
        result.rows.map((each) => [each.uid, each.flags]),
        [
          [1, Flag.seen],
          [2, Flag.flagged],
          [3, Flag.seen],
        ],
      )
      const refused = await open.storeFlags(ALL, add(Flag.draft, 'Green'), { unchangedSince: modSeq(0) })
      assert.deepEqual(listed(refused.modified), [1, 2, 3])
      assert.deepEqual(refused.keywords, [])
      const same = (await row(open, 1)).modseq
      const allowed = await open.storeFlags(only(1), add(Flag.draft), { unchangedSince: same })
      assert.deepEqual(allowed.modified, [])
    },
  ],
  [
    'more keywords than bits are kept',
    async (store, reopen) => {
      const { account, open } = await filled(store, 2)
      const names = Array.from({ length: 40 }, (_, n) => `Keyword${n}`)
      for (const name of names) await open.storeFlags(only(1), add(0, name))
      await open.storeFlags(only(2), add(0, 'keyword31', 'KEYWORD35', 'keyword39'))
      const check = async (session: OpenMailbox): Promise<void> => {
        const [one, two] = await rows(session)
        assert.equal(one?.keywordBits, 2 ** 32 - 1)
        assert.deepEqual(one?.wideKeywords, names.slice(32))
        assert.equal(two?.keywordBits, 2 ** 31)
        assert.deepEqual(two?.wideKeywords, ['Keyword35', 'Keyword39'])
      }
      await check(open)
      assert.deepEqual((await opened(account)).snapshot.keywords, names)
      await account.create('there')
      await open.copy(only(2), 'there')
      const [copied] = await rows(await opened(account, 'there'))
      assert.equal(copied?.keywordBits, 7)
      assert.equal(copied?.wideKeywords, undefined)
      const again = reopen === undefined ? account : ((await (await reopen()).account('ann')) ?? account)
      const session = await opened(again)
      await check(session)
      const gone = await session.storeFlags(only(1, 2), remove(0, ...names.slice(32)))
      assert.deepEqual(
        gone.rows.map((each) => each.wideKeywords),
        [undefined, undefined],
      )
      await session.storeFlags(only(1), add(0, ...Array.from({ length: 1000 }, (_, n) => `More${n}`)))
      const [crowded] = await rows(session, only(1))
      assert((crowded?.wideKeywords?.length ?? 0) > 100)
    },
  ],
  [
    'expunging removes what is marked and nothing else',
    async (store) => {
      const { account, open } = await filled(store, 5)
      await open.storeFlags(only(1, 3, 4), add(Flag.deleted))
      assert.deepEqual(listed(await open.expunge(only(3, 5, 9))), [3])
      assert.deepEqual(uidsOf(await rows(await opened(account))), [1, 2, 4, 5])
      assert.deepEqual(listed(await open.expunge()), [1, 4])
      assert.deepEqual(await open.expunge(), [])
      assert.deepEqual([...(await opened(account)).snapshot.uids], [2, 5])
    },
  ],
  [
    'a message expunged by another session is readable until that was told',
    async (store) => {
      const { account, open } = await filled(store, 3)
      const other = await opened(account)
      const before = await row(open, 2, { structure: true, list: true })
      await other.storeFlags(only(2), add(Flag.deleted | Flag.seen, 'Blue'))
      const marked = await row(other, 2)
      await other.expunge()
      const changes = await other.changesSince(other.snapshot.modseq)
      other.told(changes.upTo)
      assert.deepEqual(uidsOf(await rows(other)), [1, 3])
      assert.deepEqual(uidsOf(await rows(await opened(account))), [1, 3])

      assert.deepEqual(uidsOf(await rows(open)), [1, 2, 3])
      const late = await row(open, 2, { structure: true, list: true })
      assert.equal(late.flags, Flag.deleted | Flag.seen)
      const { structure, list, ...plain } = late
      assert.deepEqual(plain, marked)
      assert.deepEqual(structure, before.structure)
      assert.deepEqual(list, before.list)
      assert.equal(await text(open, late.emailId), letter('one of several'))
      assert.deepEqual(uidsOf((await open.storeFlags(ALL, add(Flag.flagged))).rows), [1, 3])
      assert.equal((await open.copy(only(2), 'INBOX')).kind, 'nothing')

      open.told(open.snapshot.modseq)
      assert.deepEqual(uidsOf(await rows(open)), [1, 2, 3])
      open.told((await open.changesSince(open.snapshot.modseq)).upTo)
      assert.deepEqual(uidsOf(await rows(open)), [1, 3])
      open.close()
    },
  ],
  [
    'copying keeps flags, keywords, dates and identity, and gives new UIDs in order',
    async (store) => {
      const { account, open } = await filled(store, 3, 'there')
      const internalDate = { seconds: 1_000_000, zoneMinutes: 90 }
      await append(account, 'INBOX', letter('dated'), { internalDate, flags: Flag.answered, keywords: ['Blue', 'Red'] })
      const there = await opened(account, 'there')
      await append(account, 'there', letter('first there'), { keywords: ['Red'] })
      const result = await open.copy([range(1, 1), range(3, 99)], 'there')
      assert(result.kind === 'copied')
      assert.deepEqual([listed(result.source), listed(result.destination)], [[1, 3, 4], [2, 3, 4]])
      assert.equal(result.uidValidity, there.snapshot.status.uidValidity)
      const [, , , copy] = await rows(there)
      const original = await row(open, 4)
      assert(copy !== undefined)
      assert.deepEqual(copy.internalDate, internalDate)
      assert.deepEqual([copy.flags, copy.emailId], [Flag.answered, original.emailId])
      const { keywords } = (await opened(account, 'there')).snapshot
      assert.deepEqual(keywords, ['Red', 'Blue'])
      assert.equal(copy.keywordBits, 3)
      assert.equal(await text(there, copy.emailId), letter('dated'))
      assert.deepEqual(uidsOf(await rows(open)), [1, 2, 3, 4])
      assert.equal((await status(account, 'there')).messages, 4)
      const octets = (await rows(there)).reduce((sum, each) => sum + each.sizeOctets, 0)
      assert.equal((await status(account, 'there')).sizeOctets, octets)
    },
  ],
  [
    'copying is refused or empty where it must be',
    async (store) => {
      const { account, open } = await filled(store, 1, 'there')
      assert.deepEqual(await open.copy(ALL, 'nowhere'), { kind: 'no-such-mailbox' })
      assert.deepEqual(await open.move(ALL, 'nowhere'), { kind: 'no-such-mailbox' })
      assert.deepEqual(await open.copy(only(7), 'nowhere'), { kind: 'no-such-mailbox' })
      assert.deepEqual(await open.copy(only(7), 'there'), { kind: 'nothing' })
      assert.deepEqual(await open.move(only(7), 'there'), { kind: 'nothing' })
      assert.equal((await status(account, 'there')).messages, 0)
      assert.equal((await status(account)).messages, 1)
    },
  ],
  [
    'a copy outlives its original',
    async (store) => {
      const { account, open } = await filled(store, 1, 'there')
      await open.copy(ALL, 'there')
      await open.storeFlags(ALL, add(Flag.deleted))
      await open.expunge()
      open.close()
      const there = await opened(account, 'there')
      const copy = await row(there, 1)
      assert.equal(copy.flags, 0)
      assert.equal(await text(there, copy.emailId), letter('one of several'))
    },
  ],
  [
    'copying and moving within a mailbox gives new UIDs',
    async (store) => {
      const { account, open } = await filled(store, 3)
      const copied = await open.copy(only(1, 2), 'INBOX')
      assert(copied.kind === 'copied')
      assert.deepEqual([listed(copied.source), listed(copied.destination)], [[1, 2], [4, 5]])
      assert.equal((await row(open, 4)).emailId, (await row(open, 1)).emailId)
      const moved = await open.move(only(3, 4), 'inbox')
      assert(moved.kind === 'copied')
      assert.deepEqual([listed(moved.source), listed(moved.destination)], [[3, 4], [6, 7]])
      const after = await opened(account)
      assert.deepEqual([...after.snapshot.uids], [1, 2, 5, 6, 7])
      const changes = await open.changesSince(open.snapshot.modseq)
      assert.deepEqual(listed(changes.vanished), [3])
      assert.deepEqual(uidsOf(changes.arrived), [5, 6, 7])
    },
  ],
  [
    'moving takes along flags and identity and leaves other messages',
    async (store) => {
      const { account, open } = await filled(store, 4, 'there')
      await open.storeFlags(only(1, 2), add(Flag.deleted | Flag.seen, 'Blue'))
      const { emailId } = await row(open, 2)
      const result = await open.move(only(2, 3), 'there')
      assert(result.kind === 'copied')
      assert.deepEqual([listed(result.source), listed(result.destination)], [[2, 3], [1, 2]])
      const there = await opened(account, 'there')
      const found = await rows(there)
      assert.deepEqual(
        found.map((each) => [each.uid, each.flags, each.keywordBits]),
        [
          [1, Flag.deleted | Flag.seen, 1],
          [2, 0, 0],
        ],
      )
      assert.equal(found[0]?.emailId, emailId)
      assert.deepEqual([...(await opened(account)).snapshot.uids], [1, 4])
      assert.deepEqual(uidsOf(await rows(open)), [1, 2, 3, 4])
      const changes = await open.changesSince(open.snapshot.modseq)
      open.told(changes.upTo)
      assert.deepEqual(listed(changes.vanished), [2, 3])
      assert.deepEqual(uidsOf(await rows(open)), [1, 4])
      assert.equal(await text(there, emailId), letter('one of several'))
      assert.deepEqual((await status(account)).deleted, 1)
    },
  ],
  [
    'changes since a moment lead from that view to this one',
    async (store) => {
      const { account, open } = await filled(store, 4)
      const start = open.snapshot.modseq
      const nothing = await open.changesSince(start)
      assert.deepEqual([nothing.vanished, nothing.changed, nothing.arrived], [[], [], []])
      assert.equal(nothing.upTo, start)
      assert.equal(nothing.exists, true)
      await open.storeFlags(only(1), add(Flag.seen, 'Blue'))
      await open.storeFlags(only(2), add(Flag.deleted))
      await appendLetters(account, 'INBOX', 'five', 'six', 'seven')
      await open.storeFlags(only(5, 6), add(Flag.deleted))
      await open.expunge(only(2, 6))
      const changes = await open.changesSince(start)
      assert.deepEqual(listed(changes.vanished), [2])
      assert.deepEqual(
        changes.changed.map((each) => [each.uid, each.flags, each.keywordBits]),
        [[1, Flag.seen, 1]],
      )
      assert.deepEqual(
        changes.arrived.map((each) => [each.uid, each.flags]),
        [
          [5, Flag.deleted],
          [7, 0],
        ],
      )
      assert.equal(changes.uidNext, 8)
      assert.deepEqual(changes.keywords, ['Blue'])
      assert.equal(changes.upTo, (await opened(account)).snapshot.modseq)
      assert.deepEqual((await open.changesSince(changes.upTo)).changed, [])
      await open.storeFlags(only(5), remove(Flag.deleted))
      const later = await open.changesSince(changes.upTo)
      assert.deepEqual([uidsOf(later.changed), later.arrived, later.vanished], [[5], [], []])
      const again = await open.changesSince(start)
      assert.deepEqual([uidsOf(again.changed), uidsOf(again.arrived), listed(again.vanished)], [[1], [5, 7], [2]])
    },
  ],
  [
    'changes elsewhere are not told',
    async (store) => {
      const { account, open } = await filled(store, 1, 'there')
      await append(account, 'there', letter('there'))
      await account.create('more')
      await account.setSubscribed('more', true)
      const changes = await open.changesSince(open.snapshot.modseq)
      assert.deepEqual([changes.vanished, changes.changed, changes.arrived], [[], [], []])
      assert(changes.upTo > open.snapshot.modseq)
    },
  ],
  [
    'who watches hears of every change, after it is there',
    async (store) => {
      const { account, open } = await filled(store, 2, 'there')
      const heard: ModSeq[] = []
      const stop = account.watch((notice) => heard.push(notice.modseq))
      const changes: (readonly [string, () => Promise<unknown>])[] = [
        ['append', () => append(account, 'INBOX', letter('three'))],
        ['flags', () => open.storeFlags(only(1), add(Flag.seen))],
        ['copy', () => open.copy(only(1), 'there')],
        ['move', () => open.move(only(1), 'there')],
        ['mark', () => open.storeFlags(only(2), add(Flag.deleted))],
        ['expunge', () => open.expunge()],
        ['create', () => account.create('new')],
        ['rename', () => account.rename('new', 'newer')],
        ['subscribe', () => account.setSubscribed('newer', true)],
        ['delete', () => account.delete('newer')],
      ]
      let last = open.snapshot.modseq
      for (const [name, change] of changes) {
        heard.length = 0
        await change()
        assert(heard.length > 0, `${name} was not told`)
        assert((heard.at(-1) ?? 0) > last, `${name} did not raise the modseq`)
        last = heard.at(-1) ?? last
        assert.equal((await open.changesSince(last)).upTo, last)
      }
      heard.length = 0
      await open.storeFlags(only(3), remove(Flag.seen))
      await open.expunge()
      await account.setSubscribed('newer', true)
      await account.delete('newer')
      assert.deepEqual(heard, [])
      stop()
      await append(account, 'INBOX', letter('four'))
      assert.deepEqual(heard, [])
    },
  ],
  [
    'a notice may be answered by asking at once',
    async (store) => {
      const { account, open } = await filled(store, 1)
      const asked: Promise<number>[] = []
      account.watch(({ modseq }) => {
        asked.push(open.changesSince(open.snapshot.modseq).then((changes) => Number(changes.upTo >= modseq)))
      })
      await appendLetters(account, 'INBOX', 'two', 'three')
      assert.deepEqual(await Promise.all(asked), [1, 1])
    },
  ],
  [
    'many messages are changed, copied, moved and expunged',
    async (store) => {
      const { account, open } = await filled(store, 200, 'there')
      for (let n = 0; n < 5; n += 1) await open.copy(ALL, 'INBOX')
      const { messages } = await status(account)
      assert.equal(messages, 6400)
      const stored = await open.storeFlags(ALL, add(Flag.flagged))
      assert.equal(stored.rows.length, 6400)
      const every3 = Array.from({ length: 2000 }, (_, n) => 3 * n + 1)
      const moved = await open.move(only(...every3), 'there')
      assert(moved.kind === 'copied')
      assert.deepEqual(listed(moved.source), every3)
      assert.equal(listed(moved.destination).length, 2000)
      const copied = await open.copy(ALL, 'there')
      assert(copied.kind === 'copied')
      assert.equal(listed(copied.destination).length, 4400)
      await open.storeFlags(ALL, add(Flag.deleted))
      assert.equal(listed(await open.expunge()).length, 4400)
      assert.equal((await status(account)).messages, 0)
      assert.equal((await status(account, 'there')).messages, 6400)
      assert.deepEqual(listed((await open.changesSince(open.snapshot.modseq)).vanished), listed([range(1, 200)]))
      const there = await opened(account, 'there')
      assert.deepEqual([...there.snapshot.uids].length, 6400)
      assert.equal((await rows(there, only(1, 6400))).length, 2)
    },
  ],
]
