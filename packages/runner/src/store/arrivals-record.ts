/** Arrivals of one minute by network: what limits on deliveries are held against after a restart. */
import type { ArrivalCount } from '@postern/core/store'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1
/** LIMIT: octets of a record that is rewritten with every delivery of its minute. */
const MAX_OCTETS = 3_900

export interface ArrivalsRecord {
  /** Minutes since 1970. */
  readonly minute: number
  readonly counts: ReadonlyMap<string, { readonly messages: number; readonly octets: number }>
}

export function encodeArrivals({ minute, counts }: ArrivalsRecord): Uint8Array {
  const writer = new OctetWriter(128).uint(FORMAT, 1).uint(minute, 4).varint(counts.size)
  for (const [network, { messages, octets }] of counts) writer.text(network).varint(messages).varint(octets)
  return writer.finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeArrivals(octets: Uint8Array): ArrivalsRecord {
  const reader = new OctetReader(octets, 'arrivals').format(FORMAT)
  const minute = reader.uint(4)
  const counts = new Map<string, { messages: number; octets: number }>()
  for (let left = reader.count(3); left > 0; left -= 1) {
    const network = reader.text()
    counts.set(network, { messages: reader.varint(), octets: reader.varint() })
  }
  reader.end()
  return { minute, counts }
}

/**
 * The record with one more message. When more networks send in one minute than a record holds, the message is counted
 * for the network that is counted last: the sum stays right, and nobody gains room by it.
 */
export function withArrival(record: ArrivalsRecord, network: string, octets: number): ArrivalsRecord {
  const { minute } = record
  const counts = new Map(record.counts)
  const add = (name: string): void => {
    const before = counts.get(name)
    counts.set(name, { messages: (before?.messages ?? 0) + 1, octets: (before?.octets ?? 0) + octets })
  }
  if (counts.has(network) || counts.size === 0) {
    add(network)
    return { minute, counts }
  }
  const last = [...counts.keys()].at(-1) as string
  add(network)
  if (encodeArrivals({ minute, counts }).length <= MAX_OCTETS) return { minute, counts }
  counts.delete(network)
  add(last)
  return { minute, counts }
}

export function countsOf({ minute, counts }: ArrivalsRecord): readonly ArrivalCount[] {
  return Array.from(counts, ([network, { messages, octets }]) => ({ seconds: minute * 60, network, messages, octets })).sort((a, b) => (a.network < b.network ? -1 : 1))
}
