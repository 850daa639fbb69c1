/** Servers, and those who pretend to be one, that answer wrong, late, too much or not at all. */
import { networkInterfaces } from 'node:os'
import type { DnsData } from '@postern/core/host'
import { type Answer, AUTHENTIC_DATA, RECURSION_AVAILABLE, TRUNCATED_RESPONSE } from 'dns-packet'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createResolver, type NetworkResolver, type ResolverEvent, type ResolverOptions } from '../../src/host/resolver.ts'
import { createTestClock, type TestClock } from '../../src/testing/test-clock.ts'
import { type Asked, carried, type DnsTestServer, framed, type Handler, replyTo, soa, startDnsServer } from './dns-server.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function serverOf(handler: Handler, options?: { readonly host?: string; readonly tcp?: boolean }): Promise<DnsTestServer> {
  const server = await startDnsServer(handler, options)
  open.push(server)
  return server
}

interface Under {
  readonly resolver: NetworkResolver
  readonly clock: TestClock
  readonly events: ResolverEvent[]
}

/** A resolver for which time stands still. */
function resolverOf(servers: readonly DnsTestServer[], options: ResolverOptions = {}): Under {
  const clock = createTestClock({ frozen: true })
  const events: ResolverEvent[] = []
  const resolver = createResolver({ servers: servers.map(({ address }) => address), clock, onEvent: (event) => events.push(event), ...options })
  open.unshift(resolver)
  return { resolver, clock, events }
}

const RIGHT: Answer = { type: 'A', name: 'host.test', ttl: 60, data: '192.0.2.1' }
const WRONG: Answer = { type: 'A', name: 'host.test', ttl: 60, data: '192.0.2.66' }
const right = (asked: Asked): Buffer => carried(asked, replyTo(asked, { answers: [RIGHT] }))
const silent: Handler = () => undefined

function queryOf(resolver: NetworkResolver): Promise<readonly DnsData['A'][]> {
  return resolver.query('host.test', 'A').then(({ records }) => records)
}

describe('a packet that is no answer to the question', () => {
  const forged: readonly (readonly [what: string, packet: (asked: Asked) => Uint8Array])[] = [
    ['has another id', (asked) => replyTo(asked, { answers: [WRONG], id: ((asked.packet.id ?? 0) + 1) & 0xffff })],
    ['has another name', (asked) => replyTo(asked, { answers: [WRONG], questions: [{ type: 'A', name: 'other.test' }] })],
    ['has another type', (asked) => replyTo(asked, { answers: [WRONG], questions: [{ type: 'AAAA', name: 'host.test' }] })],
    ['has another class', (asked) => replyTo(asked, { answers: [WRONG], questions: [{ type: 'A', name: 'host.test', class: 'CH' }] })],
    ['has two questions', (asked) => replyTo(asked, { answers: [WRONG], questions: [{ type: 'A', name: 'host.test' }, { type: 'A', name: 'host.test' }] })],
    ['has no question', (asked) => replyTo(asked, { answers: [WRONG], questions: [] })],
    ['has the name as one label with a dot in it', (asked) => withDottedLabel(replyTo(asked, { answers: [WRONG] }))],
    ['is a question itself', (asked) => withFlags(replyTo(asked, { answers: [WRONG] }), 0x0100)],
    ['is of another operation', (asked) => withFlags(replyTo(asked, { answers: [WRONG] }), 0xa800)],
    ['is shorter than a header', (asked) => replyTo(asked).subarray(0, 11)],
    ['is empty', () => new Uint8Array()],
    ['ends within its question', (asked) => replyTo(asked).subarray(0, 15)],
  ]
  for (const [what, packet] of forged) {
    it(`is ignored when it ${what}`, async () => {
      const server = await serverOf((asked) => [packet(asked), right(asked)])
      const { resolver, events } = resolverOf([server])
      expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
      expect(events).toEqual(['query', 'ignored'])
    })
  }

  it('is not received at all when it comes from another port', async () => {
    const server: DnsTestServer = await serverOf(async (asked) => {
      await server.sendFromElsewhere(replyTo(asked, { answers: [WRONG] }), asked.port)
      return right(asked)
    })
    const { resolver, events } = resolverOf([server])
    expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
    expect(events).toEqual(['query'])
  })

  it('makes the question go by TCP when there are many', async () => {
    const guess = (asked: Asked): Uint8Array[] => Array.from({ length: 40 }, (_, i) => replyTo(asked, { answers: [WRONG], id: ((asked.packet.id ?? 0) + 1 + i) & 0xffff }))
    const server = await serverOf((asked) => (asked.transport === 'udp' ? guess(asked) : right(asked)))
    const { resolver, events } = resolverOf([server])
    expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
    expect(events).toEqual(['query', ...Array.from({ length: 16 }, () => 'ignored'), 'tcp'])
  })
})

describe('questions', () => {
  it('each have an id and a port of their own, and ask for recursion, the AD bit and 1,232 octets', async () => {
    const server = await serverOf((asked) => replyTo(asked, { authorities: [soa('test')] }))
    const { resolver } = resolverOf([server])
    await Promise.all(Array.from({ length: 50 }, (_, i) => resolver.query(`host-${i}.test`, 'A')))
    expect(new Set(server.asked.map(({ port }) => port)).size).toBeGreaterThan(45)
    expect(new Set(server.asked.map(({ packet }) => packet.id)).size).toBeGreaterThan(45)
    for (const { packet } of server.asked) {
      expect(packet).toMatchObject({ type: 'query', flag_rd: true, flag_ad: true, flag_cd: false })
      expect(packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1_232, ednsVersion: 0, flags: 0 }])
    }
  })

  it('are asked again without EDNS of a server that does not know it', async () => {
    const server = await serverOf((asked) => ((asked.packet.additionals?.length ?? 0) > 0 ? replyTo(asked, { rcode: 1, questions: [] }) : right(asked)))
    const { resolver } = resolverOf([server])
    expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
    expect(server.asked).toHaveLength(2)
  })
})

describe('an answer that is cut short', () => {
  const truncated = (asked: Asked): Buffer => replyTo(asked, { answers: [WRONG], flags: RECURSION_AVAILABLE | TRUNCATED_RESPONSE })

  it('is asked for by TCP', async () => {
    const server = await serverOf((asked) => (asked.transport === 'udp' ? truncated(asked) : right(asked)))
    const { resolver, events } = resolverOf([server])
    expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
    expect(events).toEqual(['query', 'tcp'])
  })

  it('is read from TCP however it is chopped', async () => {
    const server = await serverOf((asked) => {
      if (asked.transport === 'udp') return truncated(asked)
      return [...framed(replyTo(asked, { answers: [RIGHT] })), 0xff].map((octet) => Uint8Array.of(octet))
    })
    expect(await queryOf(resolverOf([server]).resolver)).toEqual(['192.0.2.1'])
  })

  it('is asked of the next server when there is no TCP', async () => {
    const first = await serverOf(truncated, { tcp: false })
    const second = await serverOf(right)
    const { resolver, events } = resolverOf([first, second])
    expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
    expect(events).toEqual(['query', 'unreachable', 'query'])
  })

  const byTcp: readonly (readonly [what: string, answer: (asked: Asked) => Uint8Array])[] = [
    ['cut short too', (asked) => framed(truncated(asked))],
    ['garbage', () => framed(Buffer.alloc(40, 0xc0))],
    ['nothing, in a frame', () => framed(new Uint8Array())],
    ['the answer to something else', (asked) => framed(replyTo(asked, { id: ((asked.packet.id ?? 0) + 1) & 0xffff, answers: [WRONG] }))],
  ]
  for (const [what, answer] of byTcp) {
    it(`is SERVFAIL when what comes by TCP is ${what}`, async () => {
      const server = await serverOf((asked) => (asked.transport === 'udp' ? truncated(asked) : answer(asked)))
      const { resolver, events } = resolverOf([server])
      await expect(queryOf(resolver)).rejects.toMatchObject({ name: 'DnsError', code: 'SERVFAIL' })
      expect(events).toEqual(['query', 'tcp', 'malformed'])
    })
  }

  it('is a timeout when TCP begins a large answer and never ends it', async () => {
    const server = await serverOf((asked) => (asked.transport === 'udp' ? truncated(asked) : Uint8Array.of(0xff, 0xff, 1, 2, 3)))
    const { resolver, clock, events } = resolverOf([server], { attempts: 1, timeoutMs: 3_000 })
    const failed = expect(queryOf(resolver)).rejects.toMatchObject({ code: 'TIMEOUT' })
    await vi.waitFor(() => expect(server.asked).toHaveLength(2), { interval: 1 })
    await clock.advance(3_000)
    await failed
    expect(events).toEqual(['query', 'tcp', 'timeout'])
  })
})

describe('an answer that can not be read', () => {
  const broken: readonly (readonly [what: string, packet: (asked: Asked) => Uint8Array])[] = [
    ['announces records that are not there', (asked) => withCounts(replyTo(asked, { answers: [RIGHT] }), 65_535)],
    ['ends within a record', (asked) => replyTo(asked, { answers: [RIGHT] }).subarray(0, -1)],
    ['has a pointer to itself', (asked) => Buffer.concat([withCounts(replyTo(asked), 1), Uint8Array.of(0xc0, replyTo(asked).length, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0)])],
    ['has an address of five octets', (asked) => withRecord(asked, 1, Uint8Array.of(192, 0, 2, 66, 1))],
    ['has an address of no octets', (asked) => withRecord(asked, 1, new Uint8Array())],
  ]
  for (const [what, packet] of broken) {
    it(`makes the next server be asked, when it ${what}`, async () => {
      const [first, second] = [await serverOf(packet), await serverOf(right)]
      expect(await queryOf(resolverOf([first, second]).resolver)).toEqual(['192.0.2.1'])
    })
    it(`is SERVFAIL when all servers do so and it ${what}`, async () => {
      const server = await serverOf(packet)
      await expect(queryOf(resolverOf([server]).resolver)).rejects.toMatchObject({ code: 'SERVFAIL' })
      expect(server.asked).toHaveLength(1)
    })
  }

  it('is none when only records that nobody asked for can not be read', async () => {
    const odd: Answer = { type: 'NULL', name: 'host.test', ttl: 1, data: Buffer.from([0xc0]) }
    const server = await serverOf((asked) => replyTo(asked, { answers: [odd, RIGHT] }))
    expect(await queryOf(resolverOf([server]).resolver)).toEqual(['192.0.2.1'])
  })
})

describe('a server that does not answer the question', () => {
  const codes = [2, 4, 5, 9] as const
  for (const rcode of codes) {
    it(`with code ${rcode} is followed by the next, and SERVFAIL when there is none`, async () => {
      const failing = await serverOf((asked) => replyTo(asked, { rcode }))
      const working = await serverOf(right)
      expect(await queryOf(resolverOf([failing, working]).resolver)).toEqual(['192.0.2.1'])
      await expect(queryOf(resolverOf([failing]).resolver)).rejects.toMatchObject({ code: 'SERVFAIL' })
      expect(failing.asked).toHaveLength(2)
    })
  }

  it('but refers to others is followed by the next', async () => {
    const lame = await serverOf((asked) => replyTo(asked, { flags: 0, authorities: [{ type: 'NS', name: 'test', data: 'ns.test', ttl: 60 }] }))
    await expect(queryOf(resolverOf([lame]).resolver)).rejects.toMatchObject({ code: 'SERVFAIL' })
    expect(await queryOf(resolverOf([lame, await serverOf(right)]).resolver)).toEqual(['192.0.2.1'])
  })

  it('with an extended code is not taken for one that has none', async () => {
    const server = await serverOf((asked) => {
      const packet = replyTo(asked, { answers: [RIGHT] })
      packet.writeUInt16BE(1, 10)
      return Buffer.concat([packet, Uint8Array.of(0, 0, 41, 4, 0xd0, 1, 0, 0, 0, 0, 0)])
    })
    await expect(queryOf(resolverOf([server]).resolver)).rejects.toMatchObject({ code: 'SERVFAIL', message: 'A host.test: rcode 16' })
  })

  it('because nobody listens there is followed by the next at once', async () => {
    const gone = await startDnsServer(silent)
    await gone.close()
    const { resolver, events } = resolverOf([gone, await serverOf(right)])
    expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
    expect(events).toEqual(['query', 'unreachable', 'query'])
  })
})

describe('silence', () => {
  it('is followed by the next server, and by all of them again, then TIMEOUT', async () => {
    const servers = [await serverOf(silent), await serverOf(silent)]
    const { resolver, clock, events } = resolverOf(servers, { timeoutMs: 2_000, attempts: 2 })
    const failed = expect(queryOf(resolver)).rejects.toMatchObject({ name: 'DnsError', code: 'TIMEOUT' })
    for (const [i, expected] of [[1, 0], [1, 1], [2, 1], [2, 2]].entries()) {
      await vi.waitFor(() => expect(servers.map(({ asked }) => asked.length)).toEqual(expected), { interval: 1 })
      await clock.advance(1_999)
      expect(events.filter((event) => event === 'timeout')).toHaveLength(i)
      await clock.advance(1)
    }
    await failed
    expect(events).toEqual(['query', 'timeout', 'query', 'timeout', 'query', 'timeout', 'query', 'timeout'])
  })

  it('of one server beside the failure of the other is SERVFAIL, and only the silent one is asked again', async () => {
    const servers = [await serverOf(silent), await serverOf((asked) => replyTo(asked, { rcode: 2 }))]
    const { resolver, clock } = resolverOf(servers, { timeoutMs: 2_000, attempts: 2 })
    const failed = expect(queryOf(resolver)).rejects.toMatchObject({ code: 'SERVFAIL' })
    for (const count of [1, 2]) {
      await vi.waitFor(() => expect(servers[0]?.asked).toHaveLength(count), { interval: 1 })
      await clock.advance(2_000)
    }
    await failed
    expect(servers[1]?.asked).toHaveLength(1)
  })

  it('that ends after its time changes nothing', async () => {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const late = await serverOf(async (asked) => {
      await released
      return replyTo(asked, { answers: [WRONG] })
    })
    const second = await serverOf(async (asked) => {
      release()
      await new Promise((resolve) => setImmediate(resolve))
      return right(asked)
    })
    const { resolver, clock } = resolverOf([late, second], { timeoutMs: 2_000 })
    const answer = queryOf(resolver)
    await vi.waitFor(() => expect(late.asked).toHaveLength(1), { interval: 1 })
    await clock.advance(2_000)
    expect(await answer).toEqual(['192.0.2.1'])
  })
})

describe('aliases', () => {
  const cname = (name: string, data: string, ttl = 60): Answer => ({ type: 'CNAME', name, data, ttl })

  it('are followed by further questions where the server stops, with the least TTL of all', async () => {
    const steps: Readonly<Record<string, Answer>> = { 'host.test': cname('host.test', 'b.test', 50), 'b.test': cname('B.test', 'c.test', 40), 'c.test': { ...RIGHT, name: 'c.test' } as Answer }
    const server = await serverOf((asked) => replyTo(asked, { answers: [steps[asked.name] as Answer] }))
    const answer = await resolverOf([server]).resolver.query('host.test', 'A')
    expect(answer).toMatchObject({ records: ['192.0.2.1'], nameExists: true, ttl: 40 })
    expect(server.asked.map(({ name }) => name)).toEqual(['host.test', 'b.test', 'c.test'])
  })

  it('in a circle over several packets end as CNAME_LOOP', async () => {
    const server = await serverOf((asked) => replyTo(asked, { answers: [cname(asked.name, asked.name === 'host.test' ? 'b.test' : 'host.test')] }))
    await expect(queryOf(resolverOf([server]).resolver)).rejects.toMatchObject({ name: 'DnsError', code: 'CNAME_LOOP' })
    expect(server.asked).toHaveLength(3)
  })

  it('without end end as CNAME_LOOP after 16', async () => {
    const server = await serverOf((asked) => replyTo(asked, { answers: [cname(asked.name, `a${server.asked.length}.test`)] }))
    await expect(queryOf(resolverOf([server]).resolver)).rejects.toMatchObject({ code: 'CNAME_LOOP' })
    expect(server.asked).toHaveLength(17)
  })

  it('by the thousand in one packet end as CNAME_LOOP', async () => {
    const chain = Array.from({ length: 1_000 }, (_, i) => cname(i === 0 ? 'host.test' : `a${i}.test`, `a${i + 1}.test`))
    const server = await serverOf((asked) => carried(asked, replyTo(asked, { answers: chain })))
    await expect(queryOf(resolverOf([server]).resolver)).rejects.toMatchObject({ code: 'CNAME_LOOP' })
    expect(server.asked).toHaveLength(2)
  })

  it('for what no packet can ask for are SERVFAIL', async () => {
    const server = await serverOf((asked) => replyTo(asked, { answers: [cname(asked.name, '.')] }))
    await expect(queryOf(resolverOf([server]).resolver)).rejects.toMatchObject({ code: 'SERVFAIL' })
  })

  it('that were read before a server broke off are followed anew from the next', async () => {
    const alias = cname('host.test', 'b.test')
    const first = await serverOf((asked) => Buffer.concat([withCounts(replyTo(asked, { answers: [alias] }), 2), Uint8Array.of(1, 98, 4, 116, 101, 115, 116, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 9)]))
    const second = await serverOf((asked) => replyTo(asked, { answers: [alias, { ...RIGHT, name: 'b.test' } as Answer] }))
    expect(await queryOf(resolverOf([first, second]).resolver)).toEqual(['192.0.2.1'])
  })
})

describe('records of names that were not asked for', () => {
  it('are neither answered nor kept', async () => {
    const foreign: Answer = { type: 'A', name: 'bank.test', ttl: 600, data: '192.0.2.66' }
    const server = await serverOf((asked) => (asked.name === 'host.test' ? replyTo(asked, { answers: [foreign, RIGHT] }) : replyTo(asked, { authorities: [soa('test')] })))
    const { resolver } = resolverOf([server])
    expect(await queryOf(resolver)).toEqual(['192.0.2.1'])
    expect((await resolver.query('bank.test', 'A')).records).toEqual([])
  })

  it('do not pass for it by a dot inside of a label', async () => {
    const server = await serverOf((asked) => {
      const packet = replyTo(asked)
      packet.writeUInt16BE(1, 6)
      return Buffer.concat([packet, Uint8Array.of(9), Buffer.from('host.test'), Uint8Array.of(0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 66)])
    })
    expect(await queryOf(resolverOf([server]).resolver)).toEqual([])
  })

  it('of another class are no answer', async () => {
    const server = await serverOf((asked) => replyTo(asked, { answers: [{ ...WRONG, class: 'CH' } as Answer] }))
    expect(await queryOf(resolverOf([server]).resolver)).toEqual([])
  })
})

describe('the AD bit', () => {
  const validated: Handler = (asked) => replyTo(asked, { answers: [RIGHT], flags: RECURSION_AVAILABLE | AUTHENTIC_DATA })
  const outside = Object.values(networkInterfaces()).flat().find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address

  it('counts from a server on this machine', async () => {
    const server = await serverOf(validated)
    expect(await resolverOf([server]).resolver.query('host.test', 'A')).toMatchObject({ authentic: true })
  })

  it('is not assumed', async () => {
    const server = await serverOf(right)
    expect(await resolverOf([server]).resolver.query('host.test', 'A')).toMatchObject({ authentic: false })
  })

  it.skipIf(outside === undefined)('of other servers counts when they are trusted only (needs an IPv4 address that is not of the loopback)', async () => {
    const server = await serverOf(validated, { host: outside as string })
    expect(await resolverOf([server]).resolver.query('host.test', 'A')).toMatchObject({ authentic: false })
    expect(await resolverOf([server], { trustedServers: [outside as string] }).resolver.query('host.test', 'A')).toMatchObject({ authentic: true })
  })

  it.each(['alias.test', 'host.test'])('must be on every answer of a chain of aliases: not on that of %s', async (without) => {
    const server = await serverOf((asked) => {
      const flags = RECURSION_AVAILABLE | (asked.name === without ? 0 : AUTHENTIC_DATA)
      return replyTo(asked, { answers: asked.name === 'host.test' ? [RIGHT] : [{ type: 'CNAME', name: asked.name, data: 'host.test', ttl: 60 }], flags })
    })
    expect(await resolverOf([server]).resolver.query('alias.test', 'A')).toMatchObject({ records: ['192.0.2.1'], authentic: false })
  })
})

function withFlags(packet: Buffer, flags: number): Buffer {
  packet.writeUInt16BE(flags, 2)
  return packet
}

function withCounts(packet: Buffer, answers: number): Buffer {
  packet.writeUInt16BE(answers, 6)
  return packet
}

/** `host.test` of two labels as one label of nine octets. */
function withDottedLabel(packet: Buffer): Buffer {
  packet[12] = 9
  packet[17] = 0x2e
  return packet
}

/** One record of the asked name with data as given. */
function withRecord(asked: Asked, type: number, data: Uint8Array): Buffer {
  const packet = withCounts(replyTo(asked), 1)
  return Buffer.concat([packet, Uint8Array.of(0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length), data])
}
