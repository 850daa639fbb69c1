import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createStructureScanner, parseStructure } from '../../src/message/parts.ts'
import { shiftStructure } from '../../src/message/shift-structure.ts'
import type { MessageStructure } from '../../src/message/structure.ts'
import { allParts, mail, outline } from './outline.ts'

/** Parses in pieces: after each octet whose place is in `cuts`. */
function parseInPieces(octets: Uint8Array, cuts: readonly number[]): MessageStructure {
  const scanner = createStructureScanner()
  let from = 0
  for (const to of [...cuts, octets.length]) {
    // A copy that is spoiled afterwards: nothing of a piece may be kept.
    const piece = new Uint8Array(octets.subarray(from, to))
    scanner.push(piece)
    piece.fill(0x2d)
    from = to
  }
  return scanner.end()
}

const everyOctet = (octets: Uint8Array): number[] => Array.from(octets, (_, index) => index + 1)

/** What follows the header of a multipart/mixed with boundary `b`. */
const mixed = (body: string): string => `Content-Type: multipart/mixed; boundary=b\n\n${body}`

describe('the tree', () => {
  const rows: [what: string, text: string, tree: string[]][] = [
    ['of nothing', '', ['text/plain 0 ""']],
    ['of an empty line', '\n', ['text/plain 0 ""']],
    ['of a header only', 'Subject: a\n', ['text/plain 0 ""']],
    ['of text', 'Subject: a\n\nb\nc\n', ['text/plain 2 "b\\nc\\n"']],
    ['of text whose last line has no end', 'Subject: a\n\nb\nc', ['text/plain 2 "b\\nc"']],
    ['of text without header', '\nb\n', ['text/plain 1 "b\\n"']],
    [
      'without an empty line, from the first line that is no field',
      'Subject: a\n b\nc d\nE: f\n',
      ['text/plain 2 "c d\\nE: f\\n"'],
    ],
    ['without anything of a header', 'hello there\nyou\n', ['text/plain 2 "hello there\\nyou\\n"']],
    ['with an odd line in the header', 'Subject: a\nodd line\nContent-Type: text/html\n\nb\n', ['text/html 1 "b\\n"']],
    [
      'of RFC 2046 §5.1.1, with preamble and epilogue',
      mixed(
        'preamble\n--b\n\nno line break\n--b\nContent-Type: text/plain; charset=us-ascii\n\nline break\n\n--b--\nepilogue\n--b\n',
      ),
      ['multipart/mixed', '  text/plain 1 "no line break"', '  text/plain 1 "line break\\n"'],
    ],
    [
      'that is never closed',
      mixed('--b\n\na\n--b\n\nc'),
      ['multipart/mixed', '  text/plain 1 "a"', '  text/plain 1 "c"'],
    ],
    ['closed at its very end', mixed('--b\n\na\n--b--'), ['multipart/mixed', '  text/plain 1 "a"']],
    [
      'with parts that have nothing but headers, or not these',
      mixed('--b\n--b\nContent-Type: text/html\n--b\n\n--b\n\n\n--b--\n'),
      ['multipart/mixed', '  text/plain 0 ""', '  text/html 0 ""', '  text/plain 0 ""', '  text/plain 0 ""'],
    ],
    [
      'with a part that forgot its empty line',
      mixed('--b\nhello: you\nno field\n--b--\n'),
      ['multipart/mixed', '  text/plain 1 "no field"'],
    ],
    ['without parts', mixed('nothing\n'), ['text/plain 1 "nothing\\n"']],
    [
      'without a boundary',
      'Content-Type: multipart/mixed\n\n--b\n\na\n--b--\n',
      ['text/plain 4 "--b\\n\\na\\n--b--\\n"'],
    ],
    [
      'with an empty boundary',
      'Content-Type: multipart/mixed; boundary=""\n\n--\n\na\n----\n',
      ['text/plain 4 "--\\n\\na\\n----\\n"'],
    ],
    [
      'with white space and more after boundaries',
      mixed('--b \t\n\na\n--b junk\n\nc\n--b -- \nepilogue'),
      ['multipart/mixed', '  text/plain 1 "a"', '  text/plain 1 "c"'],
    ],
    [
      'with lines that only look like boundaries',
      mixed('--b\n\n--\n---b\n--c\n--bb\n -b\n --b\n-\n--B\n--b--\n'),
      ['multipart/mixed', '  text/plain 8 "--\\n---b\\n--c\\n--bb\\n -b\\n --b\\n-\\n--B"'],
    ],
    [
      'with a boundary that is the start of another',
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b--\n\n--b--\n\na\n--b--\n\nc\n--b----\n--b\n\nd\n--b--\n',
      [
        'multipart/mixed',
        '  multipart/alternative',
        '    text/plain 1 "a"',
        '    text/plain 1 "c"',
        '  text/plain 1 "d"',
      ],
    ],
    [
      'with inner parts ended by the outer boundary',
      mixed('--b\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\na\n--b\n\nc\n--i\n\n--b--\n'),
      ['multipart/mixed', '  multipart/alternative', '    text/plain 1 "a"', '  text/plain 2 "c\\n--i\\n"'],
    ],
    [
      'with the same boundary inside and outside',
      mixed('--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\na\n--b--\n--b\n\nc\n--b--\n'),
      ['multipart/mixed', '  multipart/alternative', '    text/plain 1 "a"', '  text/plain 1 "c"'],
    ],
    [
      'of a digest',
      'Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\nc\n--b\nContent-Type: text/plain\n\nd\n--b--\n',
      ['multipart/digest', '  message/rfc822', '   >text/plain 1 "c"', '  text/plain 1 "d"'],
    ],
    [
      'of forwarded messages',
      mixed(
        '--b\nContent-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\na\n--b--\n',
      ),
      [
        'multipart/mixed',
        '  message/rfc822',
        '   >message/rfc822',
        '     >multipart/mixed',
        '        text/plain 1 "a"',
      ],
    ],
    [
      'of a message/global in 8bit',
      'Content-Type: message/global\nContent-Transfer-Encoding: 8BIT\n\nA: b\n\nc\n',
      ['message/global', ' >text/plain 1 "c\\n"'],
    ],
    [
      'of an encoded message',
      'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQQ==\n',
      ['message/rfc822 1 "QQ==\\n"'],
    ],
    [
      'of an embedded message cut off in its header',
      mixed('--b\nContent-Type: message/rfc822\n\nSubject: a\n--b--\n'),
      ['multipart/mixed', '  message/rfc822', '   >text/plain 0 ""'],
    ],
    [
      'of an embedded message without header',
      mixed('--b\nContent-Type: message/rfc822\n\nno field\n--b--\n'),
      ['multipart/mixed', '  message/rfc822', '   >text/plain 1 "no field"'],
    ],
    [
      'of a part that says it is a message and ends',
      mixed('--b\nContent-Type: message/rfc822\n--b--\n'),
      ['multipart/mixed', '  message/rfc822', '   >text/plain 0 ""'],
    ],
    [
      'of two Content-Types: the first',
      'Content-Type: text/html\nContent-Type: text/plain\n\na\n',
      ['text/html 1 "a\\n"'],
    ],
    ['of a malformed Content-Type', 'Content-Type: html\n\na\n', ['text/plain 1 "a\\n"']],
    [
      'of a boundary told in segments',
      'Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\na\n--ab--\n',
      ['multipart/mixed', '  text/plain 1 "a"'],
    ],
    [
      'of an 8-bit boundary',
      'Content-Type: multipart/mixed; boundary="\xfc"\n\n--\xfc\n\na\n--\xfc--\n',
      ['multipart/mixed', '  text/plain 1 "a"'],
    ],
  ]
  it.each(rows)('%s', (_, text, tree) => {
    const octets = mail(text)
    expect(outline(octets, parseStructure(octets))).toEqual(tree)
    expect(parseInPieces(octets, everyOctet(octets))).toEqual(parseStructure(octets))
  })

  it.each(rows)('with LF for line ends: %s', (_, text, tree) => {
    const octets = Buffer.from(text, 'latin1')
    expect(outline(octets, parseStructure(octets))).toEqual(tree)
  })
})

describe('a part tells', () => {
  const octets = mail(
    [
      'From: a@b',
      'Subject: =?utf-8?q?c?=',
      ' d',
      'FROM: second',
      'Content-Type: multipart/mixed; boundary=b',
      'Content-Language: de, en-GB',
      '',
      '--b',
      'From: not a message',
      'Content-Type: application/pdf; name="x.pdf"',
      'Content-Transfer-Encoding: BASE64',
      'Content-ID: <1@x>',
      'Content-Description: one',
      '\ttwo',
      'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==',
      'Content-Location: http://x/y',
      'Content-Disposition: attachment; filename=x.pdf',
      '',
      'QQ==',
      '--b--',
      '',
    ].join('\n'),
  )
  const { root } = parseStructure(octets)

  it('its fields', () => {
    expect(root.children[0]).toMatchObject({
      type: 'application',
      subtype: 'pdf',
      parameters: [['name', 'x.pdf']],
      transferEncoding: 'base64',
      contentId: '<1@x>',
      description: 'one\ttwo',
      md5: 'Q2hlY2sgSW50ZWdyaXR5IQ==',
      location: 'http://x/y',
      disposition: { type: 'attachment', parameters: [['filename', 'x.pdf']] },
    })
    expect(root.language).toEqual(['de', 'en-GB'])
  })

  it('only what is there', () => {
    expect(Object.keys(parseStructure(mail('\na')).root).sort()).toEqual(
      [
        'bodyLines',
        'bodyStart',
        'children',
        'end',
        'envelope',
        'headerStart',
        'parameters',
        'subtype',
        'transferEncoding',
        'type',
      ].sort(),
    )
    expect(parseStructure(mail('\na')).root.parameters).toEqual([['charset', 'us-ascii']])
  })

  it('its envelope when it is a message: the first of each field, unfolded', () => {
    expect(root.envelope).toEqual({
      from: new Uint8Array(Buffer.from('a@b')),
      subject: new Uint8Array(Buffer.from('=?utf-8?q?c?= d')),
    })
    expect(root.children[0]).not.toHaveProperty('envelope')
  })

  const encodings: [written: string, told: string][] = [
    ['', '7bit'],
    ['7BIT;', '7bit'],
    ['"base64"', 'base64'],
    ['quoted-printable (so)', 'quoted-printable'],
    ['X-foo', 'x-foo'],
  ]
  it.each(encodings)('its encoding: %j', (written, told) => {
    expect(parseStructure(mail(`Content-Transfer-Encoding: ${written}\n\n`)).root.transferEncoding).toBe(told)
  })

  const separators: [text: string, hasSeparator: boolean, bodyStart: number][] = [
    ['A: b\n\nc\n', true, 8],
    ['\nc\n', true, 2],
    ['A: b\n', false, 6],
    ['A: b\nc\n', false, 6],
    ['c\n', false, 0],
    ['', false, 0],
  ]
  it.each(separators)('whether there is an empty line: %j', (text, hasSeparator, bodyStart) => {
    const structure = parseStructure(mail(text))
    expect([structure.hasSeparator, structure.root.bodyStart]).toEqual([hasSeparator, bodyStart])
  })
})

describe('limits', () => {
  const nested = (depth: number): string =>
    Array.from(
      { length: depth },
      (_, index) => `Content-Type: multipart/mixed; boundary=b${index}.\n\n--b${index}.\n`,
    ).join('')

  it('parts go 100 deep, then are opaque', () => {
    const structure = parseStructure(mail(`${nested(200)}\nx\n`))
    const parts = allParts(structure)
    expect(parts).toHaveLength(100)
    expect(parts.at(-1)?.[0]).toMatchObject({ type: 'application', subtype: 'octet-stream', children: [] })
    expect(structure.truncated).toBe(true)
    expect(parseStructure(mail(`${nested(99)}\nx\n`)).truncated).toBe(false)
  })

  it('messages go 100 deep, then are opaque', () => {
    const structure = parseStructure(mail(`${'Content-Type: message/rfc822\n\n'.repeat(200)}x\n`))
    expect(allParts(structure)).toHaveLength(100)
    expect(allParts(structure).at(-1)?.[0]).toMatchObject({ type: 'application', subtype: 'octet-stream' })
    expect(structure.truncated).toBe(true)
  })

  it('there are at most 10,000 parts', () => {
    const structure = parseStructure(mail(mixed(`${'--b\n\n'.repeat(12_000)}--b--\n`)))
    expect(structure.root.children).toHaveLength(9_999)
    expect(structure.truncated).toBe(true)
    expect(parseStructure(mail(mixed(`${'--b\n\n'.repeat(9_999)}--b--\n`))).truncated).toBe(false)
  })

  it('fields beyond 1 MiB of headers are not read, offsets stay right', () => {
    const filler = `X: ${'y'.repeat(1000)}\n`.repeat(1100)
    const octets = mail(`Subject: a\n${filler}Content-Type: text/html\n\nbody\n`)
    const structure = parseStructure(octets)
    expect(structure.truncated).toBe(true)
    expect(outline(octets, structure)).toEqual(['text/plain 1 "body\\n"'])
    expect(structure.root.envelope?.subject).toEqual(new Uint8Array([0x61]))
    expect(parseInPieces(octets, [5, 70_000, 1_048_576, 1_048_577, 1_100_000])).toEqual(structure)
  })

  it('the field cut by that limit is not read', () => {
    const octets = mail(`X: ${'y'.repeat(1024 * 1024 - 20)}\nSubject: ${'a'.repeat(100)}\n\nb`)
    expect(parseStructure(octets).root.envelope).toEqual({})
  })

  it('a boundary line has at most 2,000 octets', () => {
    const at = (spaces: number): number =>
      parseStructure(mail(mixed(`--b\n\na\n--b${' '.repeat(spaces)}\n\nc\n--b--\n`))).root.children.length
    expect([at(1995), at(1996)]).toEqual([2, 1])
  })
})

/** Lines that make up mail, and their debris. */
const pieceOfMail = fc.constantFrom(
  'Content-Type: multipart/mixed; boundary=b',
  'Content-Type: multipart/digest; boundary="b-"',
  'Content-Type: message/rfc822',
  'Content-Transfer-Encoding: base64',
  'Subject: a',
  ' folded',
  '--b',
  '--b--',
  '--b-',
  '--b---',
  '--b \t',
  '--',
  '-',
  'text',
  '\r',
  '',
  '',
)
const anyMail = fc
  .array(fc.tuple(pieceOfMail, fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '')), { maxLength: 40 })
  .map((lines) => Buffer.from(lines.flat().join(''), 'latin1'))

describe('any message', () => {
  it('gives the same tree however it is cut', () => {
    fc.assert(
      fc.property(anyMail, fc.array(fc.nat(400), { maxLength: 8 }), (octets, cuts) => {
        const whole = parseStructure(octets)
        const places = cuts.filter((cut) => cut < octets.length).sort((a, b) => a - b)
        expect(parseInPieces(octets, places)).toEqual(whole)
        expect(parseInPieces(octets, everyOctet(octets))).toEqual(whole)
      }),
      { numRuns: 1000 },
    )
  })

  it('has parts that lie within each other, in order, with the lines they have', () => {
    fc.assert(
      fc.property(anyMail, (octets) => {
        const structure = parseStructure(octets)
        expect(structure.root).toMatchObject({ headerStart: 0, end: octets.length })
        for (const [part, within] of allParts(structure)) {
          expect(part.headerStart <= part.bodyStart && part.bodyStart <= part.end).toBe(true)
          if (within !== undefined) expect(part.headerStart >= within.bodyStart && part.end <= within.end).toBe(true)
          for (const [index, child] of part.children.entries()) {
            if (index > 0) expect(child.headerStart).toBeGreaterThan(part.children[index - 1]!.end)
          }
          const body = octets.toString('latin1', part.bodyStart, part.end)
          expect(part.bodyLines).toBe(body.split('\n').length - (body === '' || body.endsWith('\n') ? 1 : 0))
          expect(part.type === 'multipart' && part.children.length === 0).toBe(false)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps its tree when octets are put before it', () => {
    fc.assert(
      fc.property(anyMail, (octets) => {
        const prefix = Buffer.from('Received: from x\r\n\tby y\r\n')
        const whole = parseStructure(Buffer.concat([prefix, octets]))
        // Without fields of its own a message may start with what continues the prefix.
        fc.pre(whole.hasSeparator && octets[0] !== 0x20 && octets[0] !== 0x0d)
        expect(shiftStructure(parseStructure(octets), prefix.length)).toEqual(whole)
      }),
    )
  })
})

describe('work grows with the size, not faster', () => {
  const rows: [what: string, make: (size: number) => string][] = [
    ['text', (size) => `\n${'some text in a line\n'.repeat(size / 20)}`],
    ['empty lines', (size) => '\n'.repeat(size)],
    ['dashes', (size) => mixed('--x\n'.repeat(size / 4))],
    ['dashes in one line', (size) => mixed('-'.repeat(size))],
    ['white space after a boundary', (size) => mixed(`--b${' '.repeat(size)}\n`)],
    ['parts', (size) => mixed('--b\n\n'.repeat(size / 5))],
    [
      'near-boundaries in 90 open multiparts',
      (size) =>
        `${Array.from({ length: 90 }, (_, index) => `Content-Type: multipart/mixed; boundary=bbbbbbbb${index}\n\n--bbbbbbbb${index}\n`).join('')}\n${'--bbbbbbbb\n'.repeat(size / 11)}`,
    ],
    ['one header line', (size) => `Subject: ${'a'.repeat(size)}\n\n`],
    ['header lines', (size) => `${'A: b\n'.repeat(size / 5)}\n`],
    ['folding', (size) => `A:\n${' b\n'.repeat(size / 3)}\n`],
    ['parameters', (size) => `Content-Type: a/b${';a*1=b'.repeat(size / 6)}\n\n`],
    ['comments', (size) => `Content-Type: ${'('.repeat(size)}\n\n`],
    ['words without semicolon', (size) => `Content-Type: a/b; a=${'b '.repeat(size / 2)}\n\n`],
    ['embedded messages', (size) => 'Content-Type: message/rfc822\n\n'.repeat(size / 30)],
    ['a header that never ends', (size) => 'nonsense\n'.repeat(size / 9)],
  ]
  it.each(rows)('%s', (_, make) => {
    const stepsOf = (size: number): number => {
      const work = { steps: 0 }
      const octets = mail(make(size))
      parseStructure(octets, { work })
      return work.steps
    }
    const small = stepsOf(64 * 1024)
    expect(small).toBeGreaterThan(0)
    expect(stepsOf(1024 * 1024)).toBeLessThanOrEqual(20 * small)
  })

  it('and pieces of one octet cost no more steps', () => {
    const octets = mail(mixed(`--b\nSubject: a\n\n${'--bb\n'.repeat(2000)}--b--\n`))
    const whole = { steps: 0 }
    parseStructure(octets, { work: whole })
    const pieces = { steps: 0 }
    const scanner = createStructureScanner({ work: pieces })
    for (const octet of octets) scanner.push(Uint8Array.of(octet))
    scanner.end()
    expect(pieces.steps).toBe(whole.steps)
  })
})
