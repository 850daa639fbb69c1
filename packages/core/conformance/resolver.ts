/**
 * The conformance suite of `Resolver`: what code that looks names up relies on, as cases any test runner can run. The
 * resolver under test must answer for the records of `resolverZone`.
 * Not here: caches, retries and hostile servers, which only the tests of a resolver that has them can show.
 */
import assert from 'node:assert/strict'
import type { DnsData, DnsErrorCode, DnsKind, Resolver } from '../src/host/index.ts'
import type { ConformanceCase } from './mail-store.ts'
import type { ZoneText } from './memory-resolver.ts'

/** A resolver under test. */
export interface ResolverUnderTest {
  readonly resolver: Resolver
  /** It asks servers that end aliases in a circle by themselves, with SERVFAIL, so it can't tell why. Default false. */
  readonly hidesLoops?: boolean
  /** Frees what was made for the case. */
  close?(): Promise<void>
}

const DIGEST = '00ff10e38bf4c4c5a26dd5a0c8e4c5c8d6c6b8aa77eb9b2d4d4b9a0f1e2d3c4b'
const LONG_TEXT = 'v=DKIM1; p='.padEnd(700, 'MIIBIjAN')
const LARGE = Array.from({ length: 60 }, (_, i) => `${i} `.padEnd(100, 'x'))

/** The one zone of the suite; the server adds a SOA record, and TTLs above 0 s. */
export const resolverZone: ZoneText = {
  'zone.test': [
    'NS ns.zone.test',
    'MX 20 mx2.zone.test',
    'MX 10 MX1.Zone.TEST',
    'TXT v=spf1 mx -all',
    'TXT other',
    'CAA 128 issue ca.example; x=1',
  ],
  'ns.zone.test': ['A 127.0.0.1'],
  'mx1.zone.test': ['A 192.0.2.1', 'A 192.0.2.2', 'AAAA 2001:db8:0:0:1:0:0:1'],
  'mx2.zone.test': ['A 192.0.2.3'],
  'null.zone.test': ['MX 0 .'],
  'alias.zone.test': ['CNAME Alias-2.zone.test'],
  'alias-2.zone.test': ['CNAME mx1.zone.test'],
  'dangling.zone.test': ['CNAME nowhere.zone.test'],
  'loop-1.zone.test': ['CNAME loop-2.zone.test'],
  'loop-2.zone.test': ['CNAME loop-1.zone.test'],
  'self.zone.test': ['CNAME self.zone.test'],
  'deep.empty.zone.test': ['A 192.0.2.4'],
  '_25._tcp.mx1.zone.test': [`TLSA 3 1 1 ${DIGEST}`],
  '_imaps._tcp.zone.test': ['SRV 5 10 993 mx1.zone.test'],
  '1.reverse.zone.test': ['PTR Mail.Zone.test'],
  'long._domainkey.zone.test': [`TXT ${LONG_TEXT}`],
  'octets.zone.test': ['TXT caf\xe9 \xff; "quoted" \\ end'],
  'large.zone.test': LARGE.map((text) => `TXT ${text}`),
}

type RecordRow = { readonly [K in DnsKind]: readonly [name: string, kind: K, records: readonly DnsData[K][]] }[DnsKind]

const RECORDS: readonly RecordRow[] = [
  ['mx1.zone.test', 'A', ['192.0.2.1', '192.0.2.2']],
  ['mx1.zone.test', 'AAAA', ['2001:db8::1:0:0:1']],
  ['zone.test', 'MX', [{ preference: 10, exchange: 'mx1.zone.test' }, { preference: 20, exchange: 'mx2.zone.test' }]],
  ['null.zone.test', 'MX', [{ preference: 0, exchange: '' }]],
  ['zone.test', 'NS', ['ns.zone.test']],
  ['zone.test', 'TXT', ['other', 'v=spf1 mx -all']],
  ['long._domainkey.zone.test', 'TXT', [LONG_TEXT]],
  ['octets.zone.test', 'TXT', ['caf\xe9 \xff; "quoted" \\ end']],
  ['large.zone.test', 'TXT', LARGE],
  ['1.reverse.zone.test', 'PTR', ['mail.zone.test']],
  ['_imaps._tcp.zone.test', 'SRV', [{ priority: 5, weight: 10, port: 993, target: 'mx1.zone.test' }]],
  [
    '_25._tcp.mx1.zone.test',
    'TLSA',
    [{ usage: 3, selector: 1, match: 1, data: Uint8Array.from(Buffer.from(DIGEST, 'hex')) }],
  ],
  ['zone.test', 'CAA', [{ flags: 128, tag: 'issue', value: 'ca.example; x=1' }]],
  ['ZONE.Test', 'NS', ['ns.zone.test']],
  ['alias-2.zone.test', 'CNAME', ['mx1.zone.test']],
  ['alias.zone.test', 'CNAME', ['alias-2.zone.test']],
  ['alias.zone.test', 'A', ['192.0.2.1', '192.0.2.2']],
]

const EMPTY: readonly (readonly [name: string, kind: DnsKind, nameExists: boolean, why: string])[] = [
  ['mx1.zone.test', 'TXT', true, 'a name with records of other kinds'],
  ['empty.zone.test', 'A', true, 'a name with names below it only'],
  ['zone.test', 'CNAME', true, 'a name that is no alias'],
  ['alias.zone.test', 'TXT', true, 'an alias for a name with records of other kinds'],
  ['nowhere.zone.test', 'A', false, 'a name that is not there'],
  ['below.mx2.zone.test', 'A', false, 'a name below one that has records'],
  ['dangling.zone.test', 'A', false, 'an alias for a name that is not there'],
]

const ERRORS: readonly (readonly [name: string, code: DnsErrorCode, why: string])[] = [
  ['loop-1.zone.test', 'CNAME_LOOP', 'aliases in a circle'],
  ['self.zone.test', 'CNAME_LOOP', 'an alias for itself'],
  ['', 'BAD_NAME', 'no label'],
  ['zone.test.', 'BAD_NAME', 'a trailing dot'],
  ['.zone.test', 'BAD_NAME', 'a leading dot'],
  ['a..zone.test', 'BAD_NAME', 'an empty label'],
  [`${'a'.repeat(64)}.zone.test`, 'BAD_NAME', 'a label of 64 octets'],
  [`${'a.'.repeat(123)}zone.test`, 'BAD_NAME', 'a name of 255 characters'],
  ['b\xfccher.zone.test', 'BAD_NAME', 'letters that are not ASCII'],
  ['a\r\nb.zone.test', 'BAD_NAME', 'a line end'],
  ['a\0.zone.test', 'BAD_NAME', 'a NUL'],
]

type ResolverCase = readonly [name: string, run: (resolver: Resolver, under: ResolverUnderTest) => Promise<void>]

/** All cases. @param make a resolver that answers for `resolverZone` */
export function resolverCases(make: () => Promise<ResolverUnderTest>): readonly ConformanceCase[] {
  const cases: readonly ResolverCase[] = [
    ...RECORDS.map((row): ResolverCase => [
      `answers ${row[1]} ${row[0]} with its records`,
      (resolver) => expectRecords(resolver, row),
    ]),
    ...EMPTY.map(([name, kind, nameExists, why]): ResolverCase => [
      `answers ${kind} ${name} with no records: ${why}`,
      (resolver) => expectEmpty(resolver, name, kind, nameExists),
    ]),
    ...ERRORS.map(([name, code, why]): ResolverCase => [
      `rejects with ${code} for ${why}`,
      (_, under) => expectError(under, name, code),
    ]),
    ['takes names of 253 characters and labels of 63', expectLongName],
    ['gives seconds above 0 to records', expectTtl],
    ['rejects with the reason of a signal that is aborted already', expectAborted],
    ['rejects with the reason of a signal that is aborted while it waits, and answers others', expectAbortedAlone],
    ['answers many questions at once, each with its own', expectMany],
  ]
  return cases.map(([name, run]) => ({
    name,
    async run() {
      const made = await make()
      try {
        await run(made.resolver, made)
      } finally {
        await made.close?.()
      }
    },
  }))
}

/** Servers give records in any order. */
async function expectRecords(resolver: Resolver, [name, kind, expected]: RecordRow): Promise<void> {
  const { records, nameExists } = await resolver.query(name, kind)
  assert.deepEqual([...records].map(textOf).sort(), [...expected].map(textOf).sort())
  assert.equal(nameExists, true)
}

async function expectEmpty(resolver: Resolver, name: string, kind: DnsKind, nameExists: boolean): Promise<void> {
  const answer = await resolver.query(name, kind)
  assert.deepEqual(answer.records, [])
  assert.equal(answer.nameExists, nameExists)
}

async function expectError(under: ResolverUnderTest, name: string, code: DnsErrorCode): Promise<void> {
  const told = code === 'CNAME_LOOP' && under.hidesLoops === true ? 'SERVFAIL' : code
  await assert.rejects(under.resolver.query(name, 'A'), { name: 'DnsError', code: told })
}

async function expectLongName(resolver: Resolver): Promise<void> {
  const label = 'a'.repeat(63)
  const name = `${label}.${label}.${label}.${'b'.repeat(51)}.zone.test`
  assert.equal(name.length, 253)
  assert.equal((await resolver.query(name, 'A')).nameExists, false)
}

async function expectTtl(resolver: Resolver): Promise<void> {
  const { ttl, authentic } = await resolver.query('mx1.zone.test', 'A')
  assert.ok(Number.isInteger(ttl) && ttl > 0 && ttl <= 86_400, `ttl ${ttl}`)
  assert.equal(typeof authentic, 'boolean')
}

async function expectAborted(resolver: Resolver): Promise<void> {
  const reason = new Error('No longer wanted')
  await assert.rejects(resolver.query('mx1.zone.test', 'A', { signal: AbortSignal.abort(reason) }), reason)
}

async function expectAbortedAlone(resolver: Resolver): Promise<void> {
  const reason = new Error('No longer wanted')
  const controller = new AbortController()
  const abandoned = resolver.query('mx2.zone.test', 'A', { signal: controller.signal })
  const wanted = resolver.query('mx2.zone.test', 'A', { signal: new AbortController().signal })
  controller.abort(reason)
  // A resolver that had the answer at once may still give it.
  await abandoned.catch((error: unknown) => assert.equal(error, reason))
  assert.deepEqual((await wanted).records, ['192.0.2.3'])
}

async function expectMany(resolver: Resolver): Promise<void> {
  const rows = RECORDS.flatMap((row) => [row, row, row])
  await Promise.all(rows.map((row) => expectRecords(resolver, row)))
}

function textOf(record: DnsData[DnsKind]): string {
  const hexOf = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)
  return JSON.stringify(record, (_, value: unknown) => hexOf(value))
}
