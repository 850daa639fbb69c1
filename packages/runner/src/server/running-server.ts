/** A mail server at work: its listeners, its conversations, its end. */
import type { Duplex } from 'node:stream'
import { parseForwardPath } from '@postern/core/address'
import type { ConversationControl, ConversationEnd } from '@postern/core/conversation'
import type { Metrics, Random } from '@postern/core/host'
import type { MailStore } from '@postern/core/store'
import { serveImap } from '@postern/imap/node'
import { serveSmtp } from '@postern/smtp/node'
import type { HashingWorker } from '../host/hashing-worker.ts'
import type { ServerAccounts } from './accounts.ts'
import type { ConnectionIds } from './connection-ids.ts'
import { createImapEngine, createSmtpEngine } from './engines.ts'
import type { EventName, MailEvents, Protocol } from './events.ts'
import { bindListeners, type Listener, type ListenerHost, type SmtpService } from './listeners.ts'
import type { JunkService } from './junk-service.ts'
import type { MessageThread } from './message-thread.ts'
import type { CloseReport, Endpoint, MailServer, SmtpReply, StreamInfo } from './mail-server.ts'
import { MailServerError } from './mail-server-error.ts'
import type { MessageInput } from './message-input.ts'
import type { MailBackend } from './smtp-backend.ts'
import { KeptReports } from './reports.ts'
import { receiveMessage, type TextEnvelope } from './receive-message.ts'

/** All a server is made of. */
export interface ServerParts extends Omit<ListenerHost, 'newId' | 'began' | 'backendOf'> {
  /** What `metrics` counts into. */
  readonly registry: Metrics
  /** Stops what is measured all the time. */
  readonly stopWatching: () => void
  readonly random: Random
  readonly hasher: HashingWorker
  readonly accounts: ServerAccounts
  /** Makes the backend of a listener; of streams that came by none, without settings; or of mail the host application vouches for. */
  readonly createBackend: (from: SmtpService | undefined | 'host') => MailBackend
  readonly connectionIds: ConnectionIds
  /** The filter of content. */
  readonly junk: JunkService
  /** Asked of the domain name system; closed with the server when it is ours. */
  readonly thread: MessageThread
  readonly closeResolver: () => Promise<void>
}

/** A conversation on a stream that came from no listener of ours. */
interface GivenStream extends ConversationControl {
  readonly ended: Promise<ConversationEnd>
}

const DEFAULT_DRAIN_MS = 10_000

export class RunningServer implements MailServer {
  readonly #parts: ServerParts
  readonly reports: KeptReports
  readonly metrics: MailServer['metrics']
  #state: MailServer['state'] = 'created'
  #listeners: readonly Listener[] = []
  readonly #streams = new Set<GivenStream>()
  readonly #backends = new Map<SmtpService | undefined | 'host', MailBackend>()
  #closing: Promise<CloseReport> | undefined

  constructor(parts: ServerParts) {
    this.#parts = parts
    this.reports = new KeptReports(parts.store.reports)
    this.metrics = readable(parts.registry)
  }

  get state(): MailServer['state'] {
    return this.#state
  }

  get endpoints(): readonly Endpoint[] {
    return this.#listeners.map(({ endpoint }) => endpoint)
  }

  get accounts(): ServerAccounts {
    return this.#parts.accounts
  }

  get store(): MailStore {
    return this.#parts.store
  }

  async listen(): Promise<readonly Endpoint[]> {
    if (this.#state !== 'created') throw new MailServerError('NOT_OPEN', `The server is ${this.#state}`)
    this.#state = 'listening'
    try {
      this.#listeners = await bindListeners({
        ...this.#parts,
        newId: () => this.#newId(),
        backendOf: (settings) => this.#backendOf(settings),
        began: (id, protocol, { remoteAddress }, ended) => {
          this.#parts.events.emit('connection', { id, protocol, remoteAddress })
          void ended.then((end) => {
            this.#parts.admission.left(protocol, remoteAddress)
            this.#ended(id, protocol, end)
          })
        },
      })
    } catch (error) {
      this.#state = 'created'
      throw error
    }
    return this.endpoints
  }

  close(options: { readonly drain?: number } = {}): Promise<CloseReport> {
    this.#closing ??= this.#close(options.drain ?? DEFAULT_DRAIN_MS)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async handleSmtp(stream: Duplex, info: StreamInfo = {}): Promise<void> {
    const { clock, config } = this.#parts
    await this.#serve('smtp', info, (id, onStart) =>
      serveSmtp(stream, info, { createEngine: (connection) => createSmtpEngine(this.#parts, { backend: this.#backendOf(undefined), hostname: config.hostname }, connection, id), clock }, onStart),
    )
  }

  async handleImap(stream: Duplex, info: StreamInfo = {}): Promise<void> {
    const { clock, config } = this.#parts
    // Whoever hands a stream over answers for its way here.
    const settings = { hostname: config.hostname, tls: false, plainAllowed: true }
    await this.#serve('imap', info, (id, onStart) =>
      serveImap(stream, info, { createEngine: (connection) => createImapEngine(this.#parts, settings, 'imap', connection, id), clock }, onStart),
    )
  }

  async receive(message: MessageInput, envelope: TextEnvelope): Promise<SmtpReply> {
    this.#mustBeOpen()
    const { config, random, clock } = this.#parts
    const backend = this.#backendOf(envelope.remoteIp === undefined ? 'host' : undefined)
    const id = this.#newId()
    try {
      return await receiveMessage(message, envelope, backend, { hostname: config.hostname, random, now: clock.now(), id })
    } finally {
      backend.ended(id)
    }
  }

  on<E extends EventName>(event: E, listener: (told: MailEvents[E]) => void): () => void {
    return this.#parts.events.on(event, listener)
  }

  once<E extends EventName>(event: E, options?: { readonly signal?: AbortSignal; readonly where?: (told: MailEvents[E]) => boolean }): Promise<MailEvents[E]> {
    return this.#parts.events.once(event, options)
  }

  events<E extends EventName>(event: E, options?: { readonly signal?: AbortSignal; readonly buffer?: number }): AsyncIterableIterator<MailEvents[E]> {
    return this.#parts.events.events(event, options)
  }

  /** Account that gets mail for an address, if any. @throws {AddressSyntaxError} */
  findAccount(address: string): string | undefined {
    const found = this.#parts.accounts.directory.findRecipient(parseForwardPath(`<${address}>`, { utf8: true }))
    return found.kind === 'account' ? found.destination.account : undefined
  }

  async #serve(protocol: Protocol, info: StreamInfo, serve: (id: string, onStart: (control: ConversationControl) => void) => Promise<ConversationEnd>): Promise<void> {
    this.#mustBeOpen()
    const id = this.#newId()
    this.#parts.events.emit('connection', { id, protocol, remoteAddress: info.remoteAddress })
    let given: GivenStream | undefined
    const ended: Promise<ConversationEnd> = serve(id, (control) => {
      given = { stop: () => control.stop(), destroy: () => control.destroy(), ended: Promise.resolve().then(() => ended) }
      this.#streams.add(given)
    })
    const end = await ended
    if (given !== undefined) this.#streams.delete(given)
    this.#ended(id, protocol, end)
  }

  #ended(id: string, protocol: Protocol, { reason, octetsIn, octetsOut, error }: ConversationEnd): void {
    if (reason === 'fault' && error !== undefined) this.#parts.events.emit('error', { error, where: `${protocol} conversation ${id}` })
    if (protocol === 'smtp') for (const backend of this.#backends.values()) backend.ended(id)
    this.#parts.events.emit('connection-end', { id, protocol, reason, octetsIn, octetsOut })
  }

  async #close(drainMs: number): Promise<CloseReport> {
    const { clock, store, hasher, events } = this.#parts
    const started = clock.monotonic()
    this.#state = 'draining'
    let forced = 0
    let drained = false
    const stopCounting = events.on('connection-end', () => {
      if (drained) forced += 1
    })
    const timer = clock.timer(drainMs, () => {
      drained = true
      for (const stream of this.#streams) stream.destroy()
    })
    for (const stream of this.#streams) stream.stop()
    await Promise.all([...this.#listeners.map((listener) => listener.close({ drainMs })), ...Array.from(this.#streams, ({ ended }) => ended)])
    timer.cancel()
    // The last conversations tell of their end in a turn of their own.
    await new Promise((resolve) => setImmediate(resolve))
    stopCounting()
    await this.#parts.junk.close()
    await this.#parts.thread.close()
    await store.close()
    await hasher.close()
    await this.#parts.closeResolver()
    this.#parts.stopWatching()
    this.#listeners = []
    this.#state = 'closed'
    events.close()
    return { forced, durationMs: Math.round(clock.monotonic() - started) }
  }

  #backendOf(from: SmtpService | undefined | 'host'): MailBackend {
    let backend = this.#backends.get(from)
    if (backend === undefined) this.#backends.set(from, (backend = this.#parts.createBackend(from)))
    return backend
  }

  #mustBeOpen(): void {
    if (this.#state === 'draining' || this.#state === 'closed') throw new MailServerError('NOT_OPEN', `The server is ${this.#state}`)
  }

  #newId(): string {
    return this.#parts.connectionIds.next()
  }
}

/** Metrics that can be read, empty where they are kept elsewhere. */
function readable(registry: Metrics): MailServer['metrics'] {
  return {
    counter: (metric) => registry.counter(metric),
    gauge: (metric) => registry.gauge(metric),
    histogram: (metric) => registry.histogram(metric),
    beforeReading: (look) => registry.beforeReading?.(look) ?? (() => {}),
    text: async () => (await registry.text?.()) ?? '',
  }
}
