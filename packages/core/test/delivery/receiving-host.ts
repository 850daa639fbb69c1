/** A receiving server for tests: real analysis, a store in memory, a resolver over records of the test. */
import { defaultAdmissionLimits, type AdmissionLimits } from '@postern/core/admission'
import { parseForwardPath, parseReversePath } from '@postern/core/address'
import { gatherEvidence, signedMessage } from '@postern/core/analysis'
import { createMemoryResolver, createMemoryStore, type MemoryResolver, type ZoneText } from '@postern/core/conformance'
import { ArrivalsRegister, receive, type ReceiveHost, type ReceiveOutcome, type Reception } from '@postern/core/delivery'
import { createDirectory, parseDirectoryConfig } from '@postern/core/directory'
import { BlockLists } from '@postern/core/provenance'
import { silentLogger, type Clock } from '@postern/core/host'
import type { AccountStore, MailStore, MessageRow, SpooledMessage } from '@postern/core/store'

export const HOSTNAME = 'mail.example.org'
export const NOW_MS = Date.parse('2026-02-03T04:05:06Z')
/** Where mail comes from, unless a test says otherwise; its name leads back to it. */
export const CLIENT_IP = '192.0.2.7'

/** A sender whose domain, host and SPF record are as they should be. */
export const GOOD_ZONE: ZoneText = {
  'example.com': ['MX 10 mx.example.com', 'TXT v=spf1 ip4:192.0.2.0/24 -all'],
  '_dmarc.example.com': ['TXT v=DMARC1; p=reject'],
  'mx.example.com': [`A ${CLIENT_IP}`],
  '7.2.0.192.in-addr.arpa': ['PTR mx.example.com'],
}

export interface ReceivingHost extends ReceiveHost {
  readonly store: MailStore
  readonly dns: MemoryResolver
  /** Receives a message's text as it would come over TLS from `CLIENT_IP`. */
  receive(text: string, to: readonly string[], over?: Partial<Reception>): Promise<ReceiveOutcome>
  account(name: string): Promise<AccountStore>
  /** Texts of all messages in a mailbox, oldest first; none when there is no such mailbox. */
  texts(account: string, mailbox?: string): Promise<readonly string[]>
}

export interface HostOptions {
  readonly zone?: ZoneText
  readonly limits?: Partial<AdmissionLimits>
  /** Zones of block lists; default none. */
  readonly blockLists?: readonly string[]
  /** Default: a new one. */
  readonly store?: MailStore
  readonly host?: Partial<ReceiveHost>
}

export type DirectoryInput = Parameters<typeof parseDirectoryConfig>[0]

export async function createReceivingHost(config: DirectoryInput, { zone = GOOD_ZONE, limits, blockLists = [], store = createMemoryStore(), host = {} }: HostOptions = {}): Promise<ReceivingHost> {
  const parsed = parseDirectoryConfig(config)
  for (const name of Object.keys(parsed.accounts)) if ((await store.account(name)) === undefined) await store.createAccount(name)
  const directory = createDirectory(parsed, { hostnames: [HOSTNAME] })
  store.usePolicy((account) => {
    const settings = directory.settingsOf(account)
    return settings === undefined ? undefined : { flagsOnEntering: (mailbox) => settings.junkFlagsOf(mailbox), correspondents: () => [] }
  })
  const dns = createMemoryResolver(zone)
  const lists = new BlockLists(blockLists, { resolver: dns, clock: stillClock })
  const made: ReceiveHost = {
    store,
    directory,
    hostname: HOSTNAME,
    clock: stillClock,
    random: (octets) => new Uint8Array(octets).fill(128),
    logger: silentLogger,
    arrivals: new ArrivalsRegister({ ...defaultAdmissionLimits, ...limits }),
    gather: (message, header, facts, reception, deadline) => gatherEvidence(signedMessage(message, header), facts, reception, { resolver: dns, random: made.random, hostname: HOSTNAME }, deadline),
    blockLists: async (address, signal) => (await lists.check(address, signal)).flatMap(({ zone: list, result }) => (result === 'listed' ? [list] : [])),
    firstTimeSenderDelayMs: 0,
    ...host,
  }
  return {
    ...made,
    store,
    dns,
    async receive(text, to, over = {}) {
      const message = await spooled(store, text)
      try {
        return await receive(message, receptionOf(to, over), made, new AbortController().signal)
      } finally {
        message.release()
      }
    },
    account: (name) => accountOf(store, name),
    async texts(account, mailbox = 'INBOX') {
      const rows = await rowsOf(await accountOf(store, account), mailbox)
      return rows.map(({ body }) => Buffer.from(body ?? []).toString())
    },
  }
}

export function receptionOf(to: readonly string[], over: Partial<Reception> = {}): Reception {
  return {
    reversePath: parseReversePath('<sender@example.com>', { utf8: true }),
    recipients: to.map((path) => parseForwardPath(`<${path}>`, { utf8: true })),
    smtputf8: false,
    helo: 'mx.example.com',
    extended: true,
    connection: { remoteAddress: CLIENT_IP, localAddress: '2001:db8::1', tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } },
    id: 'abc123',
    receivedAt: NOW_MS,
    ...over,
  }
}

/** `account mailbox reason` of each delivery, or code and reason of a refusal. */
export function told(outcome: ReceiveOutcome): readonly string[] {
  if (outcome.kind === 'accepted') return outcome.deliveries.map(({ account, mailbox, reason }) => `${account} ${mailbox} ${reason}`).sort()
  const { code, enhanced, reason } = outcome.refusal
  return [`${code} ${enhanced} ${reason}`]
}

/** A message with the fields a mail has. */
export function mail(subject: string, over: { readonly from?: string; readonly to?: string; readonly id?: string; readonly text?: string } = {}): string {
  const { from = 'sender@example.com', to = 'ada@example.org', id = `${subject.replaceAll(/\W/g, '-')}@example.com`, text = 'Hello' } = over
  return `From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: <${id}>\r\n\r\n${text}\r\n`
}

/** Sets flags of messages in a mailbox, all unless a UID is given, as their owner would. */
export async function setFlags(account: AccountStore, mailbox: string, flags: number, mode: 'add' | 'remove' | 'replace' = 'add', uid?: number): Promise<void> {
  const open = await account.open(mailbox, 'read-write')
  if (open === undefined) throw new Error(`No mailbox ${mailbox}`)
  await open.storeFlags([{ first: uid ?? 1, last: uid ?? 4_294_967_295 } as never], { flags, keywords: [], mode })
  open.close()
}

export async function rowsOf(account: AccountStore, name: string): Promise<readonly (Pick<MessageRow, 'uid' | 'flags'> & { readonly body?: Uint8Array | undefined })[]> {
  const open = await account.open(name, 'read-only')
  const rows: (Pick<MessageRow, 'uid' | 'flags'> & { readonly body?: Uint8Array | undefined })[] = []
  if (open === undefined) return rows
  for await (const batch of open.fetch([{ first: 1, last: 4_294_967_295 } as never], { bodyOctets: 65_536 })) rows.push(...batch)
  open.close()
  return rows
}

async function accountOf(store: MailStore, name: string): Promise<AccountStore> {
  const account = await store.account(name)
  if (account === undefined) throw new Error(`No account ${name}`)
  return account
}

async function spooled(store: MailStore, text: string): Promise<SpooledMessage> {
  const spool = store.spool()
  await spool.write(Buffer.from(text, 'latin1'))
  return spool.end()
}

/** Stands still; what waits goes on at once. */
const stillClock: Clock = {
  now: () => NOW_MS,
  monotonic: () => 0,
  timer(ms, fire) {
    const immediate = ms < 60_000 ? setImmediate(fire) : undefined
    return { cancel: () => clearImmediate(immediate) }
  },
}
