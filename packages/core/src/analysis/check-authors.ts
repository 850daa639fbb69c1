/** DMARC for the authors a message names. Not here: DMARC itself (core/provenance), and reading From (header-facts.ts). */
import { checkDmarc, type DmarcOptions, type DmarcResult, type DmarcSubject } from '../provenance/index.ts'

/** LIMIT: domains of authors that are looked up; a message with more of them is taken for one that fails. */
export const MAX_AUTHOR_DOMAINS = 10

const SEVERITY = { none: 0, quarantine: 1, reject: 2 } as const

/**
 * With several authors a reader may see any of them: every domain is asked, the one that wants most done about the
 * message counts, and only what passes for all passes. Otherwise a second From field would switch DMARC off. RFC 7489
 * §6.6.1 tells what receivers do.
 * @param domains of all addresses in all From fields: A-labels, each once
 * @returns undefined when there is none
 */
export async function checkAuthors(domains: readonly string[], about: Omit<DmarcSubject, 'fromDomain'>, options: DmarcOptions): Promise<DmarcResult | undefined> {
  if (domains.length > MAX_AUTHOR_DOMAINS) {
    return { result: 'fail', policy: 'reject', published: 'reject', domain: undefined, record: undefined, spf: 'none', dkim: 'none', authentic: false }
  }
  const results = await Promise.all(domains.map((fromDomain) => checkDmarc({ ...about, fromDomain }, options)))
  return results.reduce<DmarcResult | undefined>((worst, each) => (worst === undefined || rank(each) > rank(worst) ? each : worst), undefined)
}

function rank({ result, policy }: DmarcResult): number {
  if (result === 'pass') return 0
  return result === 'fail' ? 2 + SEVERITY[policy] : 1
}
