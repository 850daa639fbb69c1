/** Trace header fields written at reception: who handed us a message, how and when. RFC 5321 §4.4 */
import { formatPath, type ForwardPath } from '../address/index.ts'
import { formatDate, type OctetRange } from '../message/index.ts'
import type { Reception } from './reception.ts'

/** What the trace fields tell beside how the message came. */
export interface Trace {
  /** Our name. */
  readonly hostname: string
  /** Told only when there is one: with several, each would learn of the others. */
  readonly recipient: ForwardPath | undefined
  /** Name of the sending address, when DNS has one. */
  readonly reverseHost: string | undefined
  /** Why the message was taken or not. */
  readonly reason: string | undefined
  /** Fields about who sent it: names with values folded already. */
  readonly authentication: readonly (readonly [name: string, value: string])[]
}

/** The reason, Return-Path, what was found out about the sender, and Received: each folded, with line ends. */
export function formatTraceFields(reception: Reception, trace: Trace): Uint8Array {
  let text = trace.reason === undefined ? '' : `X-Postern-Reason: ${trace.reason}\r\n`
  text += `Return-Path: ${formatPath(reception.reversePath, { utf8: reception.smtputf8 })}\r\n`
  for (const [name, value] of trace.authentication) text += `${name}: ${value}\r\n`
  return Buffer.from(text + formatReceived(reception, trace))
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
function protocolName({ connection, smtputf8, extended }: Reception): string {
  const secure = connection.tls === undefined ? '' : 'S'
  if (smtputf8) return `UTF8SMTP${secure}`
  return extended ? `ESMTP${secure}` : 'SMTP'
}

function formatReceived(reception: Reception, { hostname, recipient, reverseHost }: Trace): string {
  const { connection, helo } = reception
  const reverse = reverseHost === undefined || reverseHost.toLowerCase() === helo.toLowerCase() ? '' : `${reverseHost} `
  const from = connection.remoteAddress === undefined ? helo : `${helo} (${reverse}${addressLiteral(connection.remoteAddress)})`
  const by = connection.localAddress === undefined ? hostname : `${hostname} (${addressLiteral(connection.localAddress)})`
  const tls = connection.tls === undefined ? '' : ` (${connection.tls.protocol.replace(/^TLSv/, 'TLS')} ${connection.tls.cipher})`
  const clauses = ['Received:', `from ${from}`, `by ${by}`, 'via tcp', `with ${protocolName(reception)}${tls}`, `id ${reception.id}`]
  if (recipient !== undefined) clauses.push(`for ${formatPath(recipient, { utf8: reception.smtputf8 })}`)
  clauses[clauses.length - 1] += ';'
  clauses.push(formatDate(Math.floor(reception.receivedAt / 1000), 0))
  return `${fold(clauses)}\r\n`
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
