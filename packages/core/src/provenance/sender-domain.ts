/** Whether mail could be sent back to a domain: what of a sender's name can be checked before his message comes. */
import { DnsError, type Resolver } from '../host/index.ts'

export type SenderDomainResult =
  | 'pass'
  /** It says that it takes no mail. RFC 7505 */
  | 'null-mx'
  /** It has neither an MX nor an address, or none of its MX hosts has one. RFC 5321 §5.1 */
  | 'no-host'
  /** It could not be found out now. */
  | 'temperror'

/** LIMIT: hosts whose addresses are looked up. */
const MAX_HOSTS = 10

/** @param domain A-labels */
export async function checkSenderDomain(domain: string, { resolver, signal }: { readonly resolver: Resolver; readonly signal?: AbortSignal }): Promise<SenderDomainResult> {
  const options = { signal }
  try {
    const { records } = await resolver.query(domain, 'MX', options)
    const exchanges = records.map(({ exchange }) => exchange)
    if (exchanges.length === 1 && (exchanges[0] === '' || exchanges[0] === '.')) return 'null-mx'
    const hosts = exchanges.length === 0 ? [domain] : exchanges.filter((host) => host !== '' && host !== '.').slice(0, MAX_HOSTS)
    const found = await Promise.all(hosts.map((host) => hasAddress(host, resolver, options)))
    if (found.includes('yes')) return 'pass'
    return found.includes('unknown') ? 'temperror' : 'no-host'
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return error.code === 'BAD_NAME' ? 'no-host' : 'temperror'
  }
}

/** Whether a host has an A or AAAA record. @param name A-labels */
export async function hasAddress(name: string, resolver: Resolver, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<'yes' | 'no' | 'unknown'> {
  const answers = await Promise.all((['A', 'AAAA'] as const).map((kind) => ask(name, kind, resolver, options)))
  if (answers.includes('yes')) return 'yes'
  return answers.includes('unknown') ? 'unknown' : 'no'
}

async function ask(name: string, kind: 'A' | 'AAAA', resolver: Resolver, options: { readonly signal?: AbortSignal | undefined }): Promise<'yes' | 'no' | 'unknown'> {
  try {
    return (await resolver.query(name, kind, options)).records.length > 0 ? 'yes' : 'no'
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return error.code === 'BAD_NAME' ? 'no' : 'unknown'
  }
}
