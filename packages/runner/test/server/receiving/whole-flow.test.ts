/** Mail as its owner sees it: what comes by SMTP is judged by flags set over IMAP, and that decides on the next. */
import { describe, expect, it } from 'vitest'
import { LineClient } from '../../durability/child-server.ts'
import { createTestMailServer, createTestResolver } from '../../../src/testing/index.ts'
import { hurry } from './hurry.ts'
import { createReceivingServer, letter, SENDERS, type ReceivingServer } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

async function login(running: ReceivingServer): Promise<(command: string) => Promise<readonly string[]>> {
  const imap = await LineClient.connect(running.port('imap'))
  await imap.line()
  const command = async (text: string): Promise<readonly string[]> => {
    imap.send(`a ${text}\r\n`)
    const lines = (await imap.tagged('a')) ?? []
    expect(lines.at(-1), text).toMatch(/^a OK/)
    return lines
  }
  await command('LOGIN ada "correct horse battery"')
  return command
}

async function deliver(running: ReceivingServer, text: string): Promise<string | undefined> {
  const client = await (await SmtpClient.connect(running.port('smtp'))).greet()
  const { value } = await running.hurry(client.send(text))
  client.destroy()
  return value
}

describe('the owner decides', () => {
  it('by flags: junk is refused and kept once, cleared it is taken and kept no more', async () => {
    await using running = await createReceivingServer({}, { passwords: true })
    await running.server.listen()
    const command = await login(running)
    for (const subject of ['one', 'two']) expect(await deliver(running, letter(subject))).toMatch(/^250 /)
    await command('SELECT INBOX')
    await command('STORE 1:2 +FLAGS ($Junk)')
    for (let n = 0; n < 2; n += 1) expect(await deliver(running, letter('three'))).toMatch(/^451 4\.3\.0 /)
    expect((await command('STATUS Rejects (MESSAGES UNSEEN)'))[0]).toMatch(/\(MESSAGES 1 UNSEEN 0\)$/)
    await command('STORE 1:2 FLAGS ($NotJunk)')
    expect(await deliver(running, letter('three'))).toMatch(/^250 /)
    expect((await command('STATUS Rejects (MESSAGES)'))[0]).toMatch(/\(MESSAGES 0\)$/)
  })

  it('and who sends what nobody wants waits for his answers from then on', async () => {
    await using running = await createReceivingServer({}, { passwords: true })
    await running.server.listen()
    const command = await login(running)
    for (const subject of ['one', 'two']) await deliver(running, letter(subject))
    await command('SELECT INBOX')
    await command('STORE 1:2 +FLAGS ($Junk)')
    const client = await (await SmtpClient.connect(running.port('smtp'))).greet()
    expect((await running.hurry(client.send(letter('three')))).ms).toBeGreaterThan(20_000)
    expect((await running.hurry(client.command('NOOP'))).ms).toBeGreaterThan(5_000)
    client.destroy()
  })

  it('by moving: out of Rejects into the archive', async () => {
    await using running = await createReceivingServer({}, { passwords: true })
    await running.server.listen()
    const command = await login(running)
    for (const subject of ['one', 'two']) await deliver(running, letter(subject))
    await command('SELECT INBOX')
    await command('MOVE 1:2 Junk')
    expect(await deliver(running, letter('three'))).toMatch(/^451 4\.3\.0 /)
    await command('SELECT Rejects')
    await command('MOVE 1 Archive')
    expect(await deliver(running, letter('four'))).toMatch(/^250 /)
  })

  it('by writing to somebody', async () => {
    await using running = await createReceivingServer({}, { passwords: true })
    await running.server.listen()
    const command = await login(running)
    for (const name of ['a', 'b', 'c']) await deliver(running, letter(name, { from: `${name}@example.com` }))
    await command('SELECT INBOX')
    await command('STORE 1:3 +FLAGS ($Junk)')
    expect(await deliver(running, letter('four')), 'nobody of that domain is wanted').toMatch(/^451 4\.3\.0 /)
    const imap = await LineClient.connect(running.port('imap'))
    await imap.line()
    const sent = 'From: ada@example.org\r\nTo: Sender <sender@example.com>\r\n\r\nHello\r\n'
    imap.send(`a LOGIN ada "correct horse battery"\r\nb APPEND Sent {${sent.length}+}\r\n${sent}\r\n`)
    expect((await imap.tagged('b'))?.at(-1)).toMatch(/^b OK/)
    imap.destroy()
    const received = running.server.once('received')
    expect(await deliver(running, letter('five'))).toMatch(/^250 /)
    expect((await received).reason).toBe('msgtofull')
  })
})

describe('limits on deliveries', () => {
  it('are told of', async () => {
    await using running = await createReceivingServer({}, { limits: { messagesPerDay: [1, 9, 27] } })
    await running.server.listen()
    const told: unknown[] = []
    running.server.on('limited', (limited) => told.push(limited))
    running.server.on('rejected', ({ reason, reply: { code, enhanced } }) => told.push({ reason, code, enhanced }))
    expect(await deliver(running, letter('one'))).toMatch(/^250 /)
    expect(await deliver(running, letter('two'))).toMatch(/^452 4\.2\.2 Too many messages from 127\.0\.0\.1\/32 in a day/)
    expect(told).toEqual([{ reason: 'rate', code: 452, enhanced: '4.2.2' }, { what: 'rate', key: '127.0.0.1' }])
    expect(await running.stored()).toEqual(['ada INBOX 1'])
  })

  it.each(['clean', 'kill'] as const)('hold after a restart (%s)', { timeout: 60_000 }, async (how) => {
    await using server = await createTestMailServer({
      accounts: { ada: { password: 'pass', addresses: ['ada@example.org'] } },
      checkSenders: true,
      dns: createTestResolver(SENDERS),
      limits: { messagesPerDay: [3, 9, 27] },
    })
    const deliverTo = async (subject: string): Promise<string | undefined> => {
      const client = await (await SmtpClient.connect(Number(new URL(server.smtpUrl).port))).greet()
      // The first message of a stranger waits; a clock that flows would have the test wait as well.
      const { value } = await hurry(client.send(letter(subject)), server.clock)
      client.destroy()
      return value
    }
    for (const subject of ['one', 'two']) expect(await deliverTo(subject)).toMatch(/^250 /)
    await server.restart(how)
    expect(await deliverTo('three')).toMatch(/^250 /)
    expect(await deliverTo('four')).toMatch(/^452 4\.2\.2 /)
    await server.restart(how)
    expect(await deliverTo('five')).toMatch(/^452 4\.2\.2 /)
    expect(await server.inbox('ada@example.org')).toHaveLength(3)
  })
})
