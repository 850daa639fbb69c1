/** Whether a message is authenticated for the domain its reader sees, and what that domain wants done if not. RFC 9989 §5.3, RFC 7489 §6.6 */
import { DnsError, type Resolver } from '../../host/index.ts'
import { PolicyFinder, type DmarcDiscovery } from './dmarc-discovery.ts'
import type { DmarcPolicy, DmarcRecord } from './dmarc-record.ts'

export type DmarcStatus = 'none' | 'pass' | 'fail' | 'temperror' | 'permerror'

export interface DmarcSubject {
  /** Domain of the one address of From: A-labels, lower case. */
  readonly fromDomain: string
  /** Domain SPF passed for, of the reverse-path or of EHLO; undefined when it didn't. */
  readonly spfDomain: string | undefined
  /** Domains of passing DKIM signatures. */
  readonly dkimDomains: readonly string[]
}

export interface DmarcOptions {
  readonly resolver: Resolver
  readonly signal?: AbortSignal | undefined
  /** Default `tree-walk`. */
  readonly discovery?: DmarcDiscovery
  /** For `pct`: 0 to 1, below 1. */
  readonly random: () => number
}

export interface DmarcResult {
  readonly result: DmarcStatus
  /** What is to be done with a message that fails: after test mode and sampling. `none` for all others. */
  readonly policy: DmarcPolicy
  /** As published, before test mode and sampling; undefined when there is none, or it depends on what could not be asked. */
  readonly published: DmarcPolicy | undefined
  /** Whose record it is. */
  readonly domain: string | undefined
  readonly record: DmarcRecord | undefined
  /** How SPF and DKIM stand to From; the best of DKIM's. */
  readonly spf: Alignment
  readonly dkim: Alignment
  readonly authentic: boolean
}

/** `strict`: the same domain. `relaxed`: of the same organization. */
export type Alignment = 'strict' | 'relaxed' | 'none'

/** LIMIT: signing domains whose organization is looked for. */
const MAX_DOMAINS = 10

/** Rejects only with the signal's reason. */
export async function checkDmarc(subject: DmarcSubject, options: DmarcOptions): Promise<DmarcResult> {
  const finder = new PolicyFinder(options, options.discovery ?? 'tree-walk')
  const { spfDomain } = subject
  const fromDomain = subject.fromDomain.toLowerCase()
  try {
    const found = await finder.policyOf(fromDomain)
    const dkimDomains = subject.dkimDomains.length > 1 ? [...new Set(subject.dkimDomains)].slice(0, MAX_DOMAINS) : subject.dkimDomains
    const [spfFound, dkimFound] = await Promise.all([
      alignmentOf(spfDomain === undefined ? [] : [spfDomain], fromDomain, finder),
      alignmentOf(dkimDomains, fromDomain, finder),
    ])
    const [spf, dkim] = [known(spfFound), known(dkimFound)]
    const { authentic } = finder
    if (found === undefined) return { result: 'none', policy: 'none', published: undefined, domain: undefined, record: undefined, spf, dkim, authentic }
    const { record, domain } = found
    if ((record.policy === undefined || record.invalidPolicy) && record.aggregateUris.length === 0) {
      return { result: record.invalidPolicy ? 'permerror' : 'none', policy: 'none', published: undefined, domain, record, spf, dkim, authentic }
    }
    const passes = isAligned(spf, record.spfAlignment) || isAligned(dkim, record.dkimAlignment)
    const policy = await policyFor(found, fromDomain, options)
    const published = policy === 'unknown' ? undefined : policy
    if (passes) return { result: 'pass', policy: 'none', published, domain, record, spf, dkim, authentic }
    // What could not be asked might have passed, or names another policy: neither pass nor fail. RFC 9989 §5.3.6
    const isUnsure = isPending(spfFound, record.spfAlignment) || isPending(dkimFound, record.dkimAlignment)
    if (isUnsure || published === undefined) return { result: 'temperror', policy: 'none', published, domain, record, spf, dkim, authentic }
    return { result: 'fail', policy: applied(record, published, options.random), published, domain, record, spf, dkim, authentic }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return { result: 'temperror', policy: 'none', published: undefined, domain: undefined, record: undefined, spf: 'none', dkim: 'none', authentic: false }
  }
}

/** The best of some domains; `unknown` when it could be `relaxed` for all that can be found out now. */
async function alignmentOf(domains: readonly string[], fromDomain: string, finder: PolicyFinder): Promise<Alignment | 'unknown'> {
  const names = domains.map((domain) => domain.toLowerCase())
  if (names.includes(fromDomain)) return 'strict'
  const found = await Promise.all(names.map((name) => isSameOrganization(name, fromDomain, finder)))
  return found.includes(true) ? 'relaxed' : found.includes('unknown') ? 'unknown' : 'none'
}

async function isSameOrganization(name: string, fromDomain: string, finder: PolicyFinder): Promise<boolean | 'unknown'> {
  // Names that don't even end alike are of two owners: no need to ask.
  if (name.split('.').at(-1) !== fromDomain.split('.').at(-1)) return false
  try {
    const ours = await finder.organizationOf(fromDomain)
    // An organization's names are all at or below its own.
    return (name === ours || name.endsWith(`.${ours}`)) && (await finder.organizationOf(name)) === ours
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return 'unknown'
  }
}

function known(alignment: Alignment | 'unknown'): Alignment {
  return alignment === 'unknown' ? 'none' : alignment
}

function isAligned(alignment: Alignment, wanted: 'relaxed' | 'strict'): boolean {
  return alignment === 'strict' || (alignment === 'relaxed' && wanted === 'relaxed')
}

function isPending(alignment: Alignment | 'unknown', wanted: 'relaxed' | 'strict'): boolean {
  return alignment === 'unknown' && wanted === 'relaxed'
}

/** RFC 9989 §4.10.1: of a record above the domain, what it says of domains below. */
async function policyFor({ record, domain }: { readonly record: DmarcRecord; readonly domain: string }, fromDomain: string, options: DmarcOptions): Promise<DmarcPolicy | 'unknown'> {
  if (record.policy === undefined || record.invalidPolicy) return 'none'
  if (domain === fromDomain) return record.policy
  const { nonexistentPolicy, subdomainPolicy = record.policy } = record
  if (nonexistentPolicy === undefined || nonexistentPolicy === subdomainPolicy) return subdomainPolicy
  try {
    // RFC 9989 §3.2.13: anything of that name makes it exist. Asked for its alias, as no other answer is of the name itself.
    const { nameExists } = await options.resolver.query(fromDomain, 'CNAME', { signal: options.signal })
    return nameExists ? subdomainPolicy : nonexistentPolicy
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return error.code === 'BAD_NAME' ? nonexistentPolicy : 'unknown'
  }
}

/** Test mode and sampling make a policy one step milder. RFC 9989 §4.7 (t), RFC 7489 §6.6.4 (pct) */
function applied(record: DmarcRecord, published: DmarcPolicy, random: () => number): DmarcPolicy {
  const milder = published === 'reject' ? 'quarantine' : 'none'
  if (record.testing) return milder
  return record.percent < 100 && random() * 100 >= record.percent ? milder : published
}
