/** Finds the policy that holds for a domain, and the domain that its names are compared by. RFC 9989 §4.10, RFC 7489 §6.6.3 */
import { DnsError, type Resolver } from '../../host/index.ts'
import { organizationalDomain } from '../organizational-domain.ts'
import { ParsedRecords } from '../parsed-records.ts'
import { isDmarcRecord, parseDmarcRecord, type DmarcRecord } from './dmarc-record.ts'

/** `tree-walk`: by records up to the root. `public-suffix`: by the list of public suffixes. */
export type DmarcDiscovery = 'tree-walk' | 'public-suffix'

export interface FoundPolicy {
  /** Domain whose record it is, A-labels. */
  readonly domain: string
  readonly record: DmarcRecord
}

interface Asking {
  readonly resolver: Resolver
  readonly signal?: AbortSignal | undefined
}

/** LIMIT: labels from which a walk jumps to the last seven. RFC 9989 §4.10 */
const LONG_NAME = 8

const dmarcRecords = new ParsedRecords((text) => (isDmarcRecord(text) ? parseDmarcRecord(text) : 'none'), 500)

/** Records of one message's domains, each name asked once. */
export class PolicyFinder {
  authentic = true
  readonly #asking: Asking
  readonly #discovery: DmarcDiscovery
  readonly #records = new Map<string, Promise<DmarcRecord | undefined>>()

  constructor(asking: Asking, discovery: DmarcDiscovery) {
    this.#asking = asking
    this.#discovery = discovery
  }

  /** The policy for mail in a domain's name. Rejects with `DnsError` when it can't be found out now. */
  async policyOf(domain: string): Promise<FoundPolicy | undefined> {
    const own = await this.#record(domain)
    if (own !== undefined) return { domain, record: own }
    if (this.#discovery === 'public-suffix') {
      const organization = organizationalDomain(domain)
      const record = organization === undefined || organization === domain ? undefined : await this.#record(organization)
      return record === undefined || organization === undefined ? undefined : { domain: organization, record }
    }
    const walked = await this.#walk(domain)
    const organization = organizationOf(domain, walked)
    return walked.find((found) => found.domain === organization) ?? walked.find(({ record }) => record.psd === 'y')
  }

  /** The domain that stands for all names of one owner. */
  async organizationOf(domain: string): Promise<string> {
    if (this.#discovery === 'public-suffix') return organizationalDomain(domain) ?? domain
    return organizationOf(domain, await this.#walk(domain))
  }

  /** Records from a domain up, the longest name first, down to one that says what it is. */
  async #walk(domain: string): Promise<readonly FoundPolicy[]> {
    const found: FoundPolicy[] = []
    let labels = domain.split('.')
    for (let isFirst = true; labels.length > 0; isFirst = false) {
      const name = labels.join('.')
      const record = await this.#record(name)
      if (record !== undefined) {
        found.push({ domain: name, record })
        if (record.psd !== 'u') break
      }
      labels = isFirst && labels.length >= LONG_NAME ? labels.slice(-(LONG_NAME - 1)) : labels.slice(1)
    }
    return found
  }

  #record(domain: string): Promise<DmarcRecord | undefined> {
    let record = this.#records.get(domain)
    if (record === undefined) this.#records.set(domain, (record = this.#ask(domain)))
    return record
  }

  /** Of several records none counts. RFC 9989 §4.10 */
  async #ask(domain: string): Promise<DmarcRecord | undefined> {
    try {
      const answer = await this.#asking.resolver.query(`_dmarc.${domain}`, 'TXT', { signal: this.#asking.signal })
      this.authentic &&= answer.authentic
      const records = answer.records.map((text) => dmarcRecords.of(text)).filter((record) => record !== 'none')
      return records.length === 1 ? records[0] : undefined
    } catch (error) {
      if (error instanceof DnsError && error.code === 'BAD_NAME') return undefined
      throw error
    }
  }
}

/** RFC 9989 §4.10.2 @param walked from the domain up */
function organizationOf(domain: string, walked: readonly FoundPolicy[]): string {
  for (const found of walked) {
    if (found.record.psd === 'n') return found.domain
    if (found.record.psd === 'y' && found.domain !== domain) {
      return domain
        .split('.')
        .slice(-(found.domain.split('.').length + 1))
        .join('.')
    }
  }
  return walked.at(-1)?.domain ?? domain
}
