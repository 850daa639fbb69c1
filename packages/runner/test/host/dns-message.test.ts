/** Names, packets and record data, beside dns-packet's own reading of the same octets. */
import { WireSyntaxError } from '@postern/core/conversation'
import type { DnsKind } from '@postern/core/host'
import { type Answer, decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHead, decodeMessage, encodeQuery, TYPE_NUMBERS } from '../../src/host/dns/dns-message.ts'
import { parseDnsName, readDnsName } from '../../src/host/dns/dns-name.ts'
import { readAnswer } from '../../src/host/dns/read-answer.ts'
import { decodeRecordData } from '../../src/host/dns/record-data.ts'

const KINDS = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TXT', 'TLSA', 'CAA'] as const
const octetsOf = (...parts: readonly (number | string)[]): Uint8Array => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Uint8Array.of(part))))

const label = fc.string({ unit: fc.constantFrom(...'abcxyz0189-_*/'), minLength: 1, maxLength: 20 })
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))
const uint8 = fc.nat(0xff)
const uint16 = fc.nat(0xffff)
const octets = (options: fc.IntArrayConstraints): fc.Arbitrary<Buffer> => fc.uint8Array(options).map((array) => Buffer.from(array))
const ipv4 = fc.ipV4()
const data: { readonly [K in (typeof KINDS)[number]]: fc.Arbitrary<unknown> } = {
  A: ipv4,
  AAAA: fc.ipV6().filter((text) => !text.includes('.')),
  CNAME: name,
  MX: fc.record({ preference: uint16, exchange: name }),
  NS: name,
  PTR: name,
  SRV: fc.record({ priority: uint16, weight: uint16, port: uint16, target: name }),
  TXT: fc.array(octets({ maxLength: 255 }), { minLength: 1, maxLength: 4 }),
  TLSA: fc.record({ usage: uint8, selector: uint8, matchingType: uint8, certificate: octets({ maxLength: 80 }) }),
  CAA: fc.record({ flags: uint8, tag: fc.constantFrom('issue', 'issuewild', 'iodef'), value: fc.string({ unit: fc.constantFrom(...'abc.;= '), maxLength: 40 }) }),
}
const record = fc.constantFrom(...KINDS).chain((type) => fc.record({ type: fc.constant(type), name, ttl: fc.nat(0x7fff_ffff), data: data[type] })) as fc.Arbitrary<Answer>

/** dns-packet's value in the contract's terms. */
function asContract(answer: Answer): unknown {
  const { data: value } = answer as { data: unknown }
  switch (answer.type) {
    case 'TXT':
      return Buffer.concat(value as Buffer[]).toString('latin1')
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = value as { usage: number; selector: number; matchingType: number; certificate: Buffer }
      return { usage, selector, match: matchingType, data: Uint8Array.from(certificate) }
    }
    case 'CAA': {
      const { flags, tag, value: text } = value as { flags: number; tag: string; value: string }
      return { flags, tag, value: text }
    }
    default:
      return value
  }
}

describe('packets that dns-packet wrote', () => {
  it('are read as dns-packet reads them', () => {
    fc.assert(
      fc.property(uint16, fc.array(record, { maxLength: 5 }), fc.array(record, { maxLength: 3 }), (id, answers, authorities) => {
        const packet = encode({ type: 'response', id, flags: 0x0180, questions: [{ type: 'A', name: 'host.test' }], answers, authorities })
        const theirs = decode(packet)
        const ours = decodeMessage(packet)
        expect(ours.head).toMatchObject({ id, isResponse: true, recursionAvailable: true, isTruncated: false, question: { name: 'host.test', type: 1, klass: 1 } })
        const read = [...ours.answers, ...ours.authorities].map((raw) => {
          const kind = KINDS.find((one) => TYPE_NUMBERS[one] === raw.type) as DnsKind
          const value = decodeRecordData(packet, raw, kind)
          return { type: kind, name: raw.name, ttl: raw.ttl, data: kind === 'AAAA' ? encode({ answers: [{ type: 'AAAA', name: 'a', data: value as string }] }).subarray(-16) : value }
        })
        const expected = [...(theirs.answers ?? []), ...(theirs.authorities ?? [])].map((answer) => ({
          type: answer.type,
          name: answer.name,
          ttl: (answer as { ttl?: number }).ttl,
          data: answer.type === 'AAAA' ? encode({ answers: [{ type: 'AAAA', name: 'a', data: answer.data }] }).subarray(-16) : asContract(answer),
        }))
        expect(read).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('as questions say what was asked', () => {
    fc.assert(
      fc.property(uint16, name, fc.constantFrom(...KINDS), fc.boolean(), (id, asked, kind, edns) => {
        const packet = encodeQuery(id, { name: asked, kind }, edns)
        expect(decodeHead(packet)).toMatchObject({ id, isResponse: false, question: { name: asked, type: TYPE_NUMBERS[kind], klass: 1 }, counts: [0, 0, edns ? 1 : 0] })
      }),
    )
  })
})

describe('octets of any kind', () => {
  const isRead = (packet: Uint8Array): void => {
    try {
      const message = decodeMessage(packet)
      for (const kind of KINDS) readAnswer(message, { name: message.head.question?.name ?? 'host.test', kind }, new Set())
    } catch (error) {
      expect(error).toBeInstanceOf(WireSyntaxError)
    }
  }

  it('are a packet or a WireSyntaxError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), isRead), { numRuns: 2_000 })
  })

  it('that were a packet before some of them changed are one still or a WireSyntaxError', () => {
    const flips = fc.array(fc.tuple(fc.nat(400), uint8), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), flips, fc.nat(400), (answers, changes, cut) => {
        const packet = encode({ type: 'response', questions: [{ type: 'A', name: answers[0]?.name ?? '' }], answers })
        for (const [at, octet] of changes) packet[at % packet.length] = octet
        isRead(packet)
        isRead(packet.subarray(0, cut))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('names in packets', () => {
  const rows: readonly (readonly [what: string, packet: Uint8Array, start: number, name: string, end: number])[] = [
    ['the root', octetsOf(0), 0, '', 1],
    ['labels, in lower case', octetsOf(4, 'Host', 4, 'TEST', 0), 0, 'host.test', 11],
    ['labels and a pointer', octetsOf(4, 'test', 0, 1, 'a', 0xc0, 0), 6, 'a.test', 10],
    ['a pointer to a pointer', octetsOf(4, 'test', 0, 0xc0, 0, 0xc0, 6), 8, 'test', 10],
    ['a dot inside of a label', octetsOf(3, 'a.b', 0), 0, 'a\\.b', 5],
    ['a backslash', octetsOf(3, 'a\\b', 0), 0, 'a\\\\b', 5],
    ['octets that are no ASCII, a NUL, a line end', octetsOf(4, 'a\0\xe9\n', 0), 0, 'a\\000\\233\\010', 6],
  ]
  it.each(rows)('are read: %s', (_what, packet, start, expected, end) => {
    expect(readDnsName(packet, start)).toEqual({ name: expected, end })
  })

  const chain = (pointers: number): Uint8Array => Buffer.concat([Uint8Array.of(0), ...Array.from({ length: pointers }, (_, i) => Uint8Array.of(0xc0 | ((i === 0 ? 0 : 2 * i - 1) >> 8), (i === 0 ? 0 : 2 * i - 1) & 0xff))])
  const broken: readonly (readonly [what: string, packet: Uint8Array, start: number, code: string])[] = [
    ['no end', octetsOf(1, 'a'), 0, 'name-end'],
    ['a label beyond the packet', octetsOf(9, 'a'), 0, 'name-end'],
    ['half a pointer', octetsOf(0, 0xc0), 1, 'name-label'],
    ['a label of a kind that is not known', octetsOf(0x41, 0, 0), 0, 'name-label'],
    ['a pointer to itself', octetsOf(0, 0xc0, 1), 1, 'name-pointer'],
    ['a pointer ahead', octetsOf(0xc0, 2, 0), 0, 'name-pointer'],
    ['a pointer into the name it ends', octetsOf(1, 'a', 1, 'b', 0xc0, 2), 0, 'name-pointer'],
    ['128 pointers', chain(128), 2 * 128 - 1, 'name-pointer'],
    ['256 octets', Buffer.concat([...Array.from({ length: 127 }, () => octetsOf(1, 'a')), octetsOf(1, 'a', 0)]), 0, 'name-length'],
  ]
  it.each(broken)('are refused: %s', (_what, packet, start, code) => {
    expect(() => readDnsName(packet, start)).toThrow(expect.objectContaining({ name: 'WireSyntaxError', code }))
  })

  it('may have 127 pointers and 255 octets', () => {
    expect(readDnsName(chain(127), 2 * 127 - 1).name).toBe('')
    expect(readDnsName(Buffer.concat([...Array.from({ length: 127 }, () => octetsOf(1, 'a')), octetsOf(0)]), 0).name).toHaveLength(253)
  })

  it('are, when a text is a name, read as that text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).filter((code) => code !== 0x2e && code !== 0x5c).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 63 }), { minLength: 1, maxLength: 3 }), (labels) => {
        const text = labels.join('.')
        const packet = octetsOf(...labels.flatMap((one) => [one.length, one]), 0)
        expect(readDnsName(packet, 0).name).toBe(parseDnsName(text))
        expect(decodeHead(encodeQuery(1, { name: parseDnsName(text) as string, kind: 'A' }, true)).question?.name).toBe(parseDnsName(text))
      }),
    )
  })
})

describe('record data', () => {
  const read = (kind: DnsKind, ...parts: readonly (number | string)[]): unknown => {
    const packet = octetsOf(...parts)
    return decodeRecordData(packet, { name: 'a.test', type: TYPE_NUMBERS[kind], klass: 1, ttl: 1, dataStart: 0, dataEnd: packet.length }, kind)
  }
  const rows: readonly (readonly [kind: DnsKind, parts: readonly (number | string)[], value: unknown])[] = [
    ['AAAA', ['\x20\x01\x0d\xb8', '\0'.repeat(11), 1], '2001:db8::1'],
    ['AAAA', ['\0'.repeat(10), '\xff\xff', 192, 0, 2, 1], '::ffff:192.0.2.1'],
    ['AAAA', ['\0'.repeat(16)], '::'],
    ['TXT', [], ''],
    ['TXT', [0, 0], ''],
    ['TXT', [2, 'a\xff', 1, '\0'], 'a\xff\0'],
    ['CAA', [128, 5, 'ISSUE', 'ca.example'], { flags: 128, tag: 'issue', value: 'ca.example' }],
    ['TLSA', [3, 1, 1], { usage: 3, selector: 1, match: 1, data: new Uint8Array() }],
    ['MX', [0, 0, 0], { preference: 0, exchange: '' }],
  ]
  it.each(rows)('%s of %j is read', (kind, parts, value) => {
    expect(read(kind, ...parts)).toEqual(value)
  })

  const broken: readonly (readonly [kind: DnsKind, parts: readonly (number | string)[]])[] = [
    ['A', [1, 2, 3]],
    ['AAAA', ['\0'.repeat(17)]],
    ['CNAME', []],
    ['CNAME', [1, 'a', 0, 0]],
    ['MX', [0, 10]],
    ['MX', [0, 10, 1, 'a']],
    ['SRV', [0, 0, 0, 0, 0, 0]],
    ['TXT', [3, 'ab']],
    ['TLSA', [3, 1]],
    ['CAA', [0, 9, 'is']],
  ]
  it.each(broken)('%s of %j is refused', (kind, parts) => {
    expect(() => read(kind, ...parts)).toThrow(WireSyntaxError)
  })
})
