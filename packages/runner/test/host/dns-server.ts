/** A name server for tests, on one port of UDP and TCP: it says what the test wants said, right or wrong. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { ZoneText } from '@postern/core/conformance'
import { type Answer, AUTHENTIC_DATA, AUTHORITATIVE_ANSWER, type DecodedPacket, decode, encode, type Packet, RECURSION_AVAILABLE, TRUNCATED_RESPONSE } from 'dns-packet'

/** A question as it came. */
export interface Asked {
  readonly transport: 'udp' | 'tcp'
  readonly packet: DecodedPacket
  /** Name in lower case. */
  readonly name: string
  readonly kind: string
  /** Where it came from; with UDP anybody can send there. */
  readonly port: number
}

/** Octets are sent as they are; undefined is silence. Several are several packets (UDP), or chunks (TCP). */
export type Handler = (asked: Asked) => Uint8Array | readonly Uint8Array[] | undefined | Promise<Uint8Array | readonly Uint8Array[] | undefined>

export interface DnsTestServer {
  /** `127.0.0.1:5353`, as `createResolver` takes it. */
  readonly address: string
  readonly asked: readonly Asked[]
  /** Sends a packet from another port than the server's. */
  sendFromElsewhere(packet: Uint8Array, port: number): Promise<void>
  close(): Promise<void>
}

export async function startDnsServer(handler: Handler, options: { readonly host?: string; readonly tcp?: boolean } = {}): Promise<DnsTestServer> {
  const host = options.host ?? '127.0.0.1'
  const family = host.includes(':') ? 'udp6' : 'udp4'
  const asked: Asked[] = []
  const sockets = new Set<Socket>()
  const receive = async (octets: Buffer, transport: Asked['transport'], port: number): Promise<readonly Uint8Array[]> => {
    const packet = decode(octets)
    const question = packet.questions?.[0]
    const one: Asked = { transport, packet, name: question?.name.toLowerCase() ?? '', kind: question?.type ?? '', port }
    asked.push(one)
    const answer = await handler(one)
    return answer === undefined ? [] : answer instanceof Uint8Array ? [answer] : answer
  }
  const tcp = createServer((socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      void receive(received.subarray(2), 'tcp', socket.remotePort ?? 0).then(async (chunks) => {
        for (const octets of chunks) {
          socket.write(octets)
          // The next chunk must not be read together with this one: sockets are read between two turns.
          for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        }
      })
    })
  })
  let udp: UdpSocket
  for (;;) {
    udp = createSocket(family).bind(0, host)
    await once(udp, 'listening')
    if (options.tcp === false) break
    tcp.listen(udp.address().port, host)
    const isFree = await once(tcp, 'listening').then(
      () => true,
      () => false,
    )
    if (isFree) break
    udp.close()
  }
  const { port }: AddressInfo = udp.address()
  const other = createSocket(family)
  udp.on('message', (octets: Buffer, from: RemoteInfo) => {
    void receive(octets, 'udp', from.port).then((packets) => {
      for (const packet of packets) udp.send(packet, from.port, from.address)
    })
  })
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    asked,
    sendFromElsewhere: (packet, to) => new Promise((resolve) => void other.send(packet, to, host, () => resolve())),
    async close() {
      udp.close()
      other.close()
      for (const socket of sockets) socket.destroy()
      if (tcp.listening) await new Promise((resolve) => tcp.close(resolve))
    },
  }
}

/** What an answer says besides its question. */
export interface Reply {
  readonly answers?: readonly Answer[]
  readonly authorities?: readonly Answer[]
  readonly rcode?: number
  readonly flags?: number
  /** In place of what was asked. */
  readonly id?: number
  readonly questions?: Packet['questions']
}

/** The packet that answers a question. */
export function replyTo({ packet }: Asked, reply: Reply = {}): Buffer {
  return encode({
    type: 'response',
    id: reply.id ?? packet.id ?? 0,
    flags: (reply.flags ?? RECURSION_AVAILABLE) | (reply.rcode ?? 0),
    questions: [...(reply.questions ?? packet.questions ?? [])],
    answers: [...(reply.answers ?? [])],
    authorities: [...(reply.authorities ?? [])],
  })
}

/** A packet with the length that TCP puts before it. */
export function framed(packet: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(packet.length >> 8, packet.length & 0xff), packet])
}

/** An answer as TCP or UDP carries it; one too long for UDP is cut short. */
export function carried(asked: Asked, packet: Buffer, mostOctets = 1_232): Buffer {
  if (asked.transport === 'tcp') return framed(packet)
  return packet.length <= mostOctets ? packet : replyTo(asked, { flags: RECURSION_AVAILABLE | TRUNCATED_RESPONSE })
}

export function soa(zone: string, options: { readonly ttl?: number; readonly minimum?: number } = {}): Answer {
  const { ttl = 600, minimum = 300 } = options
  return { type: 'SOA', name: zone, ttl, data: { mname: `ns.${zone}`, rname: `hostmaster.${zone}`, serial: 1, refresh: 2, retry: 3, expire: 4, minimum } }
}

/** Answers for the records of a zone as a server does that resolves for others; with the AD bit when `isValidated`. */
export function zoneHandler(zone: string, records: ZoneText, options: { readonly isValidated?: boolean } = {}): Handler {
  const owners = new Map(Object.entries(records))
  const flags = RECURSION_AVAILABLE | AUTHORITATIVE_ANSWER | (options.isValidated === true ? AUTHENTIC_DATA : 0)
  return (asked) => {
    const answers: Answer[] = []
    const passed = new Set<string>()
    let name = asked.name
    for (;;) {
      const texts = owners.get(name) ?? []
      const found = texts.filter((text) => text.startsWith(`${asked.kind} `))
      const alias = texts.find((text) => text.startsWith('CNAME '))
      answers.push(...(found.length > 0 ? found : alias === undefined ? [] : [alias]).map((text) => recordOf(name, text)))
      if (found.length > 0 || alias === undefined || passed.has(name)) break
      passed.add(name)
      name = alias.slice(6).toLowerCase()
    }
    const exists = owners.has(name) || [...owners.keys()].some((owner) => owner.endsWith(`.${name}`))
    const isEmpty = answers.length === 0 || answers.at(-1)?.type !== asked.kind
    return carried(asked, replyTo(asked, { answers, authorities: isEmpty ? [soa(zone)] : [], rcode: exists ? 0 : 3, flags }))
  }
}

function recordOf(name: string, text: string): Answer {
  const [type = '', ...words] = text.split(' ')
  const rest = words.join(' ')
  const ttl = 300
  const [first = '', second = '', third = '', fourth = ''] = words
  switch (type) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { type, name, ttl, data: rest }
    case 'TXT':
      return { type, name, ttl, data: (rest.match(/[^]{1,255}/g) ?? []).map((part) => Buffer.from(part, 'latin1')) }
    case 'MX':
      return { type, name, ttl, data: { preference: Number(first), exchange: second } }
    case 'SRV':
      return { type, name, ttl, data: { priority: Number(first), weight: Number(second), port: Number(third), target: fourth } }
    case 'TLSA':
      return { type, name, ttl, data: { usage: Number(first), selector: Number(second), matchingType: Number(third), certificate: Buffer.from(fourth, 'hex') } }
    case 'CAA':
      return { type, name, ttl, data: { flags: Number(first), tag: second as 'issue', value: words.slice(2).join(' ') } }
    default:
      throw new TypeError(`Not a record: ${text}`)
  }
}
