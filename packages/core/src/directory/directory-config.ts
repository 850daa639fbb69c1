/** The directory's share of the configuration: domains, accounts, addresses. */
import { z } from 'zod'
import { AddressSyntaxError, formatLocalpart, parseAddress, parseDomain, type Address, type Domain } from '../address/index.ts'
import { accountSettingsShape } from './account-settings.ts'
import { canonicalLocalpart } from './canonical-localpart.ts'
import { mailboxSchema, rulesetSchema } from './ruleset.ts'

/** Names that would reach an object's prototype are refused wherever a name is free. */
const freeName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !['prototype', 'constructor'].includes(name), { error: 'This name is not allowed' })

const reportAddressSchema = z.strictObject({
  localpart: z.string().regex(/^[!-~]+$/, { error: 'Must be ASCII: reporters may know no other' }),
  account: z.string().min(1),
  mailbox: mailboxSchema,
})

/** A domain mail is taken for. */
export const domainSchema = z.strictObject({
  catchallSeparator: z
    .string()
    .regex(/^[!-?A-~]$/, { error: 'Expected one ASCII character such as "+"' })
    .optional()
    .describe('What of a localpart comes from it on is not compared: with "+", you+shop@ is you@'),
  caseSensitive: z.boolean().default(false).describe('Localparts are compared with regard to case'),
  dmarcReports: reportAddressSchema.optional().describe('Address and mailbox for DMARC aggregate reports about the domain'),
  tlsReports: reportAddressSchema.optional().describe('Address and mailbox for SMTP TLS reports about the domain'),
})

const addressSchema = z.union([
  z.string().min(1),
  z.strictObject({
    address: z.string().min(1),
    mailbox: mailboxSchema.default('INBOX').describe('Where its mail goes that no ruleset sends elsewhere'),
    rulesets: z.array(rulesetSchema).max(1_000).default([]).describe('The first that matches says where a message goes'),
  }),
])

/** An account and the addresses it gets mail for. */
export const accountSchema = z.strictObject({
  addresses: z
    .array(addressSchema)
    .min(1)
    .describe('Addresses such as "you@example.org"; "@example.org" takes what no other address of that domain does; "*" takes everything, of any domain (development only)'),
  ...accountSettingsShape,
})

const postmasterSchema = z.union([z.string().min(1), z.strictObject({ account: z.string().min(1), mailbox: mailboxSchema })])

/** What the directory is made from, as the top level of a configuration holds it. */
export const directoryShape = {
  domains: z.record(freeName, domainSchema).default({}).describe('Domains mail is taken for, by name'),
  accounts: z.record(freeName, accountSchema).default({}).describe('Accounts by name'),
  postmaster: postmasterSchema.optional().describe('Account, and mailbox, that gets mail for postmaster where no address says otherwise'),
} as const

const directorySchema = z.strictObject(directoryShape)

export type DirectoryConfig = z.output<typeof directorySchema>
export type AccountConfig = z.output<typeof accountSchema>
export type DomainConfig = z.output<typeof domainSchema>

/** Fills in defaults. @throws ZodError when the shape is wrong; see `checkDirectory` for the rest */
export function parseDirectoryConfig(input: z.input<typeof directorySchema>): DirectoryConfig {
  return directorySchema.parse(input)
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

/** The key by which listed addresses are found: domains in Unicode, localparts as the domain compares them. */
export function listedAddressKey(listed: ListedAddress, domains: ReadonlyMap<string, DomainConfig>): string {
  switch (listed.kind) {
    case 'everything':
      return '*'
    case 'domain':
      return `@${listed.domain.unicode}`
    case 'address': {
      const { localpart, domain } = listed.address
      return destinationKey(canonicalLocalpart(localpart, domains.get(domain.unicode)), domain)
    }
  }
}

/** The key of an address. An empty localpart is written as the quoted string it is, `@example.org` being the catch-all. */
export function destinationKey(canonical: string, domain: Domain): string {
  return `${formatLocalpart(canonical)}@${domain.unicode}`
}

/** Settings by Unicode name of the domain. Names that are none are left out. */
export function domainsByName(config: Pick<DirectoryConfig, 'domains'>): ReadonlyMap<string, DomainConfig> {
  const domains = new Map<string, DomainConfig>()
  for (const [name, settings] of Object.entries(config.domains)) {
    const domain = domainOf(name)
    if (domain !== undefined) domains.set(domain.unicode, settings)
  }
  return domains
}

/** All that the shape of the configuration alone doesn't tell: malformed names, unknown domains and accounts, an address listed twice. */
export function checkDirectory(config: DirectoryConfig): readonly DirectoryIssue[] {
  const issues: DirectoryIssue[] = []
  const domains = domainsByName(config)
  const unicodeNames = new Set<string>()
  for (const name of Object.keys(config.domains)) {
    const domain = domainOf(name)
    if (domain === undefined) issues.push({ path: ['domains', name], text: 'Is not a domain name' })
    else if (unicodeNames.has(domain.unicode)) issues.push({ path: ['domains', name], text: `Is the domain ${domain.unicode} once more` })
    else unicodeNames.add(domain.unicode)
  }
  const isAccount = (name: string): boolean => Object.hasOwn(config.accounts, name)
  const owners = new Map<string, string>()
  for (const [account, { addresses }] of Object.entries(config.accounts)) {
    addresses.forEach((entry, at) => {
      const path = ['accounts', account, 'addresses', at]
      const text = typeof entry === 'string' ? entry : entry.address
      const issue = checkAddress(text, account, domains, owners)
      if (issue !== undefined) issues.push({ path, text: issue })
    })
  }
  for (const [name, domain] of Object.entries(config.domains)) {
    for (const use of ['dmarcReports', 'tlsReports'] as const) {
      const reports = domain[use]
      if (reports === undefined) continue
      if (!isAccount(reports.account)) issues.push({ path: ['domains', name, use, 'account'], text: `There is no account ${reports.account}` })
      const owner = `the ${use === 'dmarcReports' ? 'DMARC' : 'TLS'} reports of ${name}`
      const issue = checkAddress(`${reports.localpart}@${name}`, owner, domains, owners)
      if (issue !== undefined) issues.push({ path: ['domains', name, use, 'localpart'], text: issue })
    }
  }
  const postmaster = typeof config.postmaster === 'string' ? config.postmaster : config.postmaster?.account
  if (postmaster !== undefined && !isAccount(postmaster)) issues.push({ path: ['postmaster'], text: `There is no account ${postmaster}` })
  return issues
}

/** @param owners account by key of its addresses; this one is added */
function checkAddress(text: string, owner: string, domains: ReadonlyMap<string, DomainConfig>, owners: Map<string, string>): string | undefined {
  const listed = attempt(() => parseListedAddress(text))
  if (listed === undefined) return `${JSON.stringify(text)} is not an address`
  const domain = listed.kind === 'address' ? listed.address.domain : listed.kind === 'domain' ? listed.domain : undefined
  const settings = domain === undefined ? undefined : domains.get(domain.unicode)
  if (domain !== undefined && settings === undefined) return `Domain ${domain.unicode} is not among the domains`
  const separator = settings?.catchallSeparator
  if (listed.kind === 'address' && separator !== undefined && listed.address.localpart.includes(separator)) {
    return `Has the domain's catch-all separator ${separator} in its localpart: what follows is never compared`
  }
  const key = listedAddressKey(listed, domains)
  const other = owners.get(key)
  if (other !== undefined) return other.startsWith('the ') ? `Is already the address of ${other}` : `Is already an address of account ${other}`
  owners.set(key, owner)
  return undefined
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

/** @returns the domain, or undefined when `name` isn't one */
export function domainOf(name: string): Domain | undefined {
  return attempt(() => parseDomain(name))
}
