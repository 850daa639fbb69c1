import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createTransferDecoder, decodeTransfer, encodeBase64, encodeQuotedPrintable } from '../../src/message/index.ts'
import { octetsOf } from './octets.ts'

const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1')

const rows: [encoding: string, written: string, decoded: string][] = [
  ['base64', 'aGVsbG8=', 'hello'],
  ['base64', 'aGVs\r\nbG8=\r\n', 'hello'],
  ['BASE64 ', 'aGVsbG8', 'hello'],
  ['base64', 'aGVsbG', 'hell'],
  ['base64', 'aGVsb', 'hel'],
  ['base64', 'a*G(V)s b\u0000G8=', 'hello'],
  ['base64', 'aGk=aGk=', 'hihi'],
  ['base64', 'aGVsbG8=====aGk=', 'hellohi'],
  ['base64', '====', ''],
  ['base64', '', ''],
  ['quoted-printable', 'a=3Db=C3=A9', 'a=b\xc3\xa9'],
  ['quoted-printable', '=c3=a9', '\xc3\xa9'],
  ['Quoted-Printable', 'soft=\r\nbreak', 'softbreak'],
  ['quoted-printable', 'soft= \t\r\nbreak', 'softbreak'],
  ['quoted-printable', 'soft=\nbreak', 'softbreak'],
  ['quoted-printable', 'line \t\r\nline  ', 'line\r\nline'],
  ['quoted-printable', 'line \nline', 'line\nline'],
  ['quoted-printable', 'in  side', 'in  side'],
  ['quoted-printable', 'a=20\r\n', 'a \r\n'],
  ['quoted-printable', 'a=ZZ=4', 'a=ZZ=4'],
  ['quoted-printable', 'a=4G', 'a=4G'],
  ['quoted-printable', 'a==41', 'a=A'],
  ['quoted-printable', 'a= b', 'a= b'],
  ['quoted-printable', 'a=\rb', 'a=\rb'],
  ['quoted-printable', 'a=', 'a'],
  ['quoted-printable', 'a= \r', 'a'],
  ['quoted-printable', '=3D=\r\n=3D', '=='],
  ['quoted-printable', `${' '.repeat(3000)}x`, `${' '.repeat(3000)}x`],
  ['7bit', 'a=3D ', 'a=3D '],
  ['x-unknown', 'a=3D ', 'a=3D '],
]

describe('transfer encodings', () => {
  test.each(rows)('%s %.60j', (encoding, written, decoded) => {
    const octets = Uint8Array.from(Buffer.from(written, 'latin1'))
    expect(text(decodeTransfer(octets, encoding))).toBe(decoded)
    const decoder = createTransferDecoder(encoding)
    const parts = Array.from(octets, (octet) => text(decoder.push(Uint8Array.of(octet))))
    expect(parts.join('') + text(decoder.end())).toBe(decoded)
  })

  it('pieces make no difference, and nothing grows', () => {
    const piece = fc.constantFrom('=', '3D', 'ab', 'Z', ' ', '\t', '\r\n', '\n', '\r', 'é', '+', '/', '==', ' '.repeat(499))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(1200), fc.constantFrom('base64', 'quoted-printable', '8bit'), (pieces, cut, encoding) => {
        const octets = octetsOf(pieces.join(''))
        const whole = decodeTransfer(octets, encoding)
        expect(whole.length).toBeLessThanOrEqual(octets.length)
        const decoder = createTransferDecoder(encoding)
        const parts = [decoder.push(octets.subarray(0, cut)), decoder.push(octets.subarray(cut)), decoder.end()]
        expect(text(Buffer.concat(parts))).toBe(text(whole))
      }),
      { numRuns: 2000 },
    )
  })

  it('holds back a line of white space at most', () => {
    const decoder = createTransferDecoder('quoted-printable')
    let given = 0
    for (let round = 0; round < 100; round += 1) given += decoder.push(new Uint8Array(1000).fill(0x20)).length
    expect(given).toBeGreaterThan(98_000)
  })

  it('gives octets of its own', () => {
    for (const encoding of ['base64', 'quoted-printable', '7bit']) {
      const given = Buffer.from('YWJj')
      const decoded = createTransferDecoder(encoding).push(given)
      const before = text(decoded)
      given.fill(0)
      expect(text(decoded)).toBe(before)
    }
  })

  it('reads the base64 it writes, in lines of 76', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const written = text(encodeBase64(octets))
        expect(written).toMatch(/^(?:[A-Za-z0-9+/=]{76}\r\n)*(?:[A-Za-z0-9+/=]{1,76}\r\n)?$/)
        expect([...decodeTransfer(octetsOf(written), 'base64')]).toEqual([...octets])
      }),
    )
  })

  it('reads the quoted-printable it writes, in lines of 76', () => {
    const piece = fc.constantFrom('a', ' ', '\t', '\r\n', '\r', '\n', '=', '.', 'From ', 'é', 'x'.repeat(70), 'é'.repeat(30), ' '.repeat(80))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const octets = octetsOf(pieces.join(''))
        const written = text(encodeQuotedPrintable(octets))
        for (const line of written.split('\r\n')) {
          expect(line).toMatch(/^(?!\.|From )[\x20-\x7e\t]{0,76}$/)
          expect(line).not.toMatch(/[ \t]$/)
        }
        expect(text(decodeTransfer(octetsOf(written), 'quoted-printable'))).toBe(text(octets))
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['a=b', 'a=3Db'],
    ['a \r\n b', 'a=20\r\n b'],
    ['.\r\nFrom me\r\nFor me', '=2E\r\n=46rom me\r\nFor me'],
    ['x'.repeat(76), 'x'.repeat(76)],
    ['x'.repeat(77), `${'x'.repeat(75)}=\r\nxx`],
  ])('%.20j is written %.20j', (plain, written) => {
    expect(text(encodeQuotedPrintable(octetsOf(plain)))).toBe(written)
  })
})
