/** Who may connect: limits by network over all listeners, on the clock of the test, and that nothing of them leaks. */
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { MailEvents } from '../../../src/index.ts'
import { createSelfSignedCertificate } from '../../../src/setup/self-signed-certificate.ts'
import { LineClient } from '../../durability/child-server.ts'
import { createReceivingServer, type ReceivingServer } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

function limitations(running: ReceivingServer): MailEvents['limited'][] {
  const told: MailEvents['limited'][] = []
  running.server.on('limited', (limited) => told.push(limited))
  return told
}

describe('connections', () => {
  it('300 a minute from one address, not 301; then again', async () => {
    await using running = await createReceivingServer()
    await running.server.listen()
    const told = limitations(running)
    const port = running.port('smtp')
    for (let n = 0; n < 300; n += 1) {
      const client = await SmtpClient.connect(port)
      expect(await client.reply()).toMatch(/^220 /)
      await client.quit()
    }
    expect(told).toEqual([])
    const refused = await SmtpClient.connect(port)
    expect(await refused.reply()).toMatch(/^421 4\.7\.0 /)
    await refused.served
    expect(told).toEqual([{ what: 'connection', key: '127.0.0.1' }])
    const neighbour = await SmtpClient.connect(port, '127.0.0.2')
    expect(await neighbour.reply()).toMatch(/^220 /)
    await neighbour.quit()
    const imap = await LineClient.connect(running.port('imap'))
    expect(await imap.line(), 'IMAP is counted apart').toMatch(/^\* OK /)
    imap.destroy()
    await running.clock.advance(60_000)
    const later = await SmtpClient.connect(port)
    expect(await later.reply()).toMatch(/^220 /)
    await later.quit()
  })

  it('30 open from one address, 90 from its network; one that leaves makes room', async () => {
    await using running = await createReceivingServer()
    await running.server.listen()
    const port = running.port('smtp')
    const open: SmtpClient[] = []
    for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.3']) {
      for (let n = 0; n < 30; n += 1) {
        const client = await SmtpClient.connect(port, address)
        expect(await client.reply()).toMatch(/^220 /)
        open.push(client)
      }
      const over = await SmtpClient.connect(port, address)
      expect(await over.reply()).toMatch(/^421 4\.7\.0 /)
      await over.served
    }
    const fourth = await SmtpClient.connect(port, '127.0.0.4')
    expect(await fourth.reply(), 'of the same /26').toMatch(/^421 /)
    const elsewhere = await SmtpClient.connect(port, '127.0.0.65')
    expect(await elsewhere.reply()).toMatch(/^220 /)
    await open.pop()?.quit()
    const next = await SmtpClient.connect(port, '127.0.0.3')
    expect(await next.reply()).toMatch(/^220 /)
    for (const client of [...open, elsewhere, next]) client.destroy()
  })

  it('refused for being too many at a time count as knocking', async () => {
    await using running = await createReceivingServer({}, { limits: { openConnections: [2, 9, 27], connectionsPerMinute: [5, 90, 270] } })
    await running.server.listen()
    const port = running.port('smtp')
    const clients: SmtpClient[] = []
    const codes: (string | undefined)[] = []
    for (let n = 0; n < 5; n += 1) {
      const client = await SmtpClient.connect(port)
      codes.push((await client.reply())?.slice(0, 3))
      clients.push(client)
    }
    expect(codes).toEqual(['220', '220', '421', '421', '421'])
    for (const client of clients.slice(0, 2)) await client.quit()
    const sixth = await SmtpClient.connect(port)
    expect(await sixth.reply()).toMatch(/^421 /)
    await running.clock.advance(60_000)
    const later = await SmtpClient.connect(port)
    expect(await later.reply()).toMatch(/^220 /)
    await later.quit()
  })

  it('broken off in whatever way are counted out, each once', { timeout: 60_000 }, async () => {
    const { certificate, key } = await createSelfSignedCertificate(['localhost'], Date.now())
    const limits = { openConnections: [10, 10, 10], connectionsPerMinute: [1_000, 1_000, 1_000] } as const
    await using running = await createReceivingServer(
      { listeners: { local: { addresses: ['127.0.0.1'], tls: { certificate, key }, smtp: { port: 0, firstTimeSenderDelay: 0 }, imap: { port: 0 }, imaps: { port: 0 } } } },
      { limits },
    )
    await running.server.listen()
    const counts = { begun: 0, over: 0 }
    running.server.on('connection', () => (counts.begun += 1))
    running.server.on('connection-end', () => (counts.over += 1))
    const [smtp, imaps] = [running.port('smtp'), running.port('imaps')]
    const raw = async (port: number) => {
      const socket = createConnection({ host: '127.0.0.1', port })
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    }
    const ways: readonly (() => Promise<void>)[] = [
      async () => void (await raw(smtp)).resetAndDestroy(),
      async () => void (await raw(imaps)).resetAndDestroy(),
      async () => void (await raw(imaps)).end('this is no TLS\r\n'),
      async () => {
        const socket = connectTls({ host: '127.0.0.1', port: imaps, rejectUnauthorized: false })
        socket.on('error', () => {})
        await once(socket, 'secureConnect')
        socket.destroy()
      },
      async () => {
        const client = await (await SmtpClient.connect(smtp)).greet()
        await client.command('STARTTLS')
        client.write('neither is this\r\n')
        client.destroy()
      },
      async () => {
        const client = await (await SmtpClient.connect(smtp)).greet()
        for (const line of ['MAIL FROM:<sender@example.com>', 'RCPT TO:<ada@example.org>', 'DATA']) await client.command(line)
        client.write('Subject: half of it')
        client.destroy()
      },
      async () => {
        const client = await SmtpClient.connect(smtp)
        client.write('GET / HTTP/1.1\r\n\r\n')
        client.destroy()
      },
    ]
    for (let n = 0; n < 70; n += 1) {
      await ways[n % ways.length]?.()
      // At most ten are open at a time: each has to be gone before the next ones may come.
      for (let turns = 0; counts.over <= n && turns < 2_000; turns += 1) {
        if (turns % 100 === 99) await running.clock.advance(1_000)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(counts, `after way ${n % ways.length}`).toEqual({ begun: n + 1, over: n + 1 })
    }
    expect(await running.stored()).toEqual([])
    const open: SmtpClient[] = []
    for (let n = 0; n < 10; n += 1) {
      const client = await SmtpClient.connect(smtp)
      expect(await client.reply()).toMatch(/^220 /)
      open.push(client)
    }
    const eleventh = await SmtpClient.connect(smtp)
    expect(await eleventh.reply(), 'and not more were counted out than in').toMatch(/^421 /)
    for (const client of open) client.destroy()
  })

  it('given as streams are counted neither in nor out', async () => {
    await using running = await createReceivingServer({}, { limits: { openConnections: [1, 1, 1] } })
    await running.server.listen()
    const first = await SmtpClient.connect(running.port('smtp'))
    expect(await first.reply()).toMatch(/^220 /)
    for (let n = 0; n < 3; n += 1) {
      const given = await SmtpClient.over(running.server, '127.0.0.1').greet()
      await given.quit()
    }
    const second = await SmtpClient.connect(running.port('smtp'))
    expect(await second.reply()).toMatch(/^421 /)
    first.destroy()
  })
})

describe('logins', () => {
  it('ten that fail in a minute from one address, then none is looked at, also of the right password; then again', async () => {
    await using running = await createReceivingServer({}, { passwords: true })
    await running.server.listen()
    const told = limitations(running)
    const begin = async (password: string): Promise<LineClient> => {
      const imap = await LineClient.connect(running.port('imap'))
      await imap.line()
      imap.send(`a LOGIN ada "${password}"\r\n`)
      return imap
    }
    const login = async (password: string): Promise<string | undefined> => {
      const imap = await begin(password)
      const lines = await imap.tagged('a')
      imap.destroy()
      return lines?.at(-1)
    }
    for (let n = 0; n < 10; n += 1) {
      // The refusal itself comes a second later, on a clock that stands still.
      const judged = running.server.once('login')
      const imap = await begin(`wrong ${n}`)
      expect((await judged).result).toBe('bad')
      imap.destroy()
    }
    expect(await login('correct horse battery')).toMatch(/^a NO \[UNAVAILABLE\]/)
    expect(told).toEqual([{ what: 'login', key: '127.0.0.1' }])
    await running.clock.advance(60_000)
    expect(await login('correct horse battery')).toMatch(/^a OK/)
  })
})
