import { StoreError } from '@postern/core/store'
import type { SpecialUse, UidRange } from '@postern/core/store'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBlobHead, decodeBlobRef, encodeBlobHead, encodeBlobRef } from '../../src/store/blob-records.ts'
import { decodeChunk, encodeChunk } from '../../src/store/body-chunks.ts'
import { decodeHead, encodeHead } from '../../src/store/head-record.ts'
import { decodeList, encodeList } from '../../src/store/list-codec.ts'
import type { LogEntry } from '../../src/store/log-record.ts'
import { decodeLog, encodeLog } from '../../src/store/log-record.ts'
import { LONG_RECORD_OCTETS, continuationsOf } from '../../src/store/long-record.ts'
import {
  decodeCounters,
  decodeKeywords,
  decodeMailbox,
  encodeCounters,
  encodeKeywords,
  encodeMailbox,
} from '../../src/store/mailbox-records.ts'
import { decodeMessageIds, decodeRefs, encodeMessageIds, encodeRefs } from '../../src/store/message-records.ts'
import {
  decodeBucket,
  decodeIdem,
  decodeName,
  encodeBucket,
  encodeIdem,
  encodeName,
  findNamed,
  withNamed,
} from '../../src/store/named-records.ts'
import { LIMITS } from '../../src/store/ordered-store.ts'
import { Page } from '../../src/store/pages.ts'
import { decodeAccount, decodeNumber, encodeAccount, encodeNumber } from '../../src/store/server-records.ts'
import { decodeStructure, encodeStructure } from '../../src/store/structure-codec.ts'
import {
  TOMB_ROWS,
  decodeErase,
  decodeTomb,
  encodeErase,
  encodeTombRanges,
  encodeTombRows,
} from '../../src/store/tomb-record.ts'
import { arbitraryStructure } from './arbitrary-structure.ts'

const u16 = fc.nat({ max: 0xffff })
const u32 = fc.nat({ max: 0xffff_ffff })
const u40 = fc.nat({ max: 2 ** 40 - 1 })
const u48 = fc.nat({ max: 2 ** 48 - 1 })
const text = fc.string({ unit: 'binary', maxLength: 20 })
const octets = fc.uint8Array({ maxLength: 40 })
const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const ranges = fc
  .uniqueArray(fc.integer({ min: 1, max: 0xffff_ffff }), { maxLength: 20 })
  .map((uids) => uids.sort((a, b) => a - b))
  .map((uids) => uids.flatMap((first, i) => (i % 2 === 0 ? [{ first, last: uids[i + 1] ?? first } as UidRange] : [])))
const row = fc.record({
  slot: fc.nat({ max: 127 }),
  flags: u16,
  keywordBits: u32,
  modseq: u48,
  sizeOctets: u32,
  dateSeconds: u32,
  zoneQuarters: fc.integer({ min: -128, max: 127 }),
  savedSeconds: u32,
  emailId: u40,
})
const logEntry: fc.Arbitrary<LogEntry> = fc.record({
  kind: fc.constantFrom('arrived', 'flags', 'expunged', 'created', 'deleted', 'renamed', 'keywords'),
  mailbox: u32,
  uids: ranges,
  exact: fc.boolean(),
})
const specialUse = fc.uniqueArray(
  fc.constantFrom<SpecialUse>('\\All', '\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Trash'),
)

/** A codec with values for it; erased to what the tests need of it. */
interface Codec {
  readonly name: string
  readonly roundTrip: () => void
  readonly decode: (octets: Uint8Array) => unknown
  readonly example: () => Uint8Array
}

function codec<T>(
  name: string,
  values: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (octets: Uint8Array) => unknown,
): Codec {
  return {
    name,
    roundTrip() {
      fc.assert(
        fc.property(values, (value) => {
          expect(decode(encode(value))).toEqual(value)
        }),
      )
    },
    decode,
    example: () => encode(fc.sample(values, { numRuns: 1, seed: 7 })[0] as T),
  }
}

const codecs: readonly Codec[] = [
  codec(
    'head',
    fc.record({
      generation: u48,
      modseq: u48,
      nextEmailId: u40,
      nextMailboxId: u32,
      nextUidValidity: u32,
      octetsUsed: u48,
      nonces: fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { maxLength: 8 }),
    }),
    encodeHead,
    decodeHead,
  ),
  codec(
    'counters',
    fc.record({
      uidNext: u32,
      highestModseq: u48,
      total: u32,
      unseen: u32,
      deleted: u32,
      sizeOctets: u48,
      firstUnseenHint: u32,
      recentFrom: u32,
      recent: u32,
    }),
    encodeCounters,
    decodeCounters,
  ),
  codec(
    'mailbox',
    fc.record({
      name: text,
      uidValidity: u32,
      specialUse,
      keywords: fc.array(text),
      createdModseq: u48,
      changedModseq: u48,
    }),
    encodeMailbox,
    decodeMailbox,
  ),
  codec('keywords', fc.array(text), encodeKeywords, decodeKeywords),
  codec(
    'bucket',
    fc.array(fc.record({ name: text, octets }), { minLength: 1 }),
    (bucket) => encodeBucket(bucket) as Uint8Array,
    decodeBucket,
  ),
  codec(
    'name',
    fc.record({
      mailbox: fc.option(
        u32.filter((n) => n > 0),
        { nil: undefined },
      ),
      uidValidity: u32,
      modseq: u48,
    }),
    encodeName,
    decodeName,
  ),
  codec('idempotency', fc.record({ expiryDay: u16, result: octets }), encodeIdem, decodeIdem),
  codec(
    'references',
    fc
      .uniqueArray(fc.tuple(fc.nat({ max: 127 }), fc.integer({ min: 2, max: 0xff_ffff })), {
        selector: ([slot]) => slot,
        minLength: 1,
      })
      .map((entries) => new Map(entries)),
    (refs) => encodeRefs(refs) as Uint8Array,
    decodeRefs,
  ),
  codec(
    'Message-IDs',
    fc.array(fc.record({ emailId: u40, threadId: u40, mailbox: u32, uid: u32 }), { maxLength: 64 }),
    encodeMessageIds,
    decodeMessageIds,
  ),
  codec('log', fc.array(logEntry, { maxLength: 10 }), encodeLog, decodeLog),
  codec(
    'tombstone rows',
    fc.array(fc.record({ uid: u32, row }), { maxLength: 20 }).map((rows) => ({ kind: 'rows' as const, rows })),
    ({ rows }) => encodeTombRows(rows),
    decodeTomb,
  ),
  codec(
    'tombstone ranges',
    ranges.map((uids) => ({ kind: 'ranges' as const, uids })),
    ({ uids }) => encodeTombRanges(uids),
    decodeTomb,
  ),
  codec(
    'erasure',
    fc.record({ kind: fc.constantFrom('tombstone' as const, 'mailbox' as const) }),
    encodeErase,
    decodeErase,
  ),
  codec(
    'list',
    fc.record({
      threadId: u40,
      list: fc.option(
        fc.record({
          ascii: fc.boolean(),
          complete: fc.boolean(),
          envelope: octets,
          bodyStructure: octets,
          fields: octets,
        }),
        { nil: undefined },
      ),
    }),
    (stored) => encodeList(stored)[0],
    (record) => decodeList([record]),
  ),
  codec(
    'structure',
    fc.record({
      structure: arbitraryStructure,
      sizeOctets: u32,
      body: fc.oneof(
        fc.record({ kind: fc.constant('chunks' as const), firstOctets: u16 }),
        fc.record({
          kind: fc.constant('blob' as const),
          id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
          prefix: octets,
          skipOctets: u32,
        }),
      ),
      zoneMinutes: fc.option(fc.integer({ min: -1439, max: 1439 }), { nil: undefined }),
    }),
    (stored) => encodeStructure(stored)[0],
    (record) => decodeStructure([record]),
  ),
  codec('body chunk', octets, encodeChunk, decodeChunk),
  codec(
    'blob head',
    fc.record({
      state: fc.constantFrom('live' as const, 'dying' as const),
      sinceSeconds: u40,
      sizeOctets: u48,
      sha256,
    }),
    encodeBlobHead,
    decodeBlobHead,
  ),
  codec('blob reference', fc.record({ sinceSeconds: u40 }), encodeBlobRef, decodeBlobRef),
  codec(
    'account',
    fc.record({ number: u32, nextUidValidity: u32, state: fc.constantFrom('active' as const, 'removed' as const) }),
    encodeAccount,
    decodeAccount,
  ),
  codec('number', u32, encodeNumber, decodeNumber),
  codec(
    'page',
    fc
      .uniqueArray(row, { selector: ({ slot }) => slot, maxLength: 128 })
      .map((rows) => rows.sort((a, b) => a.slot - b.slot)),
    (rows) => {
      const page = Page.empty.edit()
      for (const given of rows) page.insert(given)
      return page.finish().octets
    },
    (record) => {
      const page = Page.decode(record)
      return Array.from({ length: page.count }, (_, i) => page.row(i))
    },
  ),
]

function decodesOrIsCorrupt(decode: (octets: Uint8Array) => unknown, record: Uint8Array): boolean {
  try {
    decode(record)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError)
    expect((error as StoreError).code).toBe('STORE_CORRUPT')
    return false
  }
}

/** Records whose damage is noticed whatever it is. */
const checked = new Set(['list', 'structure', 'body chunk', 'page'])

describe.each(codecs)('record: $name', ({ name, roundTrip, decode, example }) => {
  it('gives back what was written', roundTrip)

  it('gives a value or STORE_CORRUPT for any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 2 }), (record, format) => {
        decodesOrIsCorrupt(decode, record)
        decodesOrIsCorrupt(decode, Uint8Array.of(format, ...record))
      }),
      { numRuns: 300 },
    )
  })

  it('gives a value or STORE_CORRUPT for a damaged record', () => {
    const whole = example()
    for (let length = 0; length < whole.length; length += 1) decodesOrIsCorrupt(decode, whole.slice(0, length))
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = whole.slice()
      damaged[at] = (damaged[at] as number) ^ 0x81
      const read = decodesOrIsCorrupt(decode, damaged)
      if (checked.has(name)) expect(read).toBe(false)
    }
  })
})

describe('long records', () => {
  it.each([0, 1, 8000, 8094, 8095, 16_188, 16_189, 100_000])('list of %i octets of fields', (length) => {
    const fields = Uint8Array.from({ length }, (_, i) => i % 251)
    const list = { ascii: true, complete: true, envelope: Uint8Array.of(1), bodyStructure: Uint8Array.of(2), fields }
    const parts = encodeList({ threadId: 1, list })
    expect(parts.every((part) => part.length <= LIMITS.valueOctets)).toBe(true)
    expect(continuationsOf(parts[0], 'list')).toBe(parts.length - 1)
    expect(decodeList(parts)).toEqual({ threadId: 1, list })
    if (parts.length > 1) {
      expect(() => decodeList(parts.slice(0, -1))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
      expect(() => decodeList([...parts.slice(0, -1), undefined])).toThrow(
        expect.objectContaining({ code: 'STORE_CORRUPT' }),
      )
      expect(() => decodeList([parts[0], ...[...parts.slice(1), new Uint8Array(9)]])).toThrow('lacks a part')
    }
  })

  it('refuses parts in another order', () => {
    const fields = new Uint8Array(30_000)
    const [first, ...more] = encodeList({
      threadId: 1,
      list: { ascii: true, complete: true, envelope: fields, bodyStructure: fields, fields },
    })
    expect(() => decodeList([first, ...more.reverse()])).toThrow('out of order')
  })

  it('stores no list that is too large, and says so', () => {
    const fields = new Uint8Array(LONG_RECORD_OCTETS)
    const list = { ascii: true, complete: true, envelope: new Uint8Array(1), bodyStructure: new Uint8Array(1), fields }
    expect(decodeList(encodeList({ threadId: 5, list }))).toEqual({ threadId: 5, list: undefined })
  })

  it('tells a structure that is too large as opaque', () => {
    const leaf = {
      headerStart: 0,
      bodyStart: 1,
      end: 2,
      bodyLines: 1,
      type: 'text',
      subtype: 'plain',
      parameters: [],
      transferEncoding: '7bit',
      children: [],
    }
    const envelope = { subject: Uint8Array.of(65) }
    const children = Array.from({ length: 20_000 }, () => leaf)
    const root = { ...leaf, type: 'multipart', subtype: 'mixed', end: 9_000_000, children, envelope }
    const stored = {
      structure: { root, truncated: false, hasSeparator: true },
      sizeOctets: 9_000_000,
      body: { kind: 'chunks' as const, firstOctets: 1 },
      zoneMinutes: undefined,
    }
    const { structure } = decodeStructure(encodeStructure(stored))
    expect(structure.truncated).toBe(true)
    expect(structure.root).toMatchObject({ type: 'application', end: 9_000_000, children: [], envelope })
    const huge = { ...root, children: [], envelope: { subject: new Uint8Array(LONG_RECORD_OCTETS) } }
    const cut = decodeStructure(encodeStructure({ ...stored, structure: { ...stored.structure, root: huge } }))
    expect(cut.structure.root).toMatchObject({ type: 'application', envelope: {} })
  })

  it('holds a tree of any depth', () => {
    const leaf = {
      headerStart: 0,
      bodyStart: 0,
      end: 0,
      bodyLines: 0,
      type: 'a',
      subtype: 'b',
      parameters: [],
      transferEncoding: 'c',
    }
    let root: { children: unknown[] } = { ...leaf, children: [] }
    for (let depth = 0; depth < 10_000; depth += 1) root = { ...leaf, children: [root] }
    const structure = { root, truncated: false, hasSeparator: true } as never
    const parts = encodeStructure({
      structure,
      sizeOctets: 0,
      body: { kind: 'chunks', firstOctets: 0 },
      zoneMinutes: undefined,
    })
    let depth = 0
    for (
      let part = decodeStructure(parts).structure.root;
      part.children.length > 0;
      part = part.children[0] as typeof part
    )
      depth += 1
    expect(depth).toBe(10_000)
  })
})

describe('log', () => {
  const scattered = (count: number): UidRange[] =>
    Array.from({ length: count }, (_, i) => ({ first: 1 + i * 2, last: 1 + i * 2 }) as UidRange)

  it('widens long lists of ranges and says so; short ones stay exact', () => {
    const record = encodeLog([
      { kind: 'flags', mailbox: 1, uids: scattered(4096), exact: true },
      { kind: 'arrived', mailbox: 2, uids: scattered(3), exact: true },
    ])
    expect(record.length).toBeLessThan(4000)
    expect(decodeLog(record)).toEqual([
      { kind: 'flags', mailbox: 1, uids: [{ first: 1, last: 8191 }], exact: false },
      { kind: 'arrived', mailbox: 2, uids: scattered(3), exact: true },
    ])
  })

  it('tells that anything may have happened when even that does not fit', () => {
    const entries = Array.from({ length: 2000 }, (_, i): LogEntry => ({
      kind: 'renamed',
      mailbox: i + 1,
      uids: [],
      exact: true,
    }))
    expect(decodeLog(encodeLog(entries))).toEqual([{ kind: 'anything', mailbox: 0, uids: [], exact: false }])
  })

  it.each([
    ['UID 0', [0, 1, 1, 1, 0]],
    ['UIDs beyond 2^32−1', [0, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]],
  ])('refuses %s', (_title, entry) => {
    expect(() => decodeLog(Uint8Array.of(1, 1, ...entry))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  })
})

describe('small records', () => {
  it('fits a full tombstone into one value', () => {
    const rows = Array.from({ length: TOMB_ROWS }, (_, uid) => ({
      uid,
      row: { ...(fc.sample(row, 1)[0] as never as Record<string, number>) } as never,
    }))
    expect(encodeTombRows(rows).length).toBeLessThanOrEqual(LIMITS.valueOctets)
  })

  it('keeps the newest eight nonces', () => {
    const nonces = Array.from({ length: 12 }, (_, i) => new Uint8Array(8).fill(i))
    const head = {
      generation: 1,
      modseq: 1,
      nextEmailId: 1,
      nextMailboxId: 1,
      nextUidValidity: 1,
      octetsUsed: 0,
      nonces,
    }
    expect(decodeHead(encodeHead(head)).nonces).toEqual(nonces.slice(0, 8))
  })

  it('keeps the last 64 messages of a Message-ID', () => {
    const entries = Array.from({ length: 100 }, (_, i) => ({ emailId: i, threadId: 1, mailbox: 1, uid: i }))
    expect(decodeMessageIds(encodeMessageIds(entries))).toEqual(entries.slice(36))
  })

  it('keeps no reference count of one, and no record of none', () => {
    expect(
      encodeRefs(
        new Map([
          [3, 1],
          [4, 0],
        ]),
      ),
    ).toBeUndefined()
    expect(
      decodeRefs(
        encodeRefs(
          new Map([
            [3, 1],
            [4, 2],
          ]),
        ),
      ),
    ).toEqual(new Map([[4, 2]]))
    expect(decodeRefs(undefined)).toEqual(new Map())
  })

  it('sets, replaces and removes names in a bucket', () => {
    const one = withNamed(decodeBucket(undefined), 'a', Uint8Array.of(1))
    const two = withNamed(one, 'b', Uint8Array.of(2))
    const three = withNamed(two, 'a', Uint8Array.of(3))
    expect(findNamed(decodeBucket(encodeBucket(three)), 'a')).toEqual(Uint8Array.of(3))
    expect(findNamed(three, 'b')).toEqual(Uint8Array.of(2))
    expect(encodeBucket(withNamed(one, 'a', undefined))).toBeUndefined()
  })

  it.each([
    [
      'a UID of 2^32',
      () =>
        encodeCounters({
          uidNext: 2 ** 32,
          highestModseq: 0,
          total: 0,
          unseen: 0,
          deleted: 0,
          sizeOctets: 0,
          firstUnseenHint: 0,
          recentFrom: 0,
          recent: 0,
        }),
    ],
    ['a negative count', () => encodeNumber(-1)],
    ['a fraction', () => encodeNumber(1.5)],
    ['an email id of 2^40', () => encodeMessageIds([{ emailId: 2 ** 40, threadId: 0, mailbox: 0, uid: 0 }])],
  ])('refuses %s instead of wrapping it', (_title, encode) => {
    expect(encode).toThrow(RangeError)
  })
})
