/**
 * Reads what never changes about a message: list, structure, octets. The functions with a `Reader` run within one
 * slice; what they return are copies. A damaged record throws `StoreError` STORE_CORRUPT.
 */
import { StoreError } from '@postern/core/store'
import { CHUNK_OCTETS, chunkOf, chunkSpan, countChunks, decodeChunk } from './body-chunks.ts'
import type { AccountKeys } from './account-keys.ts'
import { MessagePart } from './account-keys.ts'
import type { StoredList } from './list-codec.ts'
import { decodeList } from './list-codec.ts'
import { continuationsOf } from './long-record.ts'
import type { BlobPlace } from './message-writer.ts'
import type { OrderedStore, Reader } from './ordered-store.ts'
import type { StoredStructure } from './structure-codec.ts'
import { decodeStructure } from './structure-codec.ts'

/** LIMIT: octets given at a time. */
const PIECE_OCTETS = 65_536

/** @returns undefined when the message is gone */
export function readList(reader: Reader, keys: AccountKeys, emailId: number): StoredList | undefined {
  const parts = readLong(reader, keys, emailId, MessagePart.list, MessagePart.listMore, 'message list')
  return parts === undefined ? undefined : decodeList(parts)
}

/** @returns undefined when the message is gone */
export function readStructure(reader: Reader, keys: AccountKeys, emailId: number): StoredStructure | undefined {
  const parts = readLong(reader, keys, emailId, MessagePart.structure, MessagePart.structureMore, 'message structure')
  return parts === undefined ? undefined : decodeStructure(parts)
}

function readLong(
  reader: Reader,
  keys: AccountKeys,
  emailId: number,
  part: number,
  more: number,
  what: string,
): (Uint8Array | undefined)[] | undefined {
  const first = reader.get(keys.message(emailId, part))
  if (first === undefined) return undefined
  const parts: (Uint8Array | undefined)[] = [first]
  for (let left = continuationsOf(first, what), n = 0; n < left; n += 1) {
    parts.push(reader.get(keys.message(emailId, more + n)))
  }
  return parts
}

/**
 * The whole message when it lies in the account's keys.
 * @returns undefined when it lies in a blob, or is gone
 */
export function readSmallBody(
  reader: Reader,
  keys: AccountKeys,
  emailId: number,
  sizeOctets: number,
): Uint8Array | undefined {
  if (sizeOctets <= CHUNK_OCTETS) {
    const only = reader.get(keys.message(emailId, MessagePart.body))
    return only === undefined ? undefined : decodeChunk(only)
  }
  const stored = readStructure(reader, keys, emailId)
  if (stored === undefined || stored.body.kind === 'blob') return undefined
  const { firstOctets } = stored.body
  const whole = new Uint8Array(stored.sizeOctets)
  for (let n = 0; n < countChunks(stored.sizeOctets, firstOctets); n += 1) {
    const chunk = reader.get(keys.message(emailId, MessagePart.body + n))
    if (chunk === undefined) throw missing()
    whole.set(decodeChunk(chunk), chunkSpan(n, stored.sizeOctets, firstOctets).from)
  }
  return whole
}

/** Where octets of messages are read from. */
export interface BodySource {
  readonly store: OrderedStore
  readonly keys: AccountKeys
  readonly blobs: BlobPlace
}

/**
 * Octets `[from, to)` of a message, clipped to it, in pieces of at most 65,536.
 * @param mailbox the one it is read through: ends when that is deleted, or the message gone; undefined: only then
 */
export async function* readOctets(
  source: BodySource,
  mailbox: number | undefined,
  emailId: number,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  const { store, keys } = source
  const stored = await store.read(keys.partition, (reader) => readStructure(reader, keys, emailId))
  if (stored === undefined) return
  const end = Math.min(to, stored.sizeOctets)
  for (let at = Math.max(0, from); at < end; ) {
    const piece = await readPiece(source, mailbox, emailId, stored, at, Math.min(end, at + PIECE_OCTETS))
    if (piece === undefined) return
    yield piece
    at += piece.length
  }
}

/** Octets from `at` on, at most to `end` and not necessarily all of them; undefined when the message is gone. */
async function readPiece(
  source: BodySource,
  mailbox: number | undefined,
  emailId: number,
  stored: StoredStructure,
  at: number,
  end: number,
): Promise<Uint8Array | undefined> {
  const { store, keys, blobs } = source
  const { body, sizeOctets } = stored
  const owner = mailbox === undefined ? keys.head() : keys.mailbox(mailbox)
  if (body.kind === 'blob') {
    const [exists] = await store.getMany([owner])
    if (exists === undefined) return undefined
    if (at < body.prefix.length) return body.prefix.slice(at, end)
    const shift = body.skipOctets - body.prefix.length
    const piece = await blobs.read(body.id, at + shift, end + shift)
    if (piece === undefined || piece.length === 0) throw missing()
    return piece
  }
  const first = chunkOf(at, body.firstOctets)
  const last = chunkOf(end - 1, body.firstOctets)
  const wanted = [owner]
  for (let n = first; n <= last; n += 1) wanted.push(keys.message(emailId, MessagePart.body + n))
  const [exists, ...chunks] = await store.getMany(wanted)
  if (exists === undefined || chunks.every((chunk) => chunk === undefined)) return undefined
  const piece = new Uint8Array(end - at)
  for (const [index, value] of chunks.entries()) {
    if (value === undefined) throw missing()
    const octets = decodeChunk(value)
    const span = chunkSpan(first + index, sizeOctets, body.firstOctets)
    const skip = Math.max(0, at - span.from)
    piece.set(octets.subarray(skip, Math.min(octets.length, end - span.from)), span.from + skip - at)
  }
  return piece
}

function missing(): StoreError {
  return new StoreError('STORE_CORRUPT', 'Record of message body is missing')
}
