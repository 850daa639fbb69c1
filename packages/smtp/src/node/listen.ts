/** Accepts SMTP connections on a socket and serves each. The one file of the server that knows `node:net`. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { parseIpAddress } from '@postern/core/address'
import type { ConversationControl, ConversationEnd, Engine } from '@postern/core/conversation'
import { type ConnectionInfo, type Logger, silentLogger } from '@postern/core/host'
import { tooManyConnections } from '../syntax/reply-codes.ts'
import { encodeReply } from '../syntax/reply-octets.ts'
import { serveSmtp, type SmtpServeOptions } from './serve.ts'

/** Where to listen: a port (0 for a free one), a socket opened by a parent process, or a path in the file system. */
export type SmtpListenAt =
  | { readonly port: number; readonly host?: string }
  | { readonly fd: number }
  | { readonly path: string }

/** A listener's settings. */
export interface SmtpListenOptions extends Omit<SmtpServeOptions, 'createEngine'> {
  readonly listen: SmtpListenAt
  /** Makes the engine of a conversation. @param id of the conversation, for the engine, logs and events alike */
  readonly createEngine: (connection: ConnectionInfo, id: string) => Engine
  /** Makes ids: printable ASCII, unique in the process. Default: the time and a counter, in base 36. */
  readonly newId?: () => string
  readonly logger?: Logger
  /** LIMIT: connections open at a time, handshakes included; further ones hear 421. Default 1,000. */
  readonly maxConnections?: number
  /** Asked of each connection before anything is spent on it; one it refuses hears 421. */
  readonly admit?: (connection: ConnectionInfo) => boolean
  /** Told of each conversation, once it has begun. */
  readonly onConversation?: (conversation: SmtpConversation) => void
}

/** One conversation under way. */
export interface SmtpConversation extends ConversationControl {
  readonly id: string
  readonly connection: ConnectionInfo
  /** Settles when it is over; never rejects. */
  readonly ended: Promise<ConversationEnd>
}

/** A socket that accepts connections. */
export interface SmtpListener {
  /** The address listened on, or the path. */
  readonly address: string
  /** 0 for a path. */
  readonly port: number
  /** Connections open now. */
  readonly connectionCount: number
  /**
   * Accepts no more, asks each conversation to end at its next pause, and breaks off what is left after `drainMs`
   * (default 0). Resolves when nothing is left; further calls only shorten the wait.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

/** Begins to listen. Rejects when it can't: the port is taken, or not ours to take. */
export async function listenSmtp(options: SmtpListenOptions): Promise<SmtpListener> {
  const listener = new Listener(options)
  await listener.start()
  return listener
}

class Listener implements SmtpListener {
  readonly #options: SmtpListenOptions
  readonly #logger: Logger
  readonly #server: Server
  /** Open connections, and how to end each. */
  readonly #open = new Map<Socket, { control: ConversationControl | undefined; ended: Promise<unknown> }>()
  #isClosing = false
  address = ''
  port = 0

  constructor(options: SmtpListenOptions) {
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    // Half-open: a client that closes its side after its last command still gets its replies.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => this.#accept(socket))
  }

  get connectionCount(): number {
    return this.#open.size
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.listen, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#logger.error({ err: error }, 'SMTP listener failed'))
        const address = this.#server.address() as AddressInfo | string | null
        this.address = typeof address === 'string' ? address : (address?.address ?? '')
        this.port = typeof address === 'string' ? 0 : (address?.port ?? 0)
        resolve()
      })
    })
  }

  async close({ drainMs = 0 }: { readonly drainMs?: number } = {}): Promise<void> {
    const closed = this.#isClosing
      ? undefined
      : new Promise<void>((resolve) => {
          this.#server.close(() => resolve())
        })
    this.#isClosing = true
    for (const [socket, { control }] of this.#open) {
      if (control === undefined) socket.destroy()
      else control.stop()
    }
    const timer = this.#options.clock.timer(drainMs, () => {
      for (const [socket, { control }] of this.#open) {
        control?.destroy()
        socket.destroy()
      }
    })
    await Promise.all(Array.from(this.#open.values(), ({ ended }) => ended))
    timer.cancel()
    await closed
  }

  #accept(socket: Socket): void {
    const connection = connectionInfo(socket)
    const { maxConnections = 1_000, admit, createEngine, newId = nextId } = this.#options
    const id = newId()
    if (this.#isClosing || this.#open.size >= maxConnections || admit?.(connection) === false) {
      this.#logger.debug({ id, remoteAddress: connection.remoteAddress }, 'SMTP connection refused')
      return refuse(socket, this.#options.tls?.mode === 'implicit', id)
    }
    const entry: { control: ConversationControl | undefined; ended: Promise<unknown> } = {
      control: undefined,
      ended: Promise.resolve(),
    }
    this.#open.set(socket, entry)
    const options = { ...this.#options, createEngine: (info: ConnectionInfo) => createEngine(info, id) }
    const ended = serveSmtp(socket, connection, options, (control) => {
      entry.control = control
      if (this.#isClosing) control.stop()
    }).then((end) => {
      this.#open.delete(socket)
      this.#log(id, connection, end)
      return end
    })
    entry.ended = ended
    this.#options.onConversation?.({
      id,
      connection,
      ended,
      stop: () => (entry.control === undefined ? socket.destroy() : entry.control.stop()),
      destroy: () => (entry.control === undefined ? socket.destroy() : entry.control.destroy()),
    })
  }

  #log(id: string, connection: ConnectionInfo, { reason, octetsIn, octetsOut, error }: ConversationEnd): void {
    const fields = { id, remoteAddress: connection.remoteAddress, reason, octetsIn, octetsOut, err: error }
    if (reason === 'fault') this.#logger.error(fields, 'SMTP conversation ended by a fault')
    else this.#logger.debug(fields, 'SMTP conversation ended')
  }
}

let idCount = 0

function nextId(): string {
  idCount += 1
  return `${Date.now().toString(36)}${idCount.toString(36).padStart(4, '0')}`
}

/** Costs a packet, and no TLS: under TLS from the start there is nothing a refused client would understand. */
function refuse(socket: Socket, isSilent: boolean, id: string): void {
  socket.on('error', () => socket.destroy())
  if (isSilent) {
    socket.destroy()
    return
  }
  // Whatever the peer sends is not read; the reply leaves before the connection is reset.
  socket.end(encodeReply(tooManyConnections, id, () => {}), () => socket.destroy())
}

function connectionInfo(socket: Socket): ConnectionInfo {
  const { remotePort, localPort } = socket
  const remoteAddress = addressText(socket.remoteAddress)
  const localAddress = addressText(socket.localAddress)
  return {
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(remotePort === undefined ? {} : { remotePort }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  }
}

/** Without zone; IPv4 addresses as themselves, not mapped into IPv6. */
function addressText(address: string | undefined): string | undefined {
  return address === undefined ? undefined : parseIpAddress(address.replace(/%.*$/, ''))?.text
}
