/** A resolver that keeps for a while what another thread's resolver answers, so that a question rarely crosses over. */
import { DnsError, type Clock, type DnsAnswer, type DnsKind, type Resolver } from '@postern/core/host'
import { systemClock } from '../host/clock.ts'
import { DnsCache } from '../host/dns/dns-cache.ts'
import type { ServerCalls } from './message-calls.ts'

/** LIMIT: of what is kept; the resolver behind keeps more. */
const LIMITS = { entries: 4_000, octets: 4 * 1_048_576 }
/** LIMIT: so late it is noticed that other name servers are asked. */
const MAX_TTL_SECONDS = 60

export function createKeptResolver(lookUp: (name: string, kind: DnsKind) => Promise<ServerCalls['lookUp']['answer']>, clock: Clock = systemClock): Resolver {
  const cache = new DnsCache(clock, LIMITS)
  return {
    async query<K extends DnsKind>(name: string, kind: K, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<DnsAnswer<K>> {
      signal?.throwIfAborted()
      const key = `${kind} ${name}`
      const kept = cache.get(key)
      if (kept !== undefined) return kept as DnsAnswer<K>
      const answer = await lookUp(name, kind)
      signal?.throwIfAborted()
      if ('failed' in answer) throw new DnsError(answer.failed, answer.text)
      const { found } = answer
      cache.set(key, found.ttl > MAX_TTL_SECONDS ? { ...found, ttl: MAX_TTL_SECONDS } : found)
      return found as DnsAnswer<K>
    },
  }
}
