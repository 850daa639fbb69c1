/**
 * FETCH over the store: rows of a set of UIDs in batches, each read in one slice. What another session expunged
 * meanwhile is found in its tombstone, with the flags it had, until this session was told. RFC 2180 §4.1.2
 */
import { createListRecord } from '@postern/core/message'
import type { ListRecord, MessageRow, RowParts, UidRanges } from '@postern/core/store'
import { StoreError } from '@postern/core/store'
import type { AccountKeys } from './account-keys.ts'
import { PAGE_UIDS, pageOfUid, parsePageKey, parseTombKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { loopTurn } from './loop-turn.ts'
import { readRow } from './mailbox-rows.ts'
import type { BodySource } from './message-reader.ts'
import { readList, readOctets, readSmallBody, readStructure } from './message-reader.ts'
import type { Reader } from './ordered-store.ts'
import type { PageRow } from './pages.ts'
import { Page } from './pages.ts'
import type { TombRow } from './tomb-record.ts'
import { decodeTomb } from './tomb-record.ts'
import { RangesWalk } from './uid-ranges.ts'

/** LIMIT: of one batch, and so of one slice. */
const BATCH_ROWS = 256
const BATCH_OCTETS = 262_144
const SLICE_MS = 5
/** Pages read at a time; a batch takes two when they are full. */
const READ_PAGES = 3
const READ_TOMBS = 16
/** What a row costs beside its parts. */
const ROW_OCTETS = 128

type FetchedRow = { -readonly [K in keyof MessageRow]: MessageRow[K] }

/** What a fetch works on. */
export interface FetchSource extends BodySource {
  readonly mailbox: number
  /** Up to where the session's client was told. */
  readonly toldModseq: () => number
}

/**
 * Rows of a set, ascending. A damaged message is left out, and when all others have been given, told by `StoreError`
 * STORE_CORRUPT.
 */
export async function* fetchRows(
  source: FetchSource,
  uids: UidRanges,
  parts: RowParts,
): AsyncGenerator<readonly MessageRow[]> {
  const scan = new FetchScan(source, uids, parts)
  while (!scan.done) {
    const rows = await source.store.read(source.keys.partition, (reader) => scan.slice(reader))
    for (const row of rows) await complete(source, row, parts)
    if (rows.length > 0) yield rows
    if (!scan.done) await loopTurn()
  }
  if (scan.damage !== undefined) throw scan.damage
}

/** Where a fetch stands between two slices. */
class FetchScan {
  done = false
  damage: StoreError | undefined
  readonly #source: FetchSource
  readonly #keys: AccountKeys
  readonly #parts: RowParts
  readonly #walk: RangesWalk
  readonly #wanted: UidRanges
  /** Rows of tombstones of the set, by page. */
  readonly #tombs = new Map<number, TombRow[]>()
  #tombsSeen = 0
  #next = 1
  #ahead: { readonly number: number; readonly page: Page }[] = []

  constructor(source: FetchSource, uids: UidRanges, parts: RowParts) {
    this.#source = source
    this.#keys = source.keys
    this.#parts = parts
    this.#walk = new RangesWalk(uids)
    this.#wanted = uids
  }

  slice(reader: Reader): FetchedRow[] {
    const { mailbox } = this.#source
    const rows: FetchedRow[] = []
    if (reader.get(this.#keys.mailbox(mailbox)) === undefined) {
      this.done = true
      return rows
    }
    this.#readTombs(reader)
    this.#ahead = []
    const until = performance.now() + SLICE_MS
    let octets = 0
    for (;;) {
      const range = this.#walk.from(this.#next)
      if (range === undefined) {
        this.done = true
        return rows
      }
      const first = Math.max(this.#next, range.first)
      const found = this.#page(reader, pageOfUid(first), pageOfUid(range.last))
      if (found === undefined) {
        this.#next = range.last + 1
        continue
      }
      for (const { uid, row, gone } of found.rows) {
        if (uid < this.#next) continue
        const isLate = rows.length % 16 === 15 && performance.now() > until
        if (rows.length >= BATCH_ROWS || octets >= BATCH_OCTETS || isLate) {
          this.#next = uid
          return rows
        }
        if (!this.#walk.has(uid)) continue
        const made = this.#row(reader, uid, row, gone)
        if (made === undefined) continue
        octets += costOf(made)
        rows.push(made)
      }
      this.#tombs.delete(found.number)
      this.#next = (found.number + 1) * PAGE_UIDS
    }
  }

  /** The first page from `first` to `last` with messages, live or gone; their rows ascending. */
  #page(
    reader: Reader,
    first: number,
    last: number,
  ): { readonly number: number; readonly rows: readonly Candidate[] } | undefined {
    const live = this.#livePage(reader, first, last)
    let number = live?.number ?? Infinity
    for (const tomb of this.#tombs.keys()) if (tomb >= first && tomb <= last && tomb < number) number = tomb
    if (number === Infinity) return undefined
    const rows: Candidate[] = []
    if (live?.number === number) {
      const { page } = live
      for (let index = 0; index < page.count; index += 1) {
        rows.push({ uid: number * PAGE_UIDS + page.slot(index), row: page.row(index), gone: false })
      }
    }
    const tombs = this.#tombs.get(number)
    if (tombs === undefined) return { number, rows }
    const present = new Set(rows.map((row) => row.uid))
    for (const { uid, row } of tombs) if (!present.has(uid)) rows.push({ uid, row, gone: true })
    return { number, rows: rows.sort((a, b) => a.uid - b.uid) }
  }

  #livePage(reader: Reader, first: number, last: number): { readonly number: number; readonly page: Page } | undefined {
    const { mailbox } = this.#source
    while ((this.#ahead[0]?.number ?? Infinity) < first) this.#ahead.shift()
    const ahead = this.#ahead[0]
    if (ahead !== undefined) return ahead.number <= last ? ahead : undefined
    if (first === last) {
      const octets = reader.get(this.#keys.page(mailbox, first))
      return octets === undefined ? undefined : { number: first, page: Page.decode(octets, { verify: false }) }
    }
    const entries = reader.range({ ...this.#keys.pages(mailbox, first, last), limit: READ_PAGES })
    this.#ahead = entries.map(({ key, value }) => ({
      number: parsePageKey(key).page,
      page: Page.decode(value, { verify: false }),
    }))
    return this.#ahead[0]
  }

  /** Reads the tombstones that came since the last slice. */
  #readTombs(reader: Reader): void {
    const { mailbox, toldModseq } = this.#source
    const since = Math.max(toldModseq(), this.#tombsSeen)
    let { from } = this.#keys.tombsAfter(mailbox, since)
    const { to } = this.#keys.tombsAfter(mailbox, since)
    for (;;) {
      const entries = reader.range({ from, to, limit: READ_TOMBS })
      for (const { key, value } of entries) {
        this.#tombsSeen = parseTombKey(key).modseq
        const tomb = decodeTomb(value)
        if (tomb.kind === 'rows') this.#remember(tomb.rows)
      }
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ_TOMBS) return
      from = keyAfter(last.key)
    }
  }

  #remember(rows: readonly TombRow[]): void {
    const walk = new RangesWalk(this.#wanted)
    for (const row of rows) {
      if (row.uid < this.#next || !walk.has(row.uid)) continue
      const number = pageOfUid(row.uid)
      const page = this.#tombs.get(number)
      if (page === undefined) this.#tombs.set(number, [row])
      else page.push(row)
    }
  }

  #row(reader: Reader, uid: number, row: PageRow, gone: boolean): FetchedRow | undefined {
    try {
      const made = this.#read(reader, uid, row)
      if (made === undefined && !gone) throw new StoreError('STORE_CORRUPT', `Records of message ${uid} are missing`)
      return made
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'STORE_CORRUPT') throw cause
      this.damage ??= cause as StoreError
      return undefined
    }
  }

  /** @returns undefined when the message is gone for good */
  #read(reader: Reader, uid: number, row: PageRow): FetchedRow | undefined {
    const made: FetchedRow = readRow(reader, this.#keys, this.#source.mailbox, uid, row)
    const { list, structure, bodyOctets = -1 } = this.#parts
    if (list === true) {
      const stored = readList(reader, this.#keys, row.emailId)
      if (stored === undefined) return undefined
      if (stored.list !== undefined) made.list = stored.list
    }
    if (structure === true) {
      const stored = readStructure(reader, this.#keys, row.emailId)
      if (stored === undefined) return undefined
      made.structure = stored.structure
    }
    if (row.sizeOctets <= bodyOctets) {
      const body = readSmallBody(reader, this.#keys, row.emailId, row.sizeOctets)
      if (body !== undefined) made.body = body
      else if (readStructure(reader, this.#keys, row.emailId) === undefined) return undefined
    }
    return made
  }
}

interface Candidate {
  readonly uid: number
  readonly row: PageRow
  /** It was expunged: what it refers to may be erased. */
  readonly gone: boolean
}

function costOf({ list, structure, body }: MessageRow): number {
  const listOctets = list === undefined ? 0 : list.envelope.length + list.bodyStructure.length + list.fields.length
  return ROW_OCTETS + listOctets + (structure === undefined ? 0 : 1024) + (body?.length ?? 0)
}

/** Adds what no slice can read: a list record too large to be stored, a body that lies in a blob. */
async function complete(source: FetchSource, row: FetchedRow, parts: RowParts): Promise<void> {
  if (parts.list === true && row.list === undefined) {
    const list = await makeList(source, row)
    if (list !== undefined) row.list = list
  }
  if (row.body === undefined && row.sizeOctets <= (parts.bodyOctets ?? -1)) {
    const pieces: Uint8Array[] = []
    for await (const piece of readOctets(source, source.mailbox, row.emailId, 0, row.sizeOctets)) pieces.push(piece)
    const whole = new Uint8Array(Buffer.concat(pieces))
    if (whole.length === row.sizeOctets) row.body = whole
  }
}

async function makeList(source: FetchSource, row: MessageRow): Promise<ListRecord | undefined> {
  const { store, keys } = source
  const stored = await store.read(keys.partition, (reader) => readStructure(reader, keys, row.emailId))
  if (stored === undefined) return undefined
  const pieces: Uint8Array[] = []
  const { bodyStart } = stored.structure.root
  for await (const piece of readOctets(source, source.mailbox, row.emailId, 0, Math.min(bodyStart, BATCH_OCTETS))) {
    pieces.push(piece)
  }
  return createListRecord(new Uint8Array(Buffer.concat(pieces)), stored.structure)
}
