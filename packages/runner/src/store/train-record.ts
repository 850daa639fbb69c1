/**
 * Records of what is to be learned and of what was: judgements that changes left, as a list, and as what messages are
 * counted, 128 in a record.
 */
import type { WordVerdict } from '@postern/core/store'
import { PAGE_UIDS } from './account-keys.ts'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1
/** LIMIT: octets of one record of the list; it is rewritten when some of it was learned. */
const MAX_LEFT_OCTETS = 4_000
/** Most octets an entry takes. */
const ENTRY_OCTETS = 8
const KINDS = [undefined, 'ham', 'spam'] as const

/** The newest judgement of a message as a change left it. */
export interface LeftJudgement {
  readonly emailId: number
  /** Undefined: it was withdrawn, or the message is to be erased. */
  readonly judged: WordVerdict | undefined
}

/** Records for a list of any length. */
export function encodeLeft(left: readonly LeftJudgement[]): Uint8Array[] {
  const records: Uint8Array[] = []
  let writer: OctetWriter | undefined
  let before = 0
  for (const { emailId, judged } of left) {
    if (writer === undefined) {
      writer = new OctetWriter().uint(FORMAT, 1)
      before = 0
    }
    // Ids that follow each other, as those a COPY gives places to, take one octet each.
    const step = emailId - before
    writer.varint((step >= 0 ? 2 * step : -2 * step - 1) * 4 + KINDS.indexOf(judged))
    before = emailId
    if (writer.length <= MAX_LEFT_OCTETS - ENTRY_OCTETS) continue
    records.push(writer.finish())
    writer = undefined
  }
  if (writer !== undefined) records.push(writer.finish())
  return records
}

/** @throws StoreError STORE_CORRUPT */
export function decodeLeft(octets: Uint8Array): LeftJudgement[] {
  const reader = new OctetReader(octets, 'training left').format(FORMAT)
  const left: LeftJudgement[] = []
  let emailId = 0
  while (reader.remaining > 0) {
    const value = reader.varint()
    const kind = value % 4
    const step = Math.floor(value / 4)
    emailId += step % 2 === 0 ? step / 2 : -(step + 1) / 2
    if (kind >= KINDS.length || emailId < 0) reader.fail('has an unknown kind')
    left.push({ emailId, judged: KINDS[kind] })
  }
  return left
}

/** As what a message is counted; `none`: as nothing, after its judgement was withdrawn; undefined: nobody ever said. */
export type Counted = WordVerdict | 'none' | undefined

const STATES = [undefined, 'ham', 'spam', 'none'] as const
const STATE_OCTETS = PAGE_UIDS / 4

/** States of 128 messages under change. */
export class StatePage {
  readonly #bits: Uint8Array

  /** @throws StoreError STORE_CORRUPT */
  constructor(octets: Uint8Array | undefined) {
    if (octets === undefined) {
      this.#bits = new Uint8Array(STATE_OCTETS)
      return
    }
    const reader = new OctetReader(octets, 'training state').format(FORMAT)
    this.#bits = reader.raw(STATE_OCTETS).slice()
    reader.end()
  }

  get(emailId: number): Counted {
    const slot = emailId % PAGE_UIDS
    return STATES[((this.#bits[slot >> 2] as number) >> (2 * (slot & 3))) & 3]
  }

  set(emailId: number, counted: Counted): void {
    const slot = emailId % PAGE_UIDS
    const shift = 2 * (slot & 3)
    const rest = (this.#bits[slot >> 2] as number) & ~(3 << shift)
    this.#bits[slot >> 2] = rest | (STATES.indexOf(counted) << shift)
  }

  /** @returns undefined when nothing is known of any */
  encode(): Uint8Array | undefined {
    if (this.#bits.every((octet) => octet === 0)) return undefined
    return Uint8Array.of(FORMAT, ...this.#bits)
  }
}

/** As what its words are counted. */
export function verdictOf(counted: Counted): WordVerdict | undefined {
  return counted === 'none' ? undefined : counted
}
