/** Who is taken for the author of a message, and whether he is: SPF, DKIM and DMARC of real records, side by side. */
import { generateKeyPairSync } from 'node:crypto'
import { gatherEvidence, readHeaderFacts, signedMessage, type MessageEvidence } from '@postern/core/analysis'
import { parseReversePath } from '@postern/core/address'
import { createMemoryResolver, createMemoryStore, type MemoryResolver, type ZoneText } from '@postern/core/conformance'
import { signDkim } from '@postern/core/provenance'
import { describe, expect, it } from 'vitest'

const key = generateKeyPairSync('ed25519')
const record = `v=DKIM1; k=ed25519; p=${Buffer.from(key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')}`
const published = `TXT ${record}`
const spf = ['TXT v=spf1 ip4:192.0.2.7 -all']
const NOW_MS = Date.parse('2026-02-03T04:05:06Z')

const zone: ZoneText = {
  'example.com': spf,
  'mail.example.com': spf,
  'other.example': spf,
  'strict.example': spf,
  'mail.strict.example': spf,
  'k._domainkey.example.com': [published],
  'k._domainkey.mail.example.com': [published],
  'k._domainkey.other.example': [published],
  'k._domainkey.trying.example': [`TXT ${record}; t=y`],
  'k._domainkey.reporter.example': [`TXT ${record}; s=tlsrpt`],
  'k._domainkey.both.example': [`TXT ${record}; s=tlsrpt:email`],
  '_dmarc.trying.example': ['TXT v=DMARC1; p=reject'],
  '_dmarc.reporter.example': ['TXT v=DMARC1; p=reject'],
  '_dmarc.both.example': ['TXT v=DMARC1; p=reject'],
  '_dmarc.example.com': ['TXT v=DMARC1; p=quarantine'],
  '_dmarc.strict.example': ['TXT v=DMARC1; p=reject; aspf=s; adkim=s'],
  '_dmarc.bank.example': ['TXT v=DMARC1; p=reject'],
  '_dmarc.try.example': ['TXT v=DMARC1; p=none'],
}

interface Came {
  readonly header: string
  readonly mailFrom?: string
  readonly signedBy?: string
  /** Instead of what was signed. */
  readonly body?: string
  readonly dns?: MemoryResolver
}

async function gather({ header, mailFrom = 'x@nospf.example', signedBy, body = 'Hello\r\n', dns = createMemoryResolver(zone) }: Came): Promise<MessageEvidence> {
  const plain = { header: Buffer.from(`${header}\r\n`), body: () => [Buffer.from('Hello\r\n')] }
  const signature = signedBy === undefined ? '' : Buffer.from(await signDkim(plain, [{ domain: signedBy, selector: 'k', key: key.privateKey, fields: ['From'], seal: false }], NOW_MS / 1_000)).toString()
  const spool = createMemoryStore().spool()
  await spool.write(Buffer.from(`${signature}${header}\r\n\r\n${body}`))
  const message = await spool.end()
  const octets = await message.read(0, message.structure.root.bodyStart)
  const arrival = { reversePath: parseReversePath(`<${mailFrom}>`, { utf8: false }), helo: 'mx.example.com', connection: { remoteAddress: '192.0.2.7' }, receivedAt: NOW_MS }
  return gatherEvidence(signedMessage(message, octets), readHeaderFacts(octets), arrival, { resolver: dns, random: (count) => new Uint8Array(count), hostname: 'mail.example.org' })
}

describe('the author is validated', () => {
  it.each([
    ['strictly by SPF', 'example.com', { mailFrom: 'x@example.com' }, true, 'pass'],
    ['strictly by DKIM', 'example.com', { signedBy: 'example.com' }, true, 'pass'],
    ['relaxed by SPF of a domain below', 'example.com', { mailFrom: 'x@mail.example.com' }, true, 'pass'],
    ['relaxed by DKIM of a domain below', 'example.com', { signedBy: 'mail.example.com' }, true, 'pass'],
    ['relaxed, though his DMARC record asks for strict', 'strict.example', { mailFrom: 'x@mail.strict.example' }, true, 'fail'],
    ['without any DMARC record', 'other.example', { signedBy: 'other.example' }, true, 'none'],
    ['not by the SPF of others', 'example.com', { mailFrom: 'x@other.example' }, false, 'fail'],
    ['not by the signature of others', 'example.com', { signedBy: 'other.example' }, false, 'fail'],
    ['not by nothing', 'example.com', {}, false, 'fail'],
  ])('%s', async (_, domain, came, validated, dmarc) => {
    const evidence = await gather({ header: `From: ann@${domain}`, ...came })
    expect({ validated: evidence.sender.validated, dmarc: evidence.dmarc.result }).toEqual({ validated, dmarc })
  })

  it('by his very domain, though DMARC can not be asked for now', async () => {
    const dns = createMemoryResolver(zone)
    dns.fail('_dmarc.example.com', 'SERVFAIL')
    const evidence = await gather({ header: 'From: ann@example.com', mailFrom: 'x@example.com', dns })
    expect(evidence).toMatchObject({ sender: { validated: true }, dmarc: { result: 'temperror', policy: 'none' } })
  })
})

describe('what a key is for', () => {
  it.each([
    ['in test mode: as if unsigned', 'trying.example', 'fail', 'policy', 'key in test mode', false],
    ['reports about TLS alone: not mail', 'reporter.example', 'fail', 'policy', 'key not for mail', true],
    ['both', 'both.example', 'pass', 'pass', undefined, true],
    ['anything', 'example.com', 'pass', 'pass', undefined, true],
  ])('%s', async (_, domain, dmarc, dkim, reason, signedByFrom) => {
    const evidence = await gather({ header: `From: ann@${domain}`, signedBy: domain })
    expect(evidence).toMatchObject({ dmarc: { result: dmarc }, summary: { dkim: [{ domain, result: dkim }] }, signedByFrom })
    expect(evidence.sender.dkimDomains).toEqual(dkim === 'pass' ? [domain] : [])
    expect(evidence.authenticationResults).toContain(reason === undefined ? 'dkim=pass' : `dkim=policy`)
    if (reason !== undefined) expect(evidence.authenticationResults).toContain(`reason="${reason}"`)
  })

  it('in test mode, and does not verify: no worse than unsigned', async () => {
    const evidence = await gather({ header: 'From: ann@trying.example', signedBy: 'trying.example', body: 'Changed\r\n' })
    expect(evidence.summary.dkim).toMatchObject([{ result: 'policy' }])
  })
})

describe('a From that is not one author', () => {
  it.each([
    ['none at all', 'Subject: x', 'none', 'none'],
    ['nothing that can be read', 'From: undisclosed:;', 'none', 'none'],
    ['a protected domain in a second field', 'From: ann@example.com\r\nFrom: ceo@bank.example', 'fail', 'reject'],
    ['a protected domain in the first field', 'From: ceo@bank.example\r\nFrom: ann@example.com', 'fail', 'reject'],
    ['a protected domain as second address', 'From: ann@example.com, ceo@bank.example', 'fail', 'reject'],
    ['a protected domain in a group', 'From: Team: ann@example.com, ceo@bank.example;', 'fail', 'reject'],
    ['a field in capitals with white space before its colon', 'FROM : ceo@bank.example\r\nFrom: ann@example.com', 'fail', 'reject'],
    ['a domain that only watches', 'From: ann@example.com, x@try.example', 'fail', 'none'],
    ['two authors of one authenticated domain', 'From: ann@example.com, bob@example.com', 'pass', 'none'],
    ['more domains than are looked up', `From: ${Array.from({ length: 11 }, (_, n) => `a@d${n}.example`).join(', ')}`, 'fail', 'reject'],
  ])('%s', async (_, header, result, policy) => {
    const evidence = await gather({ header, mailFrom: 'x@example.com' })
    expect(evidence.dmarc).toEqual({ result, policy })
    expect(evidence.sender.from).toBeUndefined()
    expect(evidence.sender.validated).toBe(false)
  })

  it('a comment or a display name is no author', async () => {
    const evidence = await gather({ header: 'From: "ceo@bank.example" <ann@example.com> (ceo@bank.example)', mailFrom: 'x@example.com' })
    expect(evidence).toMatchObject({ dmarc: { result: 'pass' }, sender: { validated: true, from: { localpart: 'ann' } } })
  })
})
