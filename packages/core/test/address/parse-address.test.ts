import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type Address,
  addressKey,
  AddressSyntaxError,
  findPathEnd,
  formatAddress,
  formatLocalpart,
  formatPath,
  isSameAddress,
  needsSmtpUtf8,
  parseAddress,
  parseDomain,
  parseForwardPath,
  parseLocalpart,
  parseReversePath,
} from '../../src/address/index.ts'
import { corpusFile } from './corpora.ts'

const utf8 = { utf8: true }
const ascii = { utf8: false }

describe('paths', () => {
  test.each([
    // RFC 5321 §4.1.1.3, §4.1.2, appendices C and D
    ['<userx@y.foo.org>', '<userx@y.foo.org>'],
    ['<Jones@XYZ.COM>', '<Jones@xyz.com>'],
    ['<@hosta.int,@jkl.org:userc@d.bar.org>', '<userc@d.bar.org>'],
    ['<@ONE,@TWO:JOE@THREE>', '<JOE@three>'],
    ['<"Joe.\\Blow"@foo.org>', '<Joe.Blow@foo.org>'],
    ['<"Joe Blow"@foo.org>', '<"Joe Blow"@foo.org>'],
    ['<"a\\"b\\\\c"@foo.org>', '<"a\\"b\\\\c"@foo.org>'],
    ['<"">', undefined],
    ['<""@foo.org>', '<""@foo.org>'],
    ['<"a>b"@foo.org>', '<"a>b"@foo.org>'],
    ['<user+tag=x@foo.org>', '<user+tag=x@foo.org>'],
    ['<user%other@foo.org>', '<user%other@foo.org>'],
    ['<a!b@foo.org>', '<a!b@foo.org>'],
    ['<"a@b"@foo.org>', '<"a@b"@foo.org>'],
    ['<u@[192.0.2.1]>', '<u@[192.0.2.1]>'],
    ['<u@[IPv6:2001:DB8:0::1]>', '<u@[IPv6:2001:db8::1]>'],
    ['<u@[ipv6:::1]>', '<u@[IPv6:::1]>'],
    ['<u@[IPv6:::ffff:192.0.2.1]>', '<u@[192.0.2.1]>'],
    ['<u@[::1]>', undefined],
    ['<u@[IPv6:192.0.2.1]>', undefined],
    ['<u@[192.0.2.1>', undefined],
    ['<u@[x-tag:y]>', undefined],
    ['<u@192.0.2.1>', undefined],
    ['<u@foo.org.>', undefined],
    ['<u@foo..org>', undefined],
    ['<u@foo_bar.org>', undefined],
    ['<u@>', undefined],
    ['<u>', undefined],
    ['<@foo.org>', undefined],
    ['<a@b@foo.org>', undefined],
    ['<@a:>', undefined],
    ['<@a,@b>', undefined],
    ['<@a:@b:u@foo.org>', undefined],
    ['< u@foo.org>', undefined],
    ['<u@foo.org >', undefined],
    ['<u @foo.org>', undefined],
    ['<u@foo.org', undefined],
    ['u@foo.org', undefined],
    ['<u@foo.org>x', undefined],
    ['<.u@foo.org>', undefined],
    ['<u.@foo.org>', undefined],
    ['<u..v@foo.org>', undefined],
    ['<(c)u@foo.org>', undefined],
    ['<"u".v@foo.org>', undefined],
    ['<"u@foo.org>', undefined],
    ['<"u\\', undefined],
    ['<u\u0000@foo.org>', undefined],
    ['<"u\u0000"@foo.org>', undefined],
    ['<"u\\\u0000"@foo.org>', undefined],
    ['<"u\r\nRCPT"@foo.org>', undefined],
    ['<u\r@foo.org>', undefined],
    ['<u\u007f@foo.org>', undefined],
    ['<u\u0085@foo.org>', undefined],
    ['<"u\\é"@foo.org>', undefined],
    ['', undefined],
  ])('%j', (text, written) => {
    for (const parse of [parseReversePath, parseForwardPath]) {
      if (written === undefined) expect(() => parse(text, utf8)).toThrow(expect.objectContaining({ code: 'ADDRESS_SYNTAX' }))
      else expect(formatPath(parse(text, utf8))).toBe(written)
    }
  })

  it('reads the null path as reverse path only', () => {
    expect(parseReversePath('<>', ascii)).toEqual({ kind: 'null' })
    expect(formatPath({ kind: 'null' })).toBe('<>')
    expect(() => parseForwardPath('<>', ascii)).toThrow(AddressSyntaxError)
    expect(() => parseReversePath('< >', ascii)).toThrow(AddressSyntaxError)
  })

  test.each(['<postmaster>', '<Postmaster>', '<POSTMASTER>'])('%s without domain is a forward path only', (text) => {
    expect(parseForwardPath(text, ascii)).toEqual({ kind: 'postmaster' })
    expect(() => parseReversePath(text, ascii)).toThrow(AddressSyntaxError)
  })

  test.each([
    ['<jürgen@foo.org>', 'ADDRESS_NEEDS_SMTPUTF8', 2],
    ['<"jürgen"@foo.org>', 'ADDRESS_NEEDS_SMTPUTF8', 3],
    ['<jurgen@bücher.example>', 'ADDRESS_NEEDS_SMTPUTF8', 9],
    ['<j\u0000@foo.org>', 'ADDRESS_SYNTAX', 2],
    ['<j@foo.org', 'ADDRESS_SYNTAX', 10],
    ['<j@foo..org>', 'ADDRESS_SYNTAX', 7],
    [`<${'a'.repeat(129)}@foo.org>`, 'ADDRESS_TOO_LONG', 1],
    [`<a@${'b'.repeat(64)}.org>`, 'ADDRESS_TOO_LONG', 3],
    [`<@${'a.'.repeat(125)}a:b@foo.org>`, 'ADDRESS_TOO_LONG', 0],
  ])('%s without SMTPUTF8: %s at %i', (text, code, offset) => {
    expect(() => parseForwardPath(text, ascii)).toThrow(expect.objectContaining({ code, offset }))
  })

  it('reads internationalised paths with SMTPUTF8', () => {
    const path = parseForwardPath('<ju\u0308rgen@BÜCHER.example>', utf8)
    expect(path).toEqual({
      kind: 'address',
      address: { localpart: 'jürgen', domain: { ascii: 'xn--bcher-kva.example', unicode: 'bücher.example' } },
    })
    expect(needsSmtpUtf8(path)).toBe(true)
    expect(needsSmtpUtf8(parseForwardPath('<u@bücher.example>', utf8))).toBe(false)
    expect(formatPath(path, { utf8: true })).toBe('<jürgen@bücher.example>')
    expect(formatPath(path)).toBe('<jürgen@xn--bcher-kva.example>')
  })

  it('refuses octets that are not UTF-8', () => {
    const octets = Uint8Array.from([0x3c, 0xff, 0xfe, 0x40, 0x61, 0x3e])
    expect(() => parseReversePath(octets, utf8)).toThrow(expect.objectContaining({ code: 'ADDRESS_SYNTAX', offset: 1 }))
  })

  it('refuses long text before it looks at it', () => {
    for (const parse of [parseAddress, parseLocalpart, parseForwardPath]) {
      expect(() => parse(`<${'a'.repeat(1_000_000)}`, utf8)).toThrow(expect.objectContaining({ code: 'ADDRESS_TOO_LONG' }))
    }
  })

  it('limits localparts to 64 octets when pedantic', () => {
    const path = `<${'a'.repeat(65)}@foo.org>`
    expect(parseReversePath(path, ascii).kind).toBe('address')
    expect(() => parseReversePath(path, { utf8: false, pedantic: true })).toThrow(expect.objectContaining({ code: 'ADDRESS_TOO_LONG' }))
  })

  test.each([
    ['<a@b> SIZE=1', 5],
    ['<"a>b"@c> SIZE=1', 9],
    ['<"a\\">b"@c>', 11],
    ['<>', 2],
    ['<a@b', -1],
    ['<"a>', -1],
    ['a@b>', -1],
  ])('the end of %s is at %i', (text, end) => {
    expect(findPathEnd(new TextEncoder().encode(text), 0)).toBe(end)
  })

  it('never throws anything but its error', () => {
    const piece = fc.constantFrom('<', '>', '@', '"', '\\', ':', ',', '.', '[', ']', 'IPv6:', 'a', '1', 'ü', ' ', '\r\n', '\u0000')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.boolean(), (pieces, isUtf8) => {
        for (const parse of [parseReversePath, parseForwardPath, parseAddress]) {
          try {
            parse(pieces.join(''), { utf8: isUtf8 })
          } catch (error) {
            expect(error).toBeInstanceOf(AddressSyntaxError)
          }
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('addresses', () => {
  it('reads what it writes', () => {
    const domain = fc.constantFrom('example.com', 'bücher.example').map((text) => parseDomain(text))
    const localpart = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .map((text) => text.normalize('NFC'))
      .filter((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text) && Buffer.byteLength(text) <= 128)
    fc.assert(
      fc.property(localpart, domain, fc.boolean(), (localpart, domain, isUtf8) => {
        const address: Address = { localpart, domain }
        const written = formatAddress(address, { utf8: isUtf8 })
        expect(parseAddress(written, utf8)).toEqual(address)
        expect(parseReversePath(`<${written}>`, utf8)).toEqual({ kind: 'address', address })
        expect(findPathEnd(new TextEncoder().encode(`<${written}> X`), 0)).toBe(Buffer.byteLength(written) + 2)
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['user', 'user'],
    ['', '""'],
    ['a b', '"a b"'],
    ['a.b', 'a.b'],
    ['.a', '".a"'],
    ['a..b', '"a..b"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['jürgen', 'jürgen'],
    ['a@b', '"a@b"'],
  ])('localpart %j is written %s', (localpart, written) => {
    expect(formatLocalpart(localpart)).toBe(written)
    expect(parseLocalpart(written, utf8)).toBe(localpart)
  })

  it('refuses to write control characters', () => {
    for (const localpart of ['a\r\nb', 'a\u0000', 'a\u0085']) expect(() => formatLocalpart(localpart)).toThrow(AddressSyntaxError)
  })

  it('is found by its key', () => {
    expect(addressKey(parseAddress('"a b"@xn--bcher-kva.example', ascii))).toBe('a b@bücher.example')
  })

  it('compares localparts with their case', () => {
    const [a, b, c] = ['x@A.example', 'x@a.example', 'X@a.example'].map((text) => parseAddress(text, ascii)) as [Address, Address, Address]
    expect(isSameAddress(a, b)).toBe(true)
    expect(isSameAddress(b, c)).toBe(false)
  })

  it('has no literals in configuration', () => {
    expect(() => parseAddress('u@[192.0.2.1]', ascii)).toThrow(AddressSyntaxError)
  })
})

describe('isemail', () => {
  const file = corpusFile('addr-isemail/tests-half.xml')
  if (file === undefined) {
    it.skip('the corpus addr-isemail is not here', () => {})
    return
  }
  const rows = Array.from(readFileSync(file, 'utf8').matchAll(/<test id="(\d+)">(.*?)<\/test>/gs), ([, id = '', body = '']) => ({
    id,
    address: decodeXml(field(body, 'address')),
    category: field(body, 'category'),
    diagnosis: field(body, 'diagnosis'),
  }))

  it('has its rows', () => expect(rows).toHaveLength(74))

  // What SMTP allows of each category: comments, folding and obsolete forms belong to header fields; a number is no top-level domain.
  const taken = new Set(['ISEMAIL_VALID_CATEGORY', 'ISEMAIL_DNSWARN'])
  const takenDiagnoses = new Set(['ISEMAIL_RFC5321_QUOTEDSTRING', 'ISEMAIL_RFC5321_ADDRESSLITERAL', 'ISEMAIL_RFC5321_IPV6DEPRECATED'])
  test.each(rows)('$id $address $diagnosis', ({ address, category, diagnosis }) => {
    const parse = (): unknown => parseReversePath(`<${address}>`, ascii)
    if (taken.has(category) || takenDiagnoses.has(diagnosis)) expect(parse()).toMatchObject({ kind: /address|literal/ })
    else expect(parse).toThrow(AddressSyntaxError)
  })
})

function field(body: string, name: string): string {
  return new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(body)?.[1] ?? ''
}

/** Entities, and the pictures the corpus has for control characters (U+2400 to U+241F). */
function decodeXml(text: string): string {
  return text
    .replaceAll(/[\u2400-\u241f]/g, (picture) => String.fromCharCode(picture.charCodeAt(0) - 0x2400))
    .replaceAll(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}
