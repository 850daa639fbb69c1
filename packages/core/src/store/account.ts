/** An account's mail, as its owner's sessions and deliveries see it. */
import type { AccountNotice } from './change.ts'
import type { FlagSet, InternalDate } from './message.ts'
import type { Mailbox, MailboxStatus, OpenMailbox, SpecialUse } from './mailbox.ts'
import type { MailboxId, ModSeq, UidRange } from './numbers.ts'
import type {
  ArrivalCount,
  Correspondent,
  Judgement,
  KeepRejectResult,
  ReceptionFacts,
  RejectLimits,
  SenderIdentity,
} from './reception.ts'
import type { SpooledMessage, Spool } from './blob.ts'
import type { AccountTraining } from './training.ts'

/** One message to be stored. */
export interface NewMessage extends FlagSet {
  readonly message: SpooledMessage
  /**
   * Header lines put before the message, each with its CRLF; the message as stored is prefix and message. At most 64
   * KiB.
   */
  readonly prefix?: Uint8Array
  /**
   * Octets at the start of the message that are left out, `prefix` standing for them: a header line that must not be
   * stored is taken out so. Less than the header section.
   */
  readonly skipOctets?: number
  /** Default: now, UTC. */
  readonly internalDate?: InternalDate
  /** When it came from outside. */
  readonly reception?: ReceptionFacts | undefined
}

export type AppendResult =
  /** UIDs in the order of the messages. `modseq` of the change. */
  | { readonly kind: 'appended'; readonly mailbox: Mailbox; readonly uids: UidRange; readonly modseq: ModSeq }
  | { readonly kind: 'no-such-mailbox' }

export type CreateResult =
  | { readonly kind: 'created'; readonly mailbox: Mailbox }
  | { readonly kind: 'exists' }
  /**
   * The name is malformed: empty level, control character, over 1,000 octets, … `reason` is a sentence for the user.
   */
  | { readonly kind: 'bad-name'; readonly reason: string }

export type DeleteResult =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'no-such-mailbox' }
  /** It has children, which would be left without parent. */
  | { readonly kind: 'has-children' }
  /** The inbox can't be deleted. */
  | { readonly kind: 'inbox' }

export type RenameResult =
  | { readonly kind: 'renamed'; readonly mailbox: Mailbox }
  | { readonly kind: 'no-such-mailbox' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'bad-name'; readonly reason: string }

/** The mail of one account. Changes resolve when durable; `StoreError` when the store can't do it now. */
export interface AccountStore {
  /** Name of the account. */
  readonly name: string
  /** Words learned from its messages, and judgements yet to be learned. */
  readonly training: AccountTraining
  /** All mailboxes, the inbox first, then by name. A mailbox's parents exist always. */
  mailboxes(): Promise<readonly Mailbox[]>
  /** By name; `INBOX` in any case is the inbox. */
  mailbox(name: string): Promise<Mailbox | undefined>
  /** Counts of mailboxes, in the order asked; undefined for those that don't exist. */
  status(ids: readonly MailboxId[]): Promise<readonly (MailboxStatus | undefined)[]>
  /** Creates a mailbox and the parents it lacks. */
  create(name: string, options?: { readonly specialUse?: readonly SpecialUse[] }): Promise<CreateResult>
  delete(name: string): Promise<DeleteResult>
  /**
   * Renames with all children; creates missing parents of the new name. The inbox's messages move and it stays. RFC
   * 9051 §6.3.6
   */
  rename(from: string, to: string): Promise<RenameResult>
  /** Subscribed names, sorted; also of mailboxes that don't exist. */
  subscriptions(): Promise<readonly string[]>
  setSubscribed(name: string, subscribed: boolean): Promise<void>
  /** Opens a mailbox; `read-write` claims its recent messages. */
  open(name: string, mode: 'read-write' | 'read-only'): Promise<OpenMailbox | undefined>
  /** Takes in the octets of a message that may be appended here. */
  spool(): Spool
  /** Stores messages, all or none, into an existing mailbox. */
  append(mailbox: string, messages: readonly NewMessage[]): Promise<AppendResult>
  /**
   * Judgements of messages that first came to a mailbox, for each identity newest first, at most `MAX_JUDGEMENTS`; none
   * when there is no such mailbox. A judgement is there as soon as the flag change that makes it, and stays when the
   * message is expunged.
   */
  judgements(mailbox: string, identities: readonly SenderIdentity[]): Promise<readonly (readonly Judgement[])[]>
  /** When the account last wrote to each, seconds since 1970, exact to a day; undefined: never. */
  lastWroteTo(correspondents: readonly Correspondent[]): Promise<readonly (number | undefined)[]>
  /** Remembers that the account wrote to them. @param seconds since 1970 */
  wroteTo(correspondents: readonly Correspondent[], seconds: number): Promise<void>
  /** What came from outside in minutes that began at `sinceSeconds` or later, oldest first; not beyond `ARRIVALS_KEPT_SECONDS`. */
  arrivals(sinceSeconds: number): Promise<readonly ArrivalCount[]>
  /**
   * Keeps a rejected message in a mailbox, which is created when it is missing: after the old ones were expunged, unless
   * it is there already or there are too many.
   * @param digest SHA-256 of the message as received
   */
  keepReject(mailbox: string, message: NewMessage, digest: Uint8Array, limits: RejectLimits): Promise<KeepRejectResult>
  /** Expunges kept rejects of that Message-ID (without brackets). @returns how many */
  forgetReject(mailbox: string, messageId: string): Promise<number>
  /** Calls `listener` after every committed change a client can see, this session's own included. @returns stops it */
  watch(listener: (notice: AccountNotice) => void): () => void
}
