/** A resolver for tests: it answers from records that the test gives, and fails as the test asks. */
import { createMemoryResolver, type ZoneText } from '@postern/core/conformance'
import type { Resolver } from '@postern/core/host'

/** Names that have no records do not exist; nothing is asked of the network. */
export interface TestResolver extends Resolver {
  /**
   * Adds records by owner name; a name given again gets the new ones instead of its old.
   * @param records `{ 'example.org': ['MX 10 mx.example.org', 'TXT v=spf1 -all'], 'mx.example.org': ['A 192.0.2.1'] }`
   * @throws TypeError for a record that can't be read
   */
  zone(records: ZoneText): void
  /** Lets the next question for this name, of whatever kind, end so. */
  failNext(name: string, code: 'SERVFAIL' | 'NXDOMAIN' | 'TIMEOUT'): void
  /** All questions so far, as `TXT example.org`. */
  readonly asked: readonly string[]
}

/** @param options.authentic names (with all below them) whose answers count as validated with DNSSEC; default none */
export function createTestResolver(
  records: ZoneText = {},
  options: { readonly authentic?: readonly string[] } = {},
): TestResolver {
  const { query, zone, failNext, asked } = createMemoryResolver(records, options)
  return { query, zone, failNext, asked }
}
