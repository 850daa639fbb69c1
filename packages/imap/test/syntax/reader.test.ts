import { WireSyntaxError } from '@postern/core/conversation'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CommandText } from '../../src/syntax/command-text.ts'
import { Reader } from '../../src/syntax/reader.ts'
import { ResponseWriter } from '../../src/syntax/writer.ts'

type Production = (reader: Reader) => unknown

const PRODUCTIONS: Readonly<Record<string, Production>> = {
  tag: (reader) => reader.tag(),
  atom: (reader) => reader.atom(),
  word: (reader) => reader.word(),
  astring: (reader) => reader.astring(),
  string: (reader) => reader.string(),
  nstring: (reader) => reader.nstring(),
  literal: (reader) => reader.literal(),
  number: (reader) => reader.number(),
  nzNumber: (reader) => reader.nzNumber(),
  sequenceSet: (reader) => reader.sequenceSet(),
  mailbox: (reader) => reader.mailbox(),
  listMailbox: (reader) => reader.listMailbox(),
  flag: (reader) => reader.flag(),
  keyword: (reader) => reader.keyword(),
  flagList: (reader) => reader.flagList(),
  date: (reader) => reader.date(),
  dateTime: (reader) => reader.dateTime(),
  list: (reader) => reader.list(() => reader.astring()),
}

function read(production: string, text: string | CommandText): unknown {
  const reader = typeof text === 'string' ? Reader.of(text) : new Reader(text)
  const value = (PRODUCTIONS[production] as Production)(reader)
  reader.end()
  return value
}

const syntaxError = expect.objectContaining({ name: 'WireSyntaxError' })

describe('the reader', () => {
  const GOOD: readonly (readonly [production: string, text: string, value: unknown])[] = [
    ['tag', 'a.1]!', 'a.1]!'],
    ['atom', 'Foo-Bar', 'Foo-Bar'],
    ['word', 'body.peek', 'BODY.PEEK'],
    ['astring', 'a]b', 'a]b'],
    ['astring', '"a \\"b\\" \\\\"', 'a "b" \\'],
    ['astring', '""', ''],
    ['astring', 'NIL', 'NIL'],
    ['string', '"ü"', 'ü'],
    ['nstring', 'nil', undefined],
    ['nstring', '"NIL"', 'NIL'],
    ['number', '0', 0],
    ['number', '4294967295', 4_294_967_295],
    ['number', '007', 7],
    ['nzNumber', '1', 1],
    ['mailbox', 'inbox', 'INBOX'],
    ['mailbox', '"inBox"', 'INBOX'],
    ['mailbox', 'Entw&APw-rfe', 'Entwürfe'],
    ['mailbox', '"Entwürfe"', 'Entwürfe'],
    ['listMailbox', '*%', '*%'],
    ['listMailbox', '"a b*"', 'a b*'],
    ['listMailbox', '&U,BTFw-/%', '台北/%'],
    ['listMailbox', '""', ''],
    ['flag', '\\seen', '\\seen'],
    ['flag', '$Junk', '$Junk'],
    ['flagList', '()', { flags: 0, keywords: [] }],
    ['flagList', '(\\Seen work)', { flags: 1, keywords: ['work'] }],
    ['date', '1-Feb-1994', 8797],
    ['date', '"01-Feb-1994"', 8797],
    ['dateTime', '" 1-Jan-1970 00:01:00 +0000"', { seconds: 60, zoneMinutes: 0 }],
    ['list', '(a "b c" d)', ['a', 'b c', 'd']],
  ]
  test.each(GOOD)('%s takes %j', (production, text, value) => {
    expect(read(production, text)).toEqual(value)
  })

  const BAD: readonly (readonly [production: string, text: string])[] = [
    ['tag', ''],
    ['tag', '+'],
    ['tag', 'a+b'],
    ['tag', 'a(b'],
    ['atom', 'a]'],
    ['atom', 'a b'],
    ['atom', 'ü'],
    ['word', '\\Seen'],
    ['astring', ''],
    ['astring', '(a)'],
    ['astring', 'a%b'],
    ['astring', '"a'],
    ['astring', '"a\\'],
    ['astring', '"a\\n"'],
    ['astring', '"a\rb"'],
    ['astring', '"a\0b"'],
    ['astring', '"a"b'],
    ['string', 'a'],
    ['nstring', 'a'],
    ['nstring', 'nill'],
    ['literal', '{3}'],
    ['number', ''],
    ['number', '-1'],
    ['number', '4294967296'],
    ['number', '99999999999999999999999999'],
    ['nzNumber', '0'],
    ['nzNumber', '01'],
    ['mailbox', 'a&b'],
    ['mailbox', '(x)'],
    ['listMailbox', ''],
    ['flag', '\\Recent'],
    ['flag', '\\Foo'],
    ['flag', '\\*'],
    ['flag', '\\'],
    ['flagList', '(\\Seen'],
    ['flagList', '( \\Seen)'],
    ['flagList', '(\\Seen )'],
    ['flagList', '\\Seen'],
    ['date', '31-Feb-1994'],
    ['date', '"1-Feb-1994'],
    ['dateTime', '1-Feb-1994 00:00:00 +0000'],
    ['list', '()'],
    ['list', '(a  b)'],
  ]
  test.each(BAD)('%s refuses %j', (production, text) => {
    expect(() => read(production, text)).toThrow(syntaxError)
  })

  test('literals stand where strings may', () => {
    const literal = (octets: string, binary = false) => ({ kind: 'memory', octets: Buffer.from(octets), binary }) as const
    const texts = (...all: string[]) => all.map((text) => Buffer.from(text))
    expect(read('astring', { texts: texts('', ''), literals: [literal('a"b')] })).toBe('a"b')
    expect(read('list', { texts: texts('(a ', ' ', ')'), literals: [literal('x y'), literal('')] })).toEqual(['a', 'x y', ''])
    expect(read('nstring', { texts: texts('', ''), literals: [literal('NIL')] })).toBe('NIL')
    expect(() => read('string', { texts: texts('', ''), literals: [literal('a\0')] })).toThrow(syntaxError)
    expect(read('string', { texts: texts('', ''), literals: [literal('a\0', true)] })).toBe('a\0')
    expect(() => read('string', { texts: texts('', ''), literals: [literal('\xff')].map((each) => ({ ...each, octets: Buffer.from([0xff]) })) })).toThrow(syntaxError)
    expect(() => read('number', { texts: texts('1', ''), literals: [literal('x')] })).toThrow(syntaxError)
    expect(() => read('string', { texts: texts('', ''), literals: [{ kind: 'sunk', result: 1, sizeOctets: 9, binary: false }] })).toThrow(syntaxError)
    expect(() => read('string', { texts: texts(''), literals: [{ kind: 'announced', sizeOctets: 9, synchronizing: true, binary: false }] })).toThrow(syntaxError)
  })

  test('an error tells where', () => {
    const reader = new Reader({
      texts: [Buffer.from('a '), Buffer.from(' ?(')],
      literals: [{ kind: 'memory', octets: Buffer.from('xyz'), binary: false }],
    })
    reader.atom()
    reader.space()
    reader.string()
    reader.space()
    reader.atom()
    expect(() => reader.end()).toThrow(new WireSyntaxError('end-of-command', 'end of command', 7))
  })

  test('nesting ends at 100 levels', () => {
    const nest = (reader: Reader): unknown => reader.list(() => (reader.peek() === '(' ? nest(reader) : reader.astring()))
    expect(() => nest(Reader.of(`${'('.repeat(100)}a${')'.repeat(100)}`))).not.toThrow()
    expect(() => nest(Reader.of('('.repeat(60_000)))).toThrow(expect.objectContaining({ code: 'depth' }))
  })

  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'"\\(){}%*&-+.,:019aJ \r\0ü]') }).map((text) => Buffer.from(text)),
  )
  test.each(Object.keys(PRODUCTIONS))('%s throws nothing but WireSyntaxError', (production) => {
    fc.assert(
      fc.property(fc.array(octets, { minLength: 1, maxLength: 3 }), fc.boolean(), (texts, binary) => {
        const literals = texts.slice(1).map((each) => ({ kind: 'memory', octets: each, binary }) as const)
        try {
          read(production, { texts, literals })
        } catch (error) {
          expect(error).toEqual(syntaxError)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('strings that are written can be read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = Buffer.concat(new ResponseWriter().string(text).line()).subarray(0, -2)
        const literal = /^\{(\d+)\}\r\n/.exec(written.toString('latin1'))
        if (literal === null) {
          expect(read('string', written.toString('latin1'))).toBe(text)
        } else {
          expect(written.subarray(literal[0].length).toString()).toBe(text)
          expect(Number(literal[1])).toBe(Buffer.byteLength(text))
        }
      }),
    )
  })
})
