/**
 * What an account remembers of those who write to it: facts kept with a received message, judgements its owner made of
 * messages by their senders, whom it wrote to, and how much came from where. A store keeps and finds these; what they
 * mean is for the analysis of incoming mail to say.
 */
import { hash } from 'node:crypto'
import type { EnvelopeFields } from '../message/index.ts'
import { Flag } from './message.ts'
import type { Mailbox } from './mailbox.ts'
import type { Uid } from './numbers.ts'

/** One name a sender goes by. `network-1` is the narrowest class of networks around the sending address, `network-3` the widest. */
export type SenderIdentityKind =
  | 'from-address'
  | 'from-domain'
  | 'from-organization'
  | 'dkim-domain'
  | 'mail-from-address'
  | 'mail-from-domain'
  | 'helo-domain'
  | 'network-1'
  | 'network-2'
  | 'network-3'

/** Values are compared octet by octet: give addresses and domains in one canonical form. */
export interface SenderIdentity {
  readonly kind: SenderIdentityKind
  readonly value: string
}

/** Kept with a message that came from outside; never changed, but for the mailbox it counts for. */
export interface ReceptionFacts {
  /** Seconds since 1970. */
  readonly receivedSeconds: number
  /** Names of the sender that a judgement of this message shall count for, at most 32. */
  readonly identities: readonly SenderIdentity[]
  /** The domain of the From field was authenticated. */
  readonly validated: boolean
  /** Localpart of the From field, to tell senders of a domain apart; empty when there is none. */
  readonly fromLocalpart: string
  /** Network (narrowest class) it came from; it is counted there when stored. */
  readonly network?: string | undefined
  /**
   * Mailbox it was meant for, when it is kept in another one as a reject: moved or copied out of that, its judgement
   * counts for this one instead.
   */
  readonly intendedMailbox?: string | undefined
}

/** The owner's word on one message: it has $Junk, or it has $NotJunk, not both. */
export interface Judgement {
  /** When the message came: seconds since 1970. */
  readonly receivedSeconds: number
  readonly junk: boolean
  readonly validated: boolean
  /** The same for equal localparts of From; 0 to 65,535. */
  readonly localpart: number
}

/** What flags say of a message: junk, not junk, or nothing. @param flags bits of `Flag` */
export function judgedJunk(flags: number): boolean | undefined {
  const isJunk = (flags & Flag.junk) !== 0
  return isJunk === ((flags & Flag.notJunk) !== 0) ? undefined : isJunk
}

/** `Judgement.localpart` of a localpart. */
export function localpartNumber(localpart: string): number {
  return hash('sha256', localpart.toLowerCase(), 'buffer').readUInt16BE()
}

/** LIMIT: judgements kept for one identity in one mailbox, the newest; at least twice what any decision asks for. */
export const MAX_JUDGEMENTS = 100

/** Someone an account wrote to, by address and by what the address lies under. */
export interface Correspondent {
  readonly level: 'address' | 'domain' | 'organization'
  /** In one canonical form, as of `SenderIdentity`. */
  readonly value: string
}

/** What came from one network in one minute. */
export interface ArrivalCount {
  /** Start of the minute, seconds since 1970. */
  readonly seconds: number
  /** As `ReceptionFacts.network`. */
  readonly network: string
  readonly messages: number
  readonly octets: number
}

/** LIMIT: how far back arrivals are kept. */
export const ARRIVALS_KEPT_SECONDS = 86_400 + 60

/** Bounds of the mailbox of kept rejects. */
export interface RejectLimits {
  readonly maxMessages: number
  /** Older ones are expunged at each call. */
  readonly maxAgeSeconds: number
}

export type KeepRejectResult =
  | { readonly kind: 'kept'; readonly mailbox: Mailbox; readonly uid: Uid }
  /** One of the same Message-ID or the same octets is there already. */
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'full' }

/** What an account's owner wants done with a message that gets a place in a mailbox, by delivery, APPEND, COPY or MOVE. */
export interface FilingPolicy {
  /** Bits of `Flag` to set and to clear; undefined leaves them alone. */
  flagsOnEntering(mailbox: Mailbox): { readonly set: number; readonly clear: number } | undefined
  /** To whom a message appended there shows that the account wrote; none for mailboxes other than of sent mail. */
  correspondents(mailbox: Mailbox, envelope: EnvelopeFields): readonly Correspondent[]
}
