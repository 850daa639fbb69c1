/** Postfix and Exim find us by MX and deliver, each in a network of its own. Skipped, by name, where that can't be. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ADDRESSES, findObstacle, startMailNetwork, type MailNetwork } from './mail-network.ts'
import type { Told } from './mta-child.ts'
import { EXIM_DOMAIN, startExim } from './network-exim.ts'
import type { NetworkMta } from './network-mta.ts'
import { findPostfixObstacle, POSTFIX_DOMAIN, startPostfix } from './network-postfix.ts'
import { startNetworkServer, type NetworkServer } from './network-server.ts'
import { findEximObstacle } from './unpack-exim.ts'

/** What DNS says of one who sends. */
function senderZone(domain: string, address: string): readonly string[] {
  return [
    `--mx-host=${domain},mx.${domain},10`,
    `--host-record=mx.${domain},${address}`,
    `--txt-record=${domain},v=spf1 ip4:${address} -all`,
    `--txt-record=mx.${domain},v=spf1 a -all`,
    `--txt-record=_dmarc.${domain},v=DMARC1; p=reject`,
  ]
}

const ZONE = [
  '--mx-host=example.org,mail.example.org,10',
  `--host-record=mail.example.org,${ADDRESSES.server}`,
  ...senderZone(POSTFIX_DOMAIN, ADDRESSES.postfix),
  ...senderZone(EXIM_DOMAIN, ADDRESSES.exim),
]

interface Row {
  readonly name: string
  readonly obstacle: string | undefined
  readonly start: (network: MailNetwork) => Promise<NetworkMta | { readonly obstacle: string }>
}

const obstacle = findObstacle()
const rows: readonly Row[] = [
  { name: 'Postfix', obstacle: obstacle ?? findPostfixObstacle(), start: startPostfix },
  { name: 'Exim', obstacle: obstacle ?? findEximObstacle(), start: startExim },
]

for (const { name, obstacle: why, start } of rows) {
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (${why})`, () => {
    let network: MailNetwork
    let server: NetworkServer
    let mta: NetworkMta
    let cause: string | undefined
    let sent = 0

    beforeAll(async () => {
      network = await startMailNetwork(ZONE)
      server = await startNetworkServer(network)
      const started = await start(network)
      if ('obstacle' in started) cause = started.obstacle
      else mta = started
    })
    beforeEach((context) => {
      if (cause !== undefined) context.skip(cause)
    })
    afterAll(async () => {
      await server?.close()
      await network?.close()
    })

    /** Gives it a message and waits until each account has it; @returns what was stored, by account. */
    async function deliver(accounts: readonly string[], body = 'Hello\n'): Promise<readonly string[]> {
      sent += 1
      const subject = `message ${sent} by ${name}`
      const to = accounts.map((account) => `${account}@example.org`)
      const message = [
        `From: Sender <sender@${mta.domain}>`,
        `To: ${to.join(', ')}`,
        `Subject: ${subject}`,
        `Date: Fri, 02 Jan 2026 03:04:05 +0000`,
        `Message-ID: <${sent}@${mta.domain}>`,
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
        '',
        body,
      ].join('\n')
      const given = await mta.submit(`sender@${mta.domain}`, to, message)
      expect(given.code, given.stderr).toBe(0)
      const stored: string[] = []
      for (const account of accounts) {
        const told = await server.next((one) => one.kind === 'received' && one.account === account).catch(async (error: unknown) => {
          throw new Error(`${String(error)}\n${await mta.log()}`, { cause: error })
        })
        const { mailbox, raw } = told as Extract<Told, { kind: 'received' }>
        expect(mailbox).toBe('INBOX')
        const text = Buffer.from(raw, 'base64').toString()
        expect(text).toContain(`\r\nSubject: ${subject}\r\n`)
        stored.push(text)
      }
      return stored
    }

    it('finds us by MX, goes over to TLS, and passes every check', async () => {
      const [text = ''] = await deliver(['ada'])
      const header = unfold(text.slice(0, text.indexOf('\r\n\r\n')))
      expect(header).toMatch(new RegExp(`^Return-Path: <sender@${mta.domain.replace('.', '\\.')}>$`, 'm'))
      const results = /^Authentication-Results: mail\.example\.org;.*$/m.exec(header)?.[0] ?? ''
      for (const result of ['spf=pass', 'dmarc=pass', 'iprev=pass']) expect(results).toContain(result)
      const received = /^Received: .*$/m.exec(header)?.[0] ?? ''
      expect(received).toContain(`from mx.${mta.domain} (`)
      expect(received).toContain(`[${mta.address}]`)
      expect(received).toContain(`by mail.example.org ([${ADDRESSES.server}]) via tcp with ESMTPS (TLS1.3 `)
      expect(received).toContain('for <ada@example.org>;')
    })

    it('delivers where it must have TLS', async () => {
      const [text = ''] = await deliver(['grace'])
      expect(unfold(text)).toMatch(/^Received: from .* with ESMTPS \(TLS1\.3 .* for <grace@example\.org>;/m)
    })

    it('delivers to several recipients, each told of nobody but himself', async () => {
      const texts = await deliver(['ada', 'bob', 'grace'])
      const told = texts.map((text) => /^Received: .*$/m.exec(unfold(text))?.[0].match(/\w+@example\.org/g))
      expect(told).toEqual([['ada@example.org'], ['bob@example.org'], ['grace@example.org']])
      // The first two came in one transaction: that takes SPF's pass.
      const [ada, bob, grace] = texts.map((text) => /^Received: .* id (\S+) /m.exec(unfold(text))?.[1])
      expect(ada).toBe(bob)
      expect(grace).not.toBe(ada)
    })

    it('delivers 8-bit text as it is, with dots at the beginning of lines', async () => {
      const [text = ''] = await deliver(['bob'], 'Größe — 尺寸\n.\n..two\n.one\n')
      expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('Größe — 尺寸\r\n.\r\n..two\r\n.one\r\n')
    })

    it('delivers 2 MB', async () => {
      const line = 'All work and no play makes Jack a dull boy, and so on and so on'
      const [text = ''] = await deliver(['ada'], `${line}\n`.repeat(32_768))
      expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(`${line}\r\n`.repeat(32_768))
    })

    it('hears of an unknown recipient at RCPT; we send no bounce', async () => {
      await mta.submit(`sender@${mta.domain}`, ['nobody@example.org'], `From: sender@${mta.domain}\nTo: nobody@example.org\nSubject: lost\n\nLost\n`)
      const rejected = await server.next(({ kind }) => kind === 'rejected')
      expect(rejected).toMatchObject({ from: `sender@${mta.domain}`, to: ['nobody@example.org'], code: 550, enhanced: '5.1.1' })
      expect(await untilLogged(/nobody@example\.org.*550/)).toContain('550 5.1.1 No such mailbox here')
      // It made a bounce itself; nobody came to its port 25 to bring another, as it would have logged.
      await untilLogged(mta.logged.bounce)
      expect(await mta.log()).not.toMatch(mta.logged.connection)
      await network.run('bash', ['-c', `exec 3<>/dev/tcp/${mta.address}/25; read -t 5 <&3`])
      await untilLogged(mta.logged.connection)
    })

    /** The first line that fits, waited for at most 10 s. */
    async function untilLogged(pattern: RegExp): Promise<string> {
      for (let tries = 0; tries < 200; tries += 1) {
        const line = (await mta.log()).split('\n').find((text) => pattern.test(text))
        if (line !== undefined) return line
        await delay(50)
      }
      throw new Error(`Not logged: ${String(pattern)}\n${await mta.log()}`)
    }
  })
}

function unfold(text: string): string {
  return text.replaceAll(/\r\n(?=[ \t])\s*/g, ' ').replaceAll('\r\n', '\n')
}
