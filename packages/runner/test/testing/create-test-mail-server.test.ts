import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { createTestMailServer, type TestMailServer } from '../../src/testing/index.ts'

async function send(server: TestMailServer, to: string, subject: string): Promise<void> {
  const transport = createTransport(server.smtpUrl)
  try {
    await transport.sendMail({ from: 'Shop <shop@example.com>', to, subject, text: `about ${subject}`, attachments: [{ filename: 'a.txt', content: 'attached' }] })
  } finally {
    transport.close()
  }
}

describe('createTestMailServer', { timeout: 60_000 }, () => {
  it('takes mail for anyone, and shows it decoded', async () => {
    await using server = await createTestMailServer()
    const waiting = server.waitFor({ subject: 'Grüße' })
    await send(server, 'anyone@anywhere.example', 'Grüße')
    const mail = await waiting
    expect(mail).toMatchObject({ from: 'shop@example.com', to: ['anyone@anywhere.example'], subject: 'Grüße', mailbox: 'INBOX', uid: 1 })
    expect(mail.text?.trim()).toBe('about Grüße')
    expect(mail.attachments.map(({ filename, content }) => `${filename}: ${Buffer.from(content).toString()}`)).toEqual(['a.txt: attached'])
    expect(mail.headers.get('received')?.[0]).toMatch(/^from /)
    expect(await server.inbox('anyone@anywhere.example')).toHaveLength(1)
  })

  it('serves accounts of the test, and refuses what is nobody’s', async () => {
    await using server = await createTestMailServer({ accounts: { ada: { password: 'pass', addresses: ['ada@example.org'] } } })
    await send(server, 'ada@example.org', 'one')
    await expect(send(server, 'eve@example.org', 'two')).rejects.toMatchObject({ responseCode: 550 })
    await expect(server.inbox('eve@example.org')).rejects.toThrow('Nobody here has the address')
    expect((await server.inbox('ada@example.org')).map(({ subject }) => subject)).toEqual(['one'])
  })

  it('waits for the message that matches, each once, and says what came instead', async () => {
    await using server = await createTestMailServer()
    for (const subject of ['first', 'second', 'second']) await send(server, 'a@example.org', subject)
    expect((await server.waitFor({ subject: /SEC/i })).uid).toBe(2)
    expect((await server.waitFor({ subject: 'second', to: 'A@EXAMPLE.ORG', from: /^shop@/ })).uid).toBe(3)
    await expect(server.waitFor({ subject: 'second' }, { timeout: 50 })).rejects.toThrow('No message matched within 50 ms; there came: shop@example.com → a@example.org: first')
    await server.expectNone({ subject: 'third' }, 20)
    await expect(server.expectNone({ subject: 'first' }, 20)).rejects.toThrow('A message came')
    await expect(server.waitFor({}, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  it.each([
    ['mailFrom', 450],
    ['rcptTo', 452],
    ['data', 451],
    ['deliver', 554],
  ] as const)('fails at %s as often as asked', async (at, code) => {
    await using server = await createTestMailServer()
    server.fail(at, { code, text: 'as the test asks' }, 2)
    for (let i = 0; i < 2; i += 1) await expect(send(server, 'a@example.org', 'x')).rejects.toMatchObject({ responseCode: code })
    await send(server, 'a@example.org', 'x')
    expect(await server.inbox('a@example.org')).toHaveLength(1)
  })

  it('fails connections', async () => {
    await using server = await createTestMailServer()
    server.fail('connect', 'reset')
    await expect(send(server, 'a@example.org', 'x')).rejects.toThrow()
    await send(server, 'a@example.org', 'x')
  })

  it('restarts on the same ports with all that was acknowledged, also when killed', async () => {
    await using server = await createTestMailServer()
    await send(server, 'a@example.org', 'before')
    const { smtpUrl, imapUrl } = server
    await server.restart('kill')
    expect([server.smtpUrl, server.imapUrl]).toEqual([smtpUrl, imapUrl])
    await send(server, 'a@example.org', 'between')
    await server.restart()
    await send(server, 'a@example.org', 'after')
    expect((await server.inbox('a@example.org')).map(({ subject }) => subject)).toEqual(['before', 'between', 'after'])
    await server.reset()
    expect(await server.inbox('a@example.org')).toEqual([])
  })

  it('moves the clock: a conversation idle for too long is ended', async () => {
    await using server = await createTestMailServer()
    const { connect } = await import('node:net')
    const socket = connect(Number(new URL(server.imapUrl).port), '127.0.0.1')
    let text = ''
    socket.on('data', (octets: Buffer) => {
      text += octets.toString()
    })
    await new Promise((resolve) => socket.once('data', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await server.clock.advance(3 * 3_600_000)
    await closed
    expect(text).toContain('* BYE ')
  })
})
