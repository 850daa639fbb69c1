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
  return getDomain(name, LIST) ?? undefined
}

/** Whether anybody may register names directly below it. */
export function isPublicSuffix(domain: string): boolean {
  const name = domain.toLowerCase()
  return getPublicSuffix(name, LIST) === name
}
