// What hostile signatures and keys may cost, and what they are worth: nothing that is odd is a pass.
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { createMemoryResolver } from '@postern/core/conformance'
import { describe, expect, test } from 'vitest'
import { canonicalizeField, createBodyCanonicalizer } from '../../src/provenance/dkim/canonicalization.ts'
import { parseKeyRecord, signDkim, verifyDkim, type DkimResult } from '../../src/provenance/dkim/index.ts'
import { unsignedField } from '../../src/provenance/dkim/signed-fields.ts'
import { parseTagList } from '../../src/provenance/dkim/tag-list.ts'
import { sealArc, verifyArc } from '../../src/provenance/arc/index.ts'
import { MESSAGE, NOW, recordOf, records, resolver, rsa, signer } from './dkim-keys.ts'
import { signedText } from './signed-text.ts'

const verified = (text: string | Uint8Array, options: Partial<Parameters<typeof verifyDkim>[1]> = {}): Promise<readonly DkimResult[]> => verifyDkim(signedText(text), { resolver, now: NOW * 1_000, ...options })
const signed = async (text: string, signers: Parameters<typeof signDkim>[1]): Promise<string> => Buffer.from(await signDkim(signedText(text), signers, NOW)).toString() + text

describe('many signatures', () => {
  test('a thousand cost the look-ups of ten', async () => {
    const one = Buffer.from(await signDkim(signedText(MESSAGE), [signer('ed')], NOW)).toString()
    const asking = createMemoryResolver(Object.fromEntries(Object.entries(records).map(([name, text]) => [name, [`TXT ${text}`]])))
    const results = await verified(Array.from({ length: 1_000 }, (_, at) => one.replace('s=ed', `s=ed${at}`)).join('') + MESSAGE, { resolver: asking })
    expect(asking.asked).toHaveLength(10)
    expect(results.filter(({ result }) => result === 'neutral')).toHaveLength(990)
    expect(results.filter(({ result }) => result === 'pass')).toEqual([])
  })

  test('the number can be set', async () => {
    const text = await signed(MESSAGE, Array.from({ length: 3 }, () => signer('ed')))
    expect((await verified(text, { maxSignatures: 2 })).map(({ result }) => result)).toEqual(['pass', 'pass', 'neutral'])
  })

  test('a good one among bad ones passes', async () => {
    const bad = 'DKIM-Signature: nonsense\r\n'.repeat(9)
    expect((await verified(bad + (await signed(MESSAGE, [signer('rsa')])))).at(-1)).toMatchObject({ result: 'pass' })
  })
})

describe('keys', () => {
  const zone = (record: string) => createMemoryResolver({ 'k._domainkey.example.org': [`TXT ${record}`] })

  test.each([1_024, 2_048, 4_096])('of %s bits are taken', async (modulusLength) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
    const [found] = await verified(await signed(MESSAGE, [signer('rsa', { selector: 'k', key: privateKey })]), { resolver: zone(recordOf(publicKey)) })
    expect(found).toMatchObject({ result: 'pass', keyBits: modulusLength })
  })

  // Before anything is verified with them: whose they are does not matter here.
  test.each([512, 768, 1_016, 4_104, 16_384])('of %s bits are not', async (bits) => {
    const modulus = Buffer.alloc(bits / 8, 0xff)
    const publicKey = createPublicKey({ key: { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' }, format: 'jwk' })
    const [found] = await verified(await signed(MESSAGE, [signer('rsa', { selector: 'k' })]), { resolver: zone(recordOf(publicKey)) })
    expect(found).toMatchObject({ result: 'policy', keyBits: bits, reason: `key of ${bits} bits` })
  })

  test('with an exponent as long as the modulus are none: each would take a hundred times as long', () => {
    const { n = '' } = rsa.publicKey.export({ format: 'jwk' })
    const withExponent = (e: Buffer): string => recordOf(createPublicKey({ key: { kty: 'RSA', n, e: e.toString('base64url') }, format: 'jwk' }))
    expect(parseKeyRecord(withExponent(Buffer.from([1, 0, 1])))).toMatchObject({ kind: 'rsa' })
    expect(parseKeyRecord(withExponent(Buffer.alloc(255, 0xff)))).toBe('key can not be read')
  })

  test('with a weak key no chain is sealed', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    const weak = generateKeyPairSync('rsa', { modulusLength: 512 })
    const seal = await sealArc(signedText(MESSAGE), { domain: 'example.org', selector: 'k', key: privateKey, fields: ['From'] }, 'example.org; none', 'none', NOW)
    const text = Buffer.from(seal ?? []).toString() + MESSAGE
    expect((await verifyArc(signedText(text), { resolver: zone(recordOf(publicKey)) })).result).toBe('pass')
    // A seal by a key of 512 bits under a message signature by the good one: made by hand.
    const [sealField = '', rest = ''] = text.split(/(?=ARC-Message-Signature:)/)
    const other = sealField.replace('s=k', 's=weak').replace(/b=[^;]*;/, 'b=;')
    const [message = '', results = ''] = rest.split(/(?=ARC-Authentication-Results:)/)
    const data = Buffer.concat([canonicalizeField(Buffer.from(`${results.split('\r\nFrom:')[0] ?? ''}\r\n`), 'relaxed'), canonicalizeField(Buffer.from(message), 'relaxed'), unsignedField(Buffer.from(other), 'relaxed')])
    const forged = other.replace('b=;', `b=${sign('sha256', data, weak.privateKey).toString('base64')};`) + rest
    const found = await verifyArc(signedText(forged), { resolver: createMemoryResolver({ 'k._domainkey.example.org': [`TXT ${recordOf(publicKey)}`], 'weak._domainkey.example.org': [`TXT ${recordOf(weak.publicKey)}`] }) })
    expect(found).toMatchObject({ result: 'fail', reason: 'seal 1: key of 512 bits' })
  })
})

describe('tags', () => {
  test('what stands in other tags is not taken for b=', async () => {
    const field = (value: string): string => Buffer.from(unsignedField(Buffer.from(`DKIM-Signature: ${value}\r\n`), 'relaxed')).toString()
    expect(field('v=1; z=Subject:b=3Dx|To:y; b=abc; d=x')).toBe('dkim-signature:v=1; z=Subject:b=3Dx|To:y; b=; d=x')
    expect(field('b=abc')).toBe('dkim-signature:b=')
    expect(field('v=1;\tb\t=\ta b c\t;\tbh=xyz')).toBe('dkim-signature:v=1; b =; bh=xyz')
    expect(field('v=1; bb=1; bh=2; d=x=b=3; b=4')).toBe('dkim-signature:v=1; bb=1; bh=2; d=x=b=3; b=')
    expect(field('v=1; nothing')).toBe('dkim-signature:v=1; nothing')
  })

  test('octets of UTF-8 that latin1 takes for spaces stay', () => {
    const text = Buffer.from('d=exampleà;s=à ').toString('latin1')
    expect(Buffer.from(parseTagList(text)?.get('d') ?? '', 'latin1').toString()).toBe('exampleà')
    expect(Buffer.from(parseTagList(text)?.get('s') ?? '', 'latin1').toString()).toBe('à')
  })

  test.each([
    ['twice', 'v=1; d=a; d=b'],
    ['no name', 'v=1; =x'],
    ['no value', 'v=1; d'],
    ['a control character', 'v=1; d=a\u0001'],
    ['too many', Array.from({ length: 65 }, (_, at) => `t${at}=1`).join(';')],
    ['too long', `v=1; d=${'a'.repeat(65_536)}`],
    ['two semicolons', 'v=1;; d=a'],
    ['none', ''],
  ])('a list with %s is none', (_, text) => {
    expect(parseTagList(text)).toBeUndefined()
  })
})

// Time counts here only as a sign of work that grows faster than the text: a hundred times of it would show.
describe('work is in proportion to the octets', () => {
  const timeOf = (work: () => void): number => {
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 4; round += 1) {
      const start = process.cpuUsage()
      work()
      const { user, system } = process.cpuUsage(start)
      best = Math.min(best, user + system)
    }
    return Math.max(best, 500)
  }

  test.each([
    ['line ends', '\r\n'],
    ['bare CR', '\r'],
    ['bare LF', '\n'],
    ['spaces', ' '],
    ['white space and line ends', ' \t\r\n'],
    ['text', 'some text\r\n'],
  ])('of a body of %s, also in small pieces', (_, unit) => {
    for (const how of ['simple', 'relaxed'] as const) for (const pieceOctets of [512, 65_536]) {
      const run = (octets: number) => () => {
        const body = Buffer.from(unit.repeat(octets / unit.length))
        const canonicalizer = createBodyCanonicalizer(how)
        for (let at = 0; at < body.length; at += pieceOctets) canonicalizer.push(body.subarray(at, at + pieceOctets))
        canonicalizer.end()
      }
      expect(timeOf(run(2 ** 20)), `${how} ${pieceOctets}`).toBeLessThan(80 * timeOf(run(2 ** 16)))
    }
  })

  test.each([
    ['white space', ' '],
    ['folding', '\r\n '],
    ['semicolons', ';'],
    ['names without values', ';b'],
    ['tags', ';b=1'],
    ['equals signs', '='],
  ])('of a signature of %s', (_, unit) => {
    const run = (octets: number) => () => {
      const field = Buffer.from(`DKIM-Signature: v=1${unit.repeat(octets / unit.length)}\r\n`)
      for (const how of ['simple', 'relaxed'] as const) unsignedField(field, how)
      parseTagList(field.toString('latin1').slice(15))
    }
    expect(timeOf(run(2 ** 20))).toBeLessThan(80 * timeOf(run(2 ** 16)))
  })
})
