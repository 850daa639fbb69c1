/** What is no SMTP is told so, once. */
import { describe, expect, it } from 'vitest'
import { createReceivingServer, SENDER_IP } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

describe('a first line that is no SMTP', () => {
  it.each([
    ['a request of a browser', 'GET / HTTP/1.1\r\nHost: mail.example.org\r\n\r\n'],
    ['a form of a browser', 'POST / HTTP/1.1\r\n\r\nMAIL FROM:<sender@example.com>\r\n'],
    ['a word nobody knows', 'HULLO\r\nEHLO mx.example.com\r\n'],
    ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001'],
    ['an SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a forged PROXY header', 'PROXY TCP4 198.51.100.1 192.0.2.1 5000 25\r\n'],
  ])('%s: 500 5.5.2, and closed', async (_, text) => {
    await using running = await createReceivingServer()
    const client = SmtpClient.over(running.server, SENDER_IP)
    await client.reply()
    client.write(text)
    expect(await client.reply()).toMatch(/^500 5\.5\.2 /)
    expect(await client.reply()).toBeUndefined()
  })

  it('that would speak for another address is not known, later neither', async () => {
    await using running = await createReceivingServer()
    const client = SmtpClient.over(running.server, SENDER_IP)
    await client.reply()
    client.write('EHLO mx.example.com\r\nXCLIENT ADDR=198.51.100.1\r\nXFORWARD ADDR=198.51.100.1\r\n')
    expect(await client.reply()).toMatch(/^250 /)
    expect(await client.reply()).toMatch(/^500 5\.5\.1 /)
    expect(await client.reply()).toMatch(/^500 5\.5\.1 /)
    await client.quit()
  })

  it('later only an unknown command', async () => {
    await using running = await createReceivingServer()
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    expect(await client.command('HULLO')).toMatch(/^500 5\.5\.1 /)
    expect(await client.command('NOOP')).toMatch(/^250 /)
    await client.quit()
  })
})
