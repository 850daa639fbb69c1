/** The directory's share of the configuration: domains, accounts, addresses. */
import { z } from 'zod'
import { AddressSyntaxError, parseAddress, parseDomain, type Address } from '../address/index.ts'

/** A domain mail is taken for. */
export const domainSchema = z.strictObject({})

/** An account and the addresses it gets mail for. */
export const accountSchema = z.strictObject({
  addresses: z
    .array(z.string().min(1))
    .min(1)
    .describe('Addresses such as "you@example.org"; "@example.org" takes what no other address of that domain does; "*" takes everything, of any domain (development only)'),
})

/** What the directory is made from. */
export interface DirectoryConfig {
  readonly domains: Readonly<Record<string, z.output<typeof domainSchema>>>
  readonly accounts: Readonly<Record<string, z.output<typeof accountSchema>>>
  readonly postmaster?: string | undefined
}

/** One thing wrong with it. */
export interface DirectoryIssue {
  readonly path: readonly (string | number)[]
  readonly text: string
}

/** An address as an account lists it. */
export type ListedAddress =
  | { readonly kind: 'address'; readonly address: Address }
  | { readonly kind: 'domain'; readonly domain: Address['domain'] }
  | { readonly kind: 'everything' }

/** @throws {AddressSyntaxError} */
export function parseListedAddress(text: string): ListedAddress {
  if (text === '*') return { kind: 'everything' }
  if (text.startsWith('@')) return { kind: 'domain', domain: parseDomain(text.slice(1)) }
  return { kind: 'address', address: parseAddress(text, { utf8: true }) }
}

/** The key by which listed addresses are compared: localparts without regard to case. */
export function listedAddressKey(listed: ListedAddress): string {
  switch (listed.kind) {
    case 'everything':
      return '*'
    case 'domain':
      return `@${listed.domain.unicode}`
    case 'address':
      return `${listed.address.localpart.toLowerCase()}@${listed.address.domain.unicode}`
  }
}

/** All that the shape of the configuration alone doesn't tell: malformed names, unknown domains, an address listed twice. */
export function checkDirectory(config: DirectoryConfig): readonly DirectoryIssue[] {
  const issues: DirectoryIssue[] = []
  const domains = new Set<string>()
  for (const name of Object.keys(config.domains)) {
    const domain = attempt(() => parseDomain(name))
    if (domain === undefined) issues.push({ path: ['domains', name], text: 'Is not a domain name' })
    else domains.add(domain.ascii)
  }
  const owners = new Map<string, string>()
  for (const [account, { addresses }] of Object.entries(config.accounts)) {
    addresses.forEach((text, at) => {
      const path = ['accounts', account, 'addresses', at]
      const listed = attempt(() => parseListedAddress(text))
      if (listed === undefined) {
        issues.push({ path, text: `${JSON.stringify(text)} is not an address` })
        return
      }
      const domain = listed.kind === 'address' ? listed.address.domain : listed.kind === 'domain' ? listed.domain : undefined
      if (domain !== undefined && !domains.has(domain.ascii)) issues.push({ path, text: `Domain ${domain.unicode} is not among the domains` })
      const key = listedAddressKey(listed)
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, account)
      else issues.push({ path, text: `Is already an address of account ${owner}` })
    })
  }
  if (config.postmaster !== undefined && !Object.hasOwn(config.accounts, config.postmaster)) {
    issues.push({ path: ['postmaster'], text: `There is no account ${config.postmaster}` })
  }
  return issues
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

/** @returns the address, or undefined when `text` isn't one */
export function addressOf(text: string): Address | undefined {
  return attempt(() => parseAddress(text, { utf8: true }))
}
