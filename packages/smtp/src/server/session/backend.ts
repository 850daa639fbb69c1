/** What an SMTP conversation asks of its host: who may talk, to whom mail may go, and where the octets of a message go. */
import type { Authenticator } from '@postern/core/sasl'
import type { ForwardPath, ReversePath } from '@postern/core/address'
import type { ConnectionInfo, OctetSink } from '@postern/core/host'
import type { Reply } from '../../syntax/reply.ts'

/** Facts of one conversation a host may look at. */
export interface SmtpPeer {
  /** Unique in the process; shown to the peer in error replies. */
  readonly id: string
  readonly mode: 'mx' | 'submission'
  readonly connection: ConnectionInfo
  /** As given in EHLO or HELO, validated as a domain or address literal; undefined before. */
  readonly helo: string | undefined
  readonly extended: boolean
  /** Account and login name after AUTH. */
  readonly account: string | undefined
  readonly login: string | undefined
}

/** Sender and parameters of MAIL FROM. */
export interface MailParameters {
  readonly reversePath: ReversePath
  /** Octets announced with SIZE=, if any. */
  readonly sizeOctets: number | undefined
  readonly body: '7BIT' | '8BITMIME'
  readonly smtputf8: boolean
}

/** A transaction as it stands when its data comes. */
export interface Envelope extends MailParameters {
  /** In the order accepted, at least one. */
  readonly recipients: readonly ForwardPath[]
}

/** `accept`, or the refusal to send; `close` ends the conversation after it. */
export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close?: boolean; readonly pauseMs?: number }

/** Answered at once or by a promise. A throw is a fault: the peer hears 451 4.3.0, or 452 4.3.1 for a full store. */
export type Answer<T> = T | Promise<T>

/** The host of SMTP conversations. */
export interface SmtpBackend {
  /** Whether a peer may talk at all; its refusal (421, 554) takes the place of the greeting. */
  connect?(peer: SmtpPeer): Answer<Verdict>
  /** Checks logins; without it AUTH is not offered. */
  readonly authenticator?: Authenticator
  /** A login succeeded or failed; told, not asked. */
  loggedIn?(peer: SmtpPeer, outcome: { readonly result: 'ok' | 'bad' | 'limited'; readonly login: string; readonly mechanism: string }): void
  mailFrom?(peer: SmtpPeer, mail: MailParameters): Answer<Verdict>
  rcptTo(peer: SmtpPeer, mail: MailParameters, recipient: ForwardPath): Answer<Verdict>
  /**
   * Before 354: where the message goes. The sink's `end` resolves with the final reply, which for a positive one means the
   * message is durable. Octets come unstuffed, as sent.
   */
  message(peer: SmtpPeer, envelope: Envelope): Answer<{ readonly kind: 'sink'; readonly sink: OctetSink<Reply> } | Extract<Verdict, { kind: 'refuse' }>>
}
