/** The public surface of a whole mail server. */
import type { Duplex } from 'node:stream'
import type { Authenticator } from '@postern/core/sasl'
import type { AdmissionLimits } from '@postern/core/admission'
import type { Classifier } from '@postern/core/analysis'
import type { Clock, Logger, Metrics, Random, Resolver } from '@postern/core/host'
import type { MailStore } from '@postern/core/store'
import type { Hooks } from './hooks.ts'
import type { MessageInput } from './message-input.ts'
import type { TextEnvelope } from './receive-message.ts'
import type { MailEventSource, Protocol } from './events.ts'
import type { RetrainOptions, RetrainReport } from './junk-retrain.ts'
import type { Reports } from './reports.ts'

/** A mail server: SMTP in, IMAP out, one store. Made by `createMailServer`. */
export interface MailServer extends MailEventSource, AsyncDisposable {
  readonly state: 'created' | 'listening' | 'draining' | 'closed'
  /** Binds every listener of the configuration or none. Port 0 takes a free one; the answer has the real ports. */
  listen(): Promise<readonly Endpoint[]>
  readonly endpoints: readonly Endpoint[]
  /**
   * Stops accepting; SMTP conversations end with 421 between transactions, IMAP with BYE; what is in flight gets
   * `drain` milliseconds (default 10,000), then sockets are destroyed; then the store is closed. Idempotent.
   */
  close(options?: { readonly drain?: number }): Promise<CloseReport>
  /** Serves SMTP on any duplex stream: in-process tests, tunnels. Resolves when the conversation is over. */
  handleSmtp(stream: Duplex, info?: StreamInfo): Promise<void>
  /** Serves IMAP on any duplex stream. */
  handleImap(stream: Duplex, info?: StreamInfo): Promise<void>
  /** Into mailboxes as if received by SMTP; resolves with what a remote server would have been told. */
  receive(message: MessageInput, envelope: TextEnvelope): Promise<SmtpReply>
  readonly accounts: Accounts
  /** What others report of mail in the name of our domains, and of TLS to them. */
  readonly reports: Reports
  /** What the server counts by, for counters of the host application's own; `text()` is what Prometheus reads, empty where the option's metrics have none. */
  readonly metrics: Metrics & { text(): Promise<string> }
}

export interface Endpoint {
  readonly protocol: Protocol
  /** Name of the listener in the configuration. */
  readonly listener: string
  readonly address: string
  readonly port: number
  readonly tls: 'none' | 'starttls' | 'implicit'
  /** Without credentials. */
  readonly url: string
}

/** What is known of a stream given to `handleSmtp` or `handleImap`. */
export interface StreamInfo {
  readonly remoteAddress?: string
  readonly localAddress?: string
}

export interface CloseReport {
  /** Conversations broken off after the drain. */
  readonly forced: number
  readonly durationMs: number
}

export interface SmtpReply {
  readonly code: number
  readonly enhanced?: string
  readonly text: string
}

/** Accounts of a server. */
export interface Accounts {
  list(): Promise<readonly string[]>
  get(name: string): Promise<Account | undefined>
  /**
   * Adds an account that takes mail for `address`, whose domain is added when it is new. It is known until the server
   * closes: put it into the configuration to keep it; its mail stays in the store either way. Rejects with code
   * `ACCOUNT_EXISTS` or `ADDRESS_INVALID`.
   */
  add(name: string, address: string, options?: { readonly password?: string }): Promise<Account>
  /** Removes the account and its mail. @returns whether there was one */
  remove(name: string): Promise<boolean>
}

export interface Account {
  readonly name: string
  /** Rejects with code `PASSWORD_INVALID` when it is empty, too long or holds control characters. */
  setPassword(password: string): Promise<void>
  /**
   * Makes what the filter of content has learned anew, from all messages that have exactly one of $Junk and $NotJunk. What was
   * learned before is in use until that is done. Rejects with code `NO_SUCH_ACCOUNT` when it was removed.
   */
  retrain(options?: Pick<RetrainOptions, 'onProgress' | 'signal'>): Promise<RetrainReport>
  mailboxes(): Promise<readonly { readonly name: string; readonly unseen: number; readonly total: number }[]>
  /** Stores a message. Rejects with code `NO_SUCH_MAILBOX`. */
  append(mailbox: string, message: MessageInput, options?: { readonly flags?: readonly string[]; readonly date?: Date }): Promise<{ readonly uid: number; readonly modseq: number }>
}

/** What an embedder can put in place of the real thing. */
export interface MailServerOptions {
  /** Default: LMDB in `dataDir`. `memoryStore()` must be asked for by name. A store given here is closed with the server. */
  readonly store?: MailStore
  readonly clock?: Clock
  readonly random?: Random
  /** Default: warnings and errors to standard error. */
  readonly logger?: Logger
  /** In place of the store's credentials. */
  readonly authenticator?: Authenticator
  /** Store what CRAM-MD5 and SCRAM-SHA-1 need beside SCRAM-SHA-256, for old clients. Default false. */
  readonly legacyMechanisms?: boolean
  /** Asked while mail comes in; several are asked one after another. */
  readonly hooks?: Hooks | readonly Hooks[]
  /** In place of the built-in constants: for benches, and hosts that know better. Not in configuration files. */
  readonly limits?: Partial<AdmissionLimits>
  /** Default: the name servers of this machine. One given here is not closed with the server. */
  readonly resolver?: Resolver
  /** Filter of content, asked for messages that nothing else decides, in place of the one that learns by flags. */
  readonly classifier?: Classifier
  /** In place of the registry that `server.metrics.text()` tells. */
  readonly metrics?: Metrics
  /** Aborting closes the server without a drain. */
  readonly signal?: AbortSignal
}
