/**
 * DNS packets: the question that is sent and the frame of what comes back. RFC 1035 §4.1, RFC 6891.
 * Not here: what a record's data says (record-data.ts) and what an answer means (read-answer.ts). dns-packet writes the
 * question; answers are read here, because it takes a dot inside of a label for the end of it, follows pointers without
 * a limit and does not hold a record's data to the length the record gives.
 */
import { WireSyntaxError } from '@postern/core/conversation'
import type { DnsKind } from '@postern/core/host'
import { type Answer, AUTHENTIC_DATA, encode, RECURSION_DESIRED } from 'dns-packet'
import { readDnsName } from './dns-name.ts'

export const CLASS_IN = 1
/** Numbers of the kinds. IANA "Resource Record (RR) TYPEs" */
export const TYPE_NUMBERS: Readonly<Record<DnsKind | 'SOA' | 'OPT', number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  TLSA: 52,
  CAA: 257,
}
export const RCODE = { noError: 0, formatError: 1, nameError: 3 } as const

/** LIMIT: what passes unfragmented everywhere, as the DNS flag day of 2020 settled; larger answers come by TCP. */
const UDP_PAYLOAD_OCTETS = 1_232
const HEADER_OCTETS = 12
const OPT: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: UDP_PAYLOAD_OCTETS,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

/** What is asked for, in one packet. */
export interface DnsQuestion {
  /** As `parseDnsName` gives it. */
  readonly name: string
  readonly kind: DnsKind
}

/** The first part of a packet, enough to tell whether it answers a question. */
export interface DnsHead {
  readonly id: number
  readonly isResponse: boolean
  readonly opcode: number
  readonly isAuthoritative: boolean
  readonly isTruncated: boolean
  readonly recursionAvailable: boolean
  readonly authenticData: boolean
  /** The four bits of the header. */
  readonly rcode: number
  /** Undefined when there is not exactly one. */
  readonly question: { readonly name: string; readonly type: number; readonly klass: number } | undefined
  /** How many records follow: answers, authorities, additional ones. */
  readonly counts: readonly [answers: number, authorities: number, additionals: number]
  /** Where the records begin. */
  readonly end: number
}

/** A record whose data is not looked at yet. */
export interface RawRecord {
  readonly name: string
  readonly type: number
  readonly klass: number
  /** Seconds; 0 when the packet says what can't be. RFC 2181 §8 */
  readonly ttl: number
  readonly dataStart: number
  readonly dataEnd: number
}

export interface DnsMessage {
  readonly octets: Uint8Array
  readonly head: DnsHead
  /** With the upper bits that EDNS has for it. RFC 6891 §6.1.3 */
  readonly rcode: number
  readonly answers: readonly RawRecord[]
  readonly authorities: readonly RawRecord[]
}

/**
 * A query that asks for recursion and for the AD bit in the answer (RFC 6840 §5.7).
 * @param edns whether it says that answers of 1,232 octets are welcome; without, 512
 */
export function encodeQuery(id: number, { name, kind }: DnsQuestion, edns: boolean): Uint8Array {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name, type: kind, class: 'IN' }],
    additionals: edns ? [OPT] : [],
  })
}

/** @throws WireSyntaxError when it is too short, or its one question can't be read */
export function decodeHead(octets: Uint8Array): DnsHead {
  if (octets.length < HEADER_OCTETS) throw new WireSyntaxError('header', 'header of 12 octets', 0)
  const flags = uint16(octets, 2)
  const questions = uint16(octets, 4)
  let question: DnsHead['question']
  let end = HEADER_OCTETS
  if (questions === 1) {
    const { name, end: nameEnd } = readDnsName(octets, HEADER_OCTETS)
    end = nameEnd + 4
    if (end > octets.length) throw new WireSyntaxError('question', 'type and class', nameEnd)
    question = { name, type: uint16(octets, nameEnd), klass: uint16(octets, nameEnd + 2) }
  }
  return {
    id: uint16(octets, 0),
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    isAuthoritative: (flags & 0x0400) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    rcode: flags & 0xf,
    question,
    counts: [uint16(octets, 6), uint16(octets, 8), uint16(octets, 10)],
    end,
  }
}

/**
 * All records of a packet. There are no more of them than its octets hold, at least 11 each.
 * @param octets not copied; `RawRecord`s refer to them
 * @throws WireSyntaxError
 */
export function decodeMessage(octets: Uint8Array, head: DnsHead = decodeHead(octets)): DnsMessage {
  const sections: RawRecord[][] = []
  let offset = head.end
  for (const count of head.counts) {
    const records: RawRecord[] = []
    for (let i = 0; i < count; i += 1) {
      const record = readRecord(octets, offset)
      records.push(record)
      offset = record.dataEnd
    }
    sections.push(records)
  }
  const [answers = [], authorities = [], additionals = []] = sections
  const opt = additionals.find(({ type }) => type === TYPE_NUMBERS.OPT)
  // An OPT record keeps the upper bits of the code where others have the first octet of the TTL.
  const extended = opt === undefined ? 0 : (octets[opt.dataStart - 6] as number)
  return { octets, head, rcode: (extended << 4) | head.rcode, answers, authorities }
}

export function uint16(octets: Uint8Array, offset: number): number {
  return ((octets[offset] as number) << 8) | (octets[offset + 1] as number)
}

/** Four octets as seconds: a value with the highest bit set means 0. RFC 2181 §8 */
export function seconds(octets: Uint8Array, offset: number): number {
  const value = uint16(octets, offset) * 0x1_0000 + uint16(octets, offset + 2)
  return value > 0x7fff_ffff ? 0 : value
}

function readRecord(octets: Uint8Array, start: number): RawRecord {
  const { name, end } = readDnsName(octets, start)
  const dataStart = end + 10
  if (dataStart > octets.length) throw new WireSyntaxError('record', 'type, class, TTL and length', end)
  const dataEnd = dataStart + uint16(octets, end + 8)
  if (dataEnd > octets.length) throw new WireSyntaxError('record-data', 'all of the record data', dataStart)
  const [type, klass] = [uint16(octets, end), uint16(octets, end + 2)]
  return { name, type, klass, ttl: seconds(octets, end + 4), dataStart, dataEnd }
}
