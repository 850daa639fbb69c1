/** Which domains belong to one registrant, by the public suffix list that tldts brings along. RFC 7489 §3.2 */
import { getDomain, getPublicSuffix } from 'tldts'

/** The whole list: its private part names hosts whose customers are strangers to each other. */
const LIST = { allowPrivateDomains: true, validateHostname: false } as const

/**
 * The name a registrant got: one label below a public suffix; undefined for a public suffix itself and what is no name.
 * @param domain A-labels or Unicode
 */
export function organizationalDomain(domain: string): string | undefined {
  const name = domain.toLowerCase()
  if (name.startsWith('.') || name.endsWith('.') || name.includes('..') || name.length > 253) return undefined
  return factsOf(name).organization
}

/** Whether anybody may register names directly below it. */
export function isPublicSuffix(domain: string): boolean {
  return factsOf(domain.toLowerCase()).isSuffix
}

interface SuffixFacts {
  readonly organization: string | undefined
  readonly isSuffix: boolean
}

/** LIMIT: names remembered; those of one message are asked for several times, and few senders send most mail. */
const MAX_KEPT = 2_000
const kept = new Map<string, SuffixFacts>()

function factsOf(name: string): SuffixFacts {
  const known = kept.get(name)
  if (known !== undefined) return known
  const facts = { organization: getDomain(name, LIST) ?? undefined, isSuffix: getPublicSuffix(name, LIST) === name }
  if (kept.size >= MAX_KEPT) kept.clear()
  if (name.length <= 253) kept.set(name, facts)
  return facts
}
