import { describe, expect, it } from 'vitest'
import { parseStructure } from '../../src/message/parts.ts'
import { type SectionText, selectPart, selectSection } from '../../src/message/section.ts'
import { mail } from './outline.ts'

/** A part: its header with boundary `of`, and each of the parts between these boundaries. */
const multipart = (subtype: string, boundary: string, parts: string[]): string =>
  `Content-Type: multipart/${subtype}; boundary=${boundary}\n\n${parts.map((part) => `--${boundary}\n${part}\n`).join('')}--${boundary}--\n`
const leaf = (type: string, body: string): string => `Content-Type: ${type}\n\n${body}`
const message = (header: string, rest: string): string => `Content-Type: message/rfc822\n\n${header}\n${rest}`

/** The message of RFC 9051 §6.4.5.1. */
const EXAMPLE = mail(
  `Subject: top\n${multipart('mixed', 'a', [
    leaf('text/plain', 'one'),
    leaf('application/octet-stream', 'two'),
    message(
      'Subject: three',
      multipart('mixed', 'b', [leaf('text/plain', 'three one'), leaf('application/octet-stream', 'three two')]),
    ),
    multipart('mixed', 'c', [
      leaf('image/gif', 'four one'),
      message(
        'Subject: four two',
        multipart('mixed', 'd', [
          leaf('text/plain', 'four two one'),
          multipart('alternative', 'e', [
            leaf('text/plain', 'four two two one'),
            leaf('text/richtext', 'four two two two'),
          ]),
        ]),
      ),
    ]),
  ])}`,
)
const FLAT = mail('Subject: flat\nContent-Type: text/html\n\nbody\n')
const FORWARDED = mail(`Subject: top\n${message('Subject: in', 'Content-Type: text/html\n\nbody\n')}`)
const DEEP = mail(`Subject: 1\n${message('Subject: 2', message('Subject: 3', '\nbody\n'))}`)

/** `1.2.HEADER` as numbers and word. */
function parse(section: string): [number[], SectionText] {
  const words = section.split('.').filter((word) => word !== '')
  const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number)
  const last = words[numbers.length]
  return [numbers, (last?.toLowerCase() ?? 'body') as SectionText]
}

describe('sections', () => {
  const rows: [what: string, octets: Uint8Array, section: string, text: string | RegExp | undefined][] = [
    ['example', EXAMPLE, '', /^Subject: top\n[^]*--a--\n$/],
    ['example', EXAMPLE, 'HEADER', 'Subject: top\nContent-Type: multipart/mixed; boundary=a\n\n'],
    ['example', EXAMPLE, 'TEXT', /^--a\n[^]*--a--\n$/],
    ['example', EXAMPLE, 'MIME', undefined],
    ['example', EXAMPLE, '1', 'one'],
    ['example', EXAMPLE, '1.MIME', 'Content-Type: text/plain\n\n'],
    ['example', EXAMPLE, '1.HEADER', undefined],
    ['example', EXAMPLE, '1.TEXT', undefined],
    ['example', EXAMPLE, '1.1', undefined],
    ['example', EXAMPLE, '2', 'two'],
    ['example', EXAMPLE, '3', /^Subject: three\n[^]*--b--\n$/],
    ['example', EXAMPLE, '3.MIME', 'Content-Type: message/rfc822\n\n'],
    ['example', EXAMPLE, '3.HEADER', 'Subject: three\nContent-Type: multipart/mixed; boundary=b\n\n'],
    ['example', EXAMPLE, '3.TEXT', /^--b\n[^]*--b--\n$/],
    ['example', EXAMPLE, '3.1', 'three one'],
    ['example', EXAMPLE, '3.2', 'three two'],
    ['example', EXAMPLE, '3.3', undefined],
    ['example', EXAMPLE, '4', /^--c\n[^]*--c--\n$/],
    ['example', EXAMPLE, '4.MIME', 'Content-Type: multipart/mixed; boundary=c\n\n'],
    ['example', EXAMPLE, '4.HEADER', undefined],
    ['example', EXAMPLE, '4.1', 'four one'],
    ['example', EXAMPLE, '4.1.MIME', 'Content-Type: image/gif\n\n'],
    ['example', EXAMPLE, '4.2.HEADER', 'Subject: four two\nContent-Type: multipart/mixed; boundary=d\n\n'],
    ['example', EXAMPLE, '4.2.TEXT', /^--d\n[^]*--d--\n$/],
    ['example', EXAMPLE, '4.2.1', 'four two one'],
    ['example', EXAMPLE, '4.2.2.1', 'four two two one'],
    ['example', EXAMPLE, '4.2.2.2', 'four two two two'],
    ['example', EXAMPLE, '4.2.2.2.1', undefined],
    ['example', EXAMPLE, '0', undefined],
    ['example', EXAMPLE, '5', undefined],
    ['no multipart', FLAT, '1', 'body\n'],
    ['no multipart', FLAT, 'TEXT', 'body\n'],
    ['no multipart', FLAT, '1.MIME', 'Subject: flat\nContent-Type: text/html\n\n'],
    ['no multipart', FLAT, '1.HEADER', undefined],
    ['no multipart', FLAT, '1.1', undefined],
    ['no multipart', FLAT, '2', undefined],
    ['a message in a message', FORWARDED, '1', 'Subject: in\nContent-Type: text/html\n\nbody\n'],
    ['a message in a message', FORWARDED, 'HEADER', 'Subject: top\nContent-Type: message/rfc822\n\n'],
    ['a message in a message', FORWARDED, '1.HEADER', 'Subject: in\nContent-Type: text/html\n\n'],
    ['a message in a message', FORWARDED, '1.TEXT', 'body\n'],
    ['a message in a message', FORWARDED, '1.1', 'body\n'],
    ['a message in a message', FORWARDED, '1.1.MIME', 'Subject: in\nContent-Type: text/html\n\n'],
    ['a message in a message', FORWARDED, '1.1.1', undefined],
    ['three messages', DEEP, '1.HEADER', 'Subject: 2\nContent-Type: message/rfc822\n\n'],
    ['three messages', DEEP, '1.1.HEADER', 'Subject: 3\n\n'],
    ['three messages', DEEP, '1.1.1', 'body\n'],
    ['three messages', DEEP, '1.1.1.1', undefined],
  ]
  it.each(rows.map(([what, octets, section, text]) => ({ what, octets, section, text })))(
    'of $what: BODY[$section]',
    ({ octets, section, text }) => {
      const [numbers, word] = parse(section)
      const range = selectSection(parseStructure(octets), numbers, word)
      const found =
        range && Buffer.from(octets.subarray(range.from, range.to)).toString('latin1').replaceAll('\r\n', '\n')
      if (text instanceof RegExp) expect(found).toMatch(text)
      else expect(found).toBe(text)
    },
  )

  it('lead to parts by their numbers', () => {
    const structure = parseStructure(EXAMPLE)
    expect(selectPart(structure, [])).toBe(structure.root)
    expect(selectPart(structure, [4, 2, 2, 2])).toMatchObject({ type: 'text', subtype: 'richtext' })
    expect(selectPart(structure, [3])).toMatchObject({ type: 'message', subtype: 'rfc822' })
    expect(selectPart(parseStructure(FLAT), [1])).toMatchObject({ type: 'text', subtype: 'html' })
    expect(
      selectPart(
        structure,
        Array.from({ length: 1000 }, () => 1),
      ),
    ).toBeUndefined()
  })
})
