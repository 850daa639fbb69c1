/** What is looked up before a message comes: the name in HELO, the sender's domain, whether he may name more than one recipient. */
import { describe, expect, it } from 'vitest'
import type { MailEvents } from '../../../src/index.ts'
import { createReceivingServer, letter, SENDER_IP, type ReceivingServer } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

function rejections(running: ReceivingServer): MailEvents['rejected'][] {
  const told: MailEvents['rejected'][] = []
  running.server.on('rejected', (rejected) => told.push(rejected))
  return told
}

const client = (running: ReceivingServer): SmtpClient => SmtpClient.over(running.server, SENDER_IP)

describe('the name in HELO', () => {
  it.each([
    ['HELO', 'mx.example.com', '250 2.1.0'],
    ['HELO', 'six.example.com', '250 2.1.0'],
    ['HELO', 'nowhere.example.com', '550 5.5.0'],
    ['HELO', 'text.example.com', '550 5.5.0'],
    ['HELO', 'broken.example.com', '250 2.1.0'],
    ['HELO', '[192.0.2.7]', '250 2.1.0'],
    ['EHLO', 'nowhere.example.com', '250 2.1.0'],
  ] as const)('%s %s: %s', async (verb, name, expected) => {
    await using running = await createReceivingServer({}, { zone: { 'six.example.com': ['AAAA 2001:db8::1'], 'text.example.com': ['TXT nothing else'] } })
    running.dns.failNext('broken.example.com', 'SERVFAIL')
    running.dns.failNext('broken.example.com', 'TIMEOUT')
    const told = rejections(running)
    const peer = await client(running).greet(name, verb)
    expect((await peer.command('MAIL FROM:<sender@example.com>'))?.slice(0, 9)).toBe(expected)
    expect(told.map(({ reason, envelope }) => [reason, envelope.from])).toEqual(expected.startsWith('5') ? [['helo', 'sender@example.com']] : [])
    await peer.quit()
  })

  it('is looked up once, and anew when it is another', async () => {
    await using running = await createReceivingServer()
    const peer = await client(running).greet('nowhere.example.com', 'HELO')
    for (let n = 0; n < 3; n += 1) expect(await peer.command('MAIL FROM:<sender@example.com>')).toMatch(/^550 5\.5\.0 /)
    expect(running.dns.asked.filter((question) => question === 'A nowhere.example.com')).toHaveLength(1)
    await peer.command('HELO mx.example.com')
    expect(await peer.command('MAIL FROM:<sender@example.com>')).toMatch(/^250 /)
    await peer.quit()
  })
})

describe('the domain of the sender', () => {
  const zone = {
    'nullmx.example': ['MX 0 .'],
    'address.example': ['A 192.0.2.1'],
    'six.example': ['AAAA 2001:db8::1'],
    'lost.example': ['MX 10 gone.example'],
    'half.example': ['MX 10 gone.example', 'MX 20 mx.example.com'],
    'text.example': ['TXT x'],
    'slow.example': ['MX 10 broken.example'],
    'broken.example': ['A 192.0.2.1'],
  }
  it.each([
    ['<sender@example.com>', '250 2.1.0'],
    ['<sender@address.example>', '250 2.1.0'],
    ['<sender@six.example>', '250 2.1.0'],
    ['<sender@half.example>', '250 2.1.0'],
    ['<>', '250 2.1.0'],
    ['<sender@nullmx.example>', '550 5.7.27'],
    ['<sender@lost.example>', '550 5.7.27'],
    ['<sender@text.example>', '550 5.7.27'],
    ['<sender@nowhere.example>', '550 5.7.27'],
    ['<sender@[192.0.2.7]>', '550 5.7.0'],
    ['<sender@slow.example>', '451 4.4.0'],
  ])('%s: %s', async (path, expected) => {
    await using running = await createReceivingServer({}, { zone })
    for (let n = 0; n < 2; n += 1) running.dns.failNext('broken.example', 'SERVFAIL')
    const told = rejections(running)
    const peer = await client(running).greet()
    expect(await peer.command(`MAIL FROM:${path}`)).toContain(expected)
    expect(told.map(({ reason }) => reason)).toEqual(expected.startsWith('2') ? [] : ['sender-domain'])
    await peer.quit()
  })
})

describe('a second recipient', () => {
  it.each([
    ['of a sender SPF passes for', 'sender@example.com', SENDER_IP, ['250', '250', '250']],
    ['of a sender SPF fails for', 'sender@example.com', '203.0.113.1', ['250', '452', '452']],
    ['of a sender without SPF', 'sender@nospf.example', SENDER_IP, ['250', '452', '452']],
    ['of the null sender', '', SENDER_IP, ['250', '452', '452']],
    ['of a sender whose SPF can not be asked', 'sender@broken.example', SENDER_IP, ['250', '452', '452']],
  ] as const)('%s', async (_, from, ip, expected) => {
    await using running = await createReceivingServer({ accounts: { ada: { addresses: ['ada@example.org', 'lovelace@example.org'] }, bob: { addresses: ['bob@example.org'] } } }, { zone: { 'broken.example': ['A 192.0.2.1', 'TXT v=spf1 include:gone.example -all'] } })
    running.dns.failNext('gone.example', 'SERVFAIL')
    const peer = await SmtpClient.over(running.server, ip).greet()
    await peer.command(`MAIL FROM:<${from}>`)
    const replies: (string | undefined)[] = []
    for (const to of ['ada', 'bob', 'lovelace']) replies.push(await peer.command(`RCPT TO:<${to}@example.org>`))
    expect(replies.map((reply) => reply?.slice(0, 3))).toEqual(expected)
    if (expected[1] === '452') expect(replies[1]).toMatch(/^452 4\.5\.3 /)
    await peer.quit()
  })

  it('refused leaves the first: he gets the message', async () => {
    await using running = await createReceivingServer()
    const peer = await client(running).greet()
    await peer.command('MAIL FROM:<>')
    await peer.command('RCPT TO:<ada@example.org>')
    expect(await peer.command('RCPT TO:<bob@example.org>')).toMatch(/^452 4\.5\.3 /)
    await peer.command('DATA')
    expect(await peer.command(`${letter('hi', { from: 'x@nospf.example' })}.`)).toMatch(/^250 /)
    expect(await running.stored()).toEqual(['ada INBOX 1'])
    await peer.quit()
  })

  it('an unknown first recipient is none', async () => {
    await using running = await createReceivingServer()
    const peer = await client(running).greet()
    await peer.command('MAIL FROM:<>')
    expect(await peer.command('RCPT TO:<nobody@example.org>')).toMatch(/^550 5\.1\.1 /)
    expect(await peer.command('RCPT TO:<ada@example.org>')).toMatch(/^250 /)
    await peer.quit()
  })
})

describe('unknown recipients', () => {
  it('are told, each later than the one before, and at last ended', async () => {
    await using running = await createReceivingServer()
    const told = rejections(running)
    const peer = await client(running).greet()
    await peer.command('MAIL FROM:<sender@example.com>')
    const waits: number[] = []
    for (let n = 0; n < 29; n += 1) {
      const { value, ms } = await running.hurry(peer.command(`RCPT TO:<name${n}@example.org>`))
      expect(value).toMatch(/^550 5\.1\.1 /)
      waits.push(ms)
    }
    expect(waits).toEqual([0, 1_000, 2_000, ...Array.from({ length: 26 }, () => 5_000)])
    expect(told.map(({ reason, envelope }) => `${reason} ${envelope.to[0]}`)).toContain('unknown-recipient name28@example.org')
    void peer.command('RCPT TO:<last@example.org>')
    await running.hurry(peer.served)
  })
})
