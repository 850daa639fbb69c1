/** Rings: the newest judgements of messages by one identity of their sender, newest first. */
import type { Judgement } from '@postern/core/store'
import { MAX_JUDGEMENTS } from '@postern/core/store'
import type { Named } from './named-records.ts'
import { decodeBucket, encodeBucket, findNamed, withNamed } from './named-records.ts'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const JUNK = 1
const VALIDATED = 2
const ENTRY_OCTETS = 12

export interface RingEntry extends Judgement {
  readonly emailId: number
}

/** Entries for an identity; none when there is no ring. @throws StoreError STORE_CORRUPT */
export function readRing(octets: Uint8Array | undefined, value: string): readonly RingEntry[] {
  return octets === undefined ? [] : decodeEntries(findNamed(decodeBucket(octets), value))
}

/** A ring under change: loaded once, put once. */
export class RingEdit {
  readonly #value: string
  #bucket: readonly Named[]
  #entries: RingEntry[]

  constructor(octets: Uint8Array | undefined, value: string) {
    this.#value = value
    this.#bucket = decodeBucket(octets)
    this.#entries = [...decodeEntries(findNamed(this.#bucket, value))]
  }

  /** Takes a message's judgement away. */
  remove(emailId: number): void {
    const at = this.#entries.findIndex((entry) => entry.emailId === emailId)
    if (at >= 0) this.#entries.splice(at, 1)
  }

  insert(entry: RingEntry): void {
    const isOlder = (other: RingEntry): boolean =>
      other.receivedSeconds < entry.receivedSeconds || (other.receivedSeconds === entry.receivedSeconds && other.emailId < entry.emailId)
    const at = this.#entries.findIndex(isOlder)
    this.#entries.splice(at < 0 ? this.#entries.length : at, 0, entry)
    this.#entries.length = Math.min(this.#entries.length, MAX_JUDGEMENTS)
  }

  /** @returns undefined when nothing is left */
  encode(): Uint8Array | undefined {
    this.#bucket = withNamed(this.#bucket, this.#value, this.#entries.length === 0 ? undefined : encodeEntries(this.#entries))
    return encodeBucket(this.#bucket)
  }
}

function encodeEntries(entries: readonly RingEntry[]): Uint8Array {
  const writer = new OctetWriter(entries.length * ENTRY_OCTETS)
  for (const { receivedSeconds, emailId, junk, validated, localpart } of entries) {
    writer.uint(receivedSeconds, 4).uint(emailId, 5).uint((junk ? JUNK : 0) | (validated ? VALIDATED : 0), 1).uint(localpart, 2)
  }
  return writer.finish()
}

function decodeEntries(octets: Uint8Array | undefined): readonly RingEntry[] {
  if (octets === undefined) return []
  const reader = new OctetReader(octets, 'judgements')
  const entries: RingEntry[] = []
  while (reader.remaining > 0) {
    const receivedSeconds = reader.uint(4)
    const emailId = reader.uint(5)
    const bits = reader.uint(1)
    entries.push({ receivedSeconds, emailId, junk: (bits & JUNK) !== 0, validated: (bits & VALIDATED) !== 0, localpart: reader.uint(2) })
  }
  return entries
}
