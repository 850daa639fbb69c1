import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keywordsOf } from '../../src/search/plan.ts'
import { parseCriteria, type SearchKey } from '../../src/search/criteria.ts'
import { Reader } from '../../src/syntax/reader.ts'

function read(text: string): SearchKey {
  const reader = Reader.of(` ${text}`)
  const criteria = parseCriteria(reader)
  reader.end()
  if (criteria.kind !== 'criteria') throw new Error('Bad charset')
  return criteria.key
}

const seen: SearchKey = { kind: 'flag', bit: 1 }
const draft: SearchKey = { kind: 'flag', bit: 16 }
const not = (key: SearchKey): SearchKey => ({ kind: 'not', key })
const syntaxError = expect.objectContaining({ name: 'WireSyntaxError' })

describe('criteria', () => {
  test.each<[string, SearchKey]>([
    ['SEEN', seen],
    ['unseen', not(seen)],
    ['SEEN DRAFT', { kind: 'and', keys: [seen, draft] }],
    ['OR SEEN DRAFT', { kind: 'or', keys: [seen, draft] }],
    ['NOT OR NOT SEEN DRAFT', not({ kind: 'or', keys: [not(seen), draft] })],
    ['OR OR SEEN DRAFT SEEN', { kind: 'or', keys: [{ kind: 'or', keys: [seen, draft] }, seen] }],
    ['OR (SEEN DRAFT) SEEN', { kind: 'or', keys: [{ kind: 'and', keys: [seen, draft] }, seen] }],
    ['((SEEN))', seen],
    ['NEW', { kind: 'and', keys: [{ kind: 'recent' }, not(seen)] }],
    ['1:3,*', { kind: 'messages', set: [{ first: 1, last: 3 }, { first: '*', last: '*' }], uid: false }],
    ['UID 7', { kind: 'messages', set: [{ first: 7, last: 7 }], uid: true }],
    ['KEYWORD $Junk', { kind: 'flag', bit: 64 }],
    ['UNKEYWORD work', not({ kind: 'keyword', name: 'work' })],
    ['LARGER 0', { kind: 'size', relation: 'larger', octets: 0 }],
    ['SMALLER 4294967295', { kind: 'size', relation: 'smaller', octets: 4294967295 }],
    ['SINCE 2-Jan-1970', { kind: 'date', of: 'internal', relation: 'since', day: 1 }],
    ['SENTBEFORE "1-jan-1970"', { kind: 'date', of: 'sent', relation: 'before', day: 0 }],
    ['SUBJECT x', { kind: 'header', name: Buffer.from('SUBJECT'), text: 'x' }],
    ['BODY "a \\"b\\" ü"', { kind: 'text', of: 'body', text: 'a "b" ü' }],
    ['CHARSET "utf-8" TEXT x', { kind: 'text', of: 'text', text: 'x' }],
  ])('%s', (text, key) => {
    expect(read(text)).toEqual(key)
  })

  test.each([
    ...['', 'SEEN ', 'OR', 'OR SEEN', 'OR SEEN ', 'NOT', 'NOT(SEEN)', '()', '(SEEN', 'SEEN)', '(SEEN )', 'SEENX', '0'],
    ...['$', '-1'],
    ...['ON', 'ON 1-Foo-2020', 'LARGER', 'LARGER 4294967296', 'UID', 'UID x', 'KEYWORD (a)', 'HEADER x', 'SUBJECT'],
    ...['CHARSET', 'CHARSET UTF-8'],
  ])('refuses %j', (text) => {
    expect(() => read(text)).toThrow(syntaxError)
  })

  test('a charset that is not offered is told, whatever the strings hold', () => {
    const text = Buffer.from(' CHARSET iso-8859-1 OR TEXT "\xe4" (FROM x HEADER y z)', 'latin1')
    const reader = Reader.of(text)
    expect(parseCriteria(reader)).toEqual({ kind: 'bad-charset' })
    reader.end()
  })

  test('nesting has a limit', () => {
    expect(() => read(`${'NOT '.repeat(99)}SEEN`)).not.toThrow()
    expect(() => read(`${'NOT '.repeat(100)}SEEN`)).toThrow(expect.objectContaining({ code: 'depth' }))
    expect(() => read(`${'('.repeat(99)}SEEN${')'.repeat(99)}`)).not.toThrow()
    expect(() => read('('.repeat(60_000))).toThrow(expect.objectContaining({ code: 'depth' }))
    expect(() => read('OR SEEN '.repeat(60_000))).toThrow(expect.objectContaining({ code: 'depth' }))
  })

  test('so has the number of keys', () => {
    const keys = (count: number): string => Array.from({ length: count }, () => 'SEEN').join(' ')
    expect(() => read(keys(1000))).not.toThrow()
    expect(() => read(keys(1001))).toThrow(expect.objectContaining({ code: 'too-many-keys' }))
  })

  test('whatever is read, only syntax errors are thrown', () => {
    const marks = ['(', ')', ' ', ' ', '"']
    const words = ['SEEN', 'OR', 'NOT', 'UID', '1:*', 'FROM', '"x"', 'ON', '1-Jan-2020', 'CHARSET', 'UTF-8', 'HEADER']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words, ...marks), { maxLength: 30 }), (parts) => {
        try {
          read(parts.join(''))
        } catch (error) {
          if (!(error instanceof Error && error.message === 'Bad charset')) expect(error).toEqual(syntaxError)
        }
      }),
    )
  })

  test('keywords without a bit are gathered', () => {
    expect(keywordsOf(read('OR NOT (KEYWORD a SEEN KEYWORD $junk) UNKEYWORD b')).toSorted()).toEqual(['a', 'b'])
  })
})
