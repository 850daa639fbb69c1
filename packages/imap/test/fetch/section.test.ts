import { FieldNames } from '@postern/core/message'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatSection, parsePartial, parseSection, type Section } from '../../src/fetch/section.ts'
import { Reader } from '../../src/syntax/reader.ts'
import { ResponseWriter } from '../../src/syntax/writer.ts'

function read(text: string | Uint8Array): Section {
  const reader = Reader.of(text)
  const section = parseSection(reader)
  reader.end()
  return section
}

function write(section: Section): Buffer {
  const writer = new ResponseWriter()
  formatSection(writer, section)
  return Buffer.concat(writer.take())
}

const syntaxError = expect.objectContaining({ name: 'WireSyntaxError' })

describe('sections', () => {
  test.each([
    ['[]', [], 'body'],
    ['[1]', [1], 'body'],
    ['[4.2.1]', [4, 2, 1], 'body'],
    ['[4294967295]', [4294967295], 'body'],
    ['[HEADER]', [], 'header'],
    ['[2.header]', [2], 'header'],
    ['[TEXT]', [], 'text'],
    ['[1.2.TEXT]', [1, 2], 'text'],
    ['[1.MIME]', [1], 'mime'],
  ])('%s', (text, numbers, kind) => {
    expect(read(text)).toEqual({ numbers, text: kind })
    expect(write(read(text)).toString()).toBe(text.toUpperCase())
  })

  test.each([
    ['[HEADER.FIELDS (Date)]', 'named', ['Date']],
    ['[1.HEADER.FIELDS.NOT (DATE "x y" Date)]', 'others', ['DATE', 'x y', 'Date']],
    ['[HEADER.FIELDS ("From" "")]', 'named', ['From', '']],
  ])('%s', (text, choose, names) => {
    const section = read(text)
    expect(section).toMatchObject({ text: 'header', fields: { choose } })
    expect(section.fields?.names.map((name) => Buffer.from(name).toString())).toEqual(names)
  })

  test.each([
    ...['[', ']', '[ ]', '[-1]', '[0]', '[01]', '[1.]', '[.1]', '[1..2]', '[4294967296]', '[MIME]', '[1.BODY]'],
    ...['[HEADER.1]', '[TEXT.1]', '[1.MIME.HEADER]', '[HEADER (Date)]'],
    ...['[HEADER.FIELDS]', '[HEADER.FIELDS ()]', '[HEADER.FIELDS(Date)]'],
    ...['[HEADER.FIELDS (Date]', `[HEADER.FIELDS (${'a '.repeat(200)}a)]`, `[HEADER.FIELDS (${'a'.repeat(999)})]`],
  ])('refuses %s', (text) => {
    expect(() => read(text)).toThrow(syntaxError)
  })

  test('what is written is read the same', () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((octets) => octets.filter((octet) => octet > 0))
    const fields = fc.record({
      choose: fc.constantFrom('named' as const, 'others' as const),
      names: fc.array(name, { minLength: 1, maxLength: 5 }),
    })
    const numbers = fc.array(fc.integer({ min: 1, max: 0xffff_ffff }), { maxLength: 5 })
    const section = fc.oneof(
      fc.record({ numbers, text: fc.constantFrom('body' as const, 'header' as const, 'text' as const) }),
      fc.record({ numbers, text: fc.constant('header' as const), fields }).map((value) => ({
        ...value,
        fields: { ...value.fields, set: new FieldNames(value.fields.names) },
      })),
    )
    fc.assert(
      fc.property(section, (given: Section) => {
        const written = write(given)
        // Names that need a literal are read back from one.
        const parts = literalsOf(written)
        const reader = new Reader(parts)
        const back = parseSection(reader)
        reader.end()
        expect(back.numbers).toEqual(given.numbers)
        expect(back.text).toBe(given.text)
        expect(back.fields?.names.map((each) => [...each])).toEqual(given.fields?.names.map((each) => [...each]))
      }),
    )
  })

  test('anything else is a syntax error', () => {
    const unit = fc.constantFrom(...'[].()<>"0123 HEADERFIELDSNOTMIMX{}\\*')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        try {
          read(text)
        } catch (error) {
          expect(error).toEqual(syntaxError)
        }
      }),
    )
  })
})

/** Cuts literals out of a written response, as frames do on the way in. */
function literalsOf(written: Buffer): ConstructorParameters<typeof Reader>[0] {
  const texts: Uint8Array[] = []
  const literals: { kind: 'memory'; octets: Uint8Array; binary: boolean }[] = []
  let from = 0
  for (;;) {
    const match = /\{(\d+)\}\r\n/.exec(written.subarray(from).toString('latin1'))
    if (match === null) break
    texts.push(written.subarray(from, from + match.index))
    const start = from + match.index + match[0].length
    from = start + Number(match[1])
    literals.push({ kind: 'memory', octets: written.subarray(start, from), binary: false })
  }
  return { texts: [...texts, written.subarray(from)], literals }
}

describe('partials', () => {
  test.each([
    ['<0.1>', { origin: 0, length: 1 }],
    ['<4294967295.4294967295>', { origin: 4294967295, length: 4294967295 }],
    ['', undefined],
  ])('%j', (text, partial) => {
    expect(parsePartial(Reader.of(text))).toEqual(partial)
  })

  test.each(['<', '<0>', '<0.0>', '<.1>', '<1.>', '<1.2', '<-1.2>', '<1.4294967296>'])('refuses %s', (text) => {
    expect(() => parsePartial(Reader.of(text))).toThrow(syntaxError)
  })
})
