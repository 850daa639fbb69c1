/** DMARC policy records: text in, policy out. RFC 9989 §4.7, §4.8, and the tags of RFC 7489 §6.3 that are still met. */

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
const POLICIES: ReadonlySet<string> = new Set(['none', 'quarantine', 'reject'])

/** Whether a TXT record is a DMARC policy record, readable or not. */
export function isDmarcRecord(text: string): boolean {
  return /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text)
}

/** @param text for which `isDmarcRecord` holds; what can't be read of it is passed over */
export function parseDmarcRecord(text: string): DmarcRecord {
  const tags = new Map<string, string>()
  for (const spec of text.slice(0, 65_536).split(';').slice(1)) {
    const equals = spec.indexOf('=')
    const name = spec.slice(0, Math.max(0, equals)).trim().toLowerCase()
    if (name !== '' && !tags.has(name)) tags.set(name, spec.slice(equals + 1).trim())
  }
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
