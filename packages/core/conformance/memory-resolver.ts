/** A resolver over records held in memory: the double that tests and dry runs ask instead of the domain name system. */
import { parseIpAddress } from '../src/address/index.ts'
import { DnsError, type DnsAnswer, type DnsData, type DnsErrorCode, type DnsKind, type Resolver } from '../src/host/index.ts'

/** Records by owner name: `{ 'example.org': ['A 192.0.2.1', 'MX 10 mail.example.org', 'TXT v=spf1 -all'] }`. */
export type ZoneText = Readonly<Record<string, readonly string[]>>

export interface MemoryResolver extends Resolver {
  /** Adds records; a name given again gets the new ones instead of its old. @throws TypeError for a record that can't be read */
  zone(records: ZoneText): void
  /** Every question for this name fails so until `zone` gives it records. */
  fail(name: string, code: DnsErrorCode): void
  /** Only the next question for this name fails so; with NXDOMAIN it is answered that the name does not exist. */
  failNext(name: string, code: DnsErrorCode | 'NXDOMAIN'): void
  /** All questions so far, as `TXT example.org`. */
  readonly asked: readonly string[]
}

interface Owner {
  readonly records: readonly { readonly kind: DnsKind; readonly data: DnsData[DnsKind] }[]
  readonly authentic: boolean
}

/** LIMIT: aliases in a row. */
const MAX_ALIASES = 16
const TTL_SECONDS = 300
/** Printable ASCII but for the dot, and for the backslash, with which master files begin an escape. */
const LABEL = /^[\x20-\x2d\x2f-\x5b\x5d-\x7e]{1,63}$/

/**
 * @param options.authentic names (with all below them) whose answers count as validated; default none
 */
export function createMemoryResolver(records: ZoneText = {}, options: { readonly authentic?: readonly string[] } = {}): MemoryResolver {
  const owners = new Map<string, Owner>()
  const failing = new Map<string, DnsErrorCode>()
  const failingOnce = new Map<string, (DnsErrorCode | 'NXDOMAIN')[]>()
  const asked: string[] = []
  const isAuthentic = (name: string): boolean => (options.authentic ?? []).some((zone) => name === zone || name.endsWith(`.${zone}`))

  function zone(added: ZoneText): void {
    for (const [owner, texts] of Object.entries(added)) {
      const name = owner.toLowerCase().replace(/\.$/, '')
      failing.delete(name)
      owners.set(name, { records: texts.map(parseRecord), authentic: isAuthentic(name) })
    }
  }

  /** A name exists when it or any name below it has records. RFC 8020 */
  function exists(name: string): boolean {
    if (owners.has(name)) return true
    for (const owner of owners.keys()) if (owner.endsWith(`.${name}`)) return true
    return false
  }

  function answer<K extends DnsKind>(question: string, kind: K): DnsAnswer<K> {
    let name = question
    let authentic = true
    for (let aliases = 0; aliases <= MAX_ALIASES; aliases += 1) {
      const failure = failingOnce.get(name)?.shift() ?? failing.get(name)
      if (failure === 'NXDOMAIN') return { records: [], nameExists: false, ttl: TTL_SECONDS, authentic: authentic && isAuthentic(name) }
      if (failure !== undefined) throw new DnsError(failure, `${kind} ${name}`)
      const owner = owners.get(name)
      authentic &&= owner?.authentic ?? isAuthentic(name)
      const found = (owner?.records ?? []).filter((record) => record.kind === kind).map(({ data }) => data as DnsData[K])
      const alias = owner?.records.find((record) => record.kind === 'CNAME')?.data as string | undefined
      if (found.length > 0 || alias === undefined) return { records: found, nameExists: exists(name), ttl: TTL_SECONDS, authentic }
      name = alias
    }
    throw new DnsError('CNAME_LOOP', `${kind} ${question}`)
  }

  zone(records)
  return {
    zone,
    fail: (name, code) => void failing.set(name.toLowerCase(), code),
    failNext(name, code) {
      const key = name.toLowerCase()
      failingOnce.set(key, [...(failingOnce.get(key) ?? []), code])
    },
    asked,
    // Asynchronous as the real one is: nothing has an answer in the same turn.
    async query(name, kind, { signal } = {}) {
      signal?.throwIfAborted()
      asked.push(`${kind} ${name}`)
      const question = name.toLowerCase()
      if (question.length > 253 || question.split('.').some((label) => !LABEL.test(label))) throw new DnsError('BAD_NAME', name)
      await Promise.resolve()
      return answer(question, kind)
    },
  }
}

function parseRecord(text: string): { readonly kind: DnsKind; readonly data: DnsData[DnsKind] } {
  const space = text.indexOf(' ')
  const kind = (space < 0 ? text : text.slice(0, space)) as DnsKind
  const rest = space < 0 ? '' : text.slice(space + 1)
  const words = rest.split(' ')
  const name = (word: string | undefined): string => (word ?? '').toLowerCase().replace(/\.$/, '')
  switch (kind) {
    case 'A':
    case 'AAAA': {
      const address = parseIpAddress(rest)
      if (address === undefined || (kind === 'A') !== (address.version === 4)) throw new TypeError(`Not a record: ${text}`)
      return { kind, data: address.text }
    }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { kind, data: name(rest) }
    case 'TXT':
      return { kind, data: rest }
    case 'MX':
      return { kind, data: { preference: Number(words[0]), exchange: name(words[1]) } }
    case 'SRV':
      return { kind, data: { priority: Number(words[0]), weight: Number(words[1]), port: Number(words[2]), target: name(words[3]) } }
    case 'TLSA':
      return {
        kind,
        data: { usage: Number(words[0]), selector: Number(words[1]), match: Number(words[2]), data: Uint8Array.from(Buffer.from(words[3] ?? '', 'hex')) },
      }
    case 'CAA':
      return { kind, data: { flags: Number(words[0]), tag: words[1] ?? '', value: words.slice(2).join(' ') } }
    default:
      throw new TypeError(`Not a record: ${text}`)
  }
}
