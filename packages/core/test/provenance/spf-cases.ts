// SPF policies made up at random, from a seed: a zone for each case, with everything RFC 7208 knows in it.
import { DnsError, type DnsAnswer, type DnsData, type DnsKind, type Resolver } from '@postern/core/host'

/** Records by `KIND name`, as resolvers of Node give them; TIMEOUT: the question has no answer. */
export type CaseRecords = Readonly<Record<string, readonly unknown[] | 'TIMEOUT'>>

export interface SpfCase {
  readonly ip: string
  readonly helo: string
  readonly sender: string
  readonly records: CaseRecords
}

const DOMAINS = ['d0.example', 'd1.example', 'd2.example', 'sub.d0.example', 'd3.d1.example']
const HOSTS = ['h0.example', 'h1.example', 'h2.d0.example', 'nowhere.example', 'h3.sub.d0.example']
const CLIENTS = ['192.0.2.1', '192.0.2.130', '198.51.100.7', '2001:db8::1', '2001:db8:1::ffff', '::ffff:192.0.2.1']
const NAME_MACROS = ['%{d}', '%{o}', '%{d2}', '%{l}.h0.example', '%{l1r-}.x.example', '%{ir}.%{v}.list.example', '%{i}._ip.example', '%{h}', '%{p}', '%{p2}.seen.example', '%{d1r}.d0.example', '%{l-}.%{o1}', 'a%{dr}.example', '%{D}', '%{S}.example', 'h0.%{o1}']
const BROKEN = ['moo', 'ip4:1.2.3', 'ip4:192.0.2.0/33', 'ip6:zz::', 'a:h0', 'include', 'include:', 'exists', 'all:x', 'a/33', 'mx//129', 'a:%{x}', 'exists:%{d', 'redirect=', 'ip4:192.0.2.01', 'ip4', '-', 'a:foo:8080', 'ptr/24', 'a=b=%%%', 'a:%', 'ip6:192.0.2.1', 'ip4:2001:db8::1', '?', 'include:%{c}.example']

/** Numbers from a seed, 0 to below 1. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function generateCases(count: number, seed: number): readonly SpfCase[] {
  const random = mulberry32(seed)
  return Array.from({ length: count }, () => generateCase(random))
}

function generateCase(random: () => number): SpfCase {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const chance = (share: number): boolean => random() < share
  const ip = pick(CLIENTS)
  const address = (): string => (chance(0.3) ? pick(['192.0.2.1', '192.0.2.129', '192.0.2.254', '198.51.100.7']) : `203.0.113.${Math.floor(random() * 256)}`)
  const address6 = (): string => pick(['2001:db8::1', '2001:db8::2', '2001:db8:1::fffe', '2001:db8:2::1'])
  const target = (): string => (chance(0.3) ? pick(NAME_MACROS) : pick([...HOSTS, ...DOMAINS]))
  const cidr = (): string => (chance(0.6) ? '' : pick(['/24', '/25', '/32', '/0', '/8', '//64', '//128', '/24//48', '/32//0']))
  const mechanism = (): string => {
    const kind = random()
    if (kind < 0.16) return `ip4:${address()}${chance(0.5) ? '' : pick(['/24', '/25', '/30', '/0', '/32'])}`
    if (kind < 0.24) return `ip6:${address6()}${chance(0.5) ? '' : pick(['/32', '/48', '/64', '/0', '/128'])}`
    if (kind < 0.27) return `ip6:::ffff:192.0.2.1${pick(['', '/96', '/0'])}`
    if (kind < 0.42) return `a${chance(0.3) ? '' : `:${target()}`}${cidr()}`
    if (kind < 0.55) return `mx${chance(0.4) ? '' : `:${target()}`}${cidr()}`
    if (kind < 0.62) return `ptr${chance(0.5) ? '' : `:${target()}`}`
    if (kind < 0.72) return `exists:${target()}`
    if (kind < 0.95) return `include:${chance(0.15) ? target() : pick(DOMAINS)}`
    return chance(0.5) ? 'all' : pick(BROKEN)
  }
  const record = (): string => {
    const terms: string[] = []
    for (let left = Math.floor(random() * 5); left >= 0; left -= 1) terms.push(`${pick(['', '', '+', '-', '~', '?'])}${mechanism()}`)
    if (chance(0.25)) terms.splice(Math.floor(random() * terms.length), 0, `redirect=${chance(0.2) ? target() : pick(DOMAINS)}`)
    if (chance(0.1)) terms.push(`exp=${target()}`)
    if (chance(0.1)) terms.push(pick(['x-unknown=%{d}', 'foo=bar', 'moo=']))
    if (chance(0.5)) terms.push(`${pick(['-', '~', '?', '+'])}all`)
    return `${pick(['v=spf1 ', 'v=spf1 ', 'v=spf1 ', 'v=spf1  ', 'V=SPF1 '])}${terms.join(chance(0.1) ? '  ' : ' ')}${chance(0.1) ? ' ' : ''}`
  }
  const records: Record<string, readonly unknown[] | 'TIMEOUT'> = {}
  const several = <T>(make: () => T, most: number): readonly T[] => Array.from({ length: 1 + Math.floor(random() * most) }, make)
  for (const name of DOMAINS) {
    if (chance(0.9)) records[`TXT ${name}`] = [...(chance(0.2) ? [['other text']] : []), [record()], ...(chance(0.03) ? [[record()]] : [])]
    if (chance(0.5)) records[`MX ${name}`] = several(() => ({ priority: Math.floor(random() * 30), exchange: pick(HOSTS) }), chance(0.03) ? 14 : 3)
  }
  for (const name of [...DOMAINS, ...HOSTS.filter((host) => host !== 'nowhere.example'), 'ann.h0.example', 'ann.x.example']) {
    if (chance(0.8)) records[`A ${name}`] = several(address, 3)
    if (chance(0.6)) records[`AAAA ${name}`] = several(address6, 2)
  }
  const { version4, labels } = reversed(ip)
  if (chance(0.7)) records[`PTR ${labels}.${version4 ? 'in-addr' : 'ip6'}.arpa`] = several(() => pick([...HOSTS, ...DOMAINS]), 4)
  if (chance(0.5)) records[`A ${labels}.${version4 ? 'in-addr' : 'ip6'}.list.example`] = ['127.0.0.2']
  for (const question of Object.keys(records)) if (chance(0.025)) records[question] = 'TIMEOUT'
  const sender = chance(0.08) ? '' : `${pick(['ann', 'ann-marie.x', 'strong-bad'])}@${pick(DOMAINS.slice(0, 4))}`
  return { ip, helo: pick([...HOSTS, ...DOMAINS]), sender, records }
}

function reversed(ip: string): { readonly version4: boolean; readonly labels: string } {
  const mapped = ip.replace('::ffff:', '')
  if (!mapped.includes(':')) return { version4: true, labels: mapped.split('.').reverse().join('.') }
  const [head = '', tail = ''] = mapped.split('::')
  const groups = [head, tail].map((half) => half.split(':').filter((group) => group !== ''))
  const missing = 8 - (groups[0]?.length ?? 0) - (groups[1]?.length ?? 0)
  const all = [...(groups[0] ?? []), ...Array.from({ length: missing }, () => '0'), ...(groups[1] ?? [])]
  return { version4: false, labels: [...all.map((group) => group.padStart(4, '0')).join('')].reverse().join('.') }
}

/** Answers from the records of a case. */
export function resolverOf(records: CaseRecords): Resolver & { readonly asked: readonly string[] } {
  const asked: string[] = []
  const owners = Object.keys(records).map((question) => question.slice(question.indexOf(' ') + 1).toLowerCase())
  const exists = (name: string): boolean => owners.some((owner) => owner === name || owner.endsWith(`.${name}`))
  return {
    asked,
    async query<K extends DnsKind>(given: string, kind: K): Promise<DnsAnswer<K>> {
      const name = given.toLowerCase()
      asked.push(`${kind} ${name}`)
      const found = records[`${kind} ${name}`] ?? []
      if (found === 'TIMEOUT') throw new DnsError('TIMEOUT', name)
      const read = (value: unknown): unknown => {
        if (kind === 'TXT') return (value as readonly string[]).join('')
        return kind === 'MX' ? { preference: (value as { priority: number }).priority, exchange: (value as { exchange: string }).exchange } : value
      }
      return { records: found.map((value) => read(value) as DnsData[K]), nameExists: exists(name), ttl: 60, authentic: false }
    },
  }
}
