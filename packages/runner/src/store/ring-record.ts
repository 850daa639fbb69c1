/** Rings: the newest judgements of messages by one identity of their sender, newest first. */
import type { Judgement } from '@postern/core/store'
import { MAX_JUDGEMENTS } from '@postern/core/store'
import { readUint } from './big-endian.ts'
import type { Named } from './named-records.ts'
import { decodeBucket, encodeBucket, findNamed, lookUpNamed, withNamed } from './named-records.ts'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const JUNK = 1
const VALIDATED = 2

// Offsets in an entry: when it was received u32, email id u40, bits u8, localpart u16.
const EMAIL_ID = 4
const BITS = 9
const LOCALPART = 10
const ENTRY_OCTETS = 12

export interface RingEntry extends Judgement {
  readonly emailId: number
}

/** Judgements for an identity; none when there is no ring. Every message asks for hundreds. @throws StoreError STORE_CORRUPT */
export function readRing(octets: Uint8Array | undefined, value: string): readonly Judgement[] {
  return decodeEach(lookUpNamed(octets, value), decodeJudgement)
}

/** A ring under change: loaded once, put once. */
export class RingEdit {
  readonly #value: string
  #bucket: readonly Named[]
  #entries: RingEntry[]

  constructor(octets: Uint8Array | undefined, value: string) {
    this.#value = value
    this.#bucket = decodeBucket(octets)
    this.#entries = decodeEach(findNamed(this.#bucket, value), decodeEntry)
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

/** Decodes entries in place. */
function decodeEach<T>(octets: Uint8Array | undefined, decode: (octets: Uint8Array, at: number) => T): T[] {
  const decoded: T[] = []
  if (octets === undefined) return decoded
  if (octets.length % ENTRY_OCTETS !== 0) new OctetReader(octets, 'judgements').fail('ends early')
  for (let at = 0; at < octets.length; at += ENTRY_OCTETS) decoded.push(decode(octets, at))
  return decoded
}

function decodeJudgement(octets: Uint8Array, at: number): Judgement {
  const bits = octets[at + BITS] as number
  return {
    receivedSeconds: readUint(octets, at, 4),
    junk: (bits & JUNK) !== 0,
    validated: (bits & VALIDATED) !== 0,
    localpart: readUint(octets, at + LOCALPART, 2),
  }
}

function decodeEntry(octets: Uint8Array, at: number): RingEntry {
  return { ...decodeJudgement(octets, at), emailId: readUint(octets, at + EMAIL_ID, 5) }
}
