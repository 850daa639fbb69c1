import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  countFields,
  FieldNames,
  findFields,
  readFields,
  selectFields,
  unfold,
  unfoldValue,
} from '../../src/message/header.ts'

const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1')

/** Name and raw value of each field. */
function fieldsOf(header: string): [string, string][] {
  const bytes = octets(header)
  return [...readFields(bytes)].map((field) => [
    text(bytes.subarray(field.start, field.nameEnd)),
    text(bytes.subarray(field.valueStart, field.valueEnd)),
  ])
}

describe('fields of a header section', () => {
  const rows: [what: string, header: string, fields: [string, string][]][] = [
    [
      'simple',
      'A: b\r\nC: d\r\n\r\nE: f\r\n',
      [
        ['A', ' b'],
        ['C', ' d'],
      ],
    ],
    [
      'folded',
      'A: b\r\n c\r\n\td\r\nE:f\r\n\r\n',
      [
        ['A', ' b\r\n c\r\n\td'],
        ['E', 'f'],
      ],
    ],
    [
      'a continuation of white space only',
      'A: b\r\n \r\nC: d\r\n',
      [
        ['A', ' b\r\n '],
        ['C', ' d'],
      ],
    ],
    [
      'LF alone',
      'A: b\nC: d\n\nE: f\n',
      [
        ['A', ' b'],
        ['C', ' d'],
      ],
    ],
    [
      'no line end at the end',
      'A: b\r\nC: d',
      [
        ['A', ' b'],
        ['C', ' d'],
      ],
    ],
    ['white space before the colon', 'A \t: b\r\n', [['A', ' b']]],
    [
      'no colon',
      'A: b\r\nnonsense\r\nC: d\r\n',
      [
        ['A', ' b'],
        ['', 'nonsense'],
        ['C', ' d'],
      ],
    ],
    [
      'a name with a space in it',
      'From a@b Thu Jan  1 00:00:00\r\nA: b\r\n',
      [
        ['', 'From a@b Thu Jan  1 00:00:00'],
        ['A', ' b'],
      ],
    ],
    [
      'a continuation of nothing',
      ' a: b\r\n c\r\nD: e\r\n',
      [
        ['', ' a: b\r\n c'],
        ['D', ' e'],
      ],
    ],
    [
      'no name',
      ': b\r\nA: b\r\n',
      [
        ['', ': b'],
        ['A', ' b'],
      ],
    ],
    [
      'no value',
      'A:\r\nB:',
      [
        ['A', ''],
        ['B', ''],
      ],
    ],
    ['a bare CR', 'A: b\rC: d\r\n', [['A', ' b\rC: d']]],
    ['8-bit name', 'A\xe4: b\r\n', [['', 'A\xe4: b']]],
    ['empty line first', '\r\nA: b\r\n', []],
    ['nothing', '', []],
  ]
  it.each(rows)('%s', (_, header, fields) => {
    expect(fieldsOf(header)).toEqual(fields)
  })

  it('lie side by side and cover the section, whatever it holds', () => {
    const line = fc.stringMatching(/^[ a:\r\x80]{0,6}$/)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const header = octets(lines.join(end))
        let at = 0
        for (const field of readFields(header)) {
          expect(field.start).toBe(at)
          expect(field.start <= field.nameEnd && field.nameEnd <= field.valueStart).toBe(true)
          expect(field.valueStart <= field.valueEnd && field.valueEnd <= field.end).toBe(true)
          expect(field.end).toBeGreaterThan(at)
          at = field.end
        }
        expect(at === header.length || /^\r?\n/.test(text(header.subarray(at)))).toBe(true)
      }),
    )
  })
})

describe('names', () => {
  it('are found in any case, and only in whole', () => {
    const names = new FieldNames(['Received', 'X-[', 'received', 'To'])
    const at = (name: string): number => names.indexOf(octets(`..${name}..`), 2, 2 + name.length)
    expect(['Received', 'RECEIVED', 'x-[', 'tO'].map(at)).toEqual([0, 0, 1, 3])
    expect([names.has('TO'), names.has('To '), names.has('')]).toEqual([true, false, false])
    expect(['Receive', 'Received2', 'x-{', '', 'subject'].map(at)).toEqual([-1, -1, -1, -1, -1])
  })

  it('find and count fields', () => {
    const header = octets('Received: a\r\nto: b\r\nRECEIVED: c\r\n d\r\n\r\nReceived: body\r\n')
    const received = new FieldNames(['received'])
    expect(countFields(header, received)).toBe(2)
    expect(findFields(header, received).map((field) => text(unfoldValue(header, field)))).toEqual(['a', 'c d'])
  })
})

describe('selecting fields as HEADER.FIELDS does', () => {
  const header = 'From: a\r\nSubject: b\r\n c\r\nnonsense\r\nTO: d\r\n\r\n'
  const rows: [what: string, header: string, names: string[], choose: 'named' | 'others', selected: string][] = [
    ['some', header, ['to', 'SUBJECT'], 'named', 'Subject: b\r\n c\r\nTO: d\r\n\r\n'],
    ['none', header, ['cc'], 'named', '\r\n'],
    ['all but some', header, ['to', 'SUBJECT'], 'others', 'From: a\r\nnonsense\r\n\r\n'],
    ['a header without end', 'To: d', ['to'], 'named', 'To: d\r\n\r\n'],
    ['an empty header', '', ['to'], 'others', '\r\n'],
  ]
  it.each(rows)('%s', (_, given, names, choose, selected) => {
    expect(text(selectFields(octets(given), new FieldNames(names), choose))).toBe(selected)
  })
})

describe('unfolding', () => {
  const rows: [folded: string, unfolded: string][] = [
    ['a\r\n b', 'a b'],
    ['a\n\tb\r\n  c', 'a\tb  c'],
    ['\r\n a\r\n', ' a'],
    ['a\rb', 'a\rb'],
    ['', ''],
  ]
  it.each(rows)('%j', (folded, unfolded) => {
    expect(text(unfold(octets(folded), 0, folded.length))).toBe(unfolded)
  })

  it('gives a copy', () => {
    const header = Buffer.from('A: b\r\n')
    const [field] = [...readFields(header)]
    const value = unfoldValue(header, field!)
    header.fill(0)
    expect(text(value)).toBe('b')
  })
})
