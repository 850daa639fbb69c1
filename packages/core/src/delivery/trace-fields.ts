/** Trace header fields written at reception: who handed us a message, how and when. RFC 5321 §4.4 */
import type { ForwardPath, ReversePath } from '../address/index.ts'
import { formatPath } from '../address/index.ts'
import type { ConnectionInfo } from '../host/index.ts'
import { formatDate, type OctetRange } from '../message/index.ts'

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
  /** Name of the sending address, when DNS has one. */
  readonly reverseHost?: string | undefined
  /** Why the message was taken or not. */
  readonly reason?: string | undefined
  /** Fields about who sent it: names with values folded already. */
  readonly authentication?: readonly (readonly [name: string, value: string])[]
}

/** The reason, Return-Path, what was found out about the sender, and Received: each folded, with line ends. */
export function formatTraceFields(trace: Trace): Uint8Array {
  let text = trace.reason === undefined ? '' : `X-Postern-Reason: ${trace.reason}\r\n`
  text += `Return-Path: ${formatPath(trace.reversePath, { utf8: trace.smtputf8 })}\r\n`
  for (const [name, value] of trace.authentication ?? []) text += `${name}: ${value}\r\n`
  return Buffer.from(text + formatReceived(trace))
}

/** The header of a message as it is going to be stored: what is known of its sender, and itself without claims of others. */
export interface StampedHeader {
  readonly hostname: string
  /** Authentication-Results and Received-SPF. */
  readonly authentication: readonly (readonly [name: string, value: string])[]
  /** Header of the message down to the last field that was taken out, without those; replaces its first `skipOctets` octets. */
  readonly lead: Uint8Array
  readonly skipOctets: number
}

/** LIMIT: of a header that is written anew; with the trace fields it has to fit the prefix of a stored message. */
const MAX_LEAD_OCTETS = 57_344

/** @returns undefined when what must be taken out lies too far down */
export function stampedHeader(
  header: Uint8Array,
  evidence: { readonly authenticationResults: string | undefined; readonly receivedSpf: string | undefined; readonly forgedFields: readonly OctetRange[] },
  hostname: string,
): StampedHeader | undefined {
  const { authenticationResults, receivedSpf, forgedFields } = evidence
  const authentication: (readonly [string, string])[] = []
  if (authenticationResults !== undefined) authentication.push(['Authentication-Results', authenticationResults])
  if (receivedSpf !== undefined) authentication.push(['Received-SPF', receivedSpf])
  const kept: Uint8Array[] = []
  let at = 0
  for (const { from, to } of forgedFields) {
    kept.push(header.subarray(at, from))
    at = to
  }
  const lead = at === 0 ? NOTHING : Buffer.concat(kept)
  return lead.length > MAX_LEAD_OCTETS ? undefined : { hostname, authentication, lead, skipOctets: at }
}

const NOTHING = new Uint8Array(0)

/** Protocol names of RFC 3848 and RFC 6531 §4.3. */
function protocolName(trace: Trace): string {
  const secure = trace.connection.tls === undefined ? '' : 'S'
  if (trace.smtputf8) return `UTF8SMTP${secure}`
  return trace.extended ? `ESMTP${secure}` : 'SMTP'
}

function formatReceived(trace: Trace): string {
  const { connection } = trace
  const reverse = trace.reverseHost === undefined || trace.reverseHost.toLowerCase() === trace.helo.toLowerCase() ? '' : `${trace.reverseHost} `
  const from = connection.remoteAddress === undefined ? trace.helo : `${trace.helo} (${reverse}${addressLiteral(connection.remoteAddress)})`
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
