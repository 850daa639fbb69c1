/**
 * What a packet says about a question: records, that there are none, an alias to ask on for, or nothing of use. Pure.
 * Only records of the question's name, and of names its aliases lead to, count: a server can't tell about others.
 */
import type { DnsData, DnsKind } from '@postern/core/host'
import { CLASS_IN, type DnsMessage, type DnsQuestion, RCODE, type RawRecord, TYPE_NUMBERS } from './dns-message.ts'
import { decodeNegativeTtl, decodeRecordData } from './record-data.ts'

/** LIMIT: aliases in a row, within one packet and over several; real chains have two or three. */
const MAX_ALIASES = 16

export type AnswerReading<K extends DnsKind> =
  | {
      readonly kind: 'answer'
      readonly records: readonly DnsData[K][]
      readonly nameExists: boolean
      readonly ttl: number
    }
  /** The name is an alias, and the server did not say what is there. `ttl` is the least of `passed`, all aliases. */
  | { readonly kind: 'alias'; readonly target: string; readonly ttl: number; readonly passed: ReadonlySet<string> }
  | { readonly kind: 'alias-loop' }
  /** The server refused, failed, or is none that resolves for others. */
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * @param message whose question is `question`
 * @param passedBefore the aliases that led to this question
 * @throws WireSyntaxError when a record that counts can't be read
 */
export function readAnswer<K extends DnsKind>(
  message: DnsMessage,
  question: DnsQuestion & { readonly kind: K },
  passedBefore: ReadonlySet<string>,
): AnswerReading<K> {
  if (message.rcode !== RCODE.noError && message.rcode !== RCODE.nameError) {
    return { kind: 'refused', reason: `rcode ${message.rcode}` }
  }
  const { kind } = question
  const answers = message.answers.filter(({ klass }) => klass === CLASS_IN)
  const aliases = new Map<string, RawRecord>()
  if (kind !== 'CNAME') {
    for (const record of answers) if (record.type === TYPE_NUMBERS.CNAME) aliases.set(record.name, record)
  }

  let name = question.name
  let ttl = Infinity
  const passed = new Set(passedBefore)
  for (let alias = aliases.get(name); alias !== undefined; alias = aliases.get(name)) {
    if (passed.has(name) || passed.size >= MAX_ALIASES) return { kind: 'alias-loop' }
    passed.add(name)
    ttl = Math.min(ttl, alias.ttl)
    name = decodeRecordData(message.octets, alias, 'CNAME')
  }

  const found = answers.filter((record) => record.type === TYPE_NUMBERS[kind] && record.name === name)
  if (found.length > 0) {
    const records = found.map((record) => decodeRecordData(message.octets, record, kind))
    for (const record of found) ttl = Math.min(ttl, record.ttl)
    return { kind: 'answer', records, nameExists: true, ttl }
  }
  const soa = message.authorities.find(
    (record) => record.klass === CLASS_IN && record.type === TYPE_NUMBERS.SOA && isWithin(name, record.name),
  )
  if (message.rcode === RCODE.noError && soa === undefined) {
    if (name !== question.name) return { kind: 'alias', target: name, ttl, passed }
    const { isAuthoritative, recursionAvailable } = message.head
    if (!isAuthoritative && !recursionAvailable) return { kind: 'refused', reason: 'no recursion' }
  }
  // RFC 2308 §5: a "no" without a SOA record is not to be kept.
  const negativeTtl = soa === undefined ? 0 : decodeNegativeTtl(message.octets, soa)
  return { kind: 'answer', records: [], nameExists: message.rcode !== RCODE.nameError, ttl: Math.min(ttl, negativeTtl) }
}

function isWithin(name: string, zone: string): boolean {
  return zone === '' || name === zone || name.endsWith(`.${zone}`)
}
