/**
 * One question to one server: by UDP, and by TCP when that does not do. RFC 1035 §4.2, RFC 7766, RFC 6891 §7.
 * Not here: which server, and what the answer means.
 */
import { createSocket } from 'node:dgram'
import { createConnection } from 'node:net'
import { WireSyntaxError } from '@postern/core/conversation'
import type { Clock, Random } from '@postern/core/host'
import {
  CLASS_IN,
  decodeHead,
  decodeMessage,
  type DnsHead,
  type DnsMessage,
  type DnsQuestion,
  encodeQuery,
  RCODE,
  TYPE_NUMBERS,
} from './dns-message.ts'
import type { NameServer } from './name-server.ts'

/** What happens on the way, for counters. */
export type ResolverEvent =
  /** A packet was sent by UDP. */
  | 'query'
  /** A connection was made, since UDP did not do. */
  | 'tcp'
  /** A packet came that answers nothing we asked. */
  | 'ignored'
  | 'timeout'
  | 'unreachable'
  | 'malformed'
  /** A server answered that it does not or can't. */
  | 'refused'
  /** An answer came from the cache. */
  | 'cache-hit'
  /** A question was under way already, and its answer was shared. */
  | 'shared'
  /** There were too many questions at once. */
  | 'overload'

export interface ExchangeContext {
  readonly clock: Clock
  readonly random: Random
  /** For one packet. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly onEvent: (event: ResolverEvent) => void
}

export type ExchangeResult =
  | { readonly kind: 'message'; readonly message: DnsMessage }
  | { readonly kind: 'timeout' | 'unreachable' | 'malformed' }

/** `doubtful`: by UDP comes so much that is no answer, or cut short, that TCP is the way. */
type Received = ExchangeResult | { readonly kind: 'doubtful' }

/** LIMIT: packets that answer nothing we asked, for one question. So many are no accident, but someone who guesses. */
const MAX_IGNORED = 16

/** Rejects with the signal's reason. */
export async function exchange(
  server: NameServer,
  question: DnsQuestion,
  context: ExchangeContext,
): Promise<ExchangeResult> {
  let edns = true
  let received = await askByUdp(server, question, edns, context)
  if (isFormatError(received)) {
    edns = false
    received = await askByUdp(server, question, edns, context)
  }
  const result = received.kind === 'doubtful' ? await askByTcp(server, question, edns, context) : received
  if (result.kind !== 'message') context.onEvent(result.kind)
  return result
}

/**
 * A socket of its own for each packet, so that each has another port: with the id, some 30 bits to guess (RFC 5452
 * §9.2). The port is the system's choice, which is random. Being connected, the socket takes packets from this server
 * alone, and hears at once when nobody listens there.
 */
function askByUdp(
  server: NameServer,
  question: DnsQuestion,
  edns: boolean,
  context: ExchangeContext,
): Promise<Received> {
  const id = randomId(context)
  const query = encodeQuery(id, question, edns)
  const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4')
  let ignored = 0
  const close = (): void => {
    // It may be connected in this very turn, and could not send any more.
    socket.removeAllListeners('connect')
    socket.close()
  }
  return settle<Received>(context, close, (finish) => {
    socket.on('error', () => finish({ kind: 'unreachable' }))
    socket.on('message', (packet) => {
      const received = readPacket(packet, id, question)
      if (received !== undefined) return finish(received)
      context.onEvent('ignored')
      ignored += 1
      if (ignored >= MAX_IGNORED) finish({ kind: 'doubtful' })
    })
    socket.on('connect', () => {
      context.onEvent('query')
      socket.send(query)
    })
    socket.connect(server.port, server.address)
  })
}

function askByTcp(
  server: NameServer,
  question: DnsQuestion,
  edns: boolean,
  context: ExchangeContext,
): Promise<ExchangeResult> {
  const id = randomId(context)
  const query = encodeQuery(id, question, edns)
  const socket = createConnection({ host: server.address, port: server.port, noDelay: true })
  const chunks: Buffer[] = []
  let received = 0
  return settle<ExchangeResult>(context, () => socket.destroy(), (finish) => {
    socket.on('error', () => finish({ kind: 'unreachable' }))
    socket.on('close', () => finish({ kind: 'unreachable' }))
    socket.on('connect', () => {
      context.onEvent('tcp')
      socket.write(Buffer.concat([Uint8Array.of(query.length >> 8, query.length & 0xff), query]))
    })
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      received += chunk.length
      const length = lengthOf(chunks)
      if (length === undefined || received < 2 + length) return
      const result = readPacket(Buffer.concat(chunks).subarray(2, 2 + length), id, question)
      finish(result === undefined || result.kind === 'doubtful' ? { kind: 'malformed' } : result)
    })
  })
}

/** Undefined when the packet is not the answer. What answers but can't be read is `malformed`. */
function readPacket(packet: Uint8Array, id: number, question: DnsQuestion): Received | undefined {
  let head: DnsHead | undefined
  try {
    head = decodeHead(packet)
    if (!isAnswerTo(head, id, question)) return undefined
    return head.isTruncated ? { kind: 'doubtful' } : { kind: 'message', message: decodeMessage(packet, head) }
  } catch (error) {
    if (!(error instanceof WireSyntaxError)) throw error
    return head === undefined ? undefined : { kind: 'malformed' }
  }
}

/** RFC 5452 §9.1; the addresses are the socket's to match. */
function isAnswerTo(head: DnsHead, id: number, { name, kind }: DnsQuestion): boolean {
  if (!head.isResponse || head.id !== id || head.opcode !== 0) return false
  // A server that could not read the question may leave it out.
  if (head.question === undefined) return head.rcode !== RCODE.noError && head.rcode !== RCODE.nameError
  return head.question.name === name && head.question.type === TYPE_NUMBERS[kind] && head.question.klass === CLASS_IN
}

/** RFC 6891 §7: how a server answers that does not know EDNS. */
function isFormatError(received: Received): boolean {
  return received.kind === 'message' && received.message.rcode === RCODE.formatError
}

/** The length a TCP message begins with; undefined while its two octets are not there. */
function lengthOf([first, second]: readonly Buffer[]): number | undefined {
  const high = first?.[0]
  const low = first?.[1] ?? second?.[0]
  return high === undefined || low === undefined ? undefined : high * 256 + low
}

function randomId({ random }: ExchangeContext): number {
  const [high = 0, low = 0] = random(2)
  return high * 256 + low
}

/** Whatever comes first: what `start` finishes with, the time, or the signal. Then `release`, once. */
function settle<T>(
  context: ExchangeContext,
  release: () => void,
  start: (finish: (result: T) => void) => void,
): Promise<T | { readonly kind: 'timeout' }> {
  const { clock, signal, timeoutMs } = context
  return new Promise((resolve, reject) => {
    let isOver = false
    const timer = clock.timer(timeoutMs, () => end(() => resolve({ kind: 'timeout' })))
    const onAbort = (): void => end(() => reject(signal.reason as Error))
    function end(tell: () => void): void {
      if (isOver) return
      isOver = true
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      release()
      tell()
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    start((result) => end(() => resolve(result)))
  })
}
