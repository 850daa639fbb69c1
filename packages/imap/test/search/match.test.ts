import type { OpenMailbox, RowParts, UidRanges } from '@postern/core/store'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCriteria } from '../../src/search/criteria.ts'
import { findMessages } from '../../src/search/match.ts'
import { Pace } from '../../src/search/pace.ts'
import { planSearch } from '../../src/search/plan.ts'
import { View } from '../../src/session/view.ts'
import { Reader } from '../../src/syntax/reader.ts'
import { resolveSequenceNumbers, resolveUids } from '../../src/syntax/sequence-set.ts'
import { fillMailbox, withMethods, type GivenMessage } from '../filled-mailbox.ts'

const NL = '\r\n'

async function search(
  view: View,
  text: string,
  how: { readonly pace?: Pace; readonly isWanted?: () => boolean } = {},
): Promise<number[]> {
  const criteria = parseCriteria(Reader.of(` ${text}`))
  if (criteria.kind !== 'criteria') throw new Error('Bad charset')
  const plan = planSearch(criteria.key, {
    all: view.uids.slice(1, view.size),
    keywords: view.keywords,
    recent: view.recent,
    resolve: (set, uid) => (uid ? resolveUids(set, view.uids) : (resolveSequenceNumbers(set, view.uids) as UidRanges)),
  })
  const found = await findMessages(plan, { mailbox: view.mailbox, ...how })
  return found.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n))
}

/** One message, as what it says and how it is written. */
interface Letter {
  readonly subject: string
  readonly from: string
  readonly body: string
  readonly note: string | undefined
  readonly flags: readonly string[]
  readonly day: number
  readonly encoding: '8bit' | 'base64' | 'quoted-printable'
}

type Key =
  | { readonly kind: 'flag'; readonly name: string; readonly word: string }
  | { readonly kind: 'subject' | 'from' | 'body' | 'text' | 'note'; readonly text: string }
  | { readonly kind: 'sent' | 'since'; readonly day: number }
  | { readonly kind: 'uid'; readonly uids: readonly number[] }
  | { readonly kind: 'larger'; readonly octets: number }
  | { readonly kind: 'not'; readonly key: Key }
  | { readonly kind: 'or' | 'and'; readonly keys: readonly [Key, Key] }

const DAY_SECONDS = 86_400
const FLAGS: Readonly<Record<string, string>> = {
  SEEN: '\\Seen',
  DELETED: '\\Deleted',
  'KEYWORD work': 'work',
  'KEYWORD $Junk': '$Junk',
}

const words = fc
  .array(fc.constantFrom('plan', 'Plan', 'ÄRGER', 'ärger', 'a', 'б', 'Б', '=?', '€'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(' '))
const needle = fc.constantFrom('plan', 'LAN', 'är', 'Ä', 'б', 'a', '€', '=?', 'n p', 'zzz')
const letter: fc.Arbitrary<Letter> = fc.record({
  subject: words,
  from: words,
  body: words,
  note: fc.option(words, { nil: undefined }),
  flags: fc.subarray(['\\Seen', '\\Deleted', 'work', '$Junk']),
  day: fc.integer({ min: 0, max: 3 }),
  encoding: fc.constantFrom('8bit', 'base64', 'quoted-printable'),
})

const key: fc.Arbitrary<Key> = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom(...Object.keys(FLAGS)).map((word): Key => ({ kind: 'flag', word, name: FLAGS[word] as string })),
    fc.record({ kind: fc.constantFrom(...(['subject', 'from', 'body', 'text', 'note'] as const)), text: needle }),
    fc.record({ kind: fc.constantFrom('sent' as const, 'since' as const), day: fc.integer({ min: 0, max: 3 }) }),
    fc
      .uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 })
      .map((uids): Key => ({ kind: 'uid', uids })),
    fc.record({ kind: fc.constant('larger' as const), octets: fc.integer({ min: 200, max: 320 }) }),
    tie('key').map((inner): Key => ({ kind: 'not', key: inner })),
    fc.record({ kind: fc.constantFrom('or' as const, 'and' as const), keys: fc.tuple(tie('key'), tie('key')) }),
  ),
})).key

function encodedWord(text: string): string {
  return `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`
}

function encodedBody({ body, encoding }: Letter): string {
  const octets = Buffer.from(body + NL)
  if (encoding === '8bit') return octets.toString('latin1')
  if (encoding === 'base64') return octets.toString('base64') + NL
  return [...octets].map((octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

function write(given: Letter): GivenMessage {
  const header = [
    `Subject: ${encodedWord(given.subject)}`,
    `From: ${encodedWord(given.from)} <x@example.org>`,
    `Date: Thu, ${given.day + 1} Jan 1970 23:59:59 -1100`,
    ...(given.note === undefined ? [] : [`X-Note: ${encodedWord(given.note)}`]),
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${given.encoding}`,
  ]
  const octets = Buffer.from(`${header.join(NL)}${NL}${NL}${encodedBody(given)}`, 'latin1')
  return { octets, flags: given.flags, internalDate: { seconds: given.day * DAY_SECONDS, zoneMinutes: 0 } }
}

function format(asked: Key): string {
  switch (asked.kind) {
    case 'flag':
      return asked.word
    case 'subject':
    case 'from':
    case 'body':
    case 'text':
      return `${asked.kind} "${asked.text}"`
    case 'note':
      return `HEADER x-note "${asked.text}"`
    case 'sent':
      return `SENTON ${asked.day + 1}-Jan-1970`
    case 'since':
      return `SINCE ${asked.day + 1}-Jan-1970`
    case 'uid':
      return `UID ${asked.uids.join(',')}`
    case 'larger':
      return `LARGER ${asked.octets}`
    case 'not':
      return `NOT ${format(asked.key)}`
    case 'or':
      return `OR ${format(asked.keys[0])} ${format(asked.keys[1])}`
    case 'and':
      return `(${format(asked.keys[0])} ${format(asked.keys[1])})`
  }
}

/** The same, without any of the code under test. */
function matches(asked: Key, given: Letter, uid: number, sizeOctets: number): boolean {
  const holds = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase())
  switch (asked.kind) {
    case 'flag':
      return given.flags.includes(asked.name)
    case 'subject':
      return holds(given.subject, asked.text)
    case 'from':
      return holds(`${given.from} <x@example.org>`, asked.text)
    case 'body':
      return holds(given.body, asked.text)
    case 'note':
      return given.note !== undefined && holds(given.note, asked.text)
    case 'text': {
      const texts = [
        `Subject: ${given.subject}`,
        `From: ${given.from} <x@example.org>`,
        `Date: Thu, ${given.day + 1} Jan 1970 23:59:59 -1100`,
        given.note === undefined ? '' : `X-Note: ${given.note}`,
        'Content-Type: text/plain; charset=utf-8',
        `Content-Transfer-Encoding: ${given.encoding}`,
        given.body,
      ]
      return texts.some((text) => holds(text, asked.text))
    }
    case 'sent':
      return given.day === asked.day
    case 'since':
      return given.day >= asked.day
    case 'uid':
      return asked.uids.includes(uid)
    case 'larger':
      return sizeOctets > asked.octets
    case 'not':
      return !matches(asked.key, given, uid, sizeOctets)
    case 'or':
      return asked.keys.some((each) => matches(each, given, uid, sizeOctets))
    case 'and':
      return asked.keys.every((each) => matches(each, given, uid, sizeOctets))
  }
}

describe('a search', () => {
  test('finds what a look at every message would', async () => {
    const someLetters = fc.array(letter, { minLength: 1, maxLength: 8 })
    const someKeys = fc.array(key, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(someLetters, someKeys, async (letters, keys) => {
        const written = letters.map(write)
        const { view } = await fillMailbox(written)
        for (const asked of keys) {
          const expected = letters.flatMap((given, index) =>
            matches(asked, given, index + 1, (written[index] as GivenMessage).octets.length) ? [index + 1] : [],
          )
          expect([format(asked), await search(view, format(asked))]).toEqual([format(asked), expected])
        }
      }),
      { numRuns: 150 },
    )
  })

  test('finds in large messages what it finds in small ones', async () => {
    const filler = `${'x'.repeat(70)}${NL}`.repeat(1500)
    const large = (encoding: string, text: Buffer): string =>
      [
        'Content-Type: text/plain; charset=utf-8',
        `Content-Transfer-Encoding: ${encoding}`,
        '',
        text.toString('latin1'),
      ].join(NL)
    const text = Buffer.from(`${filler}The hidden ÖKONOM${NL}${filler}`)
    const { view } = await fillMailbox([
      { octets: Buffer.from(large('8bit', text), 'latin1') },
      { octets: large('base64', Buffer.from(text.toString('base64').replaceAll(/.{76}/g, `$&${NL}`))) },
      { octets: large('8bit', Buffer.from(filler)) },
    ])
    expect(await search(view, 'BODY "hidden ökonom"')).toEqual([1, 2])
    expect(await search(view, `BODY "${'x'.repeat(70)}"`)).toEqual([1, 2, 3])
  })
})

/** A view whose mailbox keeps count. */
function counting(mailbox: OpenMailbox): { view: View; fetched: { parts: RowParts; uids: number }[] } {
  const fetched: { parts: RowParts; uids: number }[] = []
  const counted = withMethods(mailbox, {
    fetch(uids, parts) {
      fetched.push({ parts, uids: uids.reduce((sum, { first, last }) => sum + last - first + 1, 0) })
      return mailbox.fetch(uids, parts)
    },
  })
  return { view: new View(counted, false), fetched }
}

describe('the work of a search', () => {
  const letters = (count: number): GivenMessage[] =>
    Array.from({ length: count }, (_, n) => ({
      octets: `Subject: ${n % 2 === 0 ? 'even' : 'odd'}${NL}${NL}number ${n}`,
      flags: n % 10 === 0 ? ['\\Flagged'] : [],
    }))

  test.each([
    ['ALL', []],
    ['1:7 NOT UID 3', []],
    ['FLAGGED', [{ parts: {}, uids: 100 }]],
    ['UID 1:20 FLAGGED', [{ parts: {}, uids: 20 }]],
    ['SUBJECT even', [{ parts: { list: true }, uids: 100 }]],
    ['SUBJECT even FLAGGED', [{ parts: {}, uids: 100 }, { parts: { list: true }, uids: 10 }]],
    ['BODY 9 SUBJECT odd FLAGGED', [{ parts: {}, uids: 100 }, { parts: { list: true }, uids: 10 }]],
    [
      'BODY 9 SUBJECT even FLAGGED',
      [
        { parts: {}, uids: 100 },
        { parts: { list: true }, uids: 10 },
        { parts: { structure: true, bodyOctets: 65_536 }, uids: 10 },
      ],
    ],
    [
      'OR UNFLAGGED HEADER X-None a',
      [
        { parts: {}, uids: 100 },
        { parts: { structure: true, bodyOctets: 16_384 }, uids: 10 },
      ],
    ],
  ])('%s reads no more than it needs', async (text, expected) => {
    const { mailbox } = await fillMailbox(letters(100))
    const { view, fetched } = counting(mailbox)
    await search(view, text)
    expect(fetched).toEqual(expected)
  })

  test('is spread over turns of the event loop, in proportion', async () => {
    const { view } = await fillMailbox(letters(1000))
    const turns = async (text: string): Promise<number> => {
      const pace = new Pace()
      await search(view, text, { pace })
      return pace.turns
    }
    const keys = (count: number): string => Array.from({ length: count }, (_, n) => `NOT SMALLER ${n}`).join(' ')
    expect(await turns(keys(450))).toBeGreaterThanOrEqual((1000 * 450 * 2) / 50_000 - 1)
    expect(await turns('TEXT zzz')).toBeGreaterThanOrEqual(2)
  })

  test('ends when nobody waits for it', async () => {
    const { mailbox } = await fillMailbox(letters(600))
    const { view, fetched } = counting(mailbox)
    await search(view, 'TEXT zzz', { isWanted: () => false })
    expect(fetched).toHaveLength(1)
  })
})
