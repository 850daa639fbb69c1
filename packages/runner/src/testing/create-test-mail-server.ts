/** A whole mail server for an application's tests: real protocols, a real store in a temporary directory, no configuration. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noAdmissionLimits, type AdmissionLimits } from '@postern/core/admission'
import type { ConfigInput } from '@postern/core/config'
import type { LogLevel } from '../host/log.ts'
import { createLogger } from '../host/log.ts'
import type { MailEvents } from '../server/events.ts'
import type { Accounts, SmtpReply } from '../server/mail-server.ts'
import type { MessageInput } from '../server/message-input.ts'
import type { RunningServer } from '../server/running-server.ts'
import { startMailServer } from '../server/start-mail-server.ts'
import { matches, type MessageMatch } from './message-match.ts'
import type { ParsedMessage } from './parsed-message.ts'
import { readMailbox, readMessage } from './read-messages.ts'
import { ScriptedFailures, type FailurePoint, type ScriptedFailure } from './scripted-failures.ts'
import { createTestClock, type TestClock } from './test-clock.ts'
import { createTestResolver, type TestResolver } from './test-resolver.ts'

export interface TestMailServerOptions {
  /** Default: the domains of the accounts' addresses. */
  readonly domains?: readonly string[]
  /** Default: one account `test`, password `test`, that gets mail for every address. */
  readonly accounts?: Readonly<Record<string, { readonly password?: string; readonly addresses?: readonly string[] }>>
  /** Whether the first account gets mail for addresses nobody has. Default: only when no accounts are given. */
  readonly acceptAll?: boolean
  /** Look into who sends, by the records of `dns`, as a server on the internet does. Default false: mail is taken from anybody. */
  readonly checkSenders?: boolean
  /** Default: one without records. */
  readonly dns?: TestResolver
  /** On connections, logins and deliveries by network. Default: none. */
  readonly limits?: Partial<AdmissionLimits>
  /** Default: a test clock that flows. */
  readonly clock?: TestClock
  /** Default `silent`. */
  readonly logLevel?: LogLevel
}

/** A listening mail server; `await using` closes it and removes its directory. */
export interface TestMailServer extends AsyncDisposable {
  readonly clock: TestClock
  /** What the server asks in place of the domain name system. */
  readonly dns: TestResolver
  /** `smtp://127.0.0.1:port`, ready for nodemailer; the same after a restart. */
  readonly smtpUrl: string
  /** `imap://127.0.0.1:port`; logins without TLS are taken. */
  readonly imapUrl: string
  readonly accounts: Accounts
  /** Messages in the inbox of the account that has the address, oldest first. Rejects when nobody has it. */
  inbox(address: string): Promise<readonly ParsedMessage[]>
  /**
   * The first message that matches and was not returned by an earlier `waitFor`, received already or yet to come.
   * Rejects after `timeout` milliseconds (default 5,000, of the machine's time), naming what came instead.
   */
  waitFor(match: MessageMatch, options?: { readonly timeout?: number; readonly signal?: AbortSignal }): Promise<ParsedMessage>
  /** Resolves when no message that `waitFor` would return comes within so many milliseconds of the machine's time; else rejects. */
  expectNone(match: MessageMatch, withinMs: number): Promise<void>
  /** The next `times` (default 1) commands or messages at that point fail so. */
  fail(at: FailurePoint, failure: ScriptedFailure, times?: number): void
  /** Into mailboxes as if received by SMTP. */
  receive(message: MessageInput, envelope: { readonly from: string | null; readonly to: readonly string[] }): Promise<SmtpReply>
  /** Starts anew on the same store and ports. `kill` breaks every connection off and drops what was not durable yet. */
  restart(how?: 'clean' | 'kill'): Promise<void>
  /** Empties everything: mail, passwords, scripted failures. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** Makes a server that listens already, on free ports of 127.0.0.1. */
export async function createTestMailServer(options: TestMailServerOptions = {}): Promise<TestMailServer> {
  const server = new TestServer(options)
  await server.start()
  return server
}

type Received = MailEvents['received']

class TestServer implements TestMailServer {
  readonly clock: TestClock
  readonly dns: TestResolver
  readonly #options: TestMailServerOptions
  readonly #failures = new ScriptedFailures()
  #dir: string | undefined
  #server: RunningServer | undefined
  /** Ports once known, so that a restart takes the same. */
  #ports = { smtp: 0, imap: 0 }
  /** Received and not yet returned by `waitFor`. */
  #received: Received[] = []
  #arrived: () => void = () => {}
  #next = this.#nextArrival()

  constructor(options: TestMailServerOptions) {
    this.#options = options
    this.clock = options.clock ?? createTestClock()
    this.dns = options.dns ?? createTestResolver()
  }

  get smtpUrl(): string {
    return `smtp://127.0.0.1:${this.#ports.smtp}`
  }

  get imapUrl(): string {
    return `imap://127.0.0.1:${this.#ports.imap}`
  }

  get accounts(): Accounts {
    return this.#running().accounts
  }

  async start(): Promise<void> {
    this.#dir ??= await mkdtemp(join(tmpdir(), 'postern-test-'))
    const { config, passwords } = configFor(this.#options, this.#dir, this.#ports)
    const server = await startMailServer(
      config,
      { clock: this.clock, resolver: this.dns, limits: this.#options.limits ?? noAdmissionLimits, logger: createLogger({ level: this.#options.logLevel ?? 'silent' }) },
      {
        passwords,
        // LIMIT: the least RFC 7677 §4 allows; tests log in often and have nothing to protect.
        iterations: 4096,
        smtpBackend: (backend) => this.#failures.backend(backend),
        authenticator: (authenticator) => this.#failures.authenticator(authenticator),
      },
    )
    const endpoints = await server.listen()
    for (const { protocol, port } of endpoints) if (protocol !== 'imaps') this.#ports[protocol] = port
    server.on('received', (received) => {
      this.#received.push(received)
      this.#arrived()
      this.#next = this.#nextArrival()
    })
    this.#server = server
  }

  async inbox(address: string): Promise<readonly ParsedMessage[]> {
    const server = this.#running()
    const account = server.findAccount(address)
    const store = account === undefined ? undefined : await server.store.account(account)
    if (store === undefined) throw new Error(`Nobody here has the address ${address}`)
    return readMailbox(store, 'INBOX')
  }

  async waitFor(match: MessageMatch, options: { readonly timeout?: number; readonly signal?: AbortSignal } = {}): Promise<ParsedMessage> {
    const timeout = options.timeout ?? 5_000
    const late = timeoutSignal(timeout, options.signal)
    const seen: string[] = []
    const passed = new Set<Received>()
    try {
      for (;;) {
        const next = this.#next
        for (const received of this.#received) {
          if (passed.has(received)) continue
          const message = await this.#read(received)
          if (message !== undefined && matches(message, match)) {
            this.#received = this.#received.filter((other) => other !== received)
            return message
          }
          passed.add(received)
          if (message !== undefined) seen.push(`${message.from} → ${message.to.join(', ')}: ${message.subject}`)
        }
        await Promise.race([next, late.aborted])
        if (late.isOver()) {
          options.signal?.throwIfAborted()
          throw new Error(`No message matched within ${timeout} ms; ${seen.length === 0 ? 'none came' : `there came: ${seen.join('; ')}`}`)
        }
      }
    } finally {
      late.release()
    }
  }

  async expectNone(match: MessageMatch, withinMs: number): Promise<void> {
    const found = await this.waitFor(match, { timeout: withinMs }).catch(() => undefined)
    if (found !== undefined) throw new Error(`A message came: ${found.from} → ${found.to.join(', ')}: ${found.subject}`)
  }

  fail(at: FailurePoint, failure: ScriptedFailure, times = 1): void {
    this.#failures.add(at, failure, times)
  }

  receive(message: MessageInput, envelope: { readonly from: string | null; readonly to: readonly string[] }): Promise<SmtpReply> {
    return this.#running().receive(message, envelope)
  }

  async restart(how: 'clean' | 'kill' = 'clean'): Promise<void> {
    await this.#running().close(how === 'kill' ? { drain: 0 } : {})
    await this.start()
  }

  async reset(): Promise<void> {
    await this.#running().close({ drain: 0 })
    this.#failures.clear()
    this.#received = []
    if (this.#dir !== undefined) await rm(this.#dir, { recursive: true, force: true })
    this.#dir = undefined
    await this.start()
  }

  async close(): Promise<void> {
    await this.#server?.close({ drain: 0 })
    if (this.#dir !== undefined) await rm(this.#dir, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #running(): RunningServer {
    if (this.#server === undefined) throw new Error('The server has not started')
    return this.#server
  }

  async #read(received: Received): Promise<ParsedMessage | undefined> {
    const store = await this.#running().store.account(received.account)
    return store === undefined ? undefined : readMessage(store, received.mailbox, received.uid)
  }

  #nextArrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve
    })
  }
}

function configFor(
  options: TestMailServerOptions,
  dir: string,
  ports: { readonly smtp: number; readonly imap: number },
): { readonly config: ConfigInput; readonly passwords: Readonly<Record<string, string>> } {
  const given = Object.entries(options.accounts ?? { test: { password: 'test' } })
  const acceptAll = options.acceptAll ?? options.accounts === undefined
  const accounts: Record<string, { addresses: string[] }> = {}
  const passwords: Record<string, string> = {}
  const domains = new Set(options.domains ?? [])
  for (const [at, [name, { password, addresses }]] of given.entries()) {
    const own = addresses ?? [name.includes('@') ? name : `${name}@localhost`]
    accounts[name] = { addresses: acceptAll && at === 0 ? [...own, '*'] : [...own] }
    for (const address of own) domains.add(address.slice(address.lastIndexOf('@') + 1))
    if (password !== undefined) passwords[name] = password
  }
  return {
    config: {
      hostname: 'localhost',
      checkSenders: options.checkSenders ?? false,
      dataDir: join(dir, 'data'),
      diskReserve: 0,
      listeners: { test: { addresses: ['127.0.0.1'], smtp: { port: ports.smtp }, imap: { port: ports.imap, allowPlainLogin: true } } },
      domains: Object.fromEntries(Array.from(domains, (domain) => [domain, {}])),
      accounts,
    },
    passwords,
  }
}

/** Runs out by the machine's time, whatever the test's clock does. */
function timeoutSignal(ms: number, signal: AbortSignal | undefined): { readonly aborted: Promise<void>; isOver(): boolean; release(): void } {
  let over = false
  let finish: () => void = () => {}
  const aborted = new Promise<void>((resolve) => {
    finish = () => {
      over = true
      resolve()
    }
  })
  const timer = setTimeout(finish, ms)
  if (signal?.aborted === true) finish()
  signal?.addEventListener('abort', finish)
  return {
    aborted,
    isOver: () => over,
    release() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
    },
  }
}
