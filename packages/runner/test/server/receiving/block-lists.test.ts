/** Listeners' own settings: block lists, and the wait of a first message. */
import { describe, expect, it } from 'vitest'
import { LineClient } from '../../durability/child-server.ts'
import { createReceivingServer, letter, type ReceivingServer } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

const zone = { '2.0.0.127.bl.example': ['A 127.0.0.2'], '9.0.0.127.bl.example': ['A 127.0.0.4'] }
const listener = (smtp: object) => ({ listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0, firstTimeSenderDelay: 0, ...smtp } } } })

async function sendFrom(running: ReceivingServer, localAddress: string, text: string): Promise<string | undefined> {
  const client = await (await SmtpClient.connect(running.port('smtp'), localAddress)).greet()
  const { value } = await running.hurry(client.send(text))
  client.destroy()
  return value
}

describe('a listed address', () => {
  it('hears of a fault, when the account gives no subject passes', async () => {
    await using running = await createReceivingServer({ ...listener({ blockLists: ['bl.example'] }), accounts: { ada: { addresses: ['ada@example.org'], subjectPassPeriod: 0 }, bob: { addresses: ['bob@example.org'] } } }, { zone })
    await running.server.listen()
    expect(await sendFrom(running, '127.0.0.9', letter('hi'))).toMatch(/^451 4\.3\.0 /)
    expect(await sendFrom(running, '127.0.0.1', letter('hi too'))).toMatch(/^250 /)
    expect(await running.stored()).toEqual(['ada INBOX 1', 'ada Rejects 1'])
  })

  it('is offered a token, and taken with it', async () => {
    await using running = await createReceivingServer(listener({ blockLists: ['bl.example'] }), { zone })
    await running.server.listen()
    const rejected = running.server.once('rejected')
    const reply = await sendFrom(running, '127.0.0.9', letter('hi'))
    expect(reply).toMatch(/^550 5\.7\.1 .*\(pass:[\w-]{22}\) \(/)
    expect(await rejected).toMatchObject({ reason: 'give-subjectpass', envelope: { from: 'sender@example.com', to: ['ada@example.org'] }, reply: { code: 550 }, analysis: { spf: 'pass', dmarc: 'pass' } })
    const token = /\(pass:[\w-]{22}\)/.exec(reply ?? '')?.[0]
    const received = running.server.once('received')
    expect(await sendFrom(running, '127.0.0.9', letter(`hi ${token}`))).toMatch(/^250 /)
    expect((await received).reason).toBe('subjectpass')
    expect(await sendFrom(running, '127.0.0.9', letter('hi (pass:AAAAAAAAAAAAAAAAAAAAAA)'))).toMatch(/^550 5\.7\.1 /)
  })
})

/** Lets everything happen that does not wait for the clock. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 200; turns += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('the first message of a sender', () => {
  it('is stored 15 seconds later, those of one who is known at once', async () => {
    await using running = await createReceivingServer({ listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } } } }, { passwords: true })
    await running.server.listen()
    const client = await (await SmtpClient.connect(running.port('smtp'))).greet()
    let reply: string | undefined
    void client.send(letter('first')).then((text) => (reply = text))
    await settle()
    await running.clock.advance(14_999)
    await settle()
    expect(reply).toBeUndefined()
    expect(await running.stored()).toEqual([])
    await running.clock.advance(1)
    await settle()
    expect(reply).toMatch(/^250 /)
    expect(await running.stored()).toEqual(['ada INBOX 1'])
    // Moved to the archive it speaks for its sender.
    const imap = await LineClient.connect(running.port('imap'))
    await imap.line()
    imap.send('a LOGIN ada "correct horse battery"\r\nb SELECT INBOX\r\nc MOVE 1 Archive\r\n')
    expect((await imap.tagged('c'))?.at(-1)).toMatch(/^c OK/)
    imap.destroy()
    expect(await client.send(letter('second'))).toMatch(/^250 /)
    client.destroy()
  })

  it('does not hold up a server that closes', async () => {
    await using running = await createReceivingServer(listener({ firstTimeSenderDelay: 15_000 }))
    await running.server.listen()
    const client = await (await SmtpClient.connect(running.port('smtp'))).greet()
    const received: unknown[] = []
    running.server.on('received', (told) => received.push(told))
    const reply = client.send(letter('first'))
    await settle()
    const closing = running.server.close({ drain: 0 })
    await running.clock.advance(1)
    expect((await closing).forced).toBe(1)
    expect(await reply).toBeUndefined()
    expect(received).toEqual([])
  })
})
