/** Trace header fields written at reception: who handed us a message, how and when. RFC 5321 §4.4 */
import type { ForwardPath, ReversePath } from '../address/index.ts'
import { formatPath } from '../address/index.ts'
import type { ConnectionInfo } from '../host/index.ts'
import { formatDate } from '../message/index.ts'

/** What the trace fields tell of one reception. */
export interface Trace {
  /** Name in EHLO or HELO, as validated there. */
  readonly helo: string
  readonly extended: boolean
  readonly smtputf8: boolean
  readonly connection: ConnectionInfo
  /** Our name. */
  readonly hostname: string
  /** Id of the reception, shown to the peer too. */
  readonly id: string
  readonly reversePath: ReversePath
  /** Told only when there is one: with several, each would learn of the others. */
  readonly recipient: ForwardPath | undefined
  /** Milliseconds since 1970. */
  readonly receivedAt: number
}

/** Return-Path and Received, each folded, with line ends. */
export function formatTraceFields(trace: Trace): Uint8Array {
  return Buffer.from(`Return-Path: ${formatPath(trace.reversePath, { utf8: trace.smtputf8 })}\r\n${formatReceived(trace)}`)
}

/** Protocol names of RFC 3848 and RFC 6531 §4.3. */
function protocolName(trace: Trace): string {
  const secure = trace.connection.tls === undefined ? '' : 'S'
  if (trace.smtputf8) return `UTF8SMTP${secure}`
  return trace.extended ? `ESMTP${secure}` : 'SMTP'
}

function formatReceived(trace: Trace): string {
  const { connection } = trace
  const from = connection.remoteAddress === undefined ? trace.helo : `${trace.helo} (${addressLiteral(connection.remoteAddress)})`
  const by = connection.localAddress === undefined ? trace.hostname : `${trace.hostname} (${addressLiteral(connection.localAddress)})`
  const tls = connection.tls === undefined ? '' : ` (${connection.tls.protocol.replace(/^TLSv/, 'TLS')} ${connection.tls.cipher})`
  const words = [
    'Received:',
    `from ${from}`,
    `by ${by}`,
    'via tcp',
    `with ${protocolName(trace)}${tls}`,
    `id ${trace.id}`,
    ...(trace.recipient === undefined ? [] : [`for ${formatPath(trace.recipient, { utf8: trace.smtputf8 })}`]),
  ]
  words[words.length - 1] += ';'
  words.push(formatDate(Math.floor(trace.receivedAt / 1000), 0))
  return `${fold(words)}\r\n`
}

/** RFC 5321 §4.1.3 */
function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

/** Joins clauses, folding before one that would pass column 78. */
function fold(clauses: readonly string[]): string {
  let text = ''
  let column = 0
  for (const clause of clauses) {
    if (text === '') {
      text = clause
      column = clause.length
    } else if (column + 1 + clause.length <= 78) {
      text += ` ${clause}`
      column += 1 + clause.length
    } else {
      text += `\r\n\t${clause}`
      column = 8 + clause.length
    }
  }
  return text
}
