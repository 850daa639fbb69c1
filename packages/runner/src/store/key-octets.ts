/**
 * What keys of the store are made of. They are built and parsed in `account-keys.ts`, `blob-keys.ts` and `server-keys.ts`
 * and nowhere else. First octet: the space. All numbers are big-endian of fixed width, so keys order as their numbers do.
 * No text stands in keys: names and addresses go in as the first 8 octets of their SHA-256, with the text in the value.
 */
import { hash } from 'node:crypto'
import { writeUint } from './big-endian.ts'
import { freshOctets } from './fresh-octets.ts'

/** First octet of a key. */
export const Space = { account: 0x61, blobs: 0x62, queue: 0x71, server: 0x73 } as const

/** Keys `from` (inclusive) to `to` (exclusive). */
export interface KeySpan {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** Number and width in octets of one field of a key. */
export type Field = readonly [value: number, width: 1 | 2 | 3 | 4 | 5 | 6]

/** First 8 octets of the SHA-256 of a text, or of octets. */
export function hash8(octets: string | Uint8Array): Uint8Array {
  // As a string, which costs half of what a Buffer does.
  const digest = hash('sha256', octets, 'binary')
  const first = new Uint8Array(8)
  for (let n = 0; n < first.length; n += 1) first[n] = digest.charCodeAt(n)
  return first
}

/** The same of a name that is asked for again and again; for what comes once, remembering costs more than it saves. */
export function nameHash8(name: string): Uint8Array {
  let digest = digests.get(name)
  if (digest === undefined) {
    digest = hash8(name)
    if (digests.size >= MAX_DIGESTS) digests.clear()
    if (name.length <= MAX_DIGESTED) digests.set(name, digest)
  }
  return digest
}

/** LIMIT: digests remembered: of senders, mailboxes, networks. */
const MAX_DIGESTS = 8_192
const MAX_DIGESTED = 256
const digests = new Map<string, Uint8Array>()

/** The lowest keys above all that begin with `prefix`. */
export function after(prefix: Uint8Array): Uint8Array {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1
  if (length === 0) throw new RangeError('No key follows this prefix')
  const next = prefix.slice(0, length)
  next[length - 1] = (next[length - 1] as number) + 1
  return next
}

/** All keys that begin with `prefix`. */
export function span(prefix: Uint8Array): KeySpan {
  return { from: prefix, to: after(prefix) }
}

/** A key of `prefix`, then the fields, then `tail` as it is. */
export function extend(prefix: Uint8Array, fields: readonly Field[], tail?: Uint8Array): Uint8Array {
  let length = prefix.length + (tail?.length ?? 0)
  for (const [, width] of fields) length += width
  const key = freshOctets(length)
  key.set(prefix)
  let at = prefix.length
  for (const [value, width] of fields) {
    writeUint(key, at, value, width)
    at += width
  }
  if (tail !== undefined) key.set(tail, at)
  return key
}

/** Lowest key above `key`: where a range goes on. */
export function keyAfter(key: Uint8Array): Uint8Array {
  return extend(key, [[0, 1]])
}
