/** Records of a mailbox: its counts, what it is, and the keyword names of a message that the page has no bits for. */
import type { SpecialUse } from '@postern/core/store'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

/** Counts of a mailbox, rewritten by every batch that touches it. */
export interface CountersRecord {
  /** 1 to 2^32−1; at 2^32−1 the mailbox is full. */
  readonly uidNext: number
  readonly highestModseq: number
  readonly total: number
  readonly unseen: number
  readonly deleted: number
  readonly sizeOctets: number
  /** No unseen message has a lower UID. */
  readonly firstUnseenHint: number
  /** Messages from this UID on are recent to whoever opens the mailbox next. */
  readonly recentFrom: number
  /** How many these are. */
  readonly recent: number
}

export function encodeCounters(counters: CountersRecord): Uint8Array {
  return new OctetWriter(64)
    .uint(FORMAT, 1)
    .uint(counters.uidNext, 4)
    .uint(counters.highestModseq, 6)
    .uint(counters.total, 4)
    .uint(counters.unseen, 4)
    .uint(counters.deleted, 4)
    .uint(counters.sizeOctets, 6)
    .uint(counters.firstUnseenHint, 4)
    .uint(counters.recentFrom, 4)
    .uint(counters.recent, 4)
    .finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeCounters(octets: Uint8Array): CountersRecord {
  const reader = new OctetReader(octets, 'mailbox counters').format(FORMAT)
  const counters = {
    uidNext: reader.uint(4),
    highestModseq: reader.uint(6),
    total: reader.uint(4),
    unseen: reader.uint(4),
    deleted: reader.uint(4),
    sizeOctets: reader.uint(6),
    firstUnseenHint: reader.uint(4),
    recentFrom: reader.uint(4),
    recent: reader.uint(4),
  }
  reader.end()
  return counters
}

/** What a mailbox is; rewritten when it is renamed or gets a new keyword. */
export interface MailboxRecord {
  /** NFC, levels separated by `/`. */
  readonly name: string
  readonly uidValidity: number
  readonly specialUse: readonly SpecialUse[]
  /** Keyword names in the order of their bits; those beyond the 32nd are known but have no bit. */
  readonly keywords: readonly string[]
  readonly createdModseq: number
  readonly changedModseq: number
}

/** By number in the record; never reordered. RFC 6154 §2 */
const SPECIAL_USES: readonly SpecialUse[] = [
  '\\All',
  '\\Archive',
  '\\Drafts',
  '\\Flagged',
  '\\Junk',
  '\\Sent',
  '\\Trash',
]

/** The caller bounds name and keywords so that the record fits one value. */
export function encodeMailbox(mailbox: MailboxRecord): Uint8Array {
  const writer = new OctetWriter()
    .uint(FORMAT, 1)
    .uint(mailbox.uidValidity, 4)
    .uint(mailbox.createdModseq, 6)
    .uint(mailbox.changedModseq, 6)
    .text(mailbox.name)
    .uint(mailbox.specialUse.length, 1)
  for (const use of mailbox.specialUse) writer.uint(SPECIAL_USES.indexOf(use), 1)
  return writer.texts(mailbox.keywords).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeMailbox(octets: Uint8Array): MailboxRecord {
  const reader = new OctetReader(octets, 'mailbox').format(FORMAT)
  const uidValidity = reader.uint(4)
  const createdModseq = reader.uint(6)
  const changedModseq = reader.uint(6)
  const name = reader.text()
  const specialUse: SpecialUse[] = []
  for (let left = reader.uint(1); left > 0; left -= 1) specialUse.push(reader.choice(SPECIAL_USES))
  const keywords = reader.texts()
  reader.end()
  return { name, uidValidity, specialUse, keywords, createdModseq, changedModseq }
}

/** Keyword names of a message beyond the mailbox's first 32. */
export function encodeKeywords(names: readonly string[]): Uint8Array {
  return new OctetWriter().uint(FORMAT, 1).texts(names).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeKeywords(octets: Uint8Array): readonly string[] {
  const reader = new OctetReader(octets, 'keywords').format(FORMAT)
  const names = reader.texts()
  reader.end()
  return names
}
