/** One mailbox as an open session works on it. */
import type { MailboxChanges } from './change.ts'
import type { FlagSet, MessageRow, RowParts } from './message.ts'
import type { EmailId, MailboxId, ModSeq, Uid, UidRange, UidRanges } from './numbers.ts'
import type { UidList } from './uid-list.ts'

/** Use of a mailbox. RFC 6154 §2 */
export type SpecialUse = '\\Archive' | '\\Drafts' | '\\Flagged' | '\\Junk' | '\\Sent' | '\\Trash' | '\\All'

/** A mailbox as listed. */
export interface Mailbox {
  readonly id: MailboxId
  /** UTF-8 name in NFC, levels separated by `/`; the inbox is `INBOX`. */
  readonly name: string
  readonly uidValidity: number
  readonly specialUse: readonly SpecialUse[]
}

/** Counts of a mailbox, all of one moment. RFC 9051 §6.3.11 */
export interface MailboxStatus {
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly sizeOctets: number
  readonly uidNext: Uid
  readonly uidValidity: number
  readonly highestModseq: ModSeq
  /** Messages no session has been told of as recent. RFC 3501 §2.3.2 */
  readonly recent: number
}

/** A mailbox at the moment it was opened. */
export interface MailboxSnapshot {
  readonly mailbox: Mailbox
  readonly status: MailboxStatus
  /** UIDs of all messages; shared and immutable. */
  readonly uids: UidList
  /** The account's modseq of this snapshot: changes are asked for after it. */
  readonly modseq: ModSeq
  /** Lowest UID without \Seen. */
  readonly firstUnseen: Uid | undefined
  /** Messages recent to this session (claimed when opened read-write); RFC 3501 §2.3.2. */
  readonly recent: UidRange | undefined
  readonly keywords: readonly string[]
}

/** How STORE changes flags. */
export interface FlagChange extends FlagSet {
  readonly mode: 'replace' | 'add' | 'remove'
}

export interface StoreFlagsResult {
  /** Messages of the set that exist, with the flags they have now, whether these changed or not. Ascending by UID. */
  readonly rows: readonly MessageRow[]
  /** Messages refused because their modseq is above `unchangedSince`. RFC 7162 §3.1.3 */
  readonly modified: UidRanges
  readonly keywords: readonly string[]
}

/** `source` and `destination` list the same number of UIDs in the same order. RFC 4315 §3 */
export type CopyResult =
  | {
      readonly kind: 'copied'
      readonly uidValidity: number
      readonly source: UidRanges
      readonly destination: UidRanges
    }
  /** None of the messages exists any more. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'no-such-mailbox' }

/**
 * A mailbox opened by one session. Methods reject with `StoreError` when the store can't do it now, and resolve after
 * the change is durable. Once the mailbox was deleted, reads find nothing and changes do nothing.
 */
export interface OpenMailbox {
  readonly snapshot: MailboxSnapshot
  /**
   * Messages of the set, ascending by UID, in batches of at most 256 rows or 256 KiB. A message expunged after the
   * session was last `told` is still given, with the flags it had; one that is gone for good is left out.
   */
  fetch(uids: UidRanges, parts: RowParts): AsyncIterable<readonly MessageRow[]>
  /**
   * Octets `[from, to)` of a message as BODY[] returns it, clipped to it, in pieces of at most 65,536; ends early
   * when the message is gone.
   */
  read(emailId: EmailId, from: number, to: number): AsyncIterable<Uint8Array>
  /** What happened after `since`, a modseq of this mailbox's snapshot or of an earlier answer. */
  changesSince(since: ModSeq): Promise<MailboxChanges>
  /** What was told to the client: messages expunged up to there may be erased as far as this session is concerned. */
  told(modseq: ModSeq): void
  /**
   * Changes flags; messages that don't exist are passed over. Long sets are changed in slices, each of which is
   * atomic.
   */
  storeFlags(
    uids: UidRanges,
    change: FlagChange,
    options?: { readonly unchangedSince?: ModSeq },
  ): Promise<StoreFlagsResult>
  /** Removes those messages of the set (default: of the mailbox) that have \Deleted. @returns what was removed */
  expunge(uids?: UidRanges): Promise<UidRanges>
  /**
   * Copies to the mailbox of that name, which may be this one: all or nothing; flags, keywords and internal date are
   * kept. RFC 9051 §6.4.7
   */
  copy(uids: UidRanges, destination: string): Promise<CopyResult>
  /**
   * Moves to the mailbox of that name, which may be this one: each message at once, all of them in slices. RFC 6851
   * §3.3
   */
  move(uids: UidRanges, destination: string): Promise<CopyResult>
  /** Ends the session's claim on expunged messages. Idempotent. */
  close(): void
}
