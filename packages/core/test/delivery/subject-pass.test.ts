/** Block lists, and the way past them for people: a token in the subject. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CLIENT_IP, createReceivingHost, GOOD_ZONE, mail, NOW_MS, told, type DirectoryInput, type ReceivingHost } from './receiving-host.ts'

const directory = (period: number): DirectoryInput => ({
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org', 'lovelace@example.org'], subjectPassPeriod: period } },
})
const listed = {
  '2.0.0.127.bl.example': ['A 127.0.0.2'],
  '7.2.0.192.bl.example': ['A 127.0.0.2', 'TXT listed for the test'],
}
const HOURS_MS = 3_600_000

async function createHost(period: number, zone: Readonly<Record<string, readonly string[]>> = {}): Promise<ReceivingHost> {
  return createReceivingHost(directory(period), { zone: { ...GOOD_ZONE, ...listed, ...zone }, blockLists: ['bl.example'], host: { random: (octets) => new Uint8Array(randomBytes(octets)) } })
}

async function tokenOf(host: ReceivingHost, subject: string, to = 'ada@example.org'): Promise<string> {
  const outcome = await host.receive(mail(subject, { to }), [to])
  if (outcome.kind !== 'refused') throw new Error('Was taken')
  const token = /\(pass:[A-Za-z0-9_-]{22}\)$/.exec(outcome.refusal.text)?.[0]
  if (token === undefined) throw new Error(`No token in ${outcome.refusal.text}`)
  return token
}

describe('a block list', () => {
  it('has a message refused like by a fault, when there are no subject passes', async () => {
    expect(told(await (await createHost(0)).receive(mail('hi'), ['ada@example.org']))).toEqual(['451 4.3.0 dns-blocklisted'])
  })

  it('is not asked about a sender the account knows', async () => {
    const host = await createReceivingHost(directory(0), { zone: { ...GOOD_ZONE, ...listed }, blockLists: ['bl.example'] })
    const ada = await host.account('ada')
    await ada.wroteTo([{ level: 'address', value: 'sender@example.com' }], NOW_MS / 1_000)
    expect(told(await host.receive(mail('hi'), ['ada@example.org']))).toEqual(['ada INBOX msgtofull'])
    expect(host.dns.asked.filter((question) => question.includes('bl.example'))).toEqual([])
  })

  it('that lists everybody is not believed', async () => {
    const host = await createHost(0, { '1.0.0.127.bl.example': ['A 127.0.0.2'] })
    expect(told(await host.receive(mail('hi'), ['ada@example.org']))).toEqual(['ada INBOX no-bad-signals'])
  })

  it('that fails lists nobody', async () => {
    const host = await createHost(0)
    host.dns.fail(`${CLIENT_IP.split('.').reverse().join('.')}.bl.example`, 'SERVFAIL')
    expect(told(await host.receive(mail('hi'), ['ada@example.org']))).toEqual(['ada INBOX no-bad-signals'])
  })
})

describe('a subject pass', () => {
  it('is offered to an authenticated stranger, and takes his message past the list', async () => {
    const host = await createHost(12 * HOURS_MS)
    expect(told(await host.receive(mail('hi'), ['ada@example.org']))).toEqual(['550 5.7.1 give-subjectpass'])
    const token = await tokenOf(host, 'hi')
    expect(told(await host.receive(mail(`hi ${token}`), ['ada@example.org']))).toEqual(['ada INBOX subjectpass'])
    expect(told(await host.receive(mail(`Re: ${token} hi`), ['ada@example.org'], { receivedAt: NOW_MS + 11 * HOURS_MS }))).toEqual(['ada INBOX subjectpass'])
  })

  it('is offered to nobody whom DMARC did not authenticate', async () => {
    const host = await createHost(12 * HOURS_MS, { '_dmarc.example.com': [] })
    expect(told(await host.receive(mail('hi'), ['ada@example.org']))).toEqual(['451 4.3.0 dns-blocklisted'])
  })

  it.each([
    ['after its time', {}, 13 * HOURS_MS, 'ada@example.org'],
    ['of another sender', { from: 'other@example.com' }, 0, 'ada@example.org'],
    ['made for another address', {}, 0, 'lovelace@example.org'],
  ])('%s does not count', async (_, over, laterMs, to) => {
    const host = await createHost(12 * HOURS_MS)
    const token = await tokenOf(host, 'hi')
    expect(told(await host.receive(mail(`hi ${token}`, { to, ...over }), [to], { receivedAt: NOW_MS + laterMs }))).toEqual(['550 5.7.1 give-subjectpass'])
  })

  it('takes nothing past DMARC', async () => {
    const host = await createHost(12 * HOURS_MS)
    const token = await tokenOf(host, 'hi')
    expect(told(await host.receive(mail(`hi ${token}`), ['ada@example.org'], { connection: { remoteAddress: '203.0.113.1' } }))).toEqual(['550 5.7.26 dmarc-policy'])
  })
})
