/**
 * What records of each kind say, read from a packet into the values of the resolver contract. RFC 1035 §3.3, RFC 2782,
 * RFC 3596, RFC 6698 §2.1, RFC 8659 §4.1.
 */
import { WireSyntaxError } from '@postern/core/conversation'
import { parseIpAddress } from '@postern/core/address'
import type { DnsData, DnsKind } from '@postern/core/host'
import { type RawRecord, seconds, uint16 } from './dns-message.ts'
import { readDnsName } from './dns-name.ts'

type Decoders = { readonly [K in DnsKind]: (octets: Uint8Array, start: number, end: number) => DnsData[K] }

const DECODERS: Decoders = {
  A(octets, start, end) {
    expectLength(start, end, 4)
    return octets.subarray(start, end).join('.')
  },
  AAAA(octets, start, end) {
    expectLength(start, end, 16)
    return formatIpv6(octets, start)
  },
  CNAME: readLastName,
  NS: readLastName,
  PTR: readLastName,
  MX(octets, start, end) {
    expectAtLeast(start, end, 3)
    return { preference: uint16(octets, start), exchange: readLastName(octets, start + 2, end) }
  },
  SRV(octets, start, end) {
    expectAtLeast(start, end, 7)
    return {
      priority: uint16(octets, start),
      weight: uint16(octets, start + 2),
      port: uint16(octets, start + 4),
      target: readLastName(octets, start + 6, end),
    }
  },
  TXT(octets, start, end) {
    const strings: string[] = []
    for (let offset = start; offset < end; ) {
      const next = stringEnd(octets, offset, end)
      strings.push(latin1(octets, offset + 1, next))
      offset = next
    }
    return strings.join('')
  },
  TLSA(octets, start, end) {
    expectAtLeast(start, end, 3)
    const [usage, selector, match] = octets.subarray(start, start + 3) as unknown as [number, number, number]
    return { usage, selector, match, data: Uint8Array.from(octets.subarray(start + 3, end)) }
  },
  CAA(octets, start, end) {
    expectAtLeast(start, end, 3)
    const tagEnd = stringEnd(octets, start + 1, end)
    return {
      flags: octets[start] as number,
      tag: latin1(octets, start + 2, tagEnd).toLowerCase(),
      value: latin1(octets, tagEnd, end),
    }
  },
}

/**
 * The data of a record of this kind; nothing of it refers to the packet.
 * @throws WireSyntaxError when it is not what its kind holds, or longer or shorter
 */
export function decodeRecordData<K extends DnsKind>(octets: Uint8Array, record: RawRecord, kind: K): DnsData[K] {
  return DECODERS[kind](octets, record.dataStart, record.dataEnd)
}

/** Seconds that a "no" is worth by its SOA record: the lesser of its MINIMUM and its own TTL. RFC 2308 §5 */
export function decodeNegativeTtl(octets: Uint8Array, soa: RawRecord): number {
  const { end: primaryEnd } = readDnsName(octets, soa.dataStart)
  const { end } = readDnsName(octets, primaryEnd)
  expectLength(end, soa.dataEnd, 20)
  return Math.min(soa.ttl, seconds(octets, end + 16))
}

function readLastName(octets: Uint8Array, start: number, end: number): string {
  const read = readDnsName(octets, start)
  if (read.end !== end) throw new WireSyntaxError('record-data', 'name to the end of the data', start)
  return read.name
}

function stringEnd(octets: Uint8Array, start: number, end: number): number {
  const next = start + 1 + (octets[start] as number)
  if (next > end) throw new WireSyntaxError('character-string', 'string within the data', start)
  return next
}

function expectLength(start: number, end: number, length: number): void {
  if (end - start !== length) throw new WireSyntaxError('record-data', `${length} octets of data`, start)
}

function expectAtLeast(start: number, end: number, length: number): void {
  if (end - start < length) throw new WireSyntaxError('record-data', `${length} octets of data or more`, start)
}

function latin1(octets: Uint8Array, start: number, end: number): string {
  return Buffer.from(octets.buffer, octets.byteOffset + start, end - start).toString('latin1')
}

function formatIpv6(octets: Uint8Array, start: number): string {
  const groups = Array.from({ length: 8 }, (_, group) => uint16(octets, start + 2 * group))
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  const text = groups.map((group) => group.toString(16)).join(':')
  // An IPv4-mapped address stays IPv6 in an AAAA record. RFC 5952 §5 writes its tail as IPv4.
  return isMapped ? `::ffff:${octets.subarray(start + 12, start + 16).join('.')}` : (parseIpAddress(text)?.text ?? text)
}
