/** Rulesets through the whole flow: which mailbox, and what a list that the owner allows may do. */
import { generateKeyPairSync } from 'node:crypto'
import { parseReversePath } from '@postern/core/address'
import { signDkim } from '@postern/core/provenance'
import { Flag } from '@postern/core/store'
import { describe, expect, it } from 'vitest'
import { createReceivingHost, GOOD_ZONE, mail, NOW_MS, setFlags, told, type ReceivingHost } from './receiving-host.ts'

const key = generateKeyPairSync('ed25519')
const published = Buffer.from(key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
const zone = {
  ...GOOD_ZONE,
  'k._domainkey.list.example': [`TXT v=DKIM1; k=ed25519; p=${published}`],
  'k._domainkey.sub.list.example': [`TXT v=DKIM1; k=ed25519; p=${published}`],
  'list.example': ['TXT v=spf1 ip4:192.0.2.0/24 -all'],
}

interface RulesetInput {
  readonly mailFromPattern?: string
  readonly verifiedDomain?: string
  readonly headerPatterns?: Record<string, string>
  readonly listAllowDomain?: string
  readonly mailbox: string
}

function createHost(...rulesets: readonly RulesetInput[]): Promise<ReceivingHost> {
  const config = { domains: { 'example.org': {} }, accounts: { ada: { addresses: [{ address: 'ada@example.org', mailbox: 'Main', rulesets: [...rulesets] }] } } }
  return createReceivingHost(config, { zone })
}

async function signed(text: string, domain: string): Promise<string> {
  const end = text.indexOf('\r\n\r\n')
  const message = { header: Buffer.from(text.slice(0, end + 2)), body: () => [Buffer.from(text.slice(end + 4))] }
  return Buffer.from(await signDkim(message, [{ domain, selector: 'k', key: key.privateKey }], NOW_MS / 1_000)).toString() + text
}

const send = (host: ReceivingHost, text: string, reversePath = '<sender@example.com>', helo = 'mx.example.com') =>
  host.receive(text, ['ada@example.org'], { reversePath: parseReversePath(reversePath, { utf8: false }), helo })

const listId = mail('hi').replace('Subject:', 'List-Id: The List <the.list.example>\r\nSubject:')

describe('rulesets', () => {
  it.each([
    ['nothing matches', { mailFromPattern: '^nobody@', mailbox: 'Lists' }, mail('hi'), 'Main'],
    ['the reverse-path matches', { mailFromPattern: '^sender@', mailbox: 'Lists' }, mail('hi'), 'Lists'],
    ['a field matches', { headerPatterns: { '^list-id$': '<the\\.list\\.example>$' }, mailbox: 'Lists' }, listId, 'Lists'],
    ['only one of two fields matches', { headerPatterns: { '^list-id$': 'the', '^subject$': 'bye' }, mailbox: 'Lists' }, listId, 'Main'],
    ['fields we wrote can match', { headerPatterns: { '^authentication-results$': 'dmarc=pass' }, mailbox: 'Lists' }, mail('hi'), 'Lists'],
    ['SPF passed for the domain', { verifiedDomain: 'example.com', mailbox: 'Lists' }, mail('hi'), 'Lists'],
    ['the domain only stands in From', { verifiedDomain: 'example.net', mailbox: 'Lists' }, mail('hi', { from: 'x@example.net' }), 'Main'],
  ])('%s', async (_, ruleset, text, mailbox) => {
    const host = await createHost(ruleset)
    expect(told(await send(host, text))).toEqual([`ada ${mailbox} no-bad-signals`])
    expect(await (await host.account('ada')).subscriptions()).toEqual([mailbox])
  })

  it('the first that matches counts', async () => {
    const host = await createHost({ verifiedDomain: 'example.com', mailbox: 'First' }, { mailFromPattern: '.', mailbox: 'Second' })
    expect(told(await send(host, mail('hi')))).toEqual(['ada First no-bad-signals'])
    expect(told(await send(host, mail('hi', { from: 'x@elsewhere.example' }), '<x@nospf.example>'))).toEqual(['ada Second no-bad-signals'])
  })

  it('each mailbox has judgements of its own', async () => {
    const host = await createHost({ headerPatterns: { '^list-id$': '.' }, mailbox: 'Lists' })
    for (const subject of ['one', 'two']) await send(host, mail(subject))
    await setFlags(await host.account('ada'), 'Main', Flag.junk, 'replace')
    expect(told(await send(host, mail('three')))).toEqual(['451 4.3.0 msgfromfull'])
    expect(told(await send(host, listId))).toEqual(['ada Lists no-bad-signals'])
  })
})

describe('a list the owner allows', () => {
  const allowed = { headerPatterns: { '^list-id$': '.' }, listAllowDomain: 'list.example', mailbox: 'Lists' }
  // The list changed the subject: DMARC fails for the author, whose domain asks to reject.
  const broken = listId

  it('is taken past DMARC when it signed', async () => {
    const host = await createHost(allowed)
    expect(told(await send(host, broken, '<x@nospf.example>'))).toEqual(['550 5.7.26 dmarc-policy'])
    expect(told(await send(host, await signed(broken, 'list.example'), '<x@nospf.example>'))).toEqual(['ada Lists list-allow'])
  })

  it('is taken past DMARC when SPF passes for its reverse-path', async () => {
    expect(told(await send(await createHost(allowed), broken, '<bounce@list.example>'))).toEqual(['ada Lists list-allow'])
  })

  it.each([
    ['a domain below it signed', async () => signed(broken, 'sub.list.example'), '<x@nospf.example>', 'mx.example.com'],
    ['its name stands in EHLO alone', async () => broken, '<>', 'list.example'],
    ['its signature does not hold', async () => (await signed(broken, 'list.example')).replace('Hello', 'Hallo'), '<x@nospf.example>', 'mx.example.com'],
  ])('is not taken for it when %s', async (_, text, reversePath, helo) => {
    expect(told(await send(await createHost(allowed), await text(), reversePath, helo))).toEqual(['550 5.7.26 dmarc-policy'])
  })

  it('is not taken when the ruleset does not match', async () => {
    const host = await createHost(allowed)
    expect(told(await send(host, await signed(mail('hi'), 'list.example'), '<x@nospf.example>'))).toEqual(['550 5.7.26 dmarc-policy'])
  })
})
