/**
 * A record that may exceed one value: cut into parts, each with a checksum. The first part says how many follow, so
 * that the usual record is one get.
 *
 *   part   format u8, first: how many follow; others: their number from 1 u8, octets, CRC-32
 */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'
import { LIMITS } from './ordered-store.ts'

const FORMAT = 1
const PART_OCTETS = LIMITS.valueOctets - 6

/** LIMIT: 33 values; a commit that carries the message, list and structure stays under 1 MiB. */
export const LONG_RECORD_OCTETS = 33 * PART_OCTETS

/** @param payload at most `LONG_RECORD_OCTETS` @returns the first part and its continuations, in order */
export function cutRecord(payload: Uint8Array): [first: Uint8Array, ...more: Uint8Array[]] {
  if (payload.length > LONG_RECORD_OCTETS) throw new RangeError(`Record of ${payload.length} octets is too long`)
  const count = Math.max(1, Math.ceil(payload.length / PART_OCTETS))
  const part = (n: number): Uint8Array => {
    const octets = payload.subarray(n * PART_OCTETS, (n + 1) * PART_OCTETS)
    return new OctetWriter(octets.length + 6)
      .uint(FORMAT, 1)
      .uint(n === 0 ? count - 1 : n, 1)
      .raw(octets)
      .checksum()
      .finish()
  }
  const more: Uint8Array[] = []
  for (let n = 1; n < count; n += 1) more.push(part(n))
  return [part(0), ...more]
}

/** How many continuations belong to a first part. @throws StoreError STORE_CORRUPT */
export function continuationsOf(first: Uint8Array, what: string): number {
  return new OctetReader(first, what).format(FORMAT).uint(1)
}

/**
 * @param parts the first part and all its continuations, in order; `undefined` for one that isn't there
 * @returns the octets that were cut: a view of the first part when it is the only one @throws StoreError STORE_CORRUPT
 */
export function joinRecord(parts: readonly (Uint8Array | undefined)[], what: string): Uint8Array {
  const [first, ...more] = parts
  const head = new OctetReader(first ?? new Uint8Array(0), what).checksum().format(FORMAT)
  if (head.uint(1) !== more.length) head.fail('lacks a part')
  const start = head.raw(head.remaining)
  if (more.length === 0) return start
  const joined = new OctetWriter(parts.length * PART_OCTETS).raw(start)
  for (const [index, part] of more.entries()) {
    const reader = new OctetReader(part ?? new Uint8Array(0), what).checksum().format(FORMAT)
    if (reader.uint(1) !== index + 1) reader.fail('has a part out of order')
    joined.raw(reader.raw(reader.remaining))
  }
  return joined.finish()
}
