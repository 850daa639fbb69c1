/**
 * The list record of a message: what clients list mail with, ready to send, and the thread it belongs to. Never
 * changed.
 */
import type { ListRecord } from '@postern/core/store'
import { LONG_RECORD_OCTETS, cutRecord, joinRecord } from './long-record.ts'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const ASCII = 1
const CUT = 2
const COMPLETE = 4

export interface StoredList {
  /** Email id of the thread's first message. */
  readonly threadId: number
  /** Undefined when it was too large to be stored: to be made again from the structure record and the header. */
  readonly list: ListRecord | undefined
}

/** @returns the value of `MessagePart.list`, then those of `MessagePart.listMore` */
export function encodeList({ threadId, list }: StoredList): [first: Uint8Array, ...more: Uint8Array[]] {
  const sizeOctets = list === undefined ? 0 : list.envelope.length + list.bodyStructure.length + list.fields.length
  const fits = list !== undefined && sizeOctets + 64 <= LONG_RECORD_OCTETS
  const writer = new OctetWriter(fits ? sizeOctets + 64 : 16)
  if (fits) {
    writer.uint((list.ascii ? ASCII : 0) | (list.complete ? COMPLETE : 0), 1).uint(threadId, 5)
    writer.octets(list.envelope).octets(list.bodyStructure).octets(list.fields)
  } else {
    writer.uint(CUT, 1).uint(threadId, 5)
  }
  return cutRecord(writer.finish())
}

/** @param parts as `continuationsOf` tells @returns views of the parts @throws StoreError STORE_CORRUPT */
export function decodeList(parts: readonly (Uint8Array | undefined)[]): StoredList {
  const reader = new OctetReader(joinRecord(parts, 'message list'), 'message list')
  const flags = reader.uint(1)
  const threadId = reader.uint(5)
  let list: ListRecord | undefined
  if ((flags & CUT) === 0) {
    const view = (): Uint8Array => reader.raw(reader.varint())
    const [ascii, complete] = [(flags & ASCII) !== 0, (flags & COMPLETE) !== 0]
    list = { ascii, complete, envelope: view(), bodyStructure: view(), fields: view() }
  }
  reader.end()
  return { threadId, list }
}
