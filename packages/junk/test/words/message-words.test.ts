import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMessageWords } from '../../src/words/index.ts'
import { bodyWords, namesOf } from './names.ts'

describe('words of a header', () => {
  const message = [
    'Return-Path: <bounce@list.example.com>',
    'Received: from mx.example.net (mx.example.net [192.0.2.5]) by here.example with ESMTP id 9F27A1C3D4;',
    ' Mon, 5 Aug 2002 10:00:00 +0200',
    'From: =?utf-8?q?J=C3=B6rg?= <Joerg@Mail.Example.org>',
    'Subject: =?iso-8859-1?q?Gr=FC=DFe?= and prizes',
    'Date: Mon, 05 Aug 2002 10:00:00 +0200',
    '',
    'text',
  ].join('\n')
  const names = namesOf(message)

  it.each([
    ['names of fields', 'field:Return-Path'],
    ['their order', 'field:Return-Path Received'],
    ['addresses', 'from:joerg@mail.example.org'],
    ['domains', 'from:example.org'],
    ['domains with their sign', 'from:@mail.example.org'],
    ['names of people, decoded', 'from:Jörg'],
    ['that an address has no name', 'return-path:no name'],
    ['subjects, decoded', 'subject:Grüße'],
    ['pairs within a field', 'subject:Grüße … prizes'],
    ['hosts on the way', 'received:mx.example.net'],
    ['networks on the way', 'received:192.0.2'],
    ['the zone of a date', 'date:+0200'],
    ['the form of a date', 'date:Aa, 0 Aa 0 0:0:0 +0'],
  ])('%s', (_, word) => {
    expect(names).toContain(word)
  })

  it('leaves out dates and numberings', () => {
    expect(names.filter((name) => /2002|aug|9f27/i.test(name))).toEqual([])
  })

  it('reads a plain address as the reader of lists does', () => {
    const listed = (value: string): string[] => namesOf(`To: ${value}\n\n`)
    for (const value of ['a@b.example', '<a@b.example>', 'An Name <a@b.example>', ' <A@B.example> ']) {
      // A comma at the end changes nothing but who reads it.
      expect(listed(value)).toEqual(listed(`${value},`))
    }
  })
})

describe('words of parts', () => {
  it('a part without Content-Type is text', () => {
    expect(bodyWords('free money', 'Subject: x')).toContain('money')
    expect(bodyWords('--b\n\nfree money\n--b--', 'Content-Type: multipart/mixed; boundary=b')).toContain('money')
  })

  it('a Content-Type that cannot be read hides nothing', () => {
    expect(bodyWords('free money', 'Content-Type: ;;;=')).toContain('money')
  })

  it.each([
    ['iso-8859-2', 'Content-Type: text/plain; charset=iso-8859-2', Buffer.from('\xbbivot a pr\xe1ce', 'latin1'), 'ťivot'],
    ['windows-1251', 'Content-Type: text/plain; charset=windows-1251', Buffer.from([0xd1, 0xef, 0xe0, 0xec]), 'Спам'],
    ['iso-2022-jp', 'Content-Type: text/plain; charset=iso-2022-jp', Buffer.from('\x1b$BL5NA\x1b(B', 'latin1'), '無料'],
    ['base64', 'Content-Type: text/plain\nContent-Transfer-Encoding: base64', Buffer.from('ZnJlZSBtb25leQ=='), 'money'],
    ['quoted-printable', 'Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable', Buffer.from('fr=65e mon=\ney'), 'money'],
    ['no charset, UTF-8', 'Content-Type: text/plain', Buffer.from('Grüße'), 'Grüße'],
  ])('%s', (_, fields, body, word) => {
    expect(bodyWords(body, fields)).toContain(word)
  })

  it('all alternatives, attached messages, names and types of attachments', () => {
    const names = namesOf(
      [
        'Content-Type: multipart/mixed; boundary=a', '', '--a', 'Content-Type: multipart/alternative; boundary=b', '', '--b', '', 'plainly', '--b',
        'Content-Type: text/html', '', '<b>marked</b> <a href="http://shop.example/">x</a>', '--b--', '--a', 'Content-Type: message/rfc822', '', 'Subject: inside', '', 'nested',
        '--a', 'Content-Type: application/octet-stream; name="invoice.exe"', 'Content-Transfer-Encoding: base64', '', 'c2VjcmV0IHdvcmRz', '--a--',
      ].join('\n'),
    )
    for (const word of ['plainly', 'marked', 'url:shop.example', 'inner subject:inside', 'nested', 'part:application/octet-stream', 'part:.exe', 'part:invoice.exe']) {
      expect(names).toContain(word)
    }
    expect(names).not.toContain('secret')
  })

  it('line ends of CR LF make the same words', () => {
    const text = 'Subject: a word\nFrom: a@b.example\nX-Mailer: some mailer\n  1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nsome text\nof lines\n--a--\n'
    expect(readMessageWords(Buffer.from(text)).keys).toEqual(readMessageWords(Buffer.from(text.replaceAll('\n', '\r\n'))).keys)
  })
})

describe('caps', () => {
  const many = (count: number, make: (index: number) => string): string => Array.from({ length: count }, (_, index) => make(index)).join('')

  it.each([
    ['100,000 distinct words', `\n${many(100_000, (index) => `w${index.toString(36)}x `)}`],
    ['100,000 fields', `${many(100_000, (index) => `X-${index}: v\n`)}\ntext`],
    ['10,000 parts', `Content-Type: multipart/mixed; boundary=b\n\n${many(10_000, () => '--b\n\nword\n')}`],
    ['2 MB of text', `\n${'some words here '.repeat(130_000)}`],
    ['a field of 1 MB', `Subject: ${many(100_000, (index) => `w${index.toString(36)}x `)}\n\n`],
    ['100,000 URLs', `\n${many(100_000, (index) => `http://h${index}.example/ `)}`],
  ])('%s', (_, message) => {
    const words = readMessageWords(Buffer.from(message))
    expect(words.count).toBeLessThanOrEqual(30_000)
    expect(words.truncated).toBe(true)
  })

  it('a part that uses up its room leaves room for the next', () => {
    const filler = 'lorem ipsum dolor '.repeat(60_000)
    const names = bodyWords(`--b\n\n${filler}\n--b\n\nfree money\n--b--`, 'Content-Type: multipart/mixed; boundary=b')
    expect(names).toContain('money')
  })

  it('parts within 10,000 parts', () => {
    const message = `${many(10_000, (index) => `Content-Type: multipart/mixed; boundary=b${index}\n\n--b${index}\n`)}\n\ntext`
    expect(readMessageWords(Buffer.from(message)).count).toBeLessThan(30_000)
  })

  it('words that come again, and pairs of them, are there once', () => {
    const word = fc.constantFrom('free', 'money', 'today', 'Tuesday', 'meeting', 'http://a.example/b', '$99', '無料です')
    fc.assert(
      fc.property(fc.array(word, { maxLength: 200 }), fc.array(word, { maxLength: 60 }), (body, subject) => {
        const words = readMessageWords(Buffer.from(`Subject: ${subject.join(' ')}\n\n${body.join(' ')}`))
        const keys = new Set(new BigUint64Array(words.keys.buffer, words.keys.byteOffset, words.count))
        expect(keys.size).toBe(words.count)
        const names = namesOf(`Subject: ${subject.join(' ')}\n\n${body.join(' ')}`)
        expect(new Set(names).size).toBe(names.length)
      }),
    )
  })

  it('any octets make words with names, and each key once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (octets) => {
        const words = readMessageWords(octets)
        const big = new Set(new BigUint64Array(words.keys.buffer, words.keys.byteOffset, words.count))
        expect(big.size).toBe(words.count)
        expect(big.has(0n)).toBe(false)
        for (let index = 0; index < words.count; index += 1) expect(words.nameOf(index)).toMatch(/./su)
      }),
    )
  })
})
