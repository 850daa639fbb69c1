/** Cases of the store suite about messages: what is appended is what is read. */
import assert from 'node:assert/strict'
import { Flag } from '../src/store/index.ts'
import type { StoreCase } from './mail-store.ts'
import {
  ALL,
  append,
  letter,
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

const octets = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'))

/** Text of any size in which no place looks like another. */
function numbered(sizeOctets: number): string {
  const lines: string[] = []
  for (let n = 0; n * 16 < sizeOctets; n += 1) lines.push(`${n}`.padStart(14, '.') + '\r\n')
  return lines.join('').slice(0, sizeOctets)
}

export const messageCases: readonly StoreCase[] = [
  [
    'appending tells mailbox, UIDs and modseq',
    async (store) => {
      const account = await newAccount(store)
      const one = await spooled(account, letter('one'))
      const two = await spooled(account, letter('two'))
      const result = await account.append('inbox', [
        { message: one, flags: Flag.seen, keywords: [] },
        { message: two, flags: Flag.flagged, keywords: ['Blue'] },
      ])
      assert(result.kind === 'appended')
      assert.equal(result.mailbox.name, 'INBOX')
      assert.deepEqual(result.uids, range(1, 2))
      const open = await opened(account)
      assert.equal(open.snapshot.modseq, result.modseq)
      assert.equal(open.snapshot.status.highestModseq, result.modseq)
      const found = await rows(open)
      assert.deepEqual(
        found.map((each) => [each.uid, each.flags, each.keywordBits, each.modseq]),
        [
          [1, Flag.seen, 0, result.modseq],
          [2, Flag.flagged, 1, result.modseq],
        ],
      )
      assert.notEqual(found[0]?.emailId, found[1]?.emailId)
      const again = await account.append('INBOX', [{ message: one, flags: 0, keywords: [] }])
      assert(again.kind === 'appended')
      assert.deepEqual(again.uids, range(3, 3))
      assert(again.modseq > result.modseq)
    },
  ],
  [
    'appending to a missing mailbox stores nothing',
    async (store) => {
      const account = await newAccount(store)
      const message = await spooled(account, letter('one'))
      const result = await account.append('nowhere', [{ message, flags: 0, keywords: [] }])
      assert.deepEqual(result, { kind: 'no-such-mailbox' })
      assert.equal((await status(account)).messages, 0)
    },
  ],
  [
    'octets come back as they came, at every size',
    async (store) => {
      const account = await newAccount(store)
      const sizes = [1, 7_999, 8_000, 8_001, 16_000, 65_536, 100_001, 262_144, 262_200, 700_000]
      for (const size of sizes) {
        const whole = `Subject: ${size}\r\n\r\n${numbered(size)}`
        const uid = await append(account, 'INBOX', whole)
        const open = await opened(account)
        const { emailId, sizeOctets } = await row(open, uid)
        assert.equal(sizeOctets, whole.length)
        assert(whole === (await text(open, emailId)), `${size} octets`)
        for (const [from, to] of [
          [0, 20],
          [10, 10],
          [whole.length - 5, whole.length + 5],
          [Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 70_000],
          [whole.length, whole.length + 1],
          [whole.length + 10, whole.length + 20],
        ] as const) {
          assert(whole.slice(from, to) === (await text(open, emailId, from, to)), `${size} octets, ${from} to ${to}`)
        }
        open.close()
      }
    },
  ],
  [
    'any octets are kept, NUL and bare line ends too',
    async (store) => {
      const account = await newAccount(store)
      const all = Buffer.concat([octets('Subject: all\r\n\r\n'), Buffer.from(Array.from({ length: 256 }, (_, n) => n))])
      await append(account, 'INBOX', all)
      const open = await opened(account)
      assert.equal(await text(open, (await row(open, 1)).emailId), all.toString('latin1'))
    },
  ],
  [
    'a prefix stands before the message, and offsets count from its beginning',
    async (store) => {
      const account = await newAccount(store)
      const prefix = 'Received: from here\r\n\tby there\r\n'
      const body = letter('with prefix', 'Body\r\n')
      for (const [uid, size] of [
        [1, 0],
        [2, 300_000],
      ] as const) {
        const whole = prefix + body + numbered(size)
        await append(account, 'INBOX', body + numbered(size), { prefix: octets(prefix) })
        const open = await opened(account)
        const found = await row(open, uid, { structure: true, list: true })
        assert.equal(found.sizeOctets, whole.length)
        assert(whole === (await text(open, found.emailId)))
        const root = found.structure?.root
        assert(root !== undefined)
        assert.equal(root.headerStart, 0)
        assert.equal(whole.slice(root.bodyStart, root.bodyStart + 6), 'Body\r\n')
        assert.equal(root.end, whole.length)
        assert(Buffer.from(found.list?.envelope ?? []).includes('with prefix'))
      }
      const message = await spooled(account, body)
      await assert.rejects(account.append('INBOX', [{ message, prefix: octets('X: y'), flags: 0, keywords: [] }]))
      await assert.rejects(
        account.append('INBOX', [{ message, prefix: octets(`X: ${'y'.repeat(65_536)}\r\n`), flags: 0, keywords: [] }]),
      )
      assert.equal((await status(account)).messages, 2)
    },
  ],
  [
    'fields of a prefix belong to the header',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', 'From: a@example.com\r\n\r\nBody', { prefix: octets('Subject: put before\r\n') })
      const found = await row(await opened(account), 1, { list: true, structure: true })
      assert(Buffer.from(found.list?.envelope ?? []).includes('put before'))
      assert(Buffer.from(found.structure?.root.envelope?.subject ?? []).includes('put before'))
    },
  ],
  [
    'a message without empty line gets one',
    async (store) => {
      const account = await newAccount(store)
      for (const whole of ['', 'just text', 'just text\r\nof two lines\r\n', 'Subject: only\r\n', 'Subject: only']) {
        const uid = await append(account, 'INBOX', whole, { prefix: octets('Received: x\r\n') })
        const open = await opened(account)
        const found = await row(open, uid, { structure: true })
        const kept = await text(open, found.emailId)
        assert.equal(found.sizeOctets, kept.length)
        assert(kept.startsWith('Received: x\r\n'))
        assert(kept.includes('\r\n\r\n'), JSON.stringify(kept))
        assert.equal(kept.replaceAll('\r\n', ''), `Received: x${whole.replaceAll('\r\n', '')}`)
        assert.equal(found.structure?.hasSeparator, true)
        assert.equal(kept.slice(0, found.structure?.root.bodyStart).slice(-4), '\r\n\r\n')
      }
    },
  ],
  [
    'internal date and zone are kept; without one it is now',
    async (store) => {
      const account = await newAccount(store)
      const dates = [
        { seconds: 0, zoneMinutes: 0 },
        { seconds: 1_700_000_000, zoneMinutes: -210 },
        { seconds: 2 ** 32 - 1, zoneMinutes: 845 },
        { seconds: 86_400, zoneMinutes: 17 },
        { seconds: 86_400, zoneMinutes: -1439 },
        { seconds: 86_400, zoneMinutes: 1439 },
      ]
      for (const internalDate of dates) await append(account, 'INBOX', letter('dated'), { internalDate })
      await append(account, 'INBOX', letter('now'))
      const found = await rows(await opened(account))
      assert.deepEqual(
        found.slice(0, dates.length).map((each) => each.internalDate),
        dates,
      )
      assert.equal(found.at(-1)?.internalDate.seconds, found.at(-1)?.saveDateSeconds)
      assert.equal(found.at(-1)?.internalDate.zoneMinutes, 0)
    },
  ],
  [
    'only the parts asked for are given',
    async (store) => {
      const account = await newAccount(store)
      await append(account, 'INBOX', letter('parts', 'x'.repeat(1000)))
      const open = await opened(account)
      const plain = await row(open, 1)
      assert.deepEqual([plain.list, plain.structure, plain.body], [undefined, undefined, undefined])
      const full = await row(open, 1, { list: true, structure: true, bodyOctets: 65_536 })
      assert.equal(Buffer.from(full.body ?? []).toString(), letter('parts', 'x'.repeat(1000)))
      assert.equal(full.structure?.root.type, 'text')
      assert.equal(full.structure?.root.subtype, 'plain')
      assert(Buffer.from(full.list?.envelope ?? []).toString().startsWith('('))
      assert(Buffer.from(full.list?.bodyStructure ?? []).toString().startsWith('('))
      assert(Buffer.from(full.list?.fields ?? []).includes('Subject: parts\r\n'))
      assert.equal(full.list?.ascii, true)
      const size = full.sizeOctets
      assert.equal((await row(open, 1, { bodyOctets: size - 1 })).body, undefined)
      assert.equal((await row(open, 1, { bodyOctets: size })).body?.length, size)
    },
  ],
  [
    'a long list comes whole, in order, in batches',
    async (store) => {
      const account = await newAccount(store)
      const message = await spooled(account, letter('one of many'))
      const many = Array.from({ length: 100 }, () => ({ message, flags: 0, keywords: [] }))
      for (let n = 0; n < 6; n += 1) await account.append('INBOX', many)
      const open = await opened(account)
      assert.equal((await rows(open)).length, 600)
      assert.equal((await rows(open, ALL, { list: true, structure: true, bodyOctets: 65_536 })).length, 600)
      assert.deepEqual(uidsOf(await rows(open, [range(5, 7), range(127, 130), range(599, 700)])), [
        5, 6, 7, 127, 128, 129, 130, 599, 600,
      ])
      assert.deepEqual(await rows(open, []), [])
      assert.deepEqual(await rows(open, [range(601, 2 ** 32 - 1)]), [])
    },
  ],
  [
    'messages appended at once all arrive, each under its own UID',
    async (store) => {
      const account = await newAccount(store, 'other')
      const names = ['INBOX', 'other']
      const uids = await Promise.all(
        Array.from({ length: 60 }, (_, n) => append(account, names[n % 2] as string, letter(`at once ${n}`))),
      )
      assert.equal(new Set(uids).size, 30)
      for (const [m, name] of names.entries()) {
        const open = await opened(account, name)
        const found = await rows(open)
        assert.deepEqual(
          uidsOf(found),
          Array.from({ length: 30 }, (_, n) => n + 1),
        )
        for (const [n, uid] of uids.entries()) {
          if (n % 2 !== m) continue
          assert.equal(await text(open, (await row(open, uid)).emailId), letter(`at once ${n}`))
        }
      }
    },
  ],
  [
    'a UID is never given twice, not after the highest message went',
    async (store, reopen) => {
      let account = await newAccount(store)
      assert.equal(await append(account, 'INBOX', letter('one'), { flags: Flag.deleted }), 1)
      assert.equal(await append(account, 'INBOX', letter('two'), { flags: Flag.deleted }), 2)
      await (await opened(account)).expunge()
      assert.equal((await status(account)).uidNext, 3)
      if (reopen !== undefined) account = (await (await reopen()).account('ann')) ?? account
      assert.equal(await append(account, 'INBOX', letter('three')), 3)
      assert.deepEqual(uidsOf(await rows(await opened(account), only(3))), [3])
    },
  ],
]
