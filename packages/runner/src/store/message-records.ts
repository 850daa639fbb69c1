/** Small records about messages beside their pages: how many places they have, and what is known by Message-ID. */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

/** Places of those of 128 neighbouring email ids that have more than one; key: the id's lowest 7 bits. */
export type RefsRecord = ReadonlyMap<number, number>

/** @returns undefined when all have one place: the record is to be deleted */
export function encodeRefs(refs: RefsRecord): Uint8Array | undefined {
  const more = [...refs].filter(([, places]) => places > 1).sort(([a], [b]) => a - b)
  if (more.length === 0) return undefined
  const writer = new OctetWriter(512).uint(FORMAT, 1).uint(more.length, 1)
  for (const [slot, places] of more) writer.uint(slot, 1).uint(places, 3)
  return writer.finish()
}

/** @param octets undefined: nothing stored @throws StoreError STORE_CORRUPT */
export function decodeRefs(octets: Uint8Array | undefined): Map<number, number> {
  const refs = new Map<number, number>()
  if (octets === undefined) return refs
  const reader = new OctetReader(octets, 'references').format(FORMAT)
  for (let left = reader.uint(1); left > 0; left -= 1) refs.set(reader.uint(1), reader.uint(3))
  reader.end()
  return refs
}

/** A message with some Message-ID. */
export interface MessageIdEntry {
  readonly emailId: number
  /** Email id of the thread's first message. */
  readonly threadId: number
  /** Where it was last known to be: a hint. */
  readonly mailbox: number
  readonly uid: number
}

/** LIMIT: messages kept of one Message-ID; anyone can send the same one again and again. */
const MESSAGE_ID_ENTRIES = 64

/** Keeps the last 64. */
export function encodeMessageIds(entries: readonly MessageIdEntry[]): Uint8Array {
  const kept = entries.slice(-MESSAGE_ID_ENTRIES)
  const writer = new OctetWriter(64).uint(FORMAT, 1).uint(kept.length, 1)
  for (const { emailId, threadId, mailbox, uid } of kept) {
    writer.uint(emailId, 5).uint(threadId, 5).uint(mailbox, 4).uint(uid, 4)
  }
  return writer.finish()
}

/** @param octets undefined: nothing stored @throws StoreError STORE_CORRUPT */
export function decodeMessageIds(octets: Uint8Array | undefined): MessageIdEntry[] {
  if (octets === undefined) return []
  const reader = new OctetReader(octets, 'Message-ID').format(FORMAT)
  const entries: MessageIdEntry[] = []
  for (let left = reader.uint(1); left > 0; left -= 1) {
    entries.push({ emailId: reader.uint(5), threadId: reader.uint(5), mailbox: reader.uint(4), uid: reader.uint(4) })
  }
  reader.end()
  return entries
}
