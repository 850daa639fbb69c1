import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccountKeys, accountOfKey, parseEraseKey, parseKeywordsKey, parseLogKey, parseMailboxKey, parseMessageKey, parsePageKey, parseTombKey } from '../../src/store/account-keys.ts'
import { blobKeys, parseBlobHeadKey, parseBlobRefKey } from '../../src/store/blob-keys.ts'
import { keyAfter } from '../../src/store/key-octets.ts'
import { serverKeys } from '../../src/store/server-keys.ts'
import type { BlobOwner } from '../../src/store/blob-keys.ts'
import type { KeySpan } from '../../src/store/key-octets.ts'
import { LIMITS, compareOctets, startsWith } from '../../src/store/ordered-store.ts'

const u16 = fc.nat({ max: 0xffff })
const u32 = fc.nat({ max: 0xffff_ffff })
const u40 = fc.nat({ max: 2 ** 40 - 1 })
const u48 = fc.nat({ max: 2 ** 48 - 2 })
const account = fc.integer({ min: 1, max: 0xffff_ffff })
const id = fc.uint8Array({ minLength: 16, maxLength: 16 })

function within(key: Uint8Array, { from, to }: KeySpan): boolean {
  return compareOctets(from, key) <= 0 && compareOctets(key, to) < 0
}

describe('keys', () => {
  it('parse back to what they were made of, and lie within their account', () => {
    fc.assert(
      fc.property(account, u32, u32, u40, u48, u16, (number, mailbox, uid, emailId, modseq, part) => {
        const keys = new AccountKeys(number)
        const made: readonly (readonly [Uint8Array, unknown, unknown])[] = [
          [keys.log(modseq), parseLogKey(keys.log(modseq)), { modseq }],
          [keys.counters(mailbox), parseMailboxKey(keys.counters(mailbox)), { mailbox }],
          [keys.mailbox(mailbox), parseMailboxKey(keys.mailbox(mailbox)), { mailbox }],
          [keys.keywords(mailbox, uid), parseKeywordsKey(keys.keywords(mailbox, uid)), { mailbox, uid }],
          [keys.message(emailId, part), parseMessageKey(keys.message(emailId, part)), { emailId, part }],
          [keys.tomb(mailbox, modseq, part), parseTombKey(keys.tomb(mailbox, modseq, part)), { mailbox, modseq, part }],
          [
            keys.erase(emailId, modseq, mailbox),
            parseEraseKey(keys.erase(emailId, modseq, mailbox)),
            { seconds: emailId, modseq, mailbox },
          ],
        ]
        for (const [key, parsed, expected] of made) {
          expect(parsed).toEqual(expected)
          expect(startsWith(key, keys.partition)).toBe(true)
          expect(within(key, keys.all())).toBe(true)
          expect(accountOfKey(key)).toBe(number)
          expect(key.length).toBeLessThanOrEqual(LIMITS.keyOctets)
        }
        const page = Math.floor(uid / 128)
        expect(parsePageKey(keys.page(mailbox, page))).toEqual({ mailbox, page, firstUid: page * 128 })
      }),
    )
  })

  it('order as their numbers do', () => {
    fc.assert(
      fc.property(fc.tuple(account, u32, u48), fc.tuple(account, u32, u48), (a, b) => {
        const key = ([number, mailbox, modseq]: typeof a): Uint8Array =>
          new AccountKeys(number).tomb(mailbox, modseq, 0)
        const byNumbers = a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
        expect(Math.sign(compareOctets(key(a), key(b)))).toBe(Math.sign(byNumbers))
      }),
    )
  })

  it('put the newest log record, the head and the counters side by side', () => {
    const keys = new AccountKeys(7)
    const row = [keys.log(2 ** 48 - 1), keys.head(), keys.counters(0), keys.counters(2 ** 32 - 1), keys.mailbox(0)]
    expect([...row].sort(compareOctets)).toEqual(row)
  })

  it('put list, structure and body of a message side by side, and its continuations behind', () => {
    const keys = new AccountKeys(7)
    const parts = [0, 1, 2, 3, 0x4000, 0x8000].map((part) => keys.message(9, part))
    expect([...parts].sort(compareOctets)).toEqual(parts)
    for (const key of parts) expect(within(key, keys.messageParts(9))).toBe(true)
    expect(within(keys.message(10, 0), keys.messageParts(9))).toBe(false)
    expect(within(keys.message(8, 0xffff), keys.messageParts(9))).toBe(false)
  })

  it('span exactly what they say', () => {
    const keys = new AccountKeys(0xffff_ffff)
    expect(within(keys.log(5), keys.logAfter(4))).toBe(true)
    expect(within(keys.log(4), keys.logAfter(4))).toBe(false)
    expect(within(keys.head(), keys.logAfter(0))).toBe(false)
    expect(within(keys.page(3, 9), keys.pages(3, 2, 9))).toBe(true)
    expect(within(keys.page(3, 10), keys.pages(3, 2, 9))).toBe(false)
    expect(within(keys.page(3, 1), keys.pages(3, 2, 9))).toBe(false)
    expect(within(keys.page(3, 0xffff_ffff), keys.pages(3))).toBe(true)
    expect(within(keys.page(4, 0), keys.pages(3))).toBe(false)
    expect(within(keys.page(0xffff_ffff, 5), keys.pages(0xffff_ffff))).toBe(true)
    expect(within(keys.tomb(1, 7, 3), keys.tombsAfter(1, 6))).toBe(true)
    expect(within(keys.tomb(1, 6, 0xffff), keys.tombsAfter(1, 6))).toBe(false)
    expect(within(keys.tomb(1, 8, 0xffff), keys.tombsAfter(1, 6, 8))).toBe(true)
    expect(within(keys.tomb(1, 9, 0), keys.tombsAfter(1, 6, 8))).toBe(false)
    expect(within(keys.erase(99, 1, 1), keys.eraseBefore(100))).toBe(true)
    expect(within(keys.erase(100, 0, 0), keys.eraseBefore(100))).toBe(false)
    expect(within(new AccountKeys(0xffff_fffe).head(), keys.all())).toBe(false)
    expect(within(blobKeys.partition, keys.all())).toBe(false)
    expect(within(serverKeys.account('x'), serverKeys.accounts())).toBe(true)
  })

  it('name blobs and their owners', () => {
    const owner: fc.Arbitrary<BlobOwner> = fc.oneof(
      fc.record({ kind: fc.constant('message' as const), account: u32, emailId: u40 }),
      fc.record({ kind: fc.constant('queue' as const), id: u48 }),
    )
    fc.assert(
      fc.property(id, owner, (id, owner) => {
        expect(parseBlobHeadKey(blobKeys.head(id))).toEqual({ id })
        expect(parseBlobRefKey(blobKeys.ref(id, owner))).toEqual({ id, owner })
        expect(within(blobKeys.head(id), blobKeys.heads())).toBe(true)
        expect(within(blobKeys.ref(id, owner), blobKeys.refs(id))).toBe(true)
        expect(within(blobKeys.ref(id, owner), blobKeys.heads())).toBe(false)
      }),
    )
  })

  it('have no other key between a key and the one after it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.uint8Array({ minLength: 1 }), (a, b) => {
        const next = keyAfter(a)
        expect(compareOctets(a, next)).toBeLessThan(0)
        if (compareOctets(a, b) < 0) expect(compareOctets(next, b)).toBeLessThanOrEqual(0)
      }),
    )
  })

  it.each([
    ['account 2^32', () => new AccountKeys(2 ** 32)],
    ['a negative mailbox', () => new AccountKeys(1).mailbox(-1)],
    ['email id 2^40', () => new AccountKeys(1).message(2 ** 40, 0)],
    ['modseq 2^48', () => new AccountKeys(1).log(2 ** 48)],
  ])('refuse %s', (_title, make) => {
    expect(make).toThrow(RangeError)
  })
})
