import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { duplexPair, type Duplex } from 'node:stream'
import { connect as connectTls, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { ConversationEnd } from '@postern/core/conversation'
import type { Clock } from '@postern/core/host'
import { afterEach, describe, expect, test } from 'vitest'
import { listenSmtp, serveSmtp, type ServerTls, type SmtpConversation, type SmtpListener, type SmtpListenOptions } from '../../src/node/index.ts'
import { createSmtpServerEngine, type SmtpServerEngineOptions } from '../../src/server/index.ts'
import { createTestAuthenticator, RecordingBackend } from '../recording-backend.ts'
import { cert, key } from './certificate.ts'

const context = createSecureContext({ key, cert, minVersion: 'TLSv1.2' })
const authenticator = await createTestAuthenticator()

/** The machine's time; `scale` makes the long waits of a test short. */
function clockOf(scale = 1): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    timer(ms, fire) {
      const timer = setTimeout(fire, ms * scale)
      return { cancel: () => clearTimeout(timer) }
    },
  }
}

interface Server {
  readonly listener: SmtpListener
  readonly backend: RecordingBackend
  readonly ends: Promise<ConversationEnd>[]
  readonly conversations: SmtpConversation[]
}

const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(options: Partial<SmtpListenOptions> = {}, engine: Partial<SmtpServerEngineOptions> = {}): Promise<Server> {
  const backend = new RecordingBackend({ authenticator })
  const conversations: SmtpConversation[] = []
  const ends: Promise<ConversationEnd>[] = []
  const listener = await listenSmtp({
    listen: { host: '127.0.0.1', port: 0 },
    clock: clockOf(),
    createEngine: (connection, id) =>
      createSmtpServerEngine({
        backend,
        hostname: 'mail.example.org',
        mode: 'mx',
        tls: options.tls?.mode === 'starttls' ? 'available' : 'none',
        id,
        connection,
        ...engine,
      }),
    onConversation: (conversation) => {
      conversations.push(conversation)
      ends.push(conversation.ended)
    },
    ...options,
  })
  closers.push(() => listener.close())
  return { listener, backend, ends, conversations }
}

/** A client that reads replies one at a time. */
class Client {
  stream: Duplex
  #text = ''
  #closed = false
  #wake: () => void = () => {}

  constructor(stream: Duplex) {
    this.stream = stream
    this.#listen()
  }

  static tcp(port: number): Client {
    const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
    closers.push(() => void socket.destroy())
    return new Client(socket)
  }

  static tls(port: number, options: ConnectionOptions = {}): Client {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    closers.push(() => void socket.destroy())
    return new Client(socket)
  }

  #listen(): void {
    this.stream.on('error', () => {})
    this.stream.on('data', (octets: Buffer) => {
      this.#text += octets.toString('latin1')
      this.#wake()
    })
    for (const event of ['end', 'close']) {
      this.stream.on(event, () => {
        this.#closed = true
        this.#wake()
      })
    }
  }

  /** Sends text, and gives the first line of the reply to its last command. */
  async say(text: string, code: string): Promise<string> {
    this.stream.write(text, 'latin1')
    return this.hear(code)
  }

  /** Waits for the last line of a reply that begins with `code`; what came before it is dropped. */
  async hear(code: string): Promise<string> {
    for (;;) {
      const match = new RegExp(`^${code} .*\\r\\n`, 'm').exec(this.#text)
      if (match !== null) {
        this.#text = this.#text.slice(match.index + match[0].length)
        return match[0].trimEnd()
      }
      if (this.#closed) throw new Error(`Closed after ${this.#text}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async closed(): Promise<string> {
    while (!this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#text
  }

  /** Goes on under TLS. */
  upgrade(): Promise<TLSSocket> {
    const plain = this.stream as Socket
    plain.removeAllListeners('data')
    plain.removeAllListeners('end')
    const secured = connectTls({ socket: plain, rejectUnauthorized: false, servername: 'mail.example.org' })
    this.stream = secured
    this.#listen()
    return new Promise((resolve, reject) => {
      secured.once('secureConnect', () => resolve(secured))
      secured.once('error', reject)
    })
  }
}

const starttls: ServerTls & { readonly mode: 'starttls' } = { mode: 'starttls', secureContext: () => context }
const implicit: ServerTls & { readonly mode: 'implicit' } = { mode: 'implicit', secureContext: () => context }
const transaction = 'EHLO a.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n'

describe('listenSmtp', () => {
  test('takes a message in', async () => {
    const { listener, backend, ends } = await serve()
    const client = Client.tcp(listener.port)
    await client.hear('220')
    await client.say(transaction, '354')
    await client.say(`Subject: x\r\n\r\n${'line of text\r\n'.repeat(20_000)}.\r\n`, '250')
    await client.say('QUIT\r\n', '221')
    client.stream.end()
    expect(await ends[0]).toMatchObject({ reason: 'quit' })
    expect(backend.messages[0]?.octets.length).toBe(14 + 20_000 * 14)
    expect(backend.messages[0]?.peer.connection).toMatchObject({ remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: listener.port })
    expect(listener.connectionCount).toBe(0)
  })

  test('answers a client that has closed its side after its last command', async () => {
    const { listener, backend } = await serve()
    const client = Client.tcp(listener.port)
    await client.hear('220')
    client.stream.end(`${transaction}text\r\n.\r\nQUIT\r\n`)
    await client.hear('250 2.0.0 Stored'.slice(0, 3))
    expect(await client.closed()).toMatch(/221 2\.0\.0 Bye\r\n$/)
    expect(backend.messages).toHaveLength(1)
  })

  test('keeps nothing of a message whose connection was reset', async () => {
    const { listener, backend, ends } = await serve()
    const client = Client.tcp(listener.port)
    await client.hear('220')
    await client.say(transaction, '354')
    client.stream.write('half a message\r\n')
    await new Promise((resolve) => setImmediate(resolve))
    ;(client.stream as Socket).resetAndDestroy()
    // Some kernels tell a reset, others an end, when octets were on their way.
    expect(['reset', 'peer-closed']).toContain((await ends[0])?.reason)
    expect(backend.messages).toHaveLength(0)
    expect(backend.aborted).toBe(1)
  })

  test('survives resets at any point', async () => {
    const { listener } = await serve({ tls: starttls })
    for (const text of ['', 'EHLO a.example.com\r\n', 'EHLO a.example.com\r\nSTARTTLS\r\n', transaction, `${transaction}text\r\n.\r\n`]) {
      const client = Client.tcp(listener.port)
      await client.hear('220')
      client.stream.write(text)
      ;(client.stream as Socket).resetAndDestroy()
    }
    const client = Client.tcp(listener.port)
    await client.hear('220')
    expect(await client.say('QUIT\r\n', '221')).toBe('221 2.0.0 Bye')
  })

  test('refuses connections beyond its limit, and takes them again afterwards', async () => {
    const { listener, ends } = await serve({ maxConnections: 1 })
    const first = Client.tcp(listener.port)
    await first.hear('220')
    const second = Client.tcp(listener.port)
    expect(await second.closed()).toMatch(/^421 4\.7\.0 Too many connections \(\w+\)\r\n$/)
    await first.say('QUIT\r\n', '221')
    first.stream.end()
    await ends[0]
    const third = Client.tcp(listener.port)
    await third.hear('220')
  })

  test('asks before anything is spent on a connection', async () => {
    const asked: unknown[] = []
    const { listener } = await serve({
      admit: (connection) => {
        asked.push(connection.remoteAddress)
        return false
      },
    })
    expect(await Client.tcp(listener.port).closed()).toMatch(/^421 4\.7\.0 Too many connections \(\w+\)\r\n$/)
    expect(asked).toEqual(['127.0.0.1'])
  })

  test('closes: idle conversations hear why, transactions may finish', async () => {
    const { listener, backend } = await serve()
    const idle = Client.tcp(listener.port)
    await idle.hear('220')
    const busy = Client.tcp(listener.port)
    await busy.hear('220')
    await busy.say(transaction, '354')
    const closed = listener.close({ drainMs: 20_000 })
    expect(await idle.closed()).toBe('421 4.3.2 Shutting down (ID)\r\n'.replace('ID', /\((\w+)\)/.exec(await idle.closed())?.[1] ?? ''))
    idle.stream.end()
    await busy.say('text\r\n.\r\n', '250')
    await busy.hear('421')
    busy.stream.end()
    await closed
    expect(backend.messages).toHaveLength(1)
    await expect(Client.tcp(listener.port).hear('220')).rejects.toThrow()
  })

  test('closes at once what does not end in time', async () => {
    const { listener, backend } = await serve()
    const busy = Client.tcp(listener.port)
    await busy.hear('220')
    await busy.say(transaction, '354')
    await listener.close({ drainMs: 10 })
    expect(backend.messages).toHaveLength(0)
    expect(backend.aborted).toBe(1)
  })

  test('rejects when it can not listen', async () => {
    const { listener } = await serve()
    await expect(serve({ listen: { host: '127.0.0.1', port: listener.port } })).rejects.toThrow(/EADDRINUSE/)
  })

  test('gives each conversation one id, in its engine and outside', async () => {
    const { listener, conversations } = await serve({ newId: () => 'my-id' })
    const client = Client.tcp(listener.port)
    await client.hear('220')
    expect(await client.say('NOOP\r\nXYZZY\r\n', '500')).toBe('500 5.5.1 Unknown command (my-id)')
    expect(conversations[0]?.id).toBe('my-id')
  })

  test('an engine that can not be made ends its connection only', async () => {
    const { listener, ends } = await serve({
      createEngine: () => {
        throw new Error('broken')
      },
    })
    expect(await Client.tcp(listener.port).closed()).toBe('')
    expect(await ends[0]).toMatchObject({ reason: 'fault', error: new Error('broken') })
  })
})

describe('TLS', () => {
  test('STARTTLS, and a login under it', async () => {
    const { listener, backend } = await serve({ tls: starttls }, { mode: 'submission' })
    const client = Client.tcp(listener.port)
    await client.hear('220')
    await client.say('EHLO a.example.com\r\n', '250')
    await client.say('STARTTLS\r\n', '220')
    await client.upgrade()
    await client.say('EHLO a.example.com\r\nAUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQ=\r\n', '235')
    await client.say(transaction, '354')
    await client.say('Subject: x\r\n.\r\n', '250')
    await client.say('QUIT\r\n', '221')
    expect(backend.messages[0]?.peer).toMatchObject({
      account: 'mjl',
      connection: { remoteAddress: '127.0.0.1', tls: { protocol: 'TLSv1.3', serverName: 'mail.example.org' } },
    })
    expect(backend.messages[0]?.peer.connection.tls?.cipher).toMatch(/^TLS_/)
  })

  test('TLS from the start', async () => {
    const { listener, backend } = await serve({ tls: implicit }, { mode: 'submission' })
    const client = Client.tls(listener.port, { ALPNProtocols: ['smtp'] })
    await client.hear('220')
    await client.say('EHLO a.example.com\r\nAUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQ=\r\n', '235')
    await client.say(`${transaction}`, '354')
    await client.say(`${'x'.repeat(70)}\r\n`.repeat(20_000) + '.\r\n', '250')
    expect(backend.messages[0]?.octets.length).toBe(72 * 20_000)
    expect((client.stream as TLSSocket).alpnProtocol).toBe('smtp')
  })

  test('a client that wants another protocol is refused', async () => {
    const { listener, ends } = await serve({ tls: implicit })
    const socket = connectTls({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve))
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    expect(await ends[0]).toMatchObject({ reason: 'tls' })
  })

  test('a certificate may be chosen by name', async () => {
    const asked: string[] = []
    const { listener } = await serve({
      tls: {
        ...implicit,
        selectContext: (name) => {
          asked.push(name)
          return undefined
        },
      },
    })
    const client = Client.tls(listener.port, { servername: 'localhost' })
    await client.hear('220')
    expect(asked).toEqual(['localhost'])
  })

  test('something else than a handshake ends the connection only', async () => {
    const { listener, ends } = await serve({ tls: implicit })
    const client = Client.tcp(listener.port)
    client.stream.write('GET / HTTP/1.1\r\n\r\n')
    await client.closed()
    expect(await ends[0]).toMatchObject({ reason: 'tls' })
  })

  test('something else than a handshake after STARTTLS, too', async () => {
    const { listener, ends } = await serve({ tls: starttls })
    const client = Client.tcp(listener.port)
    await client.hear('220')
    await client.say('EHLO a.example.com\r\n', '250')
    await client.say('STARTTLS\r\n', '220')
    client.stream.write('MAIL FROM:<a@example.com>\r\n')
    await client.closed()
    expect(await ends[0]).toMatchObject({ reason: 'tls' })
  })

  test('a handshake that never comes is not waited for', async () => {
    const { listener, ends } = await serve({ tls: { ...implicit, handshakeTimeoutMs: 20 } })
    const client = Client.tcp(listener.port)
    await client.closed()
    expect(await ends[0]).toMatchObject({ reason: 'tls', error: new Error('TLS handshake took too long') })
  })

  test('a record that is broken ends the conversation', async () => {
    const { listener, ends } = await serve({ tls: starttls })
    const client = Client.tcp(listener.port)
    const plain = client.stream as Socket
    await client.hear('220')
    await client.say('EHLO a.example.com\r\n', '250')
    await client.say('STARTTLS\r\n', '220')
    await client.upgrade()
    await client.say('EHLO a.example.com\r\n', '250')
    // Past the client's TLS, straight onto the wire: an application record nobody encrypted.
    const handle = (plain as unknown as { readonly _handle: { writeLatin1String(request: object, text: string): number } | null })._handle
    expect(handle).not.toBeNull()
    const { WriteWrap } = (process as unknown as { binding(name: string): { WriteWrap: new () => object } }).binding('stream_wrap')
    handle?.writeLatin1String(new WriteWrap(), '\x17\x03\x03\x00\x20' + 'x'.repeat(32))
    expect(['reset', 'peer-closed']).toContain((await ends[0])?.reason)
  })

  test('a listener that closes does not wait for handshakes', async () => {
    const { listener, ends } = await serve({ tls: implicit })
    const client = Client.tcp(listener.port)
    while (listener.connectionCount === 0) await new Promise((resolve) => setImmediate(resolve))
    await listener.close({ drainMs: 60_000 })
    expect(await ends[0]).toMatchObject({ reason: 'tls' })
    await client.closed()
  })
})

describe('serveSmtp', () => {
  test('serves any duplex, TLS from STARTTLS included', async () => {
    const [ours, theirs] = duplexPair()
    const backend = new RecordingBackend()
    const ended = serveSmtp(ours, {}, {
      clock: clockOf(),
      tls: starttls,
      createEngine: (connection) =>
        createSmtpServerEngine({ backend, hostname: 'mail.example.org', mode: 'mx', tls: 'available', id: 'id1', connection }),
    })
    const relay = createServer((socket) => void socket.pipe(theirs).pipe(socket))
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
    closers.push(() => void relay.close())
    const client = Client.tcp((relay.address() as AddressInfo).port)
    await client.hear('220')
    await client.say('EHLO a.example.com\r\n', '250')
    await client.say('STARTTLS\r\n', '220')
    await client.upgrade()
    await client.say(transaction, '354')
    await client.say('Subject: x\r\n.\r\n', '250')
    await client.say('QUIT\r\n', '221')
    client.stream.end()
    expect(await ended).toMatchObject({ reason: 'quit' })
    expect(backend.messages[0]?.peer.connection).toMatchObject({ tls: { protocol: 'TLSv1.3' } })
  })

  test('a peer that stops talking is told so', async () => {
    const [ours, theirs] = duplexPair()
    const ended = serveSmtp(ours, {}, {
      clock: clockOf(0.0001),
      createEngine: (connection) =>
        createSmtpServerEngine({ backend: new RecordingBackend(), hostname: 'mail.example.org', mode: 'mx', id: 'id1', connection }),
    })
    const client = new Client(theirs)
    expect(await client.hear('421')).toBe('421 4.4.2 Timed out (id1)')
    expect(await ended).toMatchObject({ reason: 'timeout' })
  })
})
