/** Keys of accounts: behind the space the account's number (u32), then a table (u8). */
import { readUint, writeUint } from './big-endian.ts'
import { freshOctets } from './fresh-octets.ts'
import type { Field, KeySpan } from './key-octets.ts'
import { after, extend, hash8, nameHash8, Space, span } from './key-octets.ts'

/**
 * Tables of the account space, in key order. What is written together lies side by side: the newest log record, the
 * head and the counters share a leaf. Numbers are part of the file format and never reused.
 */
const Table = {
  log: 1,
  head: 2,
  counters: 3,
  mailbox: 4,
  name: 5,
  subscription: 6,
  page: 7,
  keywords: 8,
  message: 9,
  refs: 10,
  tomb: 11,
  erase: 12,
  msgid: 13,
  idem: 14,
  access: 15,
  // One reserved for text search.
  ring: 16,
  sent: 17,
  out: 18,
  reject: 19,
  train: 20,
  word: 21,
  corpus: 22,
  text: 23,
  arrival: 24,
} as const

/** What the table of training holds. */
const TrainKind = { left: 1, state: 2, delta: 3 } as const

/** Parts of a message, in key order under its email id: list, structure and body lie side by side. */
export const MessagePart = {
  list: 0,
  structure: 1,
  /** Chunk n of the body is part `body + n`. */
  body: 2,
  /** Continuations of a list record that exceeds one value. */
  listMore: 0x4000,
  /** Continuations of a structure record. */
  structureMore: 0x8000,
  /** What its reception left, when it came from outside. */
  reception: 0xc000,
} as const

/** Messages of one page: their UIDs share all but the lowest 7 bits. */
export const PAGE_UIDS = 128

/** Keys of one account. Spans cover all records of a table, of a mailbox or of a message. */
export class AccountKeys {
  readonly account: number
  /** Prefix of all keys of the account: its partition. */
  readonly partition: Uint8Array

  /** @param account number of the account, 1 to 2^32−1 */
  constructor(account: number) {
    this.account = account
    this.partition = extend(Uint8Array.of(Space.account), [[account, 4]])
  }

  /** Everything of the account. */
  all(): KeySpan {
    return span(this.partition)
  }

  head(): Uint8Array {
    return this.#key(Table.head)
  }

  /** @param modseq highest of the batch */
  log(modseq: number): Uint8Array {
    return this.#key(Table.log, [modseq, 6])
  }

  /** Log records after a modseq. */
  logAfter(modseq: number): KeySpan {
    return { from: this.log(modseq + 1), to: after(this.#key(Table.log)) }
  }

  counters(mailbox: number): Uint8Array {
    return this.#key(Table.counters, [mailbox, 4])
  }

  allCounters(): KeySpan {
    return span(this.#key(Table.counters))
  }

  mailbox(mailbox: number): Uint8Array {
    return this.#key(Table.mailbox, [mailbox, 4])
  }

  mailboxes(): KeySpan {
    return span(this.#key(Table.mailbox))
  }

  /** @param name NFC name of a mailbox */
  name(name: string): Uint8Array {
    return this.#hashed(Table.name, nameHash8(name))
  }

  names(): KeySpan {
    return span(this.#key(Table.name))
  }

  subscription(name: string): Uint8Array {
    return this.#hashed(Table.subscription, nameHash8(name))
  }

  subscriptions(): KeySpan {
    return span(this.#key(Table.subscription))
  }

  /** @param page `pageOfUid` of the UIDs in it */
  page(mailbox: number, page: number): Uint8Array {
    return this.#key(Table.page, [mailbox, 4], [page, 4])
  }

  /** Pages `first` to `last`, both inclusive; default all of the mailbox. */
  pages(mailbox: number, first = 0, last?: number): KeySpan {
    const to = last === undefined ? this.#key(Table.page, [mailbox, 4]) : this.page(mailbox, last)
    return { from: this.page(mailbox, first), to: after(to) }
  }

  /** Keyword names of a message beyond the mailbox's first 32. */
  keywords(mailbox: number, uid: number): Uint8Array {
    return this.#key(Table.keywords, [mailbox, 4], [uid, 4])
  }

  allKeywords(mailbox: number): KeySpan {
    return span(this.#key(Table.keywords, [mailbox, 4]))
  }

  /** @param part `MessagePart`, plus the number of the chunk or continuation */
  message(emailId: number, part: number): Uint8Array {
    return this.#key(Table.message, [emailId, 5], [part, 2])
  }

  /** All records of a message. */
  messageParts(emailId: number): KeySpan {
    return span(this.#key(Table.message, [emailId, 5]))
  }

  /** Place counts of 128 email ids. */
  refs(emailId: number): Uint8Array {
    return this.#key(Table.refs, [Math.floor(emailId / PAGE_UIDS), 5])
  }

  /** @param part from 0, when one change expunged more than a record holds */
  tomb(mailbox: number, modseq: number, part: number): Uint8Array {
    return this.#key(Table.tomb, [mailbox, 4], [modseq, 6], [part, 2])
  }

  /** Tombstones of a mailbox after a modseq; of `upTo` and below when given. */
  tombsAfter(mailbox: number, modseq: number, upTo?: number): KeySpan {
    const to = upTo === undefined ? this.#key(Table.tomb, [mailbox, 4]) : this.#key(Table.tomb, [mailbox, 4], [upTo, 6])
    return { from: this.tomb(mailbox, modseq + 1, 0), to: after(to) }
  }

  /** Something to be erased. @param seconds when it was expunged, since 1970 */
  erase(seconds: number, modseq: number, mailbox: number): Uint8Array {
    return this.#key(Table.erase, [seconds, 5], [modseq, 6], [mailbox, 4])
  }

  /** What was expunged before that second. */
  eraseBefore(seconds: number): KeySpan {
    return { from: this.#key(Table.erase), to: this.#key(Table.erase, [seconds, 5]) }
  }

  /** @param messageId Message-ID as compared, without brackets */
  msgid(messageId: string | Uint8Array): Uint8Array {
    return this.#hashed(Table.msgid, hash8(messageId))
  }

  idem(key: string): Uint8Array {
    return this.#hashed(Table.idem, hash8(key))
  }

  idems(): KeySpan {
    return span(this.#key(Table.idem))
  }

  /** Credentials, settings and other octets kept for the account under a name. */
  access(kind: string): Uint8Array {
    return this.#hashed(Table.access, nameHash8(kind))
  }

  accesses(): KeySpan {
    return span(this.#key(Table.access))
  }

  /** Judgements by one identity of a sender. @param mailbox that messages first came to */
  ring(mailbox: number, kind: number, value: string): Uint8Array {
    return extend(this.partition, [[Table.ring, 1], [mailbox, 4], [kind, 1]], nameHash8(value))
  }

  /** When somebody was written to. @param level of the correspondent, by number */
  sent(level: number, value: string): Uint8Array {
    return extend(this.partition, [[Table.sent, 1], [level, 1]], nameHash8(value))
  }

  /** A kept reject by its Message-ID, or by the digest of its octets. */
  reject(id: string | Uint8Array): Uint8Array {
    return this.#hashed(Table.reject, hash8(id))
  }

  /** Arrivals of the newest minute: beside the head and the counters, which every delivery writes. */
  arrivalsNow(): Uint8Array {
    return this.#key(Table.head, [1, 1])
  }

  /** Arrivals of an earlier minute. @param minute since 1970 */
  arrivals(minute: number): Uint8Array {
    return this.#key(Table.arrival, [minute, 4])
  }

  /** Arrivals of minutes `first` to, not including, `end`. */
  arrivalsBetween(first: number, end: number): KeySpan {
    return { from: this.arrivals(first), to: this.arrivals(end) }
  }

  /** What a change left to be learned. @param part from 0 */
  trainingLeft(modseq: number, part: number): Uint8Array {
    return this.#key(Table.train, [TrainKind.left, 1], [modseq, 6], [part, 2])
  }

  /** All that was left, oldest first. */
  allTrainingLeft(): KeySpan {
    return span(this.#key(Table.train, [TrainKind.left, 1]))
  }

  /** As what 128 messages are counted in a corpus. */
  trainingState(corpus: number, emailId: number): Uint8Array {
    return this.#key(Table.train, [TrainKind.state, 1], [corpus, 2], [Math.floor(emailId / PAGE_UIDS), 5])
  }

  /** Words learned and not yet merged into the counts, in the order they were learned. */
  delta(corpus: number, sequence: number): Uint8Array {
    return this.#key(Table.train, [TrainKind.delta, 1], [corpus, 2], [sequence, 6])
  }

  /** Deltas `first` to, not including, `end`. */
  deltas(corpus: number, first: number, end: number): KeySpan {
    return { from: this.delta(corpus, first), to: this.delta(corpus, end) }
  }

  /** Makes keys of words by the upper and the lower half of each: a message asks for hundreds. */
  wordKeys(corpus: number): (high: number, low: number) => Uint8Array {
    const prefix = this.#key(Table.word, [corpus, 2])
    return (high, low) => {
      const key = freshOctets(prefix.length + 8)
      key.set(prefix)
      writeUint(key, prefix.length, high, 4)
      writeUint(key, prefix.length + 4, low, 4)
      return key
    }
  }

  words(corpus: number): KeySpan {
    return span(this.#key(Table.word, [corpus, 2]))
  }

  /** Which corpus is in use. */
  corpora(): Uint8Array {
    return this.#key(Table.corpus)
  }

  /** Totals of a corpus, and how far its deltas are merged. */
  corpus(corpus: number): Uint8Array {
    return this.#key(Table.corpus, [corpus, 2])
  }

  /** Everything of a corpus but its own record. */
  corpusRows(corpus: number): readonly KeySpan[] {
    const kinds = [TrainKind.state, TrainKind.delta].map((kind) => span(this.#key(Table.train, [kind, 1], [corpus, 2])))
    return [...kinds, this.words(corpus)]
  }

  #key(table: number, ...fields: Field[]): Uint8Array {
    return extend(this.partition, [[table, 1], ...fields])
  }

  #hashed(table: number, digest: Uint8Array): Uint8Array {
    return extend(this.partition, [[table, 1]], digest)
  }
}

/** Number of the page a UID lies in. */
export function pageOfUid(uid: number): number {
  return Math.floor(uid / PAGE_UIDS)
}

// Offsets of the fields behind space, account and table.
const FIELDS = 6

/** Account a key belongs to, or undefined when it lies in another space. */
export function accountOfKey(key: Uint8Array): number | undefined {
  return key[0] === Space.account && key.length >= 5 ? readUint(key, 1, 4) : undefined
}

export function parseLogKey(key: Uint8Array): { readonly modseq: number } {
  return { modseq: readUint(key, FIELDS, 6) }
}

/** Of a key of counters or mailbox. */
export function parseMailboxKey(key: Uint8Array): { readonly mailbox: number } {
  return { mailbox: readUint(key, FIELDS, 4) }
}

export function parsePageKey(key: Uint8Array): {
  readonly mailbox: number
  readonly page: number
  readonly firstUid: number
} {
  const page = readUint(key, FIELDS + 4, 4)
  return { mailbox: readUint(key, FIELDS, 4), page, firstUid: page * PAGE_UIDS }
}

export function parseKeywordsKey(key: Uint8Array): { readonly mailbox: number; readonly uid: number } {
  return { mailbox: readUint(key, FIELDS, 4), uid: readUint(key, FIELDS + 4, 4) }
}

export function parseMessageKey(key: Uint8Array): { readonly emailId: number; readonly part: number } {
  return { emailId: readUint(key, FIELDS, 5), part: readUint(key, FIELDS + 5, 2) }
}

export function parseTombKey(key: Uint8Array): {
  readonly mailbox: number
  readonly modseq: number
  readonly part: number
} {
  return {
    mailbox: readUint(key, FIELDS, 4),
    modseq: readUint(key, FIELDS + 4, 6),
    part: readUint(key, FIELDS + 10, 2),
  }
}

/** Halves of a word's key. */
export function parseWordKey(key: Uint8Array): { readonly high: number; readonly low: number } {
  return { high: readUint(key, FIELDS + 2, 4), low: readUint(key, FIELDS + 6, 4) }
}

/** Of a key of `allTrainingLeft()`. */
export function parseTrainingLeftKey(key: Uint8Array): { readonly modseq: number; readonly part: number } {
  return { modseq: readUint(key, FIELDS + 1, 6), part: readUint(key, FIELDS + 7, 2) }
}

export function parseEraseKey(key: Uint8Array): {
  readonly seconds: number
  readonly modseq: number
  readonly mailbox: number
} {
  return {
    seconds: readUint(key, FIELDS, 5),
    modseq: readUint(key, FIELDS + 5, 6),
    mailbox: readUint(key, FIELDS + 11, 4),
  }
}
