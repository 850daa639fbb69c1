import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { createMessageId, parseMessageIds } from '../../src/message/index.ts'
import { corpusFile } from '../address/corpora.ts'
import { fieldValue, growth, octetsOf } from './octets.ts'

describe('message identifiers', () => {
  test.each<[string, string[]]>([
    ['<a@b>', ['a@b']],
    ['<a@b> <c@d>\r\n\t<e@f>', ['a@b', 'c@d', 'e@f']],
    ['<a@b><c@d>,<e@f>', ['a@b', 'c@d', 'e@f']],
    ['(c <x@y>) <a@b> (d)', ['a@b']],
    ['<a (c) @ b . c>', ['a@b.c']],
    ['<"a b"@c>', ['a b@c']],
    ['<a@[192.0.2.1]>', ['a@[192.0.2.1]']],
    ['Your message of "Mon, 1 Jan" <a@b>', ['a@b']],
    ['a@b', ['a@b']],
    ['a:b;c,d@e', ['a:b;c,d@e']],
    ['in reply to a@b please', ['a@b']],
    ['word', ['word']],
    ['two words', []],
    ['<a@b', []],
    ['<a@b <c@d>', ['c@d']],
    ['<>', []],
    ['', []],
    ['<é@b>', ['é@b']],
    ['<a\u0000\u0007@b>', ['a@b']],
    [`<${'a'.repeat(999)}> <b@c>`, ['b@c']],
  ])('%.60j', (value, ids) => {
    expect(parseMessageIds(octetsOf(value))).toEqual(ids)
  })

  it('stops at the limit', () => {
    expect(parseMessageIds(octetsOf('<a@b> '.repeat(5000)))).toHaveLength(1000)
    expect(parseMessageIds(octetsOf('a@b '.repeat(5000)))).toHaveLength(1000)
    expect(parseMessageIds(octetsOf('<a@b> <c@d>'), { maxIds: 1 })).toEqual(['a@b'])
  })

  it('is made of 16 random octets and the host name', () => {
    const random = (octets: number): Uint8Array => new Uint8Array(octets).fill(0xff)
    expect(createMessageId(random, 'mail.example')).toBe('_____________________w@mail.example')
    expect(parseMessageIds(octetsOf(`<${createMessageId(random, 'mail.example')}>`))).toEqual(['_____________________w@mail.example'])
  })

  test.each([
    ['identifiers', '<a@b> '],
    ['open', '<'],
    ['words', 'a@b '],
    ['one word', 'a'],
    ['comments', '('],
  ])('work grows with the input: %s', (_, piece) => {
    expect(growth(piece, (value, work) => parseMessageIds(value, { maxIds: 10_000_000, work }))).toBeLessThan(20)
  })
})

describe('the field table of mail-parser', () => {
  const file = corpusFile('mime-mail-parser/id.json')
  if (file === undefined) {
    it.skip('the corpus mime-mail-parser is not here', () => {})
    return
  }
  const rows = JSON.parse(readFileSync(file, 'utf8')) as { header: string; expected: string[] | null }[]
  test.each(rows)('$header', ({ header, expected }) => {
    // There comments and white space stay in an identifier; RFC 5322 §3.6.4 makes them no part of it.
    const plain = expected?.map((id) => id.replaceAll(/\([^)]*\)|\s/g, '')) ?? []
    expect(parseMessageIds(fieldValue(header))).toEqual(plain)
  })
})
