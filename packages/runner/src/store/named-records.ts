/**
 * What is found by a name whose hash is the key: a bucket of all names with that hash, nearly always one. The name
 * itself stands in the bucket and is compared. What the octets beside a name mean is told by the codecs below.
 */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

export interface Named {
  readonly name: string
  readonly octets: Uint8Array
}

/** @returns undefined for an empty bucket: its record is to be deleted */
export function encodeBucket(bucket: readonly Named[]): Uint8Array | undefined {
  if (bucket.length === 0) return undefined
  const writer = new OctetWriter().uint(FORMAT, 1).varint(bucket.length)
  for (const { name, octets } of bucket) writer.text(name).octets(octets)
  return writer.finish()
}

/** @param octets undefined: nothing stored, an empty bucket @throws StoreError STORE_CORRUPT */
export function decodeBucket(octets: Uint8Array | undefined): Named[] {
  if (octets === undefined) return []
  const reader = new OctetReader(octets, 'names').format(FORMAT)
  const bucket: Named[] = []
  for (let left = reader.count(2); left > 0; left -= 1) bucket.push({ name: reader.text(), octets: reader.octets() })
  reader.end()
  return bucket
}

/** As `findNamed` of the decoded bucket. @returns a view @throws StoreError STORE_CORRUPT */
export function lookUpNamed(octets: Uint8Array | undefined, name: string): Uint8Array | undefined {
  if (octets === undefined) return undefined
  const reader = new OctetReader(octets, 'names').format(FORMAT)
  let found: Uint8Array | undefined
  for (let left = reader.count(2); left > 0; left -= 1) {
    const isIt = reader.text() === name
    const view = reader.raw(reader.varint())
    if (isIt) found ??= view
  }
  reader.end()
  return found
}

export function findNamed(bucket: readonly Named[], name: string): Uint8Array | undefined {
  return bucket.find((entry) => entry.name === name)?.octets
}

/** The bucket with a name set, or removed when `octets` is undefined. */
export function withNamed(bucket: readonly Named[], name: string, octets: Uint8Array | undefined): Named[] {
  const others = bucket.filter((entry) => entry.name !== name)
  return octets === undefined ? others : [...others, { name, octets }]
}

/** A mailbox name in use, or once used. */
export interface NameRecord {
  /** Undefined: no mailbox has this name any more. */
  readonly mailbox: number | undefined
  /** Of the last mailbox of this name: the next one's must be higher. RFC 9051 §2.3.1.1 */
  readonly uidValidity: number
  /** When it was given, or given up. */
  readonly modseq: number
}

export function encodeName(record: NameRecord): Uint8Array {
  return new OctetWriter(32)
    .uint(record.mailbox ?? 0, 4)
    .uint(record.uidValidity, 4)
    .uint(record.modseq, 6)
    .finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeName(octets: Uint8Array): NameRecord {
  const reader = new OctetReader(octets, 'mailbox name')
  const mailbox = reader.uint(4)
  const record = { mailbox: mailbox === 0 ? undefined : mailbox, uidValidity: reader.uint(4), modseq: reader.uint(6) }
  reader.end()
  return record
}

/** What an internal delivery with an idempotency key came to. */
export interface IdemRecord {
  /** Day since 1970 from which on the record may be swept. */
  readonly expiryDay: number
  readonly result: Uint8Array
}

export function encodeIdem(record: IdemRecord): Uint8Array {
  return new OctetWriter(64).uint(record.expiryDay, 2).octets(record.result).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeIdem(octets: Uint8Array): IdemRecord {
  const reader = new OctetReader(octets, 'idempotency key')
  const record = { expiryDay: reader.uint(2), result: reader.octets() }
  reader.end()
  return record
}
