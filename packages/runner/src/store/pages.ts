/**
 * A page: what changes about the messages of 128 neighbouring UIDs. A head of 16 octets, then 31 octets a live message,
 * ascending by slot (the lowest 7 bits of the UID). Read in place, without an object per message.
 *
 *   head   format u8, count u8, highest modseq u48, CRC-32 of the rest, unseen u8, deleted u8, 2 zero
 *   row    slot u8, flags u16, keyword bits u32, modseq u48, size u32, internal date u32, zone i8, save date u32,
 *          email id u40
 */
import { crc32 } from 'node:zlib'
import { Flag, StoreError } from '@postern/core/store'
import { readUint, writeUint } from './big-endian.ts'
import { PAGE_UIDS } from './account-keys.ts'
import { freshOctets } from './fresh-octets.ts'

const FORMAT = 1
const HEAD = 16
/** Octets of a row. */
export const ROW_OCTETS = 31

// Offsets in a row.
const FLAGS = 1
const KEYWORDS = 3
const MODSEQ = 7
const SIZE = 13
const DATE = 17
const ZONE = 21
const SAVED = 22
const EMAIL_ID = 26

/** Bits of a row's flags beside core's `Flag`; no client sees them. */
export const RowFlag = {
  /** All that a client can see: bits of `Flag`. */
  visible: 0x03ff,
  trainedHam: 0x0400,
  trainedJunk: 0x0800,
  /** Keywords beyond the mailbox's first 32 lie in a record of their own. */
  wideKeywords: 0x1000,
  /** A kept reject. */
  reject: 0x2000,
} as const

/** Zone that no number of quarter hours gives: the structure record has it in minutes. */
export const ODD_ZONE = -128

/** One message's changing facts. */
export interface PageRow {
  /** UID within the page, 0 to 127. */
  readonly slot: number
  /** Bits of `Flag` and `RowFlag`. */
  readonly flags: number
  readonly keywordBits: number
  readonly modseq: number
  readonly sizeOctets: number
  readonly dateSeconds: number
  /** Quarter hours east of UTC, or `ODD_ZONE`. */
  readonly zoneQuarters: number
  readonly savedSeconds: number
  readonly emailId: number
}

/** What a flag change changes. */
export type RowChange = Pick<PageRow, 'flags' | 'keywordBits' | 'modseq'>

/** A page as stored. Immutable; its octets must stay as they are. Rows are named by their index, from 0. */
export class Page {
  static readonly empty: Page = new Page(new Uint8Array([FORMAT, ...new Uint8Array(HEAD - 1)]))

  /** As stored; to be put under its key. */
  readonly octets: Uint8Array
  readonly count: number

  private constructor(octets: Uint8Array) {
    this.octets = octets
    this.count = octets[1] as number
  }

  /**
   * Checks the form and, unless told otherwise, the checksum.
   * @param octets kept, not copied @throws StoreError STORE_CORRUPT
   */
  static decode(octets: Uint8Array, options?: { readonly verify?: boolean }): Page {
    const count = octets[1] ?? 0
    if (octets[0] !== FORMAT || count > PAGE_UIDS || octets.length !== HEAD + count * ROW_OCTETS)
      fail('has a wrong form')
    if (options?.verify !== false && readUint(octets, 8, 4) !== checksum(octets)) fail('has a wrong checksum')
    return new Page(octets)
  }

  /** Wraps what an editor has written. */
  static sealed(octets: Uint8Array): Page {
    writeUint(octets, 8, checksum(octets), 4)
    return new Page(octets)
  }

  get highestModseq(): number {
    return readUint(this.octets, 2, 6)
  }

  get unseen(): number {
    return this.octets[12] as number
  }

  get deleted(): number {
    return this.octets[13] as number
  }

  /** Index of a slot's row, or −1. */
  find(slot: number): number {
    const at = this.lowerBound(slot)
    return at < this.count && this.slot(at) === slot ? at : -1
  }

  /** Index of the first row whose slot is at least this. */
  lowerBound(slot: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.slot(middle) < slot) low = middle + 1
      else high = middle
    }
    return low
  }

  slot(index: number): number {
    return this.octets[HEAD + index * ROW_OCTETS] as number
  }

  flags(index: number): number {
    const at = HEAD + index * ROW_OCTETS + FLAGS
    return ((this.octets[at] as number) << 8) | (this.octets[at + 1] as number)
  }

  keywordBits(index: number): number {
    return readUint(this.octets, HEAD + index * ROW_OCTETS + KEYWORDS, 4)
  }

  modseq(index: number): number {
    return readUint(this.octets, HEAD + index * ROW_OCTETS + MODSEQ, 6)
  }

  sizeOctets(index: number): number {
    return readUint(this.octets, HEAD + index * ROW_OCTETS + SIZE, 4)
  }

  emailId(index: number): number {
    return readUint(this.octets, HEAD + index * ROW_OCTETS + EMAIL_ID, 5)
  }

  row(index: number): PageRow {
    return decodeRow(this.octets, HEAD + index * ROW_OCTETS)
  }

  edit(): PageEditor {
    return new PageEditor(this)
  }
}

/** Changes a copy of a page; the page it was made of stays. */
export class PageEditor {
  #octets: Uint8Array
  #count: number
  #unseen: number
  #deleted: number

  constructor(page: Page) {
    // Room for one row more: most changes are a delivery.
    this.#octets = enlarged(page.octets, page.count + 1)
    this.#count = page.count
    this.#unseen = page.unseen
    this.#deleted = page.deleted
  }

  get count(): number {
    return this.#count
  }

  /** @throws RangeError when the slot is taken: a UID is given out once */
  insert(row: PageRow): void {
    const index = this.#lowerBound(row.slot)
    const at = HEAD + index * ROW_OCTETS
    if (row.slot >= PAGE_UIDS || (index < this.#count && this.#octets[at] === row.slot)) {
      throw new RangeError(`Slot ${row.slot} is taken`)
    }
    if (HEAD + (this.#count + 1) * ROW_OCTETS > this.#octets.length) this.#octets = enlarged(this.#octets, PAGE_UIDS)
    this.#octets.copyWithin(at + ROW_OCTETS, at, HEAD + this.#count * ROW_OCTETS)
    encodeRow(this.#octets, at, row)
    this.#count += 1
    this.#tally(row.flags, 1)
    this.#raise(row.modseq)
  }

  /** @returns whether there was such a row */
  update(slot: number, { flags, keywordBits, modseq }: RowChange): boolean {
    const at = this.#find(slot)
    if (at < 0) return false
    this.#tally(readUint(this.#octets, at + FLAGS, 2), -1)
    writeUint(this.#octets, at + FLAGS, flags, 2)
    writeUint(this.#octets, at + KEYWORDS, keywordBits, 4)
    writeUint(this.#octets, at + MODSEQ, modseq, 6)
    this.#tally(flags, 1)
    this.#raise(modseq)
    return true
  }

  /** @returns the row that was removed, or undefined when there was none */
  remove(slot: number): PageRow | undefined {
    const at = this.#find(slot)
    if (at < 0) return undefined
    const row = decodeRow(this.#octets, at)
    this.#octets.copyWithin(at, at + ROW_OCTETS, HEAD + this.#count * ROW_OCTETS)
    this.#count -= 1
    this.#tally(row.flags, -1)
    return row
  }

  /** The page as changed; with `count` 0 its record is to be deleted. The highest modseq never goes down. Ends the editing. */
  finish(): Page {
    const octets = this.#octets.subarray(0, HEAD + this.#count * ROW_OCTETS)
    octets[1] = this.#count
    octets[12] = this.#unseen
    octets[13] = this.#deleted
    return Page.sealed(octets)
  }

  #find(slot: number): number {
    const index = this.#lowerBound(slot)
    const at = HEAD + index * ROW_OCTETS
    return index < this.#count && this.#octets[at] === slot ? at : -1
  }

  #lowerBound(slot: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#octets[HEAD + middle * ROW_OCTETS] as number) < slot) low = middle + 1
      else high = middle
    }
    return low
  }

  #tally(flags: number, by: 1 | -1): void {
    if ((flags & Flag.seen) === 0) this.#unseen += by
    if ((flags & Flag.deleted) !== 0) this.#deleted += by
  }

  #raise(modseq: number): void {
    if (modseq > readUint(this.#octets, 2, 6)) writeUint(this.#octets, 2, modseq, 6)
  }
}

/** A copy with room for so many rows. */
function enlarged(octets: Uint8Array, rows: number): Uint8Array {
  const copy = freshOctets(HEAD + rows * ROW_OCTETS)
  copy.set(octets)
  return copy
}

/** Writes a row at an offset; `ROW_OCTETS` long. */
export function encodeRow(octets: Uint8Array, at: number, row: PageRow): void {
  writeUint(octets, at, row.slot, 1)
  writeUint(octets, at + FLAGS, row.flags, 2)
  writeUint(octets, at + KEYWORDS, row.keywordBits, 4)
  writeUint(octets, at + MODSEQ, row.modseq, 6)
  writeUint(octets, at + SIZE, row.sizeOctets, 4)
  writeUint(octets, at + DATE, row.dateSeconds, 4)
  writeUint(octets, at + ZONE, row.zoneQuarters & 0xff, 1)
  writeUint(octets, at + SAVED, row.savedSeconds, 4)
  writeUint(octets, at + EMAIL_ID, row.emailId, 5)
}

/** The caller has checked that there are `ROW_OCTETS` at the offset. */
export function decodeRow(octets: Uint8Array, at: number): PageRow {
  return {
    slot: octets[at] as number,
    flags: readUint(octets, at + FLAGS, 2),
    keywordBits: readUint(octets, at + KEYWORDS, 4),
    modseq: readUint(octets, at + MODSEQ, 6),
    sizeOctets: readUint(octets, at + SIZE, 4),
    dateSeconds: readUint(octets, at + DATE, 4),
    zoneQuarters: ((octets[at + ZONE] as number) << 24) >> 24,
    savedSeconds: readUint(octets, at + SAVED, 4),
    emailId: readUint(octets, at + EMAIL_ID, 5),
  }
}

/** Quarter hours of a zone as a row keeps it. @param zoneMinutes −1439 to 1439 */
export function zoneToQuarters(zoneMinutes: number): number {
  return zoneMinutes % 15 === 0 ? zoneMinutes / 15 : ODD_ZONE
}

function checksum(octets: Uint8Array): number {
  return crc32(octets.subarray(12), crc32(octets.subarray(0, 8)))
}

function fail(how: string): never {
  throw new StoreError('STORE_CORRUPT', `Record of page ${how}`)
}
