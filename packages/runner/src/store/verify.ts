/**
 * Checks one account's records against each other: what must hold after every change, whatever happened in between.
 * Reads everything once; for tests, and for an operator who wants to know. Repairs nothing.
 */
import { Flag } from '@postern/core/store'
import { chunkSpan, countChunks, decodeChunk } from './body-chunks.ts'
import type { HeadRecord } from './head-record.ts'
import { decodeHead } from './head-record.ts'
import type { AccountKeys } from './account-keys.ts'
import type { KeySpan } from './key-octets.ts'
import { MessagePart, PAGE_UIDS, parseEraseKey, parseMailboxKey, parseMessageKey, parsePageKey, parseTombKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { decodeList } from './list-codec.ts'
import { continuationsOf } from './long-record.ts'
import { loopTurn } from './loop-turn.ts'
import type { CountersRecord, MailboxRecord } from './mailbox-records.ts'
import { decodeCounters, decodeKeywords, decodeMailbox } from './mailbox-records.ts'
import { decodeRefs } from './message-records.ts'
import { decodeBucket, decodeName, findNamed } from './named-records.ts'
import type { Entry, OrderedStore } from './ordered-store.ts'
import type { PageRow } from './pages.ts'
import { Page, RowFlag } from './pages.ts'
import type { StoredBlobs } from './stored-blobs.ts'
import { decodeStructure } from './structure-codec.ts'
import { decodeErase, decodeTomb } from './tomb-record.ts'

const READ = 128

/** What to verify. The account must stand still meanwhile. */
export interface VerifySource {
  readonly store: OrderedStore
  readonly keys: AccountKeys
  readonly blobs: Pick<StoredBlobs, 'read'>
}

/** @returns a sentence for everything that is wrong; none when all is well */
export async function verifyAccount(source: VerifySource): Promise<readonly string[]> {
  const check = new AccountCheck(source)
  await check.run()
  return check.problems
}

/** Counts of a mailbox, taken from its pages. */
interface Recount {
  total: number
  unseen: number
  deleted: number
  sizeOctets: number
  recent: number
  highestModseq: number
  firstUnseen: number
}

class AccountCheck {
  readonly problems: string[] = []
  readonly #source: VerifySource
  /** Places of each message, tombstones included. */
  readonly #places = new Map<number, number>()
  readonly #sizes = new Map<number, number>()
  readonly #mailboxes = new Map<number, MailboxRecord>()
  /** Deleted mailboxes whose records wait for the eraser. */
  readonly #doomed = new Set<number>()
  #head: HeadRecord | undefined

  constructor(source: VerifySource) {
    this.#source = source
  }

  async run(): Promise<void> {
    const { store, keys } = this.#source
    const [octets] = await store.getMany([keys.head()])
    if (octets === undefined) return void this.problems.push('The account has no head')
    this.#head = decodeHead(octets)
    for await (const { key, value } of this.#entries(keys.mailboxes())) {
      this.#mailboxes.set(parseMailboxKey(key).mailbox, decodeMailbox(value))
    }
    for await (const { key, value } of this.#entries(keys.eraseBefore(2 ** 40 - 1))) {
      if (decodeErase(value).kind === 'mailbox') this.#doomed.add(parseEraseKey(key).mailbox)
    }
    let used = 0
    for (const [id, record] of this.#mailboxes) used += await this.#mailbox(id, record)
    this.#equal('Octets used', this.#head.octetsUsed, used)
    for (const id of this.#doomed) {
      for await (const entry of this.#entries(keys.pages(id))) await this.#page(id, entry, undefined, undefined)
      await this.#tombs(id)
    }
    await this.#messages()
    await this.#refs()
  }

  /** @returns octets of its messages */
  async #mailbox(id: number, record: MailboxRecord): Promise<number> {
    const { store, keys } = this.#source
    const what = `Mailbox ${id} (${record.name})`
    const [counted, bucket] = await store.getMany([keys.counters(id), keys.name(record.name)])
    const named = findNamed(decodeBucket(bucket), record.name)
    if (named === undefined || decodeName(named).mailbox !== id) this.#problem(`${what} is not found by its name`)
    if (counted === undefined) {
      this.#problem(`${what} has no counters`)
      return 0
    }
    const counters = decodeCounters(counted)
    const recount: Recount = {
      total: 0,
      unseen: 0,
      deleted: 0,
      sizeOctets: 0,
      recent: 0,
      highestModseq: 0,
      firstUnseen: Infinity,
    }
    for await (const entry of this.#entries(keys.pages(id))) await this.#page(id, entry, counters, recount)
    for (const name of ['total', 'unseen', 'deleted', 'sizeOctets', 'recent'] as const) {
      this.#equal(`${what}: ${name}`, counters[name], recount[name])
    }
    if (recount.firstUnseen < counters.firstUnseenHint) this.#problem(`${what}: hint of the first unseen is too high`)
    if (recount.highestModseq > counters.highestModseq) this.#problem(`${what}: a message has a higher modseq`)
    if (counters.highestModseq > (this.#head?.modseq ?? 0)) this.#problem(`${what}: modseq is above the account's`)
    const next = this.#head?.nextUidValidity ?? 0
    if (record.uidValidity >= next) this.#problem(`${what}: UIDVALIDITY will be given again`)
    if (id >= (this.#head?.nextMailboxId ?? 0)) this.#problem(`${what}: id will be given again`)
    await this.#tombs(id)
    return counters.sizeOctets
  }

  async #page(
    id: number,
    { key, value }: Entry,
    counters: CountersRecord | undefined,
    recount: Recount | undefined,
  ): Promise<void> {
    const { page: number } = parsePageKey(key)
    const page = Page.decode(value)
    let unseen = 0
    let deleted = 0
    for (let index = 0; index < page.count; index += 1) {
      const row = page.row(index)
      const uid = number * PAGE_UIDS + row.slot
      const what = `Message ${uid} of mailbox ${id}`
      if (row.modseq > page.highestModseq) this.#problem(`${what} has a modseq above its page's`)
      unseen += (row.flags & Flag.seen) === 0 ? 1 : 0
      deleted += (row.flags & Flag.deleted) === 0 ? 0 : 1
      await this.#place(id, uid, row)
      if (counters === undefined || recount === undefined) continue
      if (uid >= counters.uidNext) this.#problem(`${what} is not below UIDNEXT`)
      recount.sizeOctets += row.sizeOctets
      recount.recent += uid >= counters.recentFrom ? 1 : 0
      recount.highestModseq = Math.max(recount.highestModseq, row.modseq)
      if ((row.flags & Flag.seen) === 0) recount.firstUnseen = Math.min(recount.firstUnseen, uid)
    }
    this.#equal(`Page ${number} of mailbox ${id}: unseen`, page.unseen, unseen)
    this.#equal(`Page ${number} of mailbox ${id}: deleted`, page.deleted, deleted)
    if (page.count === 0) this.#problem(`Page ${number} of mailbox ${id} is empty`)
    if (recount === undefined) return
    recount.total += page.count
    recount.unseen += unseen
    recount.deleted += deleted
  }

  async #tombs(id: number): Promise<void> {
    for await (const { key, value } of this.#entries(this.#source.keys.tombsAfter(id, -1))) {
      const tomb = decodeTomb(value)
      const isFuture = parseTombKey(key).modseq > (this.#head?.modseq ?? 0)
      if (isFuture) this.#problem(`A tombstone of mailbox ${id} is of the future`)
      if (tomb.kind === 'rows') for (const { uid, row } of tomb.rows) await this.#place(id, uid, row)
    }
  }

  async #place(id: number, uid: number, row: PageRow): Promise<void> {
    const { store, keys } = this.#source
    this.#places.set(row.emailId, (this.#places.get(row.emailId) ?? 0) + 1)
    const size = this.#sizes.get(row.emailId) ?? row.sizeOctets
    this.#sizes.set(row.emailId, row.sizeOctets)
    this.#equal(`Message ${uid} of mailbox ${id}: size in another place`, row.sizeOctets, size)
    if (row.emailId >= (this.#head?.nextEmailId ?? 0)) this.#problem(`Email id ${row.emailId} will be given again`)
    if ((row.flags & RowFlag.wideKeywords) === 0) return
    const [wide] = await store.getMany([keys.keywords(id, uid)])
    if (wide === undefined || decodeKeywords(wide).length === 0) {
      this.#problem(`Message ${uid} of mailbox ${id} lacks its keywords`)
    }
  }

  /** Each message with a place has its records; no others are there. */
  async #messages(): Promise<void> {
    const { keys } = this.#source
    const span = { from: keys.message(0, 0), to: keys.messageParts(2 ** 40 - 1).to }
    const seen = new Set<number>()
    for await (const { key } of this.#entries(span)) {
      const { emailId } = parseMessageKey(key)
      if (seen.has(emailId)) continue
      seen.add(emailId)
      if (!this.#places.has(emailId)) this.#problem(`Message ${emailId} has records but no place`)
    }
    for (const emailId of this.#places.keys()) {
      try {
        await this.#message(emailId)
      } catch (cause) {
        if ((cause as { code?: unknown }).code !== 'STORE_CORRUPT') throw cause
        this.#problem(`Message ${emailId}: ${(cause as Error).message}`)
      }
    }
  }

  async #message(emailId: number): Promise<void> {
    const { store, keys, blobs } = this.#source
    decodeList(await this.#long(emailId, MessagePart.list, MessagePart.listMore, 'message list'))
    const stored = decodeStructure(
      await this.#long(emailId, MessagePart.structure, MessagePart.structureMore, 'message structure'),
    )
    this.#equal(`Message ${emailId}: size`, this.#sizes.get(emailId), stored.sizeOctets)
    const { body, sizeOctets } = stored
    if (body.kind === 'blob') {
      const octets = await blobs.read(body.id, sizeOctets - body.prefix.length + body.skipOctets - 1, sizeOctets)
      if (octets?.length !== 1) this.#problem(`Message ${emailId}: its blob is missing or too short`)
      return
    }
    for (let n = 0; n < countChunks(sizeOctets, body.firstOctets); n += 1) {
      const [chunk] = await store.getMany([keys.message(emailId, MessagePart.body + n)])
      if (chunk === undefined) return this.#problem(`Message ${emailId}: chunk ${n} is missing`)
      const { from, to } = chunkSpan(n, sizeOctets, body.firstOctets)
      this.#equal(`Message ${emailId}: octets of chunk ${n}`, decodeChunk(chunk).length, to - from)
    }
  }

  async #long(emailId: number, part: number, more: number, what: string): Promise<(Uint8Array | undefined)[]> {
    const { store, keys } = this.#source
    const [first] = await store.getMany([keys.message(emailId, part)])
    const wanted: Uint8Array[] = []
    const count = first === undefined ? 0 : continuationsOf(first, what)
    for (let n = 0; n < count; n += 1) wanted.push(keys.message(emailId, more + n))
    return [first, ...(await store.getMany(wanted))]
  }

  /** Counts of places are as many as there are; without one it is one. */
  async #refs(): Promise<void> {
    const { store, keys } = this.#source
    for (const [emailId, places] of this.#places) {
      const [octets] = await store.getMany([keys.refs(emailId)])
      this.#equal(`Message ${emailId}: places`, decodeRefs(octets).get(emailId % PAGE_UIDS) ?? 1, places)
    }
  }

  async *#entries({ from, to }: KeySpan): AsyncGenerator<Entry> {
    for (let at = from; ; ) {
      const entries = await this.#source.store.range({ from: at, to, limit: READ })
      yield* entries
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ) return
      at = keyAfter(last.key)
      await loopTurn()
    }
  }

  #equal(what: string, stored: number | undefined, counted: number): void {
    if (stored !== counted) this.#problem(`${what} is ${stored}, counted ${counted}`)
  }

  #problem(text: string): void {
    this.problems.push(text)
  }
}
