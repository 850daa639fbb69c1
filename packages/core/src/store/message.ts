/** What is known of one message of a mailbox, and how its octets are read. */
import type { MessageStructure } from '../message/index.ts'
import type { EmailId, ModSeq, Uid } from './numbers.ts'

/**
 * System flags and well-known keywords, as bits of `MessageRow.flags`. RFC 9051 §2.3.2; $MDNSent RFC 8098, $Phishing
 * and others IANA.
 */
export const Flag = {
  seen: 1,
  answered: 2,
  flagged: 4,
  deleted: 8,
  draft: 16,
  forwarded: 32,
  junk: 64,
  notJunk: 128,
  phishing: 256,
  mdnSent: 512,
} as const

/** Name of each flag bit as IMAP writes it, lowest bit first. */
export const FLAG_NAMES = [
  '\\Seen',
  '\\Answered',
  '\\Flagged',
  '\\Deleted',
  '\\Draft',
  '$Forwarded',
  '$Junk',
  '$NotJunk',
  '$Phishing',
  '$MDNSent',
] as const

/** Flags of a message as a caller gives them. */
export interface FlagSet {
  /** Bits of `Flag`. */
  readonly flags: number
  /** Names of further keywords, compared without regard to case (ASCII), without repetition. */
  readonly keywords: readonly string[]
}

/** A moment with the zone it was given in. */
export interface InternalDate {
  /** Seconds since 1970-01-01T00:00:00Z, 0 to 2^32−1. */
  readonly seconds: number
  /** Minutes east of UTC, −1439 to 1439. */
  readonly zoneMinutes: number
}

/** One message of a mailbox. What was asked for beyond the first block is there, the rest is absent. */
export interface MessageRow {
  readonly uid: Uid
  readonly emailId: EmailId
  readonly modseq: ModSeq
  /** Bits of `Flag`. */
  readonly flags: number
  /** Bit n stands for the nth of the mailbox's keyword names, n < 32. */
  readonly keywordBits: number
  /** Keywords beyond the first 32 of the mailbox. */
  readonly wideKeywords?: readonly string[]
  /** Octets of the message as BODY[] returns it. */
  readonly sizeOctets: number
  readonly internalDate: InternalDate
  /** Seconds since 1970 of its arrival in this mailbox. */
  readonly saveDateSeconds: number
  /** When asked for with `list`. */
  readonly list?: ListRecord
  /** When asked for with `structure`. Offsets are octets from the start of the message as BODY[] returns it. */
  readonly structure?: MessageStructure
  /** When asked for with `bodyOctets`, if the message is no larger than that: all of it. Valid until the next batch. */
  readonly body?: Uint8Array
}

/** What clients list mail with, ready to send; made once at delivery and never changed. */
export interface ListRecord {
  /** `envelope` of RFC 9051 §9, with its parentheses; non-ASCII strings stand as literals. */
  readonly envelope: Uint8Array
  /** `body` of RFC 9051 §9 with extension data. */
  readonly bodyStructure: Uint8Array
  /**
   * Raw lines (with folding and line ends, in order) of the header fields clients list; which those are:
   * `LISTED_FIELDS` of core/message.
   */
  readonly fields: Uint8Array
  /** Every field of `LISTED_FIELDS` the header has is in `fields`; when false, read the real header. */
  readonly complete: boolean
  /** True when envelope and bodyStructure hold no octet over 0x7f and no literal, so may go to any client. */
  readonly ascii: boolean
}

/** Which parts of a row a caller needs; each costs a read. */
export interface RowParts {
  readonly list?: boolean
  readonly structure?: boolean
  /** Give the whole message along when it is no larger than this, at most 65,536. */
  readonly bodyOctets?: number
}
