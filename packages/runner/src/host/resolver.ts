/**
 * The resolver over name servers: a cache, one question at a time for each name, and sockets under bounds. It asks
 * servers that resolve for it, over UDP and TCP, because Node's own interface tells neither how long an answer lasts
 * nor whether it was validated.
 * Not here: resolving from the root, DNSSEC validation (the server's part), hosts files, search lists, special names.
 */
import { DnsError, type Clock, type DnsAnswer, type DnsKind, type Random, type Resolver } from '@postern/core/host'
import { systemClock } from './clock.ts'
import { askServers, type Answered } from './dns/ask-servers.ts'
import { DnsCache } from './dns/dns-cache.ts'
import { parseDnsName } from './dns/dns-name.ts'
import type { ResolverEvent } from './dns/exchange.ts'
import { type NameServer, parseNameServer } from './dns/name-server.ts'
import { QuerySlots } from './dns/query-slots.ts'
import { parseResolvConf, type ServerSettings } from './dns/resolv-conf.ts'
import { SharedWork } from './dns/shared-work.ts'
import { createFileSource, type ServerSource } from './dns/server-source.ts'
import { systemRandom } from './random.ts'

export type { ResolverEvent } from './dns/exchange.ts'

export interface ResolverOptions {
  /** 1 to 16, asked in order: `192.0.2.1`, `[2001:db8::1]:5353`, `fe80::1%eth0`. Default: those of `resolvConf`. */
  readonly servers?: readonly string[]
  /** Path of the file that names the servers; read again when it changes. Default `/etc/resolv.conf`. */
  readonly resolvConf?: string
  /** For one packet to one server, 1 to 60,000; default by resolv.conf, else 5,000. */
  readonly timeoutMs?: number
  /** How often a silent server is asked, 1 to 10; default by resolv.conf, else 2. */
  readonly attempts?: number
  /** Begin with another server each time; default by resolv.conf, else false. */
  readonly rotate?: boolean
  /**
   * Addresses of servers that may say that an answer is validated, besides those on this machine. Their answers must
   * come by a way nobody else can write to: the AD bit itself is not protected. RFC 4035 §4.6
   */
  readonly trustedServers?: readonly string[]
  readonly limits?: Partial<ResolverLimits>
  readonly clock?: Clock
  readonly random?: Random
  /** Called for each event, for counters; must not throw. */
  readonly onEvent?: (event: ResolverEvent) => void
}

export interface ResolverLimits {
  /** Questions under way, each with a socket. Default 256. */
  readonly inFlight: number
  /** Questions that wait for that; more are answered SERVFAIL. Default 4,096. */
  readonly waiting: number
  /** Answers kept. Default 10,000. */
  readonly cacheEntries: number
  /** Octets of answers kept, by estimate. Default 16 MiB. */
  readonly cacheOctets: number
  /** Default one day. */
  readonly maxTtlSeconds: number
  /** For answers that there is nothing; default 3 hours (RFC 2308 §5). */
  readonly maxNegativeTtlSeconds: number
}

export interface NetworkResolver extends Resolver {
  /** Ends what is under way with SERVFAIL and frees sockets and cache; later questions are answered SERVFAIL. */
  close(): Promise<void>
}

const DEFAULT_LIMITS: ResolverLimits = {
  inFlight: 256,
  waiting: 4_096,
  cacheEntries: 10_000,
  cacheOctets: 16 * 1024 * 1024,
  maxTtlSeconds: 86_400,
  maxNegativeTtlSeconds: 10_800,
}
const MAX_SERVERS = 16

/**
 * A resolver; while nothing is asked it holds no socket or timer and does not keep the process alive.
 * @throws TypeError when an option is out of its range
 */
export function createResolver(options: ResolverOptions = {}): NetworkResolver {
  const { clock = systemClock, random = systemRandom, onEvent = () => {} } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const source = createSource(options, clock)
  const isTrusted = createTrust(options.trustedServers ?? [])
  const cache = new DnsCache(clock, { entries: limits.cacheEntries, octets: limits.cacheOctets })
  const slots = new QuerySlots(limits.inFlight, limits.waiting)
  const flights = new SharedWork<DnsAnswer<DnsKind>>()
  let settings: ServerSettings | undefined
  let rotation = 0
  let isClosed = false

  async function query<K extends DnsKind>(
    text: string,
    kind: K,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<DnsAnswer<K>> {
    signal?.throwIfAborted()
    const name = parseDnsName(text)
    if (name === undefined) throw new DnsError('BAD_NAME', `No name: ${JSON.stringify(text.slice(0, 300))}`)
    const found = await source.current()
    signal?.throwIfAborted()
    if (isClosed) throw closed()
    // Other servers may see another world: of a network that was left, of another side of a firewall.
    if (found !== settings) cache.clear()
    settings = found

    const key = `${kind} ${name}`
    const kept = cache.get(key)
    if (kept !== undefined) {
      onEvent('cache-hit')
      return kept as DnsAnswer<K>
    }
    if (flights.has(key)) onEvent('shared')
    else if (slots.isFull) {
      onEvent('overload')
      throw new DnsError('SERVFAIL', `${key}: too many questions at once`)
    }
    return (await flights.run(key, signal, async (abandoned) => {
      const answer = await slots.run(() => resolve(name, kind, found, abandoned), abandoned)
      if (settings === found && !isClosed) cache.set(key, answer)
      return answer
    })) as DnsAnswer<K>
  }

  /** Asks, and asks on where aliases lead. */
  async function resolve(
    question: string,
    kind: DnsKind,
    using: ServerSettings,
    signal: AbortSignal,
  ): Promise<DnsAnswer<DnsKind>> {
    let name = question
    let passed: ReadonlySet<string> = new Set()
    let ttl = Infinity
    let authentic = true
    for (;;) {
      const first = using.rotate ? (rotation = (rotation + 1) % using.servers.length) : 0
      const asking = { settings: using, first, isTrusted, passed, clock, random, signal, onEvent }
      const answered: Answered<DnsKind> = await askServers({ name, kind }, asking)
      if (answered.kind === 'alias-loop') throw new DnsError('CNAME_LOOP', `${kind} ${question}`)
      ttl = Math.min(ttl, answered.ttl)
      authentic &&= answered.authentic
      if (answered.kind === 'answer') {
        const { records, nameExists } = answered
        const negativeLimit = records.length === 0 ? limits.maxNegativeTtlSeconds : Infinity
        return { records, nameExists, ttl: Math.min(ttl, limits.maxTtlSeconds, negativeLimit), authentic }
      }
      const target = parseDnsName(answered.target)
      if (target === undefined) throw new DnsError('SERVFAIL', `${kind} ${question}: an alias for what is no name`)
      name = target
      passed = answered.passed
    }
  }

  return {
    query,
    async close() {
      isClosed = true
      await flights.abort(closed())
      cache.clear()
    },
  }
}

function closed(): DnsError {
  return new DnsError('SERVFAIL', 'The resolver is closed')
}

/** Where the servers come from, with what the options say in the file's stead. */
function createSource(options: ResolverOptions, clock: Clock): ServerSource {
  const timeoutMs = inRange('timeoutMs', options.timeoutMs, 1, 60_000)
  const attempts = inRange('attempts', options.attempts, 1, 10)
  const override = (settings: ServerSettings): ServerSettings => ({
    servers: settings.servers,
    timeoutMs: timeoutMs ?? settings.timeoutMs,
    attempts: attempts ?? settings.attempts,
    rotate: options.rotate ?? settings.rotate,
  })
  if (options.servers !== undefined) {
    inRange('number of servers', options.servers.length, 1, MAX_SERVERS)
    const settings = override({ ...parseResolvConf(''), servers: options.servers.map(requireServer) })
    return { current: async () => settings }
  }
  const file = createFileSource(options.resolvConf ?? '/etc/resolv.conf', clock)
  let read: ServerSettings | undefined
  let overridden: ServerSettings | undefined
  return {
    async current() {
      const found = await file.current()
      if (overridden === undefined || found !== read) overridden = override(found)
      read = found
      return overridden
    },
  }
}

function createTrust(texts: readonly string[]): (server: NameServer) => boolean {
  const addresses = new Set(texts.map((text) => requireServer(text).address))
  return ({ address }) => addresses.has(address)
}

function requireServer(text: string): NameServer {
  const server = parseNameServer(text)
  if (server === undefined) throw new TypeError(`Expected the address of a name server, not ${JSON.stringify(text)}`)
  return server
}

function inRange(name: string, value: number | undefined, least: number, most: number): number | undefined {
  if (value !== undefined && !(value >= least && value <= most)) {
    throw new TypeError(`Expected ${name} from ${least} to ${most}`)
  }
  return value
}
