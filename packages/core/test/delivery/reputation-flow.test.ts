/** What the flags of earlier messages do to the next one, through the whole flow: messages come, are judged, and one more comes. */
import { generateKeyPairSync } from 'node:crypto'
import { correspondentsOf } from '@postern/core/analysis'
import { parseAddress, parseReversePath } from '@postern/core/address'
import { organizationalDomain, signDkim } from '@postern/core/provenance'
import type { ZoneText } from '@postern/core/conformance'
import { Flag } from '@postern/core/store'
import { describe, expect, it } from 'vitest'
import { CLIENT_IP, createReceivingHost, mail, NOW_MS, setFlags, told, type ReceivingHost } from './receiving-host.ts'

/** One message of the history, or the one that is looked at. */
interface Came {
  /** Default `ann@example.com`. */
  readonly from?: string
  /** Default: that of From, so that SPF authenticates it; `forged`: of a domain without SPF. */
  readonly mailFrom?: 'forged' | string
  /** Signed by the mailer. */
  readonly signed?: boolean
  readonly ip?: string
  readonly daysAgo?: number
}
type Judged = Came & { readonly junk: boolean }

const key = generateKeyPairSync('ed25519')
const published = Buffer.from(key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
const DAY_MS = 86_400_000

const spf = ['TXT v=spf1 ip4:192.0.2.0/24 -all']
/** Nobody asks by DMARC that forgeries are refused. Every address of the tests has a name. */
const zone: ZoneText = {
  'example.com': spf,
  'news.example.com': spf,
  'shop.example.com': spf,
  'mailer.example': spf,
  'k._domainkey.mailer.example': [`TXT v=DKIM1; k=ed25519; p=${published}`],
  'mx.example.com': ['A 192.0.2.7', 'A 198.51.100.1', 'A 198.51.100.2', 'A 198.51.100.40', 'A 198.51.101.1', 'A 203.0.113.1'],
  ...Object.fromEntries(['7.2.0.192', '1.100.51.198', '2.100.51.198', '40.100.51.198', '1.101.51.198', '1.113.0.203'].map((labels) => [`${labels}.in-addr.arpa`, ['PTR mx.example.com']])),
}

async function createHost(): Promise<ReceivingHost> {
  return createReceivingHost({ domains: { 'example.org': {} }, accounts: { ada: { addresses: ['ada@example.org'] } } }, { zone })
}

let count = 0

async function send(host: ReceivingHost, { from = 'ann@example.com', mailFrom = from, signed = false, ip = CLIENT_IP, daysAgo = 0 }: Came) {
  count += 1
  let text = mail(`message ${count}`, { from })
  if (signed) {
    const header = Buffer.from(text.slice(0, text.indexOf('\r\n\r\n') + 2))
    const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4))
    text = Buffer.from(await signDkim({ header, body: () => [body] }, [{ domain: 'mailer.example', selector: 'k', key: key.privateKey }], (NOW_MS - daysAgo * DAY_MS) / 1_000)).toString() + text
  }
  return host.receive(text, ['ada@example.org'], {
    reversePath: parseReversePath(`<${mailFrom === 'forged' ? 'x@nospf.example' : mailFrom}>`, { utf8: false }),
    connection: { remoteAddress: ip, tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } },
    receivedAt: NOW_MS - daysAgo * DAY_MS,
  })
}

/** All come before any is judged, so that none is refused for another. */
async function remember(host: ReceivingHost, history: readonly Judged[]): Promise<void> {
  const uids: number[] = []
  for (const came of history) {
    const outcome = await send(host, { daysAgo: 1, ...came })
    if (outcome.kind !== 'accepted') throw new Error(`The history was refused: ${told(outcome).join()}`)
    uids.push(outcome.deliveries[0]?.uid as number)
  }
  const ada = await host.account('ada')
  for (const [at, { junk }] of history.entries()) await setFlags(ada, 'INBOX', junk ? Flag.junk : Flag.notJunk, 'add', uids[at])
}

const of = (times: number, came: Judged): readonly Judged[] => Array.from({ length: times }, () => came)
const ham: Judged = { junk: false }
const junk: Judged = { junk: true }
/** Of the same domain, each from somebody else. */
const others = (times: number, judged: Judged, domain = 'example.com'): readonly Judged[] => Array.from({ length: times }, (_, n) => ({ ...judged, from: `s${n}@${domain}` }))
/** Mail of the mailer's customers, which is not authenticated for them. */
const customers = (times: number, judged: Judged, over: Came): readonly Judged[] => Array.from({ length: times }, (_, n) => ({ ...judged, from: `info@customer${n}.example`, ...over }))
const customer: Came = { from: 'hello@new.example' }
const byMailer: Came = { mailFrom: 'bounce@mailer.example' }
const fromAddress = (ip: string, over: Partial<Judged> = {}): Judged => ({ from: `x${ip.replaceAll('.', '-')}@elsewhere.example`, mailFrom: 'forged', ip, junk: true, ...over })
const stranger = (ip: string): Came => ({ from: 'who@unknown.example', mailFrom: 'forged', ip })
const accepted = (reason: string): string => `ada INBOX ${reason}`

type Row = readonly [what: string, history: readonly Judged[], came: Came, expected: string, reputation: string]

const ROWS: readonly Row[] = [
  ['1: newest of the address junk, the one before not', [{ ...ham, daysAgo: 2 }, junk], {}, accepted('msgfromfull'), 'msgfromfull ham conclusive n=2'],
  ['1: two newest of the address junk', [{ ...ham, daysAgo: 3 }, { ...junk, daysAgo: 2 }, junk], {}, '451 4.3.0 msgfromfull', 'msgfromfull junk conclusive n=2'],
  ['1: case of the address does not matter', of(2, junk), { from: 'ANN@Example.com' }, '451 4.3.0 msgfromfull', 'msgfromfull junk conclusive n=2'],
  ['1: judged over three years ago', [{ ...junk, daysAgo: 3 * 365 + 1 }], {}, accepted('no-bad-signals'), 'none unknown n=0'],
  ['2: forged, only forged junk of the address', [{ ...junk, mailFrom: 'forged' }], { mailFrom: 'forged' }, accepted('no-bad-signals'), 'msgfromfull junk n=1'],
  ['3: forged, only authenticated ham of the address', [ham], { mailFrom: 'forged' }, accepted('no-bad-signals'), 'msgfromfull junk n=1'],
  ['3: forged, only authenticated junk of the address', [junk], { mailFrom: 'forged' }, '451 4.3.0 msgfromfull', 'msgfromfull junk conclusive n=1'],
  ['5: nine of ten of the domain ham', [...others(9, ham), { ...junk, from: 's10@example.com' }], {}, accepted('msgfromdomain'), 'msgfromdomain ham conclusive n=10'],
  ['5: half of the domain ham', [...others(5, ham), ...others(5, junk)], {}, accepted('no-bad-signals'), 'msgfromdomain unknown n=10'],
  ['5: junk of three of the domain', others(3, junk), {}, '451 4.3.0 msgfromdomain', 'msgfromdomain junk conclusive n=3'],
  ['5: junk of two of the domain', others(2, junk), {}, accepted('no-bad-signals'), 'msgfromdomain junk n=2'],
  ['5: nine of ten of the organization ham', [...others(9, ham, 'news.example.com'), { ...junk, from: 's10@news.example.com' }], { from: 'ann@shop.example.com' }, accepted('msgfromorgdomain'), 'msgfromorgdomain ham conclusive n=10'],
  ['5: junk of three of the organization', others(3, junk, 'news.example.com'), { from: 'ann@shop.example.com' }, '451 4.3.0 msgfromorgdomain', 'msgfromorgdomain junk conclusive n=3'],
  ['5: junk of two of the organization', others(2, junk, 'news.example.com'), { from: 'ann@shop.example.com' }, accepted('no-bad-signals'), 'msgfromorgdomain junk n=2'],
  ['6: all signed by the mailer ham', customers(3, ham, { mailFrom: 'forged', signed: true }), { ...customer, mailFrom: 'forged', signed: true }, accepted('dkimspf'), 'dkimspf ham conclusive n=3'],
  ['6: all signed by the mailer junk', customers(3, junk, { mailFrom: 'forged', signed: true }), { ...customer, mailFrom: 'forged', signed: true }, '451 4.3.0 dkimspf', 'dkimspf junk conclusive n=3'],
  ['6: all of the mailer\'s reverse-path junk', customers(2, junk, byMailer), { ...customer, ...byMailer }, '451 4.3.0 dkimspf', 'dkimspf junk conclusive n=2'],
  ['6: some of the mailer ham', [...customers(2, junk, byMailer), ...customers(1, ham, byMailer)], { ...customer, ...byMailer }, accepted('no-bad-signals'), 'dkimspf unknown n=3'],
  ['6: one of the mailer, ham', customers(1, ham, byMailer), { ...customer, ...byMailer }, accepted('dkimspf'), 'dkimspf ham conclusive n=1'],
  ['6: one of the mailer, junk', customers(1, junk, byMailer), { ...customer, ...byMailer }, accepted('no-bad-signals'), 'dkimspf junk n=1'],
  ['6: of another sender of the mailer\'s domain', customers(2, junk, { mailFrom: 'other@mailer.example' }), { ...customer, ...byMailer }, '451 4.3.0 dkimspf', 'dkimspf junk conclusive n=2'],
  ['7: two junk of the very address', of(2, fromAddress('198.51.100.1')), stranger('198.51.100.1'), '451 4.3.0 ip1', 'ip1 junk conclusive n=2'],
  ['7: one junk of the very address', of(1, fromAddress('198.51.100.1')), stranger('198.51.100.1'), accepted('no-bad-signals'), 'ip1 junk n=1'],
  ['7: five junk of the /26', of(5, fromAddress('198.51.100.1')), stranger('198.51.100.2'), '451 4.3.0 ip2', 'ip2 junk conclusive n=5'],
  ['7: four junk of the /26', of(4, fromAddress('198.51.100.1')), stranger('198.51.100.2'), accepted('no-bad-signals'), 'ip2 junk n=4'],
  ['7: ten junk of the /21', of(10, fromAddress('198.51.101.1')), stranger('198.51.100.1'), '451 4.3.0 ip3', 'ip3 junk conclusive n=10'],
  ['7: nine junk of the /21', of(9, fromAddress('198.51.101.1')), stranger('198.51.100.1'), accepted('no-bad-signals'), 'ip3 junk n=9'],
  ['7: junk of another /21', of(10, fromAddress('198.51.100.1')), stranger('203.0.113.1'), accepted('no-bad-signals'), 'none unknown n=0'],
  ['7: two junk over a quarter of a year ago', of(2, fromAddress('198.51.100.1', { daysAgo: 92 })), stranger('198.51.100.1'), accepted('no-bad-signals'), 'none unknown n=0'],
]

describe('reputation', () => {
  it.each(ROWS)('%s', async (_, history, came, expected, reputation) => {
    const host = await createHost()
    await remember(host, history)
    const outcome = await send(host, came)
    expect(told(outcome)).toEqual([expected])
    const [finding] = outcome.findings
    expect(finding?.signals.find(({ name }) => name === 'reputation')?.value).toBe(reputation)
  })

  it.each([
    ['ann@example.com', 'msgtofull'],
    ['somebody@example.com', 'msgtodomain'],
    ['somebody@news.example.com', 'msgtoorgdomain'],
  ])('4: wrote to ann@shop.example.com or what is above it: mail of %s is taken by %s', async (from, reason) => {
    const host = await createHost()
    const domain = from.includes('news') ? 'shop.example.com' : 'example.com'
    const address = parseAddress(`ann@${domain}`, { utf8: false })
    await (await host.account('ada')).wroteTo(correspondentsOf(address, organizationalDomain(domain)), NOW_MS / 1_000 - 86_400)
    expect(told(await send(host, { from, mailFrom: 'forged' }))).toEqual([accepted(reason)])
  })

  it('4: wrote to the address, and others of its domain sent junk', async () => {
    const host = await createHost()
    await remember(host, others(9, junk))
    await (await host.account('ada')).wroteTo(correspondentsOf(parseAddress('ann@example.com', { utf8: false }), 'example.com'), NOW_MS / 1_000 - 86_400)
    expect(told(await send(host, {}))).toEqual([accepted('msgtofull')])
    expect(told(await send(host, { from: 'eve@example.com' }))).toEqual(['451 4.3.0 msgfromdomain'])
  })

  it('a judgement that is taken back counts no more, one that is turned round counts the other way', async () => {
    const host = await createHost()
    await remember(host, of(2, junk))
    const ada = await host.account('ada')
    expect(told(await send(host, {}))).toEqual(['451 4.3.0 msgfromfull'])
    await setFlags(ada, 'INBOX', Flag.junk, 'remove')
    expect(told(await send(host, {}))).toEqual([accepted('no-bad-signals')])
    await setFlags(ada, 'INBOX', Flag.notJunk, 'replace', 1)
    expect(told(await send(host, {}))).toEqual([accepted('msgfromfull')])
  })
})
