/** What a server writes into its log: a line for each decision, nothing a stranger could forge, and no secret. Threats 73, 74. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLogger, lmdbStore, memoryStore } from '../../src/index.ts'
import { readConnectionIds } from '../../src/server/connection-ids.ts'
import { LineClient } from '../durability/child-server.ts'
import { createReceivingServer, letter, SENDER_IP, type ReceivingServer } from './receiving/receiving-server.ts'
import { SmtpClient } from './receiving/smtp-client.ts'

type Line = Readonly<Record<string, unknown>> & { readonly msg: string }

class Log {
  readonly written: string[] = []
  readonly logger = createLogger({ level: 'debug', destination: { write: (line) => void this.written.push(line) } })

  lines(text?: string): readonly Line[] {
    return this.written.map((line) => JSON.parse(line) as Line).filter(({ msg }) => text === undefined || msg === text)
  }
}

/** Sends a line and takes what comes: the answer may be any. */
async function say(client: SmtpClient, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) await client.command(line)
}

/** Each on a connection of its own: a failed login is answered late, and time that is made to pass ends one that waits. */
async function sayImap(running: ReceivingServer, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const imap = await LineClient.connect(running.port('imap'))
    await imap.line()
    imap.send(`${command}\r\n`)
    await running.hurry(imap.tagged('a'))
    imap.destroy()
  }
}

it('holds no secret of sessions that log in, well or badly, at the finest level', async () => {
  const log = new Log()
  const right = 'correct horse battery'
  const wrong = ['pl4nted-one', 'pl4nted-two', 'pl4nted-three', 'pl4nted-four', 'pl4nted-five', 'pl4nted-six', 'pl4nted-seven'] as const
  const store = memoryStore()
  await using running = await createReceivingServer({}, { store, logger: log.logger, passwords: true })
  await running.server.listen()
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const plain = (password: string): string => base64(`\0ada\0${password}`)

  const smtp = await SmtpClient.over(running.server, SENDER_IP).greet()
  await say(smtp, `AUTH PLAIN ${plain(wrong[0])}`, 'AUTH LOGIN', base64('ada'), base64(wrong[1]), `XLOGIN ada ${wrong[2]}`, `NOOP ${wrong[3]}`)
  smtp.destroy()
  await sayImap(running, `a LOGIN ada ${wrong[0]}`, `a LOGIN ada "${wrong[1]}"`, `a LOGIN ada {${wrong[2].length}+}\r\n${wrong[2]}`, `a LOGIN ada "${right}"`)
  await sayImap(running, `a AUTHENTICATE PLAIN ${plain(wrong[3])}`, `a AUTHENTICATE PLAIN ${plain(wrong[4])}=broken=`, `a AUTHENTICATE XOAUTH2 ${plain(wrong[5])}`, `a LOGIN "${wrong[6]}`)
  await sayImap(running, `a AUTHENTICATE PLAIN ${plain(right)}`)
  // What is derived from a password is no more to be told than it.
  const kept = await store.secret('ada', 'credentials')
  expect(log.lines('Logged in').map(({ login, mechanism }) => [login, mechanism])).toEqual([['ada', 'LOGIN'], ['ada', 'PLAIN']])
  expect(log.lines('Login failed').length).toBe(4)
  expect(log.lines('SMTP reply').length).toBeGreaterThanOrEqual(6)
  const whole = log.written.join('')
  expect(kept?.length).toBeGreaterThan(60)
  for (const form of ['base64', 'hex'] as const) expect(whole).not.toContain(Buffer.from(kept?.subarray(-24) ?? []).toString(form))
  for (const secret of [right, ...wrong]) {
    for (const form of [secret, base64(secret).replace(/=+$/, ''), plain(secret).replace(/=+$/, ''), Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64url')]) {
      expect(whole.toLowerCase(), `${secret} as ${form}`).not.toContain(form.toLowerCase())
    }
  }
})

it('holds no subject pass: who reads logs must not get mail past a judgement', async () => {
  const log = new Log()
  await using running = await createReceivingServer(
    { listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0, firstTimeSenderDelay: 0, blockLists: ['bl.example'] } } } },
    { logger: log.logger, zone: { '2.0.0.127.bl.example': ['A 127.0.0.2'], '9.0.0.127.bl.example': ['A 127.0.0.2'] } },
  )
  await running.server.listen()
  const client = await (await SmtpClient.connect(running.port('smtp'), '127.0.0.9')).greet()
  const { value } = await running.hurry(client.send(letter('hi')))
  const pass = /\(pass:([\w-]+)\)/.exec(value ?? '')?.[1]
  expect(pass).toHaveLength(22)
  expect((await running.hurry(client.send(letter('hi').replace('Subject: hi', `Subject: hi (pass:${pass})`)))).value).toMatch(/^250 /)
  client.destroy()
  expect(log.lines('Message refused')).toMatchObject([{ reason: 'give-subjectpass', code: 550 }])
  expect(log.lines('Message stored')).toMatchObject([{ reason: 'subjectpass' }])
  expect(log.written.join('')).not.toContain(pass)
})

it('can not be written into by strangers', async () => {
  const log = new Log()
  await using running = await createReceivingServer({}, { logger: log.logger, passwords: true })
  await running.server.listen()
  const forged = 'x\r\n{"level":30,"msg":"Logged in","login":"root"}\u001b[2J'
  const smtp = await SmtpClient.over(running.server, SENDER_IP).greet()
  await running.hurry(smtp.send(letter('hi').replace('<hi@', '<h\u001b[31m\u0007i@').replace('Hello', forged.replaceAll('\r\n', '\n'))))
  smtp.destroy()
  const second = await SmtpClient.over(running.server, SENDER_IP).greet()
  expect(await running.hurry(second.send(letter('two').replace('<two@', '<h\u001b[31m\u0007i@')))).toMatchObject({ value: expect.stringMatching(/^250 /) as string })
  second.destroy()
  await sayImap(running, `a LOGIN {${forged.length}+}\r\n${forged} wrong`, `a LOGIN "${'n'.repeat(900)}" wrong`)
  expect(log.lines('Logged in')).toEqual([])
  expect(log.lines('Login failed').map(({ login }) => String(login).length)).not.toEqual([])
  for (const line of log.written) {
    expect(line).toMatch(/^[^\r\n]+\n$/)
    expect(line.length).toBeLessThan(10_000)
    // Nor is there one in what a program that reads JSON shows.
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(JSON.stringify(JSON.parse(line))).not.toMatch(/\\u00[01]|\\[rnbft]|[\u007f-\u009f]/)
  }
})

it('tells of each decision who, what and why', async () => {
  const log = new Log()
  const dir = await mkdtemp(join(tmpdir(), 'postern-logs-'))
  try {
    {
      const store = await lmdbStore({ dir: join(dir, 'data'), reserveOctets: 0, logger: log.logger })
      await using running = await createReceivingServer(
        { dataDir: join(dir, 'data'), domains: { 'example.org': {}, 'ärger.example': {} }, accounts: { ada: { addresses: ['ada@example.org', 'ada@ärger.example'] }, bob: { addresses: ['bob@example.org'] } } },
        { store, logger: log.logger, zone: { 'deny.example': ['MX 0 .'] }, limits: { messagesPerDay: [1, 9, 27], connectionsPerMinute: [1, 99, 999] } },
      )
      await running.server.listen()
      const client = await SmtpClient.over(running.server, SENDER_IP).greet()
      const sends = [
        [{ from: 'x@deny.example' }, /^550 5\.7\.27/],
        [{ to: ['nobody@example.org'] }, /^550 5\.1\.1/],
        [{ to: ['ada@xn--rger-koa.example'] }, /^250 /],
        [{ to: ['ada@example.org'] }, /^452 4\.2\.2/],
      ] as const
      for (const [at, [envelope, reply]] of sends.entries()) expect((await running.hurry(client.send(letter(`n${at}`), envelope))).value).toMatch(reply)
      client.destroy()
      const refused = [await SmtpClient.connect(running.port('smtp')), await SmtpClient.connect(running.port('smtp'))]
      await refused[1]?.reply()
      for (const each of refused) each.destroy()

      const peer = { remoteAddress: SENDER_IP, helo: 'mx.example.com' }
      expect(log.lines('Message refused')).toMatchObject([
        { ...peer, from: 'x@deny.example', to: [], code: 550, enhanced: '5.7.27', reason: 'sender-domain' },
        { ...peer, from: 'sender@example.com', to: ['nobody@example.org'], code: 550, reason: 'unknown-recipient' },
        { ...peer, to: ['ada@example.org'], code: 452, enhanced: '4.2.2', reason: 'rate', messageId: 'n3@example.com', analysis: { spf: 'pass', dmarc: 'pass', reverseName: 'pass' } },
      ])
      const both = 'ada@ärger.example (ada@xn--rger-koa.example)'
      expect(log.lines('Message stored')).toMatchObject([
        { ...peer, from: 'sender@example.com', to: [both], account: 'ada', mailbox: 'INBOX', uid: 1, reason: 'no-bad-signals', analysis: { spf: 'pass' }, messageId: 'n2@example.com' },
      ])
      expect(log.lines('Message stored')[0]?.['signals']).toContainEqual({ name: 'dmarc', value: 'pass p=none', weight: -0.1 })
      expect(log.lines('Connection refused: too many from its network')).toMatchObject([{ protocol: 'smtp', remoteAddress: '127.0.0.1' }])
    }
    const ids = await readConnectionIds(join(dir, 'data'))
    const withId = log.lines().filter(({ id }) => id !== undefined)
    expect(withId.length).toBeGreaterThan(10)
    for (const { id, cid } of withId) expect(cid).toBe(String(ids?.numberOf(String(id))))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
