/** What is stored of a password, and what passwords and names are taken for the same. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StoredCredentials } from '../../src/sasl/index.ts'
import {
  decodeCredentials,
  deriveCredentials,
  encodeCredentials,
  prepareLogin,
  preparePassword,
} from '../../src/sasl/index.ts'
import { createCountingHasher, createSeededRandom, ITERATIONS, utf8 } from './test-host.ts'

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const scram = (digestOctets: number): fc.Arbitrary<StoredCredentials['scramSha256']> =>
  fc.record({
    salt: fc.uint8Array({ minLength: 8, maxLength: 64 }),
    iterations: fc.integer({ min: 4096, max: 10_000_000 }),
    storedKey: octets(digestOctets),
    serverKey: octets(digestOctets),
  })
const credentialsOf: fc.Arbitrary<StoredCredentials> = fc.record(
  { scramSha256: scram(32), scramSha1: scram(20), cramMd5: fc.record({ inner: octets(16), outer: octets(16) }) },
  { requiredKeys: ['scramSha256'] },
)

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'none'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

describe('stored credentials', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(credentialsOf, (credentials) => {
        expect(decodeCredentials(encodeCredentials(credentials))).toEqual(credentials)
      }),
    )
  })

  it('share nothing with the octets they were read from', () => {
    fc.assert(
      fc.property(credentialsOf, (credentials) => {
        const stored = Buffer.from(encodeCredentials(credentials))
        const read = decodeCredentials(stored)
        stored.fill(0)
        expect(read).toEqual(credentials)
      }),
    )
  })

  it('are refused in their own error, whatever the octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, versioned) => {
        const code = codeOf(() => decodeCredentials(versioned ? Uint8Array.of(1, ...noise) : noise))
        expect(['none', 'CREDENTIALS_CORRUPT']).toContain(code)
      }),
      { numRuns: 1000 },
    )
  })

  it('are refused when cut short anywhere, or with anything after', () => {
    fc.assert(
      fc.property(credentialsOf, fc.nat(), (credentials, at) => {
        const whole = encodeCredentials(credentials)
        const cut = whole.subarray(0, at % whole.length)
        // A cut between sections leaves a whole record when the first section is whole.
        if (codeOf(() => decodeCredentials(cut)) === 'none') {
          expect(Buffer.from(encodeCredentials(decodeCredentials(cut)))).toEqual(Buffer.from(cut))
        }
        expect(codeOf(() => decodeCredentials(Uint8Array.of(...whole, 0)))).toBe('CREDENTIALS_CORRUPT')
      }),
    )
  })

  const valid: StoredCredentials = {
    scramSha256: {
      salt: new Uint8Array(16),
      iterations: 4096,
      storedKey: new Uint8Array(32),
      serverKey: new Uint8Array(32),
    },
  }
  const rows: readonly (readonly [string, Partial<StoredCredentials['scramSha256']>])[] = [
    ['too few iterations', { iterations: 4095 }],
    ['too many iterations', { iterations: 10_000_001 }],
    ['iterations that are no number', { iterations: Number.NaN }],
    ['too short a salt', { salt: new Uint8Array(7) }],
    ['too long a salt', { salt: new Uint8Array(65) }],
    ['a key of the wrong length', { storedKey: new Uint8Array(20) }],
  ]
  for (const [name, fault] of rows) {
    it(`are not written with ${name}`, () => {
      expect(() => encodeCredentials({ scramSha256: { ...valid.scramSha256, ...fault } })).toThrow(RangeError)
    })
  }

  it('are not read with a section twice, or one that is unknown', () => {
    const stored = encodeCredentials(valid)
    const twice = Uint8Array.of(...stored, ...stored.subarray(1))
    expect(codeOf(() => decodeCredentials(twice))).toBe('CREDENTIALS_CORRUPT')
    expect(codeOf(() => decodeCredentials(Uint8Array.of(...stored, 4, 0, 0)))).toBe('CREDENTIALS_CORRUPT')
  })

  it('are not read with iterations out of range', () => {
    const stored = encodeCredentials(valid)
    stored.set([0, 0, 0, 1], 4)
    expect(codeOf(() => decodeCredentials(stored))).toBe('CREDENTIALS_CORRUPT')
  })
})

describe('deriveCredentials', () => {
  const random = createSeededRandom('derive')

  it('keeps only what is asked for, with fresh salts, and never the password', async () => {
    const hasher = createCountingHasher()
    const plain = await deriveCredentials('correct horse', { iterations: ITERATIONS }, hasher, random)
    const all = { iterations: ITERATIONS, scramSha1: true, cramMd5: true }
    const full = await deriveCredentials('correct horse', all, hasher, random)
    if (plain.kind === 'refused' || full.kind === 'refused') throw new Error('Refused')
    expect(Object.keys(plain.credentials)).toEqual(['scramSha256'])
    expect(Object.keys(full.credentials)).toEqual(['scramSha256', 'scramSha1', 'cramMd5'])
    const salts = [plain.credentials.scramSha256, full.credentials.scramSha256, full.credentials.scramSha1]
    expect(new Set(salts.map((keys) => Buffer.from(keys?.salt ?? []).toString('hex'))).size).toBe(3)
    expect(Buffer.from(encodeCredentials(full.credentials)).includes('correct horse')).toBe(false)
    expect(encodeCredentials(full.credentials).length).toBeLessThan(300)
  })

  it('refuses what cannot be a password, without hashing', async () => {
    const hasher = createCountingHasher()
    const refused = await deriveCredentials('a\tb', {}, hasher, random)
    expect(refused).toEqual({ kind: 'refused', fault: 'forbidden-character' })
    expect(await deriveCredentials('', {}, hasher, random)).toEqual({ kind: 'refused', fault: 'empty' })
    await expect(deriveCredentials('x', { iterations: 4095 }, hasher, random)).rejects.toThrow(RangeError)
    expect(hasher.calls).toEqual([])
  })
})

describe('preparation', () => {
  // The rows marked 12 to 18 are the examples of RFC 8265 §4.3.
  const rows: readonly (readonly [string, string | Uint8Array, string])[] = [
    ['12 spaces', 'correct horse battery staple', 'correct horse battery staple'],
    ['13 case is kept', 'Correct Horse Battery Staple', 'Correct Horse Battery Staple'],
    ['14 letters', 'πßå', 'πßå'],
    ['15 symbols', 'Jack of ♦s', 'Jack of ♦s'],
    ['16 OGHAM SPACE MARK', 'foo\u1680bar', 'foo bar'],
    ['17 nothing', '', '!empty'],
    ['18 TAB', 'my cat is a \tby', '!forbidden-character'],
    ['other spaces', 'a\u00a0b\u2003c\u3000d', 'a b c d'],
    ['NFC', 'e\u0301', '\u00e9'],
    ['compatibility forms are kept', 'ﬁ Ⅷ', 'ﬁ Ⅷ'],
    ['full width is kept', 'Ａ', 'Ａ'],
    ['emoji', '🐈🔑', '🐈🔑'],
    ['joiners', 'क\u094d\u200dष', 'क\u094d\u200dष'],
    ['NUL', 'a\0b', '!forbidden-character'],
    ['DEL', 'a\u007fb', '!forbidden-character'],
    ['C1', 'a\u0085b', '!forbidden-character'],
    ['line separator', 'a\u2028b', '!forbidden-character'],
    ['soft hyphen', 'a\u00adb', '!forbidden-character'],
    ['zero width space', 'a\u200bb', '!forbidden-character'],
    ['byte order mark', '\ufeffa', '!forbidden-character'],
    ['byte order mark, as octets', Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), '!forbidden-character'],
    ['right-to-left override', 'a\u202eb', '!forbidden-character'],
    ['private use', '\ue000', '!forbidden-character'],
    ['noncharacter', '\uffff', '!forbidden-character'],
    ['lone surrogate', 'a\ud800b', '!forbidden-character'],
    ['old Hangul jamo', '\u1100', '!forbidden-character'],
    ['1,024 octets', 'x'.repeat(1024), 'x'.repeat(1024)],
    ['1,025 octets', 'x'.repeat(1025), '!too-long'],
    ['1,026 octets of two each', 'é'.repeat(513), '!too-long'],
    ['1,025 octets, as octets', new Uint8Array(1025).fill(0x78), '!too-long'],
    ['not UTF-8', Uint8Array.of(0x61, 0xff), '!not-utf-8'],
    ['a surrogate in UTF-8', Uint8Array.of(0xed, 0xa0, 0x80), '!not-utf-8'],
    ['an overlong NUL', Uint8Array.of(0xc0, 0x80), '!not-utf-8'],
  ]
  for (const [name, input, expected] of rows) {
    it(`of a password: ${name}`, () => {
      const prepared = preparePassword(input)
      expect(prepared.kind === 'prepared' ? prepared.text : `!${prepared.fault}`).toBe(expected)
    })
  }

  const logins: readonly (readonly [string, string, string])[] = [
    ['domain in lower case', 'MJL@Example.ORG', 'MJL@example.org'],
    ['the last @ counts', 'A@B@C', 'A@B@c'],
    ['no domain', 'Root', 'Root'],
    ['NFC', 'jo\u0308rg@ex.org', 'j\u00f6rg@ex.org'],
    ['spaces are kept', 'a\u3000b@x', 'a\u3000b@x'],
    ['line end', 'a@b\r\n', '!forbidden-character'],
    ['nothing', '', '!empty'],
  ]
  for (const [name, input, expected] of logins) {
    it(`of a login: ${name}`, () => {
      const prepared = prepareLogin(input)
      expect(prepared.kind === 'prepared' ? prepared.text : `!${prepared.fault}`).toBe(expected)
    })
  }

  for (const prepare of [preparePassword, prepareLogin]) {
    it(`${prepare.name} once is enough, and octets are as good as text`, () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (input) => {
          const once = prepare(input)
          if (once.kind === 'refused') return
          expect(prepare(once.text)).toEqual(once)
          expect(prepare(utf8(input))).toEqual(once)
        }),
        { numRuns: 2000 },
      )
    })
  }
})
