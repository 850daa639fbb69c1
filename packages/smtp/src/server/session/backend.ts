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
  /**
   * As given in EHLO or HELO, validated as a domain or address literal; undefined before, and in mode `submission` when what
   * was given is neither.
   */
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
  /** Mode `submission`: what was said of delivery status notifications, if anything. */
  readonly dsn?: DsnParameters
}

/** What MAIL says of notifications. RFC 3461 §4.3, §4.4 */
export interface DsnParameters {
  /** How much of the message goes into a notice of failure; absent: ours to choose. */
  readonly ret?: 'FULL' | 'HDRS'
  /** The sender's name for this transaction, decoded: 1 to 100 characters of printable ASCII and spaces. */
  readonly envelopeId?: string
}

/** What a sender wants to be told of. RFC 3461 §4.1 */
export type NotifyCondition = 'SUCCESS' | 'FAILURE' | 'DELAY'

/** What RCPT says of a recipient beside its path. RFC 3461 §4.1, §4.2 */
export interface RecipientOptions {
  /** Each at most once; none for `NEVER`; absent: nothing was said, which means `FAILURE` and, if one likes, `DELAY`. */
  readonly notify?: readonly NotifyCondition[]
  readonly originalRecipient?: OriginalRecipient
}

/** Address a message was sent to first, as its sender wrote it; not to be taken for an address of ours. */
export interface OriginalRecipient {
  /** Such as `rfc822`, in lower case. */
  readonly addressType: string
  /** Decoded: printable ASCII and spaces. Of type `utf-8` as it was sent: RFC 6533 §3 wants it unaltered. */
  readonly address: string
}

/** A transaction as it stands when its data comes. */
export interface Envelope extends MailParameters {
  /** In the order accepted, at least one. */
  readonly recipients: readonly ForwardPath[]
  /** One for each of `recipients`, in their order; absent when nothing was said of any. */
  readonly recipientOptions?: readonly RecipientOptions[]
}

/** What became of a message: the final reply, and perhaps that its sender is to be served slowly. */
export interface MessageReply extends Reply {
  /** From this reply on, and for the rest of the connection. */
  readonly slow?: boolean
  /** Ends the conversation after it. */
  readonly close?: boolean
}

/** `accept`, or the refusal to send; `close` ends the conversation after it, `slow` serves the peer slowly from it on. */
export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close?: boolean; readonly pauseMs?: number; readonly slow?: boolean }

/** Where a message goes, or why nowhere. */
export type Destination = { readonly kind: 'sink'; readonly sink: OctetSink<MessageReply> } | Extract<Verdict, { kind: 'refuse' }>

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
   * Before 354, or with the first chunk: where the message goes. The sink's `end` resolves with the final reply, which for a
   * positive one means the message is durable. Octets come unstuffed, as sent; a message with a bare CR or LF never gets to
   * its `end`. A last line end may be missing.
   */
  message(peer: SmtpPeer, envelope: Envelope): Answer<Destination>
}
