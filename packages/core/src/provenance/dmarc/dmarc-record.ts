/** DMARC policy records: text in, policy out. RFC 9989 §4.7, §4.8, and the tags of RFC 7489 §6.3 that are still met. */
import { trimBlanks } from '../dkim/tag-list.ts'

export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

export interface DmarcRecord {
  /** Undefined: there is none, or it can't be read. */
  readonly policy: DmarcPolicy | undefined
  /** `sp` and `np`; undefined when absent. */
  readonly subdomainPolicy: DmarcPolicy | undefined
  readonly nonexistentPolicy: DmarcPolicy | undefined
  /** `p`, `sp` or `np` can't be read. */
  readonly invalidPolicy: boolean
  readonly dkimAlignment: 'relaxed' | 'strict'
  readonly spfAlignment: 'relaxed' | 'strict'
  readonly psd: 'y' | 'n' | 'u'
  /** t=y: the policy is to be applied one step milder. */
  readonly testing: boolean
  /** Share of messages the policy is for, 0 to 100. RFC 7489 §6.3 */
  readonly percent: number
  /** Addresses for aggregate and failure reports: URIs, without sizes. */
  readonly aggregateUris: readonly string[]
  readonly failureUris: readonly string[]
  readonly failureOptions: string
}

/** LIMIT: addresses of one kind. */
const MAX_URIS = 20
/** LIMIT: of a record: a TXT record has no more. */
const MAX_CHARACTERS = 65_535
const POLICIES: ReadonlySet<string> = new Set(['none', 'quarantine', 'reject'])

/**
 * Whether a TXT record is a DMARC policy record, with a policy that can be read or not. RFC 9989 §4.8: the version is
 * case-sensitive, its tag is not. With a tag named twice it is none (§4.7, by RFC 6376 §3.2).
 */
export function isDmarcRecord(text: string): boolean {
  return /^[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text) && readTags(text) !== undefined
}

/** Values by tag, the version left out; what is no tag is passed over. @returns undefined when a tag stands there twice */
function readTags(text: string): ReadonlyMap<string, string> | undefined {
  const tags = new Map<string, string>()
  for (const spec of text.slice(0, MAX_CHARACTERS).split(';').slice(1)) {
    const equals = spec.indexOf('=')
    const name = trimBlanks(spec.slice(0, Math.max(0, equals)))
    if (name === '') continue
    if (tags.has(name)) return undefined
    tags.set(name, trimBlanks(spec.slice(equals + 1)))
  }
  return tags
}

/** @param text for which `isDmarcRecord` holds; what can't be read of it is passed over */
export function parseDmarcRecord(text: string): DmarcRecord {
  const tags = readTags(text) ?? new Map<string, string>()
  const word = (tag: string): string | undefined => tags.get(tag)?.toLowerCase()
  const policyOf = (tag: string): DmarcPolicy | undefined => {
    const value = word(tag)
    return value !== undefined && POLICIES.has(value) ? (value as DmarcPolicy) : undefined
  }
  const psd = word('psd')
  const percent = /^[0-9]{1,3}$/.test(tags.get('pct') ?? '') ? Number(tags.get('pct')) : 100
  return {
    policy: policyOf('p'),
    subdomainPolicy: policyOf('sp'),
    nonexistentPolicy: policyOf('np'),
    invalidPolicy: ['p', 'sp', 'np'].some((tag) => tags.has(tag) && policyOf(tag) === undefined),
    dkimAlignment: word('adkim') === 's' ? 'strict' : 'relaxed',
    spfAlignment: word('aspf') === 's' ? 'strict' : 'relaxed',
    psd: psd === 'y' || psd === 'n' ? psd : 'u',
    testing: word('t') === 'y',
    percent: percent <= 100 ? percent : 100,
    aggregateUris: parseUris(tags.get('rua')),
    failureUris: parseUris(tags.get('ruf')),
    failureOptions: word('fo') ?? '0',
  }
}

/** RFC 3986 §3.1 for the scheme; an old limit of size after "!" is passed over. */
function parseUris(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  const uris = text.split(',').map((uri) => uri.trim().replace(/![0-9]+[kmgt]?$/i, ''))
  return uris.filter((uri) => /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/.test(uri)).slice(0, MAX_URIS)
}
