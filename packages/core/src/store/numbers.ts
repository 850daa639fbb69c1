/** The numbers of a mailbox, branded so that they can't be swapped. */

declare const brand: unique symbol

/** Unique identifier of a message in its mailbox, 1 to 2^32−1. RFC 9051 §2.3.1.1 */
export type Uid = number & { readonly [brand]: 'Uid' }
/** Position of a message in one session's view, from 1. RFC 9051 §2.3.1.2 */
export type SequenceNumber = number & { readonly [brand]: 'SequenceNumber' }
/** Modification sequence of an account, 0 to 2^53−1: raised by every change a client can see. RFC 7162 §3.1 */
export type ModSeq = number & { readonly [brand]: 'ModSeq' }
/** Number of a message in its account, 1 to 2^40−1; never reused, kept through copy and move. */
export type EmailId = number & { readonly [brand]: 'EmailId' }
/** Number of a mailbox in its account, 1 to 2^32−1; never reused, kept through rename. */
export type MailboxId = number & { readonly [brand]: 'MailboxId' }

/** Highest UID there can be. */
export const MAX_UID = 0xffff_ffff as Uid

/** An inclusive range of UIDs, `first <= last`. */
export interface UidRange {
  readonly first: Uid
  readonly last: Uid
}

/** Ascending, disjoint, not adjacent. Cost goes with the number of ranges, never with the numbers they span. */
export type UidRanges = readonly UidRange[]
