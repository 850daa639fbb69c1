/** A server that looks into who sends, for tests: the records and the time are the test's, the rest is what runs in earnest. */
import type { ConfigInput } from '@postern/core/config'
import type { MailServer, MailServerOptions } from '../../../src/index.ts'
import { createLogger, createMailServer, memoryStore } from '../../../src/index.ts'
import { createTestClock, createTestResolver, type TestClock, type TestResolver } from '../../../src/testing/index.ts'
import { hurry } from './hurry.ts'

export const SENDER_IP = '192.0.2.7'

/** `example.com` may send from 192.0.2.0/24, and DMARC speaks for it; `nospf.example` says nothing about itself. */
export const SENDERS = {
  'example.com': ['MX 10 mx.example.com', 'TXT v=spf1 ip4:192.0.2.0/24 ip4:127.0.0.0/8 -all'],
  '_dmarc.example.com': ['TXT v=DMARC1; p=reject'],
  'mx.example.com': [`A ${SENDER_IP}`, 'A 127.0.0.1', 'A 127.0.0.9'],
  '7.2.0.192.in-addr.arpa': ['PTR mx.example.com'],
  '1.0.0.127.in-addr.arpa': ['PTR mx.example.com'],
  '9.0.0.127.in-addr.arpa': ['PTR mx.example.com'],
  'nospf.example': ['MX 10 mx.example.com'],
} as const

export const CONFIG: ConfigInput = {
  hostname: 'mail.example.org',
  checkSenders: true,
  listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0, firstTimeSenderDelay: 0 }, imap: { port: 0, allowPlainLogin: true } } },
  domains: { 'example.org': { catchallSeparator: '+' } },
  accounts: { ada: { addresses: ['ada@example.org'] }, bob: { addresses: ['bob@example.org'] } },
  postmaster: { account: 'bob', mailbox: 'Postmaster' },
}

export interface ReceivingServer extends AsyncDisposable {
  readonly server: MailServer
  readonly clock: TestClock
  readonly dns: TestResolver
  port(protocol: 'smtp' | 'imap' | 'imaps'): number
  /** Moves the clock on until a promise settles: for peers who are served slowly. @returns how long it took as well */
  hurry<V>(waiting: Promise<V>): Promise<{ readonly value: V; readonly ms: number }>
  /** Messages in each mailbox that has some: `ada INBOX 1`. */
  stored(): Promise<readonly string[]>
}

/** Time stands still. @param over replaces parts of `CONFIG` @param options.passwords everybody's is `correct horse battery`; default: nobody has one */
export async function createReceivingServer(over: Partial<ConfigInput> = {}, options: MailServerOptions & { readonly zone?: Readonly<Record<string, readonly string[]>>; readonly passwords?: boolean } = {}): Promise<ReceivingServer> {
  const { zone = {}, passwords = false, ...rest } = options
  const clock = createTestClock({ frozen: true })
  const dns = createTestResolver({ ...SENDERS, ...zone })
  const server = await createMailServer({ ...CONFIG, ...over }, { store: memoryStore(), clock, resolver: dns, logger: createLogger({ level: 'silent' }), ...rest })
  if (passwords) for (const name of await server.accounts.list()) await (await server.accounts.get(name))?.setPassword('correct horse battery')
  return {
    server,
    clock,
    dns,
    port: (protocol) => server.endpoints.find((endpoint) => endpoint.protocol === protocol)?.port ?? 0,
    hurry: (waiting) => hurry(waiting, clock),
    async stored() {
      const found: string[] = []
      for (const name of await server.accounts.list()) {
        for (const mailbox of (await (await server.accounts.get(name))?.mailboxes()) ?? []) {
          if (mailbox.total > 0) found.push(`${name} ${mailbox.name} ${mailbox.total}`)
        }
      }
      return found.sort()
    },
    async [Symbol.asyncDispose]() {
      const closing = server.close({ drain: 0 })
      // What is left of conversations waits on a clock that only we move.
      await clock.advance(60_000)
      await closing
    },
  }
}

/** A message with the fields a mail has. */
export function letter(subject: string, over: { readonly from?: string; readonly to?: string } = {}): string {
  const { from = 'sender@example.com', to = 'ada@example.org' } = over
  return `From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replaceAll(/\W/g, '-')}@example.com>\r\n\r\nHello\r\n`
}
