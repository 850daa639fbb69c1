/** All that can happen to a mailbox, as a session that was told everything up to one modseq needs to hear it. */
import type { MessageRow } from './message.ts'
import type { ModSeq, Uid, UidRanges } from './numbers.ts'

/** What happened in a mailbox after a modseq. Applying it to a view of that modseq gives the view of `upTo`. */
export interface MailboxChanges {
  /** The account's modseq these changes lead up to. */
  readonly upTo: ModSeq
  /** False when the mailbox was deleted: nothing else is told any more. */
  readonly exists: boolean
  /** Messages gone since; none above the `uidNext` the session knew, and not those that came and went in between. */
  readonly vanished: UidRanges
  /** Messages that are there and whose flags changed since, ascending by UID; without the arrived ones. */
  readonly changed: readonly MessageRow[]
  /** Messages that arrived since and are still there, ascending by UID. */
  readonly arrived: readonly MessageRow[]
  readonly uidNext: Uid
  /** The mailbox's keyword names; only ever grows at its end. */
  readonly keywords: readonly string[]
}

/**
 * Told to whoever watches an account: something a client can see was committed. Carries no content; ask the mailbox.
 */
export interface AccountNotice {
  readonly modseq: ModSeq
}
