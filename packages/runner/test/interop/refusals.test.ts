/** What swaks, and where it can't a socket, is told when mail is not taken: the real server, with senders looked into by DNS. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultAdmissionLimits } from '@postern/core/admission'
import type { Clock } from '@postern/core/host'
import { systemClock } from '../../src/host/clock.ts'
import { createLogger } from '../../src/host/log.ts'
import { createResolver, type NetworkResolver } from '../../src/host/resolver.ts'
import { createMailServer, type MailServer } from '../../src/index.ts'
import { createSelfSignedCertificate } from '../../src/setup/self-signed-certificate.ts'
import { LineClient } from '../durability/child-server.ts'
import { findProgram } from '../host/dns-programs.ts'
import { carried, replyTo, startDnsServer, zoneHandler, type DnsTestServer } from '../host/dns-server.ts'
import { runProgram } from './local-server.ts'

const ANYWHERE = 'v=spf1 ip4:127.0.0.0/8 -all'
/** A domain that takes mail, with what it says of those who send for it. */
const domain = (name: string, spf?: string, dmarc?: string): Record<string, readonly string[]> => ({
  [name]: [`MX 10 mx.${name}`, ...(spf === undefined ? [] : [`TXT ${spf}`])],
  [`mx.${name}`]: ['A 127.0.0.1'],
  ...(dmarc === undefined ? {} : { [`_dmarc.${name}`]: [`TXT ${dmarc}`] }),
})

const ZONE: Readonly<Record<string, readonly string[]>> = {
  ...domain('good.example', ANYWHERE),
  ...domain('aligned.example', ANYWHERE, 'v=DMARC1; p=reject'),
  ...domain('unsaid.example'),
  ...domain('no-spf.example', 'v=spf1 -all'),
  ...domain('soft-spf.example', 'v=spf1 ~all'),
  ...domain('reject.example', 'v=spf1 -all', 'v=DMARC1; p=reject'),
  ...domain('quarantine.example', 'v=spf1 -all', 'v=DMARC1; p=quarantine'),
  'nullmx.example': ['MX 0 .'],
  // An entry of each kind that a list in order has; 127.9.0.0/16 is where listed peers come from. RFC 5782 §5
  '2.0.0.127.bl.example': ['A 127.0.0.2'],
  ...Object.fromEntries([1, 2].map((last) => [`${last}.0.9.127.bl.example`, ['A 127.0.0.2']])),
}

interface Row {
  readonly refusal: string
  /** Code and enhanced code; replies to EHLO may do without. RFC 2034 §4 */
  readonly told: string
  /** Arguments of swaks besides those of a good message; a later one counts. */
  readonly swaks?: readonly string[]
  /** Address the connection comes from; default: one of its own. */
  readonly from?: string
  readonly listener?: 'public' | 'strict' | 'listing'
  /** Messages that come to be stored all the same. */
  readonly stored?: number
  /** Sent before, and taken. */
  readonly before?: number
}

const header = (field: string): readonly string[] => ['--add-header', field]

const rows: readonly Row[] = [
  { refusal: 'a name in EHLO that is none', told: '501', swaks: ['--ehlo', 'no..name'] },
  { refusal: 'a name in HELO that has no address', told: '550 5.5.0', swaks: ['--protocol', 'SMTP', '--ehlo', 'nowhere.example'] },
  { refusal: 'MAIL before STARTTLS where that is needed', told: '530 5.7.0', listener: 'strict' },
  { refusal: 'a sender at an address literal', told: '550 5.7.0', swaks: ['--from', 'a@[127.0.0.1]'] },
  { refusal: 'a sender whose domain takes no mail', told: '550 5.7.27', swaks: ['--from', 'a@nullmx.example'] },
  { refusal: 'a sender whose domain does not exist', told: '550 5.7.27', swaks: ['--from', 'a@missing.example'] },
  { refusal: 'a sender whose domain can not be looked up', told: '451 4.4.0', swaks: ['--from', 'a@broken.example'] },
  { refusal: 'a sender beyond ASCII without SMTPUTF8', told: '550 5.6.7', swaks: ['--from', 'größe@good.example'] },
  { refusal: 'a recipient beyond ASCII without SMTPUTF8', told: '553 5.6.7', swaks: ['--to', 'größe@example.org'] },
  { refusal: 'an unknown recipient', told: '550 5.1.1', swaks: ['--to', 'nobody@example.org'] },
  { refusal: 'a recipient elsewhere', told: '550 5.7.1', swaks: ['--to', 'a@good.example'] },
  { refusal: 'a recipient elsewhere by a percent sign', told: '550 5.1.1', swaks: ['--to', 'a%good.example@example.org'] },
  { refusal: 'a second recipient from who may not send so', told: '452 4.5.3', swaks: ['--from', 'a@unsaid.example', '--to', 'ada@example.org,bob@example.org'], stored: 1 },
  { refusal: 'a second recipient of a notice', told: '452 4.5.3', swaks: ['--from', '<>', '--to', 'ada@example.org,bob@example.org'], stored: 1 },
  { refusal: 'a message that is too large', told: '552 5.3.4', swaks: ['--body', 'x'.repeat(78).concat('\n').repeat(1_000)] },
  { refusal: 'a message that goes round in circles', told: '550 5.4.6', swaks: Array.from({ length: 101 }, (_, at) => header(`Received: from a by b; hop ${at}`)).flat() },
  { refusal: 'claims of ours that lie too far down to take out', told: '550 5.6.0', swaks: [...Array.from({ length: 60 }, (_, at) => header(`X-${at}: ${'x'.repeat(990)}`)).flat(), ...header('Authentication-Results: mail.example.org; spf=pass')] },
  { refusal: 'an author whose domain asks to reject (DMARC)', told: '550 5.7.26', swaks: ['--h-From', 'a@reject.example'] },
  { refusal: 'an author whose domain asks for quarantine (DMARC)', told: '550 5.7.26', swaks: ['--h-From', 'a@quarantine.example'] },
  { refusal: 'a sender that SPF says no of', told: '451 4.3.0', swaks: ['--from', 'a@no-spf.example'] },
  { refusal: 'a sender that SPF says softly no of', told: '451 4.3.0', swaks: ['--from', 'a@soft-spf.example'] },
  { refusal: 'a peer on a block list', told: '451 4.3.0', listener: 'listing', from: '127.9.0.1' },
  { refusal: 'a peer on a block list, whose author is known: he may come back with a word', told: '550 5.7.1', listener: 'listing', from: '127.9.0.2', swaks: ['--from', 'a@aligned.example'] },
  { refusal: 'one message more than may come in a day', told: '452 4.2.2', before: 5 },
]

/** Whom policy refuses is served slowly, for half a minute each reply: here each wait takes a fiftieth. */
const hurriedClock: Clock = { ...systemClock, timer: (ms, fire) => systemClock.timer(ms / 50, fire) }

/** From one address in a minute: more than any row makes. */
const CONNECTIONS = 10

const obstacle = findProgram('swaks') === undefined ? ' (swaks is not installed)' : ''

describe('refusals', () => {
  let dir: string
  let dns: DnsTestServer
  let resolver: NetworkResolver
  let server: MailServer
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'postern-refusals-'))
    const zone = zoneHandler('example', ZONE)
    dns = await startDnsServer((asked) => (asked.name.endsWith('broken.example') ? carried(asked, replyTo(asked, { rcode: 2 })) : zone(asked)))
    resolver = createResolver({ servers: [dns.address] })
    const tls = await createSelfSignedCertificate(['mail.example.org'], Date.now())
    const smtp = { port: 0, maxMessageSize: 65_536, firstTimeSenderDelay: 0 }
    server = await createMailServer(
      {
        hostname: 'mail.example.org',
        dataDir: dir,
        listeners: {
          public: { addresses: ['127.0.0.1'], tls, smtp },
          strict: { addresses: ['127.0.0.1'], tls, smtp: { ...smtp, requireTls: true } },
          listing: { addresses: ['127.0.0.1'], tls, smtp: { ...smtp, blockLists: ['bl.example'] } },
        },
        domains: { 'example.org': {} },
        accounts: { ada: { addresses: ['ada@example.org'] }, bob: { addresses: ['bob@example.org'] } },
      },
      { resolver, clock: hurriedClock, logger: createLogger({ level: 'silent' }), limits: { ...defaultAdmissionLimits, messagesPerDay: [5, 1_000, 1_000], connectionsPerMinute: [CONNECTIONS, 1_000, 1_000] } },
    )
    await server.listen()
  })
  afterAll(async () => {
    await server?.close({ drain: 0 })
    await resolver?.close()
    await dns?.close()
    await rm(dir, { recursive: true, force: true })
  })

  const portOf = (name: Row['listener'] = 'public'): number => server.endpoints.find(({ listener }) => listener === name)?.port ?? 0

  /** In the inboxes: what is refused may be kept among the rejects. */
  async function inboxTotal(): Promise<number> {
    let sum = 0
    for (const name of await server.accounts.list()) {
      const mailboxes = (await (await server.accounts.get(name))?.mailboxes()) ?? []
      sum += mailboxes.find((mailbox) => mailbox.name === 'INBOX')?.total ?? 0
    }
    return sum
  }

  const swaks = (port: number, from: string, more: readonly string[] = []): ReturnType<typeof runProgram> =>
    runProgram('swaks', ['--server', `127.0.0.1:${port}`, '--local-interface', from, '--ehlo', 'mx.good.example', '--from', 'a@good.example', '--to', 'ada@example.org', '--timeout', '10s', '--suppress-data', ...more])

  const withSwaks = it.skipIf(obstacle !== '')
  for (const [listener, flags] of [
    ['public', []],
    ['public', ['--tls']],
    ['public', ['--protocol=SMTP']],
    ['strict', ['--tls']],
    ['listing', []],
  ] as const) {
    withSwaks(`the ${listener} listener takes the message that the others are made from ${flags.join()}${obstacle}`, async () => {
      const before = await inboxTotal()
      const { code, stdout } = await swaks(portOf(listener), '127.100.0.1', flags)
      expect(stdout).toMatch(/^<[-~] {2}250 2\.0\.0 /m)
      expect(code, stdout).toBe(0)
      expect(await inboxTotal()).toBe(before + 1)
    })
  }

  rows.forEach(({ refusal, told, swaks: more, from, listener, stored = 0, before: taken = 0 }, at) => {
    // Neighbours are judged by each other: each row has a network of its own.
    const peer = from ?? `127.${at + 10}.0.1`
    withSwaks(`${refusal}: ${told}${obstacle}`, async () => {
      for (let sent = 0; sent < taken; sent += 1) expect((await swaks(portOf(listener), peer)).code).toBe(0)
      const before = await inboxTotal()
      const { code, stdout } = await swaks(portOf(listener), peer, more)
      expect(stdout.split('\n').filter((line) => line.startsWith(`<** ${told} `)), stdout).not.toEqual([])
      expect(code === 0, stdout).toBe(stored > 0)
      expect(await inboxTotal()).toBe(before + stored)
    })
  })

  withSwaks(`one connection more than may come in a minute: 421 4.7.0${obstacle}`, async () => {
    // The minute may be over in the middle of it: then as many more pass.
    let last = await swaks(portOf(), '127.102.0.1', ['--quit-after', 'EHLO'])
    for (let made = 1; made <= 2 * CONNECTIONS && last.code === 0; made += 1) last = await swaks(portOf(), '127.102.0.1', ['--quit-after', 'EHLO'])
    expect(last.stdout).toMatch(/^<\*\* 421 4\.7\.0 /m)
  })

  for (const [what, octets, told] of [
    ['a bare LF in the data', 'Subject: s\r\n\r\none\ntwo\r\n.\r\nQUIT\r\n', '554 5.6.0'],
    ['a bare CR in the data', 'Subject: s\r\n\r\none\rtwo\r\n.\r\nQUIT\r\n', '554 5.6.0'],
  ] as const) {
    it(`${what}: ${told}, and nothing more`, async () => {
      const before = await inboxTotal()
      const lines = await talk(portOf(), 'EHLO mx.good.example\r\nMAIL FROM:<a@good.example>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n', octets)
      expect(lines.at(-1)).toMatch(new RegExp(`^${told.replaceAll('.', '\\.')} `))
      expect(lines.filter((line) => line.startsWith('554'))).toHaveLength(1)
      expect(await inboxTotal()).toBe(before)
    })
  }

  it('a size announced that is too large: 552 5.3.4, at MAIL', async () => {
    const lines = await talk(portOf(), 'EHLO mx.good.example\r\nMAIL FROM:<a@good.example> SIZE=65537\r\nQUIT\r\n')
    expect(lines.at(-2)).toMatch(/^552 5\.3\.4 /)
  })
})

/** Sends commands, and data when it is asked for. @returns all lines that come until the server closes */
async function talk(port: number, commands: string, data = ''): Promise<readonly string[]> {
  const client = await LineClient.connect(port)
  try {
    const lines = [await client.line()]
    client.send(commands)
    for (let line = await client.line(); line !== undefined; line = await client.line()) {
      lines.push(line)
      if (line.startsWith('354 ')) client.send(data)
    }
    return lines.map(String)
  } finally {
    client.destroy()
  }
}
