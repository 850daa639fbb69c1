import { describe, expect, it, test } from 'vitest'
import fc from 'fast-check'
import { type Address, parseAddress } from '../../src/address/index.ts'
import type { Part } from '../../src/message/index.ts'
import {
  type Attachment,
  composeMessage,
  decodeAddressList,
  decodeCharset,
  decodeTransfer,
  decodeUnstructured,
  type Draft,
  FieldNames,
  findFields,
  formatField,
  formatParameter,
  parseStructure,
  unfoldValue,
} from '../../src/message/index.ts'

const address = (text: string): Address => parseAddress(text, { utf8: true })
const text = (octets: Uint8Array): string => Buffer.from(octets).toString('utf8')

let seed = 0
const random = (octets: number): Uint8Array => new Uint8Array(octets).fill((seed += 1))

const draft: Draft = {
  from: { name: 'Post Office', address: address('postmaster@example.com') },
  to: [{ address: address('user@example.org') }],
  subject: 'Hello',
  date: { seconds: 1_057_049_557, zoneMinutes: 120 },
  messageId: 'id@example.com',
  text: 'Hello\nworld',
}

describe('composed messages', () => {
  it('of text', () => {
    expect(text(composeMessage(draft, random))).toBe(
      [
        'Date: 1 Jul 2003 10:52:37 +0200',
        'From: Post Office <postmaster@example.com>',
        'To: user@example.org',
        'Subject: Hello',
        'Message-ID: <id@example.com>',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=us-ascii',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello',
        'world',
        '',
      ].join('\r\n'),
    )
  })

  it('of text, HTML and attachments', () => {
    const pdf: Attachment = { mediaType: 'application/pdf', content: Uint8Array.from({ length: 300 }, (_, index) => index), filename: 'Rechnung für März.pdf' }
    const image: Attachment = { mediaType: 'image/png', content: new Uint8Array(3), disposition: 'inline', contentId: 'img@example.com' }
    const message = composeMessage({ ...draft, text: 'Grüße', html: '<p>Grüße</p>', attachments: [pdf, image] }, random)
    const { root } = parseStructure(message)
    expect(outline(root)).toEqual(['multipart/mixed', ['multipart/alternative', ['text/plain'], ['text/html']], ['application/pdf'], ['image/png']])
    const [alternative, first, second] = root.children as [Part, Part, Part]
    expect(alternative.children.map((part) => bodyText(message, part))).toEqual(['Grüße\r\n', '<p>Grüße</p>\r\n'])
    expect([...bodyOf(message, first)]).toEqual([...pdf.content])
    expect(first.disposition).toEqual({ type: 'attachment', parameters: [['filename', 'Rechnung für März.pdf']] })
    expect(second.disposition?.type).toBe('inline')
    expect(second.contentId).toBe('<img@example.com>')
  })

  test.each<[string, Partial<Draft>, unknown]>([
    ['text', {}, ['text/plain']],
    ['nothing', { text: undefined as never }, ['text/plain']],
    ['HTML', { text: undefined as never, html: '<p>' }, ['text/html']],
    ['both', { html: '<p>' }, ['multipart/alternative', ['text/plain'], ['text/html']]],
    ['an attachment only', { text: undefined as never, attachments: [{ mediaType: 'a/b', content: new Uint8Array(1) }] }, ['multipart/mixed', ['a/b']]],
  ])('have the structure of %s', (_, change, structure) => {
    const { text: body, ...rest } = { ...draft, ...change }
    expect(outline(parseStructure(composeMessage(body === undefined ? rest : { ...rest, text: body }, random)).root)).toEqual(structure)
  })

  it('keep an attached message as it is, when it may be sent so', () => {
    const attached = (content: string): Attachment => ({ mediaType: 'message/rfc822', content: Buffer.from(content) })
    const message = composeMessage({ ...draft, attachments: [attached('Subject: a\r\n\r\nb\r\n'), attached('Subject: é\r\n\r\nb'), attached('Subject: a\n\nb')] }, random)
    const [, ascii, eight, bare] = parseStructure(message).root.children as [Part, Part, Part, Part]
    expect([ascii.type, ascii.transferEncoding, text(message.subarray(ascii.bodyStart, ascii.end))]).toEqual(['message', '7bit', 'Subject: a\r\n\r\nb\r\n'])
    expect([eight.type, eight.transferEncoding]).toEqual(['message', '8bit'])
    expect(text(message)).toMatch(/^Content-Transfer-Encoding: 8bit\r\n/m)
    expect([bare.type, bare.transferEncoding, text(bodyOf(message, bare))]).toEqual(['application', 'base64', 'Subject: a\n\nb'])
  })

  test.each([
    ['7bit', 'ASCII\r\ntext'],
    ['7bit', 'From me'],
    ['7bit', 'x'.repeat(998)],
    ['quoted-printable', 'x'.repeat(999)],
    ['quoted-printable', 'mostly ASCII, ça va'],
    ['quoted-printable', 'a\u0000b'],
    ['base64', '日本語のメール'],
  ])('send as %s: %.30j', (encoding, body) => {
    const message = composeMessage({ ...draft, text: body }, random)
    const { root } = parseStructure(message)
    expect(root.transferEncoding).toBe(encoding)
    expect(bodyText(message, root)).toBe(`${body}\r\n`)
  })

  test.each<[string, Partial<Draft>]>([
    ['subject', { subject: 'a\r\nBcc: evil@example.com' }],
    ['subject with LF', { subject: 'a\nb' }],
    ['subject with NUL', { subject: 'a\u0000b' }],
    ['name of the sender', { from: { name: 'a\r\nb', address: draft.from.address } }],
    ['name of a recipient', { to: [{ name: 'a\nb', address: draft.from.address }] }],
    ['identifier', { messageId: 'a>\r\nX: y' }],
    ['identifier with a space', { messageId: 'a b@c' }],
    ['identifier with brackets', { messageId: '<a@c>' }],
    ['field', { headers: [['X-Test', 'a\r\nb']] }],
    ['file name', { attachments: [{ mediaType: 'a/b', content: new Uint8Array(1), filename: 'a"\r\nX: y' }] }],
    ['content id', { attachments: [{ mediaType: 'a/b', content: new Uint8Array(1), contentId: 'a\r\nb' }] }],
  ])('refuse a line end in the %s', (_, change) => {
    expect(() => composeMessage({ ...draft, ...change }, random)).toThrow(expect.objectContaining({ code: 'COMPOSE_FIELD_VALUE' }))
  })

  test.each<[string, string, Partial<Draft>]>([
    ['COMPOSE_FIELD_NAME', 'a colon', { headers: [['X:', 'a']] }],
    ['COMPOSE_FIELD_NAME', 'a line end', { headers: [['X\r\nY', 'a']] }],
    ['COMPOSE_FIELD_NAME', 'nothing', { headers: [['', 'a']] }],
    ['COMPOSE_RESERVED_FIELD', 'From', { headers: [['FROM', 'a@b']] }],
    ['COMPOSE_RESERVED_FIELD', 'Content-Type', { headers: [['content-type', 'text/html']] }],
    ['COMPOSE_MEDIA_TYPE', 'a type with parameters', { attachments: [{ mediaType: 'a/b; c=d', content: new Uint8Array(1) }] }],
    ['COMPOSE_MEDIA_TYPE', 'a multipart', { attachments: [{ mediaType: 'multipart/mixed', content: new Uint8Array(1) }] }],
    ['COMPOSE_MEDIA_TYPE', 'a line end', { attachments: [{ mediaType: 'a/b\r\n', content: new Uint8Array(1) }] }],
  ])('refuse with %s: %s', (code, _, change) => {
    expect(() => composeMessage({ ...draft, ...change }, random)).toThrow(expect.objectContaining({ code }))
  })

  it('refuse a localpart with a line end', () => {
    const evil = { localpart: 'a\r\nBcc: x', domain: draft.from.address.domain }
    expect(() => composeMessage({ ...draft, to: [{ address: evil }] }, random)).toThrow(expect.objectContaining({ code: 'ADDRESS_SYNTAX' }))
  })

  it('have a boundary that is in no part, even when random octets repeat', () => {
    const same = (octets: number): Uint8Array => new Uint8Array(octets)
    const boundary = /boundary="([^"]*)"/.exec(text(composeMessage({ ...draft, html: '<p>' }, same)))?.[1] as string
    const message = composeMessage({ ...draft, text: `--${boundary}--\r\n--${boundary}\r\n`, html: '<p>' }, same)
    const { root } = parseStructure(message)
    expect(root.children.map((part) => bodyText(message, part))).toEqual([`--${boundary}--\r\n--${boundary}\r\n`, '<p>\r\n'])
    const nested = composeMessage({ ...draft, text: `--${boundary}`, html: '<p>', attachments: [{ mediaType: 'a/b', content: new Uint8Array(1) }] }, same)
    expect(outline(parseStructure(nested).root)).toEqual(['multipart/mixed', ['multipart/alternative', ['text/plain'], ['text/html']], ['a/b']])
  })

  it('write internationalised addresses', () => {
    const message = text(composeMessage({ ...draft, to: [{ name: 'Jürgen, Dr.', address: address('j@bücher.example') }, { address: address('jürgen@bücher.example') }] }, random))
    expect(message).toContain('To: =?utf-8?q?J=C3=BCrgen=2C_Dr=2E?= <j@xn--bcher-kva.example>, \r\n jürgen@bücher.example\r\n'.replace(', \r\n', ',\r\n'))
  })

  test.each(['Plain', 'Two Words', 'Comma, Name', 'Quote "q" \\', 'a@b', 'Zoë', 'Zoë "q", (c) <x@y>', ' space ', '=?utf-8?q?a?=', 'x'.repeat(2000), 'ab '.repeat(100).trim()])(
    'name %.30j comes back',
    (name) => {
      const message = composeMessage({ ...draft, from: { name, address: draft.from.address } }, random)
      expect(decodeAddressList(fieldOf(message, 'From'))).toEqual([{ kind: 'mailbox', name, address: 'postmaster@example.com' }])
    },
  )

  it('have lines of at most 78 columns, and give back what was put in', () => {
    const words = fc.array(fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), fc.stringMatching(/^[a-z]{1,20}$/)), { maxLength: 30 })
    const clean = words.map((list) => list.join(' ').replaceAll(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, '')).map((value) => value.trim())
    fc.assert(
      fc.property(clean, clean, fc.array(clean, { maxLength: 5 }), (subject, name, more) => {
        const to = more.map((name) => ({ name, address: draft.from.address }))
        const message = composeMessage({ ...draft, subject, from: { name, address: draft.from.address }, to, headers: [['X-Test', subject]] }, random)
        const header = text(message).split('\r\n\r\n', 1)[0] as string
        for (const line of header.split('\r\n')) {
          expect(line).toMatch(/^[\x20-\x7e]{1,78}$/)
          expect(line.trim()).not.toBe('')
        }
        for (const name of ['Subject', 'X-Test']) expect(decodeUnstructured(fieldOf(message, name))).toBe(subject)
        expect(decodeAddressList(fieldOf(message, 'From'))).toMatchObject([{ name: name === '' ? undefined : name }])
        if (to.length > 0) expect(decodeAddressList(fieldOf(message, 'To')).map((entry) => entry.kind === 'mailbox' && (entry.name ?? ''))).toEqual(more)
      }),
      { numRuns: 300 },
    )
  })

  it('give back file names of any length and script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }), (name) => {
        const filename = name.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '').trim()
        const message = composeMessage({ ...draft, attachments: [{ mediaType: 'a/b', content: new Uint8Array(1), filename }] }, random)
        expect(parseStructure(message).root.children[1]?.disposition?.parameters).toEqual([['filename', filename]])
      }),
      { numRuns: 300 },
    )
  })
})

describe('fields', () => {
  test.each([
    ['X', 'a', 'X: a\r\n'],
    ['X', '', 'X:\r\n'],
    ['X', 'a '.repeat(60), `X: ${'a '.repeat(37)}a\r\n ${'a '.repeat(21)}a\r\n`],
    ['X', `${'a'.repeat(100)} b`, `X: ${'a'.repeat(100)}\r\n b\r\n`],
    ['X', `a   ${'b'.repeat(76)}`, `X: a\r\n   ${'b'.repeat(76)}\r\n`],
  ])('%s: %.30j', (name, value, written) => {
    expect(formatField(name, value)).toBe(written)
  })

  it('refuses a word that fits on no line', () => {
    expect(() => formatField('X', 'a'.repeat(1000))).toThrow(expect.objectContaining({ code: 'COMPOSE_FIELD_VALUE' }))
  })

  test.each([
    ['a b.txt', '; name="a b.txt"'],
    ['a"b\\', '; name="a\\"b\\\\"'],
    ['é', "; name*=utf-8''%C3%A9"],
    ['x'.repeat(60), `; name*0*=utf-8''${'x'.repeat(43)}; name*1*=${'x'.repeat(17)}`],
  ])('parameter %.20j', (value, written) => {
    expect(formatParameter('Content-Type', 'name', value)).toBe(written)
  })
})

function outline(part: Part): unknown {
  return [`${part.type}/${part.subtype}`, ...part.children.map(outline)]
}

function bodyOf(message: Uint8Array, part: Part): Uint8Array {
  return decodeTransfer(message.subarray(part.bodyStart, part.end), part.transferEncoding)
}

function bodyText(message: Uint8Array, part: Part): string {
  const charset = part.parameters.find(([name]) => name === 'charset')?.[1] ?? ''
  return decodeCharset(bodyOf(message, part), charset)
}

function fieldOf(message: Uint8Array, name: string): Uint8Array {
  const [field] = findFields(message, new FieldNames([name]))
  return field === undefined ? new Uint8Array(0) : unfoldValue(message, field)
}
