import { createHash, createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemoryResolver } from '@postern/core/conformance'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashBody } from '../../src/provenance/dkim/body-hashes.ts'
import { canonicalizeBody, createBodyCanonicalizer, type Canonicalization } from '../../src/provenance/dkim/canonicalization.ts'
import { parseKeyRecord, signDkim, verifyDkim, type DkimResult, type DkimSigner } from '../../src/provenance/dkim/index.ts'
import { parseSignature } from '../../src/provenance/dkim/signature.ts'
import { parseTagList } from '../../src/provenance/dkim/tag-list.ts'
import { corpora } from './corpora.ts'
import { MESSAGE, NOW, pairs, recordOf, records, resolver, rsa, signer } from './dkim-keys.ts'
import { signedText } from './signed-text.ts'

async function signed(text: string, signers: readonly DkimSigner[], nowSeconds = NOW): Promise<string> {
  return Buffer.from(await signDkim(signedText(text), signers, nowSeconds)).toString() + text
}

async function verified(text: string | Uint8Array, options: Partial<Parameters<typeof verifyDkim>[1]> = {}): Promise<readonly DkimResult[]> {
  return verifyDkim(signedText(text), { resolver, now: NOW * 1_000, ...options })
}

const kinds = (['rsa', 'ed'] as const).flatMap((key) => pairs.map((pair) => [key, pair] as const))

describe('what we sign', () => {
  test.each(kinds)('%s %j passes with us', async (key, pair) => {
    const results = await verified(await signed(MESSAGE, [signer(key, pair)]))
    expect(results).toMatchObject([{ result: 'pass', domain: 'example.org', selector: key, keyBits: key === 'rsa' ? 2_048 : 256 }])
  })

  test('several at once, each on its own', async () => {
    const all = kinds.map(([key, pair]) => signer(key, pair))
    expect((await verified(await signed(MESSAGE, all))).map(({ result }) => result)).toEqual(all.map(() => 'pass'))
  })

  test('lines are no longer than 78', async () => {
    const text = await signed(MESSAGE, [signer('rsa', { identity: 'ann+x@sub.example.org', expireSeconds: 259_200 })])
    for (const line of text.slice(0, text.indexOf('From: Ann')).split('\r\n')) expect(line.length, line).toBeLessThanOrEqual(78)
  })

  test.each([
    ['another From', (text: string) => `From: eve@example.org\r\n${text}`],
    ['another Subject', (text: string) => text.replace('\r\nFrom:', '\r\nSubject: x\r\nFrom:')],
    ['a word of the body', (text: string) => text.replace('Bye', 'Buy')],
    ['a word of a field', (text: string) => text.replace('some', 'same')],
    ['a line at the end', (text: string) => `${text}more\r\n`],
    ['its own time', (text: string) => text.replaceAll(/t=\d+/g, 't=1')],
  ])('changing %s breaks it', async (_, change) => {
    const text = await signed(MESSAGE, [signer('rsa'), signer('ed')])
    for (const { result } of await verified(change(text))) expect(['fail', 'policy']).toContain(result)
  })
})

describe('policy', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 768 })
  const zone = (record: string) => createMemoryResolver({ 'rsa._domainkey.example.org': [`TXT ${record}`] })
  const record = records['rsa._domainkey.example.org']

  test.each([
    ['no key', createMemoryResolver({}), 'permerror'],
    ['revoked', zone('v=DKIM1; p='), 'permerror'],
    ['another version', zone(record.replace('DKIM1', 'DKIM2')), 'permerror'],
    ['another hash', zone(`${record}; h=sha1`), 'permerror'],
    ['the hash among others', zone(`${record}; h=sha1:sha256`), 'pass'],
    ['another service', zone(`${record}; s=other`), 'permerror'],
    ['every service', zone(`${record}; s=*`), 'pass'],
    ['another kind of key', zone(records['ed._domainkey.example.org']), 'permerror'],
    ['no base64', zone('v=DKIM1; p=!!!'), 'permerror'],
    ['a key that is none', zone('v=DKIM1; p=AAAA'), 'permerror'],
    ['weak', zone(recordOf(weak.publicKey)), 'policy'],
    ['several records, one a key', createMemoryResolver({ 'rsa._domainkey.example.org': ['TXT something', `TXT ${record}`] }), 'pass'],
    ['testing', zone(`${record}; t=y`), 'pass'],
  ])('key: %s', async (what, keys, result) => {
    const [found] = await verified(await signed(MESSAGE, [signer('rsa')]), { resolver: keys })
    expect(found?.result, found?.reason).toBe(result)
    expect(found?.testing).toBe(what === 'testing')
  })

  test('a key that can not be looked up is temporary', async () => {
    const shaky = createMemoryResolver({})
    shaky.fail('rsa._domainkey.example.org', 'TIMEOUT')
    expect(await verified(await signed(MESSAGE, [signer('rsa')]), { resolver: shaky })).toMatchObject([{ result: 'temperror' }])
  })

  test('t=s wants the domain of i= itself', async () => {
    const strict = zone(`${record}; t=s`)
    const [own, below] = await verified(await signed(MESSAGE, [signer('rsa', { identity: 'a@example.org' }), signer('rsa', { identity: 'a@sub.example.org' })]), { resolver: strict })
    expect([own?.result, below?.result]).toEqual(['pass', 'permerror'])
  })

  test('a signature past x= is genuine and not a pass', async () => {
    const text = await signed(MESSAGE, [signer('rsa', { expireSeconds: 60 })])
    expect(await verified(text, { now: (NOW + 60) * 1_000 })).toMatchObject([{ result: 'pass' }])
    expect(await verified(text, { now: (NOW + 61) * 1_000 })).toMatchObject([{ result: 'policy' }])
  })

  test('a public suffix vouches for nobody', async () => {
    expect(await verified(await signed(MESSAGE, [signer('rsa')]), { isPublicSuffix: (domain) => domain === 'example.org' })).toMatchObject([{ result: 'policy' }])
  })

  test('ten signatures are looked at, from the top', async () => {
    const results = await verified(await signed(MESSAGE, Array.from({ length: 12 }, () => signer('ed'))))
    expect(results.map(({ result }) => result)).toEqual([...Array.from({ length: 10 }, () => 'pass'), 'neutral', 'neutral'])
  })

  test('a From that is not signed is no pass', async () => {
    const text = await signed(MESSAGE, [signer('rsa', { seal: false })])
    expect(await verified(text)).toMatchObject([{ result: 'pass' }])
    expect(await verified(`From: eve@example.org\r\n${text}`)).toMatchObject([{ result: 'policy' }])
  })

  test('l= that covers the body is a pass, less is none, more is a changed body', async () => {
    const partly = (length: number): Promise<readonly DkimResult[]> => verified(signWithLength(MESSAGE, length))
    const canonicalOctets = 'Hello there\r\n\r\nBye\r\n'.length
    expect(await partly(canonicalOctets)).toMatchObject([{ result: 'pass' }])
    expect(await partly(canonicalOctets - 1)).toMatchObject([{ result: 'policy' }])
    expect(await partly(canonicalOctets + 1)).toMatchObject([{ result: 'fail' }])
  })

  test.each([
    ['a b= of three octets', 'AAAA'],
    ['an empty b=', ''],
    ['no base64', '*'],
  ])('%s is no signature and no fault', async (_, b) => {
    const text = (await signed(MESSAGE, [signer('rsa')])).replace(/b=[^:]*\r\n(?=From:)/, `b=${b}\r\n`)
    const [found] = await verified(text)
    expect(['fail', 'permerror']).toContain(found?.result)
  })
})

/** Signs by hand, with l=: we don't. */
function signWithLength(text: string, length: number): string {
  const canonicalizer = createBodyCanonicalizer('relaxed')
  const body = Buffer.concat([Buffer.from(canonicalizer.push(Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4)))), canonicalizer.end()])
  const hash = createHash('sha256').update(body.subarray(0, length)).digest('base64')
  const field = `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=rsa; h=from; l=${length}; bh=${hash}; b=`
  const data = `from:Ann <ann@example.org>\r\n${field.replace('DKIM-Signature: ', 'dkim-signature:')}`
  return `${field}${sign('sha256', Buffer.from(data), rsa.privateKey).toString('base64')}\r\n${text}`
}

describe('canonical bodies', () => {
  test.each([
    ['simple', '', '\r\n'],
    ['simple', '\r\n\r\n', '\r\n'],
    ['simple', 'a', 'a\r\n'],
    ['simple', 'a \r\n\r\n', 'a \r\n'],
    ['simple', 'a\r', 'a\r\r\n'],
    ['simple', 'a\n\n', 'a\n\n\r\n'],
    ['relaxed', '', ''],
    ['relaxed', '\r\n\r\n', ''],
    ['relaxed', ' \t\r\n', ''],
    ['relaxed', ' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['relaxed', 'a', 'a\r\n'],
    ['relaxed', 'a \r b', 'a \r b\r\n'],
    ['relaxed', 'a  ', 'a\r\n'],
  ] as const)('%s %j', (how, body, expected) => {
    expect(canonical(how, [Buffer.from(body)])).toBe(expected)
  })

  test('are the same however the body is cut, and canonical once is canonical', () => {
    const piece = fc.array(fc.constantFrom('\r\n', '\r\n', '\r', '\n', ' ', '\t', 'a', 'b'), { maxLength: 4 }).map((units) => units.join(''))
    fc.assert(
      fc.property(fc.constantFrom('simple', 'relaxed'), fc.array(piece, { maxLength: 12 }), (how, texts) => {
        const body = Buffer.from(texts.join(''))
        const whole = canonical(how, [body])
        expect(canonical(how, texts.map((text) => Buffer.from(text)))).toBe(whole)
        expect(canonical(how, [...body].map((octet) => Buffer.from([octet])))).toBe(whole)
        expect(Buffer.from(canonicalizeBody(body, how)).toString('latin1')).toBe(whole)
        expect(canonical(how, [Buffer.from(whole)])).toBe(whole)
        expect(whole).toBe(canonicalText(how, body.toString()))
      }),
      { numRuns: 1_000 },
    )
  })
})

test.each([undefined, 0, 7, 1_000] as const)('a body has one hash, whole or in pieces, for one signature or several, of length %j', async (lengthLimit) => {
  const body = Buffer.from('Some \t text\r\n\r\n\r\n')
  const bodies = [[body], [body.subarray(0, 6), body.subarray(6)]]
  for (const canonicalization of ['simple', 'relaxed'] as const) {
    const wanted = { canonicalization, lengthLimit }
    const digest = createHash('sha256').update(canonical(canonicalization, [body]).slice(0, lengthLimit)).digest()
    const octets = canonical(canonicalization, [body]).length
    for (const pieces of bodies) for (const all of [[wanted], [wanted, { ...wanted, lengthLimit: 3 }, wanted]]) {
      const hashes = await hashBody({ header: new Uint8Array(0), body: () => pieces }, all)
      expect(hashes).toHaveLength(all.length)
      for (const hash of [hashes[0], hashes.at(-1)]) expect(hash).toEqual({ digest, octets })
    }
  }
})

/** The rules of RFC 6376 §3.4.3 and §3.4.4 word for word, on a whole text. */
function canonicalText(how: Canonicalization, body: string): string {
  const lines = how === 'simple' ? body : body.replaceAll(/[ \t]+(?=\r\n|$)/g, '').replaceAll(/[ \t]+/g, ' ')
  const content = lines.replace(/(?:\r\n)+$/, '')
  return content === '' && how === 'relaxed' ? '' : `${content}\r\n`
}

function canonical(how: Canonicalization, pieces: readonly Uint8Array[]): string {
  const canonicalizer = createBodyCanonicalizer(how)
  const out = pieces.map((piece) => Buffer.from(canonicalizer.push(piece)).toString('latin1'))
  return out.join('') + Buffer.from(canonicalizer.end()).toString('latin1')
}

describe('whatever comes', () => {
  test('gives a result', async () => {
    fc.assert(fc.property(fc.string(), (text) => void parseTagList(text)))
    fc.assert(fc.property(fc.string(), (text) => void parseKeyRecord(`v=DKIM1; ${text}`)))
    fc.assert(fc.property(fc.string(), (text) => void parseSignature(`v=1; a=rsa-sha256; ${text}`, 'dkim')))
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (octets) => {
        await verified(Buffer.concat([Buffer.from('DKIM-Signature:'), octets]))
      }),
    )
  })
})

describe('corpora', () => {
  const dkimpy = join(corpora, 'dkim-dkimpy', 'data')
  const mailauthRs = join(corpora, 'mailauth-rs', 'resources', 'dkim')
  const absent = existsSync(dkimpy) ? '' : ' (skipped: the corpora are not here)'

  describe.skipIf(absent !== '')(`dkimpy${absent}`, () => {
    const read = (name: string): string => readFileSync(join(dkimpy, name), 'latin1')
    const text = (name: string): string => read(name).trim()
    const key = (name: string): KeyObject => createPrivateKey(read(name))
    const message = absent === '' ? read('test.message').replaceAll(/\r?\n/g, '\r\n') : ''
    const signers: Partial<DkimSigner>[] = pairs

    test.each([
      ['test.txt', 'pass'],
      ['test2.txt', 'pass'],
      ['test_tlsrpt.txt', 'pass'],
      // A letter at the end of the key differs: it is another number.
      ['test_bad.txt', 'fail'],
      ['badk.txt', 'permerror'],
      ['badversion.txt', 'permerror'],
    ])('a message signed with its RSA key, its key record %s: %s', async (file, result) => {
      for (const over of signers) {
        const made = Buffer.concat([await signDkim(signedText(Buffer.from(message, 'latin1')), [{ domain: 'example.com', selector: 'test', key: key('test.private'), ...over }], NOW), Buffer.from(message, 'latin1')])
        const [found] = await verified(made, { resolver: createMemoryResolver({ 'test._domainkey.example.com': [`TXT ${text(file)}`] }) })
        expect([result, ...(result === 'fail' ? ['permerror'] : [])], found?.reason).toContain(found?.result)
      }
    })

    test.each(['1024_testkey.key', '2048_testkey.key', '2048_testkey_PKCS8.key'])('key file %s signs for the record of its public half', async (file) => {
      const made = await signed(MESSAGE, [{ domain: 'example.org', selector: 'k', key: key(file) }])
      const halves = readdirSync(dkimpy).filter((name) => name.startsWith(file.slice(0, 4)) && name.endsWith('.txt') && (file.includes('PKCS8') ? name.includes('PKCS8') : name.includes('wo_markers')))
      expect(halves.length).toBeGreaterThan(0)
      for (const half of halves) {
        const p = read(half).replaceAll(/-----[^-]*-----|\s/g, '').replace(/^.*p=/, '')
        const [found] = await verified(made, { resolver: createMemoryResolver({ 'k._domainkey.example.org': [`TXT v=DKIM1; k=rsa; p=${p}`] }) })
        expect(found?.result, `${half}: ${found?.reason}`).toBe('pass')
      }
    })

    test('the example of RFC 8463 and RFC 6376, signed by others', async () => {
      const keys = createMemoryResolver({
        'brisbane._domainkey.football.example.com': ['TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='],
        'test._domainkey.football.example.com': [`TXT ${text('test.txt')}`],
      })
      for (const file of ['rfc6376.signed.msg', 'rfc6376.signed.rsa.msg']) {
        const octets = Buffer.from(read(file).replaceAll(/\r?\n/g, '\r\n'), 'latin1')
        const results = await verified(octets, { resolver: keys })
        expect(results.map(({ result, reason }) => `${file} ${result} ${reason ?? ''}`)).toEqual(results.map(() => `${file} pass `))
        expect(results.length).toBeGreaterThan(0)
      }
    })

    test('what Exim signed with Ed25519', async () => {
      const octets = Buffer.from(read('ed25519test2.msg').replaceAll(/\r?\n/g, '\r\n'), 'latin1')
      const [found] = await verified(octets, { resolver: createMemoryResolver({ 'sed._domainkey.test.ex': [`TXT ${text('eximtest.dns')}`] }) })
      expect(found?.result, found?.reason).toBe('pass')
    })

    // Their keys are the 32 octets of the seed alone.
    test.each(['ed25519test.msg', 'test.message', 'test_extra.message', 'rfc6376.msg', 'rfc6376.w1258.msg'])('%s signed with its Ed25519 key', async (file) => {
      const seed = Buffer.from(text('ed25519test.key'), 'base64')
      const ed25519 = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' })
      const octets = Buffer.from(read(file).replaceAll(/\r?\n/g, '\r\n'), 'latin1')
      for (const over of signers) {
        const made = Buffer.concat([await signDkim(signedText(octets), [{ domain: 'example.com', selector: 'test', key: ed25519, ...over }], NOW), octets])
        const [found] = await verified(made, { resolver: createMemoryResolver({ 'test._domainkey.example.com': [`TXT ${text('ed25519test.dns')}`] }) })
        expect(found?.result, found?.reason).toBe('pass')
      }
    })

    test('a domain with a comment in it is no domain', async () => {
      const [found] = await verified(Buffer.from(read('test.message.baddomain').replaceAll(/\r?\n/g, '\r\n'), 'latin1'))
      expect(found?.result).toBe('permerror')
    })

    test('without From nothing passes', async () => {
      const bare = read('test_nofrom.message').replaceAll(/\r?\n/g, '\r\n')
      expect(await verified(bare)).toEqual([])
    })
  })

  const files = existsSync(mailauthRs) ? readdirSync(mailauthRs) : []
  describe.skipIf(files.length === 0)(`mailauth-rs${absent}`, () => {
    test.each(files)('%s', async (file) => {
      const octets = readFileSync(join(mailauthRs, file), 'latin1').replaceAll(/\r?\n/g, '\r\n')
      const split = octets.indexOf('\r\n\r\n')
      const zone = Object.fromEntries(octets.slice(0, split).split('\r\n').map((line) => [line.slice(0, line.indexOf(' ')), [`TXT ${line.slice(line.indexOf(' ') + 1)}`]]))
      const results = await verified(Buffer.from(octets.slice(split + 4), 'latin1'), { resolver: createMemoryResolver(zone), now: 1_667_900_000_000 })
      expect(results.length).toBeGreaterThan(0)
      expect(results.map(({ result, reason }) => `${result} ${reason ?? ''}`)).toEqual(results.map(() => 'pass '))
    })
  })
})
