import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls'
import { createMemoryStore } from '@postern/core/conformance'
import type { Clock } from '@postern/core/host'
import type { AccountStore } from '@postern/core/store'
import { ImapFlow } from 'imapflow'
import { afterEach, describe, expect, test } from 'vitest'
import { createImapServerEngine } from '../../src/engine/index.ts'
import { listenImap, type ImapConversation, type ImapListener, type ImapListenOptions } from '../../src/node/index.ts'
import { plainAuthenticator } from '../imap-harness.ts'
import { cert, key } from './certificate.ts'

const context = createSecureContext({ key, cert, minVersion: 'TLSv1.2' })
const starttls = { mode: 'starttls', secureContext: () => context } as const
const implicit = { mode: 'implicit', secureContext: () => context } as const

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(ms, fire) {
    const timer = setTimeout(fire, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}

interface Server {
  readonly listener: ImapListener
  readonly account: AccountStore
  readonly conversations: readonly ImapConversation[]
}

const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function serve(options: Partial<ImapListenOptions> = {}, plainAllowed = false): Promise<Server> {
  const store = createMemoryStore()
  const account = await store.createAccount('ann')
  const conversations: ImapConversation[] = []
  const listener = await listenImap({
    listen: { host: '127.0.0.1', port: 0 },
    clock,
    createEngine: (connection, id) =>
      createImapServerEngine({
        id,
        connection,
        hostname: 'mail.example.org',
        tls: options.tls?.mode === 'starttls',
        plainAllowed,
        authenticator: plainAuthenticator,
        login: async (name) => (await store.account(name)) as AccountStore,
      }),
    onConversation: (conversation) => conversations.push(conversation),
    ...options,
  })
  closers.push(() => listener.close())
  return { listener, account, conversations }
}

/** imapflow, as its users use it. */
async function connect(port: number, secure: boolean): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port,
    secure,
    auth: { user: 'ann', pass: 'secret' },
    tls: { rejectUnauthorized: false, servername: 'mail.example.org' },
    logger: false,
  })
  client.on('error', () => {})
  closers.push(() => client.close())
  await client.connect()
  return client
}

/** A socket and all it hears. */
class Listening {
  readonly stream: Socket
  text = ''
  #closed = false
  #wake: () => void = () => {}

  constructor(stream: Socket) {
    this.stream = stream
    closers.push(() => void stream.destroy())
    stream.on('error', () => {})
    stream.on('data', (octets: Buffer) => {
      this.text += octets.toString('latin1')
      this.#wake()
    })
    stream.on('close', () => {
      this.#closed = true
      this.#wake()
    })
    stream.on('end', () => {
      this.#closed = true
      this.#wake()
    })
  }

  async hear(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.#closed) throw new Error(`Closed after ${this.text}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async closed(): Promise<string> {
    while (!this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.text
  }
}

function plainly(port: number): Listening {
  return new Listening(connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true }))
}

const LETTER = 'From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n'

describe.each([
  ['STARTTLS', starttls],
  ['TLS from the start', implicit],
] as const)('imapflow over %s', (_, tls) => {
  test('lists, creates, appends, fetches, flags, moves and removes', async () => {
    const { listener, conversations } = await serve({ tls })
    const client = await connect(listener.port, tls.mode === 'implicit')
    expect(client.secureConnection).toBe(true)
    expect((await client.list()).map(({ path }) => path)).toEqual(['INBOX'])
    expect((await client.mailboxCreate('Entwürfe/Alt')).created).toBe(true)
    const appended = await client.append('INBOX', LETTER, ['\\Seen'], new Date('2023-09-10T12:00:00Z'))
    expect(appended).toMatchObject({ uid: 1 })
    const big = `Subject: big\r\n\r\n${'0123456789abcdef\r\n'.repeat(100_000)}`
    await client.append('INBOX', big)
    const mailbox = await client.mailboxOpen('INBOX')
    expect(mailbox).toMatchObject({ path: 'INBOX', exists: 2, uidNext: 3 })
    const letter = await client.fetchOne('1', { envelope: true, flags: true, source: true, uid: true, internalDate: true })
    if (letter === false) throw new Error('No such message')
    expect(letter.envelope?.subject).toBe('Grüße')
    expect(letter.flags).toEqual(new Set(['\\Recent', '\\Seen']))
    expect(letter.source?.toString()).toBe(LETTER)
    expect(letter.internalDate).toEqual(new Date('2023-09-10T12:00:00Z'))
    const large = await client.fetchOne('2', { source: true })
    expect(large === false ? '' : large.source?.toString()).toBe(big)
    expect(await client.search({ subject: 'grüße' })).toEqual([1])
    await client.messageFlagsAdd('2', ['\\Flagged', 'later'])
    await client.messageMove('1', 'Entwürfe/Alt')
    expect(await client.status('Entwürfe/Alt', { messages: true, unseen: true })).toMatchObject({ messages: 1, unseen: 0 })
    await client.messageDelete('1')
    expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 0 })
    await client.mailboxDelete('Entwürfe/Alt')
    await client.logout()
    expect((await conversations[0]?.ended)?.reason).toBe('quit')
  })

  test('hears of mail while it idles', async () => {
    const { listener, account } = await serve({ tls })
    const client = await connect(listener.port, tls.mode === 'implicit')
    await client.mailboxOpen('INBOX')
    const told = new Promise((resolve) => client.on('exists', resolve))
    const idling = client.idle()
    const spool = account.spool()
    await spool.write(Buffer.from(LETTER))
    await account.append('INBOX', [{ message: await spool.end(), flags: 0, keywords: [] }])
    expect(await told).toMatchObject({ path: 'INBOX', count: 1, prevCount: 0 })
    await client.noop()
    await idling
    await client.logout()
  })
})

describe('listenImap', () => {
  test('answers a client that has closed its side after its last command', async () => {
    const { listener } = await serve({}, true)
    const client = plainly(listener.port)
    client.stream.end('a LOGIN ann secret\r\nb SELECT INBOX\r\nc NOOP\r\n')
    expect(await client.closed()).toMatch(/\r\nc OK NOOP completed\r\n$/)
  })

  test('refuses connections beyond its limit', async () => {
    const { listener } = await serve({ maxConnections: 1 })
    const first = plainly(listener.port)
    await first.hear('ready')
    expect(await plainly(listener.port).closed()).toBe('* BYE [UNAVAILABLE] Too many connections, try later\r\n')
  })

  test('closes: conversations hear why', async () => {
    const { listener, conversations } = await serve({}, true)
    const idle = plainly(listener.port)
    idle.stream.write('a LOGIN ann secret\r\nb IDLE\r\n')
    await idle.hear('+ idling')
    const closed = listener.close({ drainMs: 20_000 })
    expect(await idle.closed()).toMatch(/\r\n\* BYE Server is shutting down\r\n$/)
    idle.stream.end()
    await closed
    expect(await conversations[0]?.ended).toMatchObject({ reason: 'shutdown' })
    expect(listener.connectionCount).toBe(0)
  })

  test('survives resets at any point', async () => {
    const { listener } = await serve({ tls: starttls }, true)
    for (const text of ['', 'a NOOP\r\n', 'a STARTTLS\r\n', 'a LOGIN ann secret\r\nb IDLE\r\n', 'a LOGIN ann secret\r\nb APPEND INBOX {99+}\r\nSubj']) {
      const client = plainly(listener.port)
      await client.hear('ready')
      client.stream.write(text)
      client.stream.resetAndDestroy()
    }
    const client = plainly(listener.port)
    client.stream.write('a LOGOUT\r\n')
    await client.hear('a OK LOGOUT completed')
  })

  test('octets sent in the clear behind STARTTLS are never taken as protected', async () => {
    const { listener, conversations } = await serve({ tls: starttls })
    const client = plainly(listener.port)
    await client.hear('ready')
    client.stream.write('a STARTTLS\r\nb LOGIN ann secret\r\n')
    expect(await client.closed()).not.toContain('b OK')
    expect(['protocol', 'tls']).toContain((await conversations[0]?.ended)?.reason)
  })

  test('speaks IMAP to clients that ask for it by ALPN, and to no others', async () => {
    const { listener } = await serve({ tls: implicit })
    const options = { port: listener.port, host: '127.0.0.1', rejectUnauthorized: false }
    const client = new Listening(connectTls({ ...options, ALPNProtocols: ['imap'] }))
    await client.hear('ready')
    expect((client.stream as TLSSocket).alpnProtocol).toBe('imap')
    const other = connectTls({ ...options, ALPNProtocols: ['h2'] })
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => other.once('error', resolve))
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  })
})
