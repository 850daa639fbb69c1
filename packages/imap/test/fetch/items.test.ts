import { describe, expect, test } from 'vitest'
import { marksSeen, neededParts, parseFetchItems } from '../../src/fetch/items.ts'
import { Reader } from '../../src/syntax/reader.ts'

const BODY = { bodyOctets: 65_536 }

describe('what items need', () => {
  test.each([
    ['UID', { list: false, structure: false }],
    ['FAST', { list: false, structure: false }],
    ['ALL', { list: true, structure: false }],
    ['FULL', { list: true, structure: true }],
    ['BODYSTRUCTURE', { list: true, structure: false }],
    ['BODY', { list: false, structure: true }],
    ['BODY[]', { list: false, structure: false, ...BODY }],
    ['RFC822', { list: false, structure: false, ...BODY }],
    ['BODY[1]', { list: false, structure: true, ...BODY }],
    ['BODY.PEEK[HEADER]', { list: false, structure: true, ...BODY }],
    ['BODY.PEEK[HEADER.FIELDS (From SUBJECT message-id)]', { list: true, structure: false }],
    ['BODY.PEEK[HEADER.FIELDS (From Received)]', { list: false, structure: true, ...BODY }],
    ['BODY.PEEK[HEADER.FIELDS.NOT (From)]', { list: false, structure: true, ...BODY }],
    ['BODY.PEEK[1.HEADER.FIELDS (From)]', { list: false, structure: true, ...BODY }],
    ['(FLAGS BODY.PEEK[HEADER.FIELDS (From)] BODY[TEXT]<0.10>)', { list: true, structure: true, ...BODY }],
  ])('%s', (text, parts) => {
    expect(neededParts(parseFetchItems(Reader.of(text)))).toEqual(parts)
  })

  test.each([
    ['BODY[]', true],
    ['BODY[TEXT]<0.1>', true],
    ['BODY[HEADER]', true],
    ['RFC822', true],
    ['RFC822.TEXT', true],
    ['BODY.PEEK[]', false],
    ['RFC822.HEADER', false],
    ['BODY', false],
    ['FULL', false],
  ])('%s marks as seen: %s', (text, marks) => {
    expect(marksSeen(parseFetchItems(Reader.of(text)))).toBe(marks)
  })
})

describe('lists of items', () => {
  test('plain items count once, sections as often as they are asked for', () => {
    const items = parseFetchItems(Reader.of('(FLAGS UID BODY[] FLAGS BODY[] UID FLAGS)'))
    expect(items.map(({ kind }) => kind)).toEqual(['flags', 'section', 'section'])
  })

  test('there is a limit', () => {
    const list = (count: number): string => `(${Array.from({ length: count }, () => 'BODY.PEEK[]').join(' ')})`
    expect(parseFetchItems(Reader.of(list(100)))).toHaveLength(100)
    expect(() => parseFetchItems(Reader.of(list(101)))).toThrow(expect.objectContaining({ code: 'too-many-items' }))
  })
})
