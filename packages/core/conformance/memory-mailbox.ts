/**
 * A mailbox of the memory double and its sessions. Every message it ever had stays in one array in UID order, with the
 * modseq at which it came and, once it went, the modseq at which it went: slow, and easy to believe.
 */
import type { MessageStructure } from '../src/message/index.ts'
import type {
  EmailId,
  FlagSet,
  InternalDate,
  ListRecord,
  Mailbox,
  MailboxChanges,
  MailboxSnapshot,
  MailboxStatus,
  MessageRow,
  ModSeq,
  OpenMailbox,
  RowParts,
  Uid,
  UidRange,
  UidRanges,
} from '../src/store/index.ts'
import { addKeywords, Flag, foldKeyword, keywordPlaces, MAX_UID, UidList } from '../src/store/index.ts'
import type { MemoryAccount } from './memory-account.ts'

const BATCH_ROWS = 256
const BATCH_OCTETS = 262_144
const PIECE_OCTETS = 65_536
/** Messages changed at a time by the real store; here the same, so that modseqs rise as they do there. */
const SLICE = 4096

/** What never changes about a message, shared by all its places. */
export interface MemoryContent {
  readonly octets: Uint8Array
  readonly structure: MessageStructure
  readonly list: ListRecord
  readonly internalDate: InternalDate
}

/** One message in one mailbox. */
interface Place {
  readonly uid: number
  readonly emailId: EmailId
  readonly cameAt: number
  wentAt: number | undefined
  modseq: number
  flags: number
  /** Folded names. */
  keywords: ReadonlySet<string>
  readonly saveDateSeconds: number
}

/** A mailbox as the account keeps it. */
export class MemoryMailbox {
  mailbox: Mailbox
  exists = true
  keywords: readonly string[] = []
  uidNext = 1
  recentFrom = 1
  highestModseq: number
  readonly places: Place[] = []
  readonly sessions = new Set<MemorySession>()

  constructor(mailbox: Mailbox, modseq: number) {
    this.mailbox = mailbox
    this.highestModseq = modseq
  }

  get live(): readonly Place[] {
    return this.exists ? this.places.filter((place) => place.wentAt === undefined) : []
  }

  status(account: MemoryAccount): MailboxStatus {
    const live = this.live
    return {
      messages: live.length,
      unseen: live.filter((place) => (place.flags & Flag.seen) === 0).length,
      deleted: live.filter((place) => (place.flags & Flag.deleted) !== 0).length,
      sizeOctets: live.reduce((sum, place) => sum + account.content(place.emailId).octets.length, 0),
      uidNext: this.uidNext as Uid,
      uidValidity: this.mailbox.uidValidity,
      highestModseq: this.highestModseq as ModSeq,
      recent: live.filter((place) => place.uid >= this.recentFrom).length,
    }
  }

  /** Adds a message at the next UID. */
  add(emailId: EmailId, flagSet: FlagSet, modseq: number, saveDateSeconds: number): Uid {
    const uid = this.uidNext
    if (uid > MAX_UID) throw new RangeError('UIDs used up')
    this.keywords = addKeywords(this.keywords, flagSet.keywords)
    const keywords = this.#known(flagSet.keywords)
    const { flags } = flagSet
    this.places.push({ uid, emailId, cameAt: modseq, wentAt: undefined, modseq, flags, keywords, saveDateSeconds })
    this.uidNext += 1
    this.highestModseq = modseq
    return uid as Uid
  }

  remove(place: Place, modseq: number): void {
    place.wentAt = modseq
    this.highestModseq = modseq
  }

  /** Gives a message other flags. @returns whether that changed it */
  setFlags(place: Place, flagSet: FlagSet, mode: 'replace' | 'add' | 'remove'): boolean {
    if (mode !== 'remove') this.keywords = addKeywords(this.keywords, flagSet.keywords)
    const given = this.#known(flagSet.keywords)
    let { flags, keywords } = { flags: flagSet.flags, keywords: given }
    if (mode === 'add') {
      flags = place.flags | flags
      keywords = new Set([...place.keywords, ...given])
    }
    if (mode === 'remove') {
      flags = place.flags & ~flags
      keywords = new Set([...place.keywords].filter((name) => !given.has(name)))
    }
    const sameKeywords = keywords.size === place.keywords.size && [...keywords].every((k) => place.keywords.has(k))
    if (flags === place.flags && sameKeywords) return false
    place.flags = flags
    place.keywords = keywords
    return true
  }

  /** Spelled as the mailbox spells them. */
  keywordNames(place: Place): readonly string[] {
    return this.keywords.filter((name) => place.keywords.has(foldKeyword(name)))
  }

  row(place: Place, content: MemoryContent, parts: RowParts = {}): MessageRow {
    const numbers = keywordPlaces(this.keywords, [...place.keywords])
    const wide = numbers.filter((n) => n >= 32).map((n) => this.keywords[n] as string)
    const { octets } = content
    return {
      uid: place.uid as Uid,
      emailId: place.emailId,
      modseq: place.modseq as ModSeq,
      flags: place.flags,
      keywordBits: numbers.filter((n) => n < 32).reduce((bits, n) => bits + 2 ** n, 0),
      ...(wide.length > 0 ? { wideKeywords: wide } : {}),
      sizeOctets: octets.length,
      internalDate: content.internalDate,
      saveDateSeconds: place.saveDateSeconds,
      ...(parts.list === true ? { list: content.list } : {}),
      ...(parts.structure === true ? { structure: content.structure } : {}),
      ...(octets.length <= (parts.bodyOctets ?? -1) ? { body: octets.slice() } : {}),
    }
  }

  #known(names: readonly string[]): ReadonlySet<string> {
    return new Set(keywordPlaces(this.keywords, names).map((n) => foldKeyword(this.keywords[n] as string)))
  }
}

/** Ascending numbers as ranges. */
export function rangesOf(uids: readonly number[]): UidRanges {
  return UidList.of(uids).slice(1, uids.length)
}

function isIn(ranges: UidRanges, uid: number): boolean {
  return ranges.some((range) => range.first <= uid && uid <= range.last)
}

/** Groups of at most `SLICE`. */
function slices<T>(all: readonly T[]): readonly (readonly T[])[] {
  const groups: T[][] = []
  for (let at = 0; at < all.length; at += SLICE) groups.push(all.slice(at, at + SLICE))
  return groups
}

/** One session's hold on a mailbox. */
export class MemorySession implements OpenMailbox {
  readonly snapshot: MailboxSnapshot
  readonly #box: MemoryMailbox
  readonly #account: MemoryAccount
  #told: number

  constructor(box: MemoryMailbox, account: MemoryAccount, mode: 'read-write' | 'read-only') {
    this.#box = box
    this.#account = account
    this.#told = account.modseq
    const live = box.live
    const recent = { first: box.recentFrom, last: box.uidNext - 1 } as UidRange
    const fresh = recent.first <= recent.last && mode === 'read-write'
    if (fresh) box.recentFrom = box.uidNext
    this.snapshot = {
      mailbox: box.mailbox,
      status: box.status(account),
      uids: UidList.of(live.map((place) => place.uid)),
      modseq: account.modseq as ModSeq,
      firstUnseen: live.find((place) => (place.flags & Flag.seen) === 0)?.uid as Uid | undefined,
      recent: fresh ? recent : undefined,
      keywords: box.keywords,
    }
    box.sessions.add(this)
  }

  get toldModseq(): number {
    return this.#told
  }

  /** Messages of a set that this session can still read. */
  #readable(uids: UidRanges): readonly Place[] {
    if (!this.#box.exists) return []
    return this.#box.places.filter(
      (place) => isIn(uids, place.uid) && (place.wentAt === undefined || place.wentAt > this.#told),
    )
  }

  #liveIn(uids: UidRanges): readonly Place[] {
    return this.#box.live.filter((place) => isIn(uids, place.uid))
  }

  async *fetch(uids: UidRanges, parts: RowParts): AsyncIterable<readonly MessageRow[]> {
    let batch: MessageRow[] = []
    let octets = 0
    for (const place of this.#readable(uids)) {
      const content = this.#account.contents.get(place.emailId)
      if (content === undefined) continue
      const row = this.#box.row(place, content, parts)
      const rowOctets = (row.body?.length ?? 0) + (parts.list === true ? content.list.fields.length + 1000 : 0)
      if (batch.length === BATCH_ROWS || (batch.length > 0 && octets + rowOctets > BATCH_OCTETS)) {
        yield batch
        batch = []
        octets = 0
      }
      batch.push(row)
      octets += rowOctets
    }
    if (batch.length > 0) yield batch
  }

  async *read(emailId: EmailId, from: number, to: number): AsyncIterable<Uint8Array> {
    for (let at = Math.max(0, from); ; ) {
      const octets = this.#box.exists ? this.#account.contents.get(emailId)?.octets : undefined
      if (octets === undefined || at >= Math.min(to, octets.length)) return
      const piece = octets.slice(at, Math.min(to, octets.length, at + PIECE_OCTETS))
      at += piece.length
      yield piece
    }
  }

  changesSince(since: ModSeq): Promise<MailboxChanges> {
    const box = this.#box
    const head = { upTo: this.#account.modseq as ModSeq, exists: box.exists, uidNext: box.uidNext as Uid }
    if (!box.exists) return Promise.resolve({ ...head, vanished: [], changed: [], arrived: [], keywords: [] })
    const before = box.places.filter((place) => place.cameAt <= since)
    const gone = before.filter((place) => place.wentAt !== undefined && place.wentAt > since)
    const rows = (places: readonly Place[]): readonly MessageRow[] =>
      places.map((place) => box.row(place, this.#account.content(place.emailId)))
    return Promise.resolve({
      ...head,
      vanished: rangesOf(gone.map((place) => place.uid)),
      changed: rows(before.filter((place) => place.wentAt === undefined && place.modseq > since)),
      arrived: rows(box.places.filter((place) => place.cameAt > since && place.wentAt === undefined)),
      keywords: box.keywords,
    })
  }

  told(modseq: ModSeq): void {
    this.#told = Math.max(this.#told, modseq)
    this.#account.forget()
  }

  storeFlags: OpenMailbox['storeFlags'] = (uids, change, options) => {
    const box = this.#box
    const found = this.#liveIn(uids)
    const limit = options?.unchangedSince ?? Infinity
    const modified = found.filter((place) => place.modseq > limit).map((place) => place.uid)
    for (const slice of slices(found)) {
      const changed = slice.filter((place) => {
        const before = place.flags
        if (place.modseq > limit || !box.setFlags(place, change, change.mode)) return false
        this.#account.training.judge(place.emailId, before, place.flags)
        return true
      })
      if (changed.length === 0) continue
      const modseq = this.#account.nextModseq()
      box.highestModseq = modseq
      for (const place of changed) {
        place.modseq = modseq
        this.#account.reception.judge(place.emailId, place.flags)
      }
      this.#account.notify()
    }
    const rows = found.map((place) => box.row(place, this.#account.content(place.emailId)))
    return Promise.resolve({ rows, modified: rangesOf(modified), keywords: box.exists ? box.keywords : [] })
  }

  expunge(uids?: UidRanges): Promise<UidRanges> {
    const all = uids === undefined ? this.#box.live : this.#liveIn(uids)
    const doomed = all.filter((place) => (place.flags & Flag.deleted) !== 0)
    for (const slice of slices(doomed)) {
      const modseq = this.#account.nextModseq()
      for (const place of slice) this.#box.remove(place, modseq)
      this.#account.notify()
    }
    this.#account.forget()
    return Promise.resolve(rangesOf(doomed.map((place) => place.uid)))
  }

  copy: OpenMailbox['copy'] = (uids, destination) => {
    const target = this.#account.find(destination)
    if (target === undefined) return Promise.resolve({ kind: 'no-such-mailbox' })
    return Promise.resolve(this.#account.transfer(this.#box, [this.#liveIn(uids)], target, 'copy'))
  }

  move: OpenMailbox['move'] = (uids, destination) => {
    const target = this.#account.find(destination)
    if (target === undefined) return Promise.resolve({ kind: 'no-such-mailbox' })
    return Promise.resolve(this.#account.transfer(this.#box, slices(this.#liveIn(uids)), target, 'move'))
  }

  close(): void {
    this.#box.sessions.delete(this)
    this.#account.forget()
  }
}

export type { Place as MemoryPlace }
