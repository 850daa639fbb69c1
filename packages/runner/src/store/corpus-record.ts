/** Records of a corpus: which one is in use, its totals and how far it is merged, counts of a word, and deltas. */
import type { WordDelta } from '@postern/core/store'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

/** Which corpora an account has. Numbers from 1; 0: none. */
export interface CorporaRecord {
  readonly current: number
  /** Number of the way words were read for it. */
  readonly reading: number
  /** Being made anew, or left half-made by a crash. */
  readonly building: number
  readonly buildingReading: number
  /** No longer in use, its rows being deleted. */
  readonly dropping: number
  /** Highest number ever given to one. */
  readonly last: number
}

export function encodeCorpora({ current, reading, building, buildingReading, dropping, last }: CorporaRecord): Uint8Array {
  return new OctetWriter(17)
    .uint(FORMAT, 1)
    .uint(current, 2)
    .uint(reading, 4)
    .uint(building, 2)
    .uint(buildingReading, 4)
    .uint(dropping, 2)
    .uint(last, 2)
    .finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeCorpora(octets: Uint8Array | undefined): CorporaRecord {
  if (octets === undefined) return { current: 0, reading: 0, building: 0, buildingReading: 0, dropping: 0, last: 0 }
  const reader = new OctetReader(octets, 'corpora').format(FORMAT)
  const [current, reading, building, buildingReading, dropping, last] = [2, 4, 2, 4, 2, 2].map((width) => reader.uint(width)) as [
    number, number, number, number, number, number,
  ]
  reader.end()
  return { current, reading, building, buildingReading, dropping, last }
}

/** A word's key, as one number: orders as its record does. */
export type WordNumber = bigint

/** One corpus. Deltas `first` to `next` are kept; those before `foldEnd` are being merged into the counts, in the order of words. */
export interface CorpusRecord {
  /** Messages learned, those of all deltas included. */
  readonly ham: number
  readonly spam: number
  readonly first: number
  readonly next: number
  /** 0: nothing is being merged. */
  readonly foldEnd: number
  /** Deltas before `foldEnd` are in the counts of words up to this one; undefined: of none. */
  readonly folded: WordNumber | undefined
  /** Octets of all deltas kept. */
  readonly deltaOctets: number
  /** Day on which rare old words were last looked for. */
  readonly sweptDay: number
}

export const EMPTY_CORPUS: CorpusRecord = { ham: 0, spam: 0, first: 0, next: 0, foldEnd: 0, folded: undefined, deltaOctets: 0, sweptDay: 0 }

export function encodeCorpus({ ham, spam, first, next, foldEnd, folded, deltaOctets, sweptDay }: CorpusRecord): Uint8Array {
  const writer = new OctetWriter(48).uint(FORMAT, 1).varint(zigzag(ham)).varint(zigzag(spam)).varint(first).varint(next).varint(foldEnd)
  writer.uint(folded === undefined ? 0 : 1, 1)
  if (folded !== undefined) writer.uint(Number(folded >> 32n), 4).uint(Number(folded & 0xffff_ffffn), 4)
  return writer.varint(deltaOctets).uint(sweptDay, 2).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeCorpus(octets: Uint8Array | undefined): CorpusRecord {
  if (octets === undefined) return EMPTY_CORPUS
  const reader = new OctetReader(octets, 'corpus').format(FORMAT)
  const ham = unzigzag(reader.varint())
  const spam = unzigzag(reader.varint())
  const [first, next, foldEnd] = [reader.varint(), reader.varint(), reader.varint()]
  const folded = reader.uint(1) === 0 ? undefined : (BigInt(reader.uint(4)) << 32n) | BigInt(reader.uint(4))
  const record = { ham, spam, first, next, foldEnd, folded, deltaOctets: reader.varint(), sweptDay: reader.uint(2) }
  reader.end()
  return record
}

/** Counts of one word. */
export interface WordRecord {
  readonly ham: number
  readonly spam: number
  /** Days since 1970 when it was last counted. */
  readonly day: number
}

export function encodeWord({ ham, spam, day }: WordRecord): Uint8Array {
  return new OctetWriter(16).uint(FORMAT, 1).varint(zigzag(ham)).varint(zigzag(spam)).uint(day, 2).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeWord(octets: Uint8Array): WordRecord {
  const reader = new OctetReader(octets, 'word').format(FORMAT)
  const record = { ham: unzigzag(reader.varint()), spam: unzigzag(reader.varint()), day: reader.uint(2) }
  reader.end()
  return record
}

const DELTA_OCTETS = 8_000
const SPAM = 1
const MINUS = 2

/** Records of deltas; words of a long one are spread over several, so totals are not to be taken from them. */
export function encodeDeltas(deltas: readonly WordDelta[]): Uint8Array[] {
  const records: Uint8Array[] = []
  let writer: OctetWriter | undefined
  for (const { keys, verdict, sign } of deltas) {
    for (let at = 0; at < keys.length; ) {
      writer ??= new OctetWriter(DELTA_OCTETS).uint(FORMAT, 1)
      const room = Math.floor((DELTA_OCTETS - writer.length - 3) / 8)
      const count = Math.min(room, (keys.length - at) / 2)
      if (count > 0) {
        writer.uint((verdict === 'spam' ? SPAM : 0) | (sign < 0 ? MINUS : 0), 1).uint(count, 2)
        for (const end = at + 2 * count; at < end; at += 1) writer.uint(keys[at] as number, 4)
      }
      if (count < room) continue
      records.push(writer.finish())
      writer = undefined
    }
  }
  if (writer !== undefined) records.push(writer.finish())
  return records
}

/** @throws StoreError STORE_CORRUPT */
export function decodeDeltas(octets: Uint8Array): WordDelta[] {
  const reader = new OctetReader(octets, 'words learned').format(FORMAT)
  const deltas: WordDelta[] = []
  while (reader.remaining > 0) {
    const bits = reader.uint(1)
    const keys = new Uint32Array(2 * reader.uint(2))
    for (let n = 0; n < keys.length; n += 1) keys[n] = reader.uint(4)
    deltas.push({ keys, verdict: (bits & SPAM) === 0 ? 'ham' : 'spam', sign: (bits & MINUS) === 0 ? 1 : -1 })
  }
  return deltas
}

/** Numbers below 0 among those above, small ones small. */
function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
