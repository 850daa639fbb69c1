/** An account's mail, as its owner's sessions and deliveries see it. */
import type { AccountNotice } from './change.ts'
import type { FlagSet, InternalDate } from './message.ts'
import type { Mailbox, MailboxStatus, OpenMailbox, SpecialUse } from './mailbox.ts'
import type { MailboxId, ModSeq, UidRange } from './numbers.ts'
import type { SpooledMessage, Spool } from './blob.ts'

/** One message to be stored. */
export interface NewMessage extends FlagSet {
  readonly message: SpooledMessage
  /**
   * Header lines put before the message, each with its CRLF; the message as stored is prefix and message. At most 64
   * KiB.
   */
  readonly prefix?: Uint8Array
  /** Default: now, UTC. */
  readonly internalDate?: InternalDate
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
  /** Calls `listener` after every committed change a client can see, this session's own included. @returns stops it */
  watch(listener: (notice: AccountNotice) => void): () => void
}
