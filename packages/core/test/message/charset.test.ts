import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createCharsetDecoder, decodeCharset, decodeUnlabelled, isKnownCharset } from '../../src/message/index.ts'
import { octetsOf } from './octets.ts'

const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

const rows: [charset: string, octets: Uint8Array, text: string][] = [
  ['utf-8', octetsOf('é€😀'), 'é€😀'],
  ['UTF8', octetsOf('é'), 'é'],
  ['"utf-8"', octetsOf('é'), 'é'],
  ['utf-8*en', octetsOf('é'), 'é'],
  ['utf-8', latin('a\xe9b'), 'a\ufffdb'],
  ['iso-8859-1', latin('\xe9\x80'), 'é€'],
  ['latin-1', latin('\xe9'), 'é'],
  ['windows-1252', latin('\x80\x93\x94\x81'), '€“”\x81'],
  ['cp1252', latin('\x80'), '€'],
  ['iso-8859-15', latin('\xa4'), '€'],
  ['iso8859_15', latin('\xa4'), '€'],
  ['windows-1251', latin('\xcf\xf0'), 'Пр'],
  ['cp-1251', latin('\xcf\xf0'), 'Пр'],
  ['win1251', latin('\xcf\xf0'), 'Пр'],
  ['koi8-r', latin('\xf0\xd2'), 'Пр'],
  ['iso-8859-8-i', latin('\xe0'), 'א'],
  ['gb2312', latin('\xc4\xe3'), '你'],
  ['cp936', latin('\xc4\xe3'), '你'],
  ['gb18030', latin('\xc4\xe3'), '你'],
  ['big5', latin('\xa7\x41'), '你'],
  ['shift_jis', latin('\x82\xb1'), 'こ'],
  ['cp932', latin('\x82\xb1'), 'こ'],
  ['euc-jp', latin('\xa4\xb3'), 'こ'],
  ['iso-2022-jp', latin('\x1b$B$3$s\x1b(B'), 'こん'],
  ['ks_c_5601-1987', latin('\xb0\xa1'), '가'],
  ['macintosh', latin('\x8e'), 'é'],
  ['utf-16', latin('\x00a\x20\xac'), 'a€'],
  ['utf-16', latin('\xfe\xff\x00a'), 'a'],
  ['utf-16', latin('\xff\xfea\x00'), 'a'],
  ['utf-16le', latin('a\x00'), 'a'],
  // RFC 2152
  ['utf-7', latin('A+ImIDkQ.'), 'A≢Α.'],
  ['utf-7', latin('Hi Mom -+Jjo--!'), 'Hi Mom -☺-!'],
  ['utf-7', latin('+ZeVnLIqe-'), '日本語'],
  ['unicode-1-1-utf-7', latin('Item 3 is +AKM-1.'), 'Item 3 is £1.'],
  ['utf-7', latin('1 +- 1'), '1 + 1'],
  ['utf-7', latin('+2D3eAA-'), '😀'],
  ['utf-7', latin('+2D0-x+3gA-'), '\ufffdx\ufffd'],
  ['utf-7', latin('+2D0AYQ-'), '\ufffda'],
  ['utf-7', latin('a\xe9+'), 'a\ufffd'],
]

describe('charsets', () => {
  test.each(rows)('%s %j is %j', (charset, octets, text) => {
    expect(decodeCharset(octets, charset)).toBe(text)
    expect(isKnownCharset(charset)).toBe(true)
  })

  test.each(rows)('%s %j is %j in pieces', (charset, octets, text) => {
    const decoder = createCharsetDecoder(charset)
    const parts = Array.from(octets, (octet) => decoder.push(Uint8Array.of(octet)) + decoder.push(new Uint8Array(0)))
    expect(parts.join('') + decoder.end()).toBe(text)
  })

  test.each([
    ['', octetsOf('é'), 'é'],
    ['us-ascii', octetsOf('é'), 'é'],
    ['US-ASCII', latin('\xe9\x80'), 'é€'],
    ['unknown-8bit', latin('\xe9'), 'é'],
  ])('%j says nothing of octets beyond ASCII', (charset, octets, text) => {
    expect(decodeCharset(octets, charset)).toBe(text)
  })

  test.each(['x-nobody-knows', 'iso-2022-kr', 'replacement', 'x'.repeat(100_000), 'utf-8\u0000', '*', '__proto__'])(
    '%.30s: ASCII stays, the rest is replaced',
    (charset) => {
      const text = charset === '*' ? 'aéb' : 'a\ufffdb'
      expect(decodeCharset(latin('a\xe9b'), charset)).toBe(text)
      expect(isKnownCharset(charset)).toBe(charset === '*')
    },
  )

  it('guesses UTF-8 only when all of it is', () => {
    expect(decodeUnlabelled(octetsOf('é€'))).toBe('é€')
    expect(decodeUnlabelled(Uint8Array.of(...octetsOf('é'), 0xe9))).toBe('Ã©é')
  })

  it('never throws, and pieces make no difference', () => {
    const charset = fc.constantFrom(...new Set(rows.map(([name]) => name)))
    fc.assert(
      fc.property(charset, fc.string(), fc.uint8Array({ maxLength: 60 }), fc.nat(60), (charset, other, octets, cut) => {
        expect(decodeCharset(octets, other).length).toBeLessThanOrEqual(octets.length + 1)
        const text = decodeCharset(octets, charset)
        expect(text.length).toBeLessThanOrEqual(octets.length + 1)
        const decoder = createCharsetDecoder(charset)
        expect(decoder.push(octets.subarray(0, cut)) + decoder.push(octets.subarray(cut)) + decoder.end()).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it('reads UTF-7 of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const units = Buffer.from(text, 'utf16le').swap16()
        const encoded = `+${units.toString('base64').replaceAll('=', '')}-`
        expect(decodeCharset(octetsOf(text === '' ? '' : encoded), 'utf-7')).toBe(text)
      }),
    )
  })
})
