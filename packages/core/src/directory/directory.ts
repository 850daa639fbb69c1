/** Who owns an address. Built from the configuration, replaced as a whole when that changes. */
import type { Address, ForwardPath } from '../address/index.ts'
import { createAccountSettings, type AccountSettings } from './account-settings.ts'
import { canonicalLocalpart } from './canonical-localpart.ts'
import { addressOf, destinationKey, domainOf, domainsByName, listedAddressKey, parseListedAddress, type DirectoryConfig, type ListedAddress } from './directory-config.ts'
import { createRuleset, type Ruleset } from './ruleset.ts'

/** Where an address's mail goes. */
export interface Destination {
  readonly account: string
  /** For mail no ruleset sends elsewhere. */
  readonly mailbox: string
  readonly rulesets: readonly Ruleset[]
  /** Reports this address is there for. */
  readonly reports?: 'dmarc' | 'tls'
  /** The address as configured, in one form: `you@example.org`, `@example.org`, `postmaster`, `*`. */
  readonly key: string
}

/** What an envelope recipient turns out to be. */
export type Recipient =
  | { readonly kind: 'account'; readonly destination: Destination }
  /** The domain is ours, the address isn't known. */
  | { readonly kind: 'no-such-address' }
  /** Not a domain of ours: taking it would be relaying. */
  | { readonly kind: 'not-local' }

export interface Directory {
  findRecipient(path: ForwardPath): Recipient
  /** Account a login name stands for: one of its addresses, or its own name. */
  findLogin(login: string): string | undefined
  /** Whether mail is taken for a domain. @param unicode its name */
  isOurDomain(unicode: string): boolean
  /** Undefined: there is no such account. */
  settingsOf(account: string): AccountSettings | undefined
}

/**
 * @param config as `checkDirectory` found without issues
 * @param options.hostnames our own names: postmaster at them is ours
 */
export function createDirectory(config: DirectoryConfig, options: { readonly hostnames?: readonly string[] } = {}): Directory {
  const domains = domainsByName(config)
  const hostnames = new Set((options.hostnames ?? []).map(unicodeName))
  const destinations = listDestinations(config)
  const settings = new Map(Object.entries(config.accounts).map(([name, account]) => [name, createAccountSettings(account)]))
  const everything = destinations.get('*')
  const postmaster = postmasterOf(config) ?? everything
  const found = (destination: Destination | undefined): Recipient | undefined => (destination === undefined ? undefined : { kind: 'account', destination })

  function findAddress({ localpart, domain }: Address): Destination | undefined {
    const canonical = canonicalLocalpart(localpart, domains.get(domain.unicode))
    // Nothing before the separator names nobody, the catch-all's address either.
    if (canonical === '' && localpart !== '') return undefined
    return destinations.get(destinationKey(canonical, domain)) ?? destinations.get(`@${domain.unicode}`)
  }

  function findRecipient(path: ForwardPath): Recipient {
    // RFC 5321 §4.5.1: postmaster without a domain is always ours.
    if (path.kind === 'postmaster') return found(postmaster) ?? { kind: 'no-such-address' }
    if (path.kind === 'literal') return found(everything) ?? { kind: 'not-local' }
    const { localpart, domain } = path.address
    const own = findAddress(path.address)
    if (own !== undefined) return { kind: 'account', destination: own }
    const isPostmaster = localpart.toLowerCase() === 'postmaster'
    if (isPostmaster && (domains.has(domain.unicode) || hostnames.has(domain.unicode)) && postmaster !== undefined) {
      return { kind: 'account', destination: postmaster }
    }
    return found(everything) ?? { kind: domains.has(domain.unicode) ? 'no-such-address' : 'not-local' }
  }

  return {
    findRecipient,
    findLogin(login) {
      if (Object.hasOwn(config.accounts, login)) return login
      const address = addressOf(login)
      return address === undefined ? undefined : destinations.get(listedAddressKey({ kind: 'address', address }, domains))?.account
    },
    isOurDomain: (unicode) => domains.has(unicode),
    settingsOf: (account) => settings.get(account),
  }
}

function listDestinations(config: DirectoryConfig): ReadonlyMap<string, Destination> {
  const domains = domainsByName(config)
  const destinations = new Map<string, Destination>()
  const add = (listed: ListedAddress, destination: Omit<Destination, 'key'>): void => {
    const key = listedAddressKey(listed, domains)
    destinations.set(key, { ...destination, key })
  }
  for (const [account, { addresses }] of Object.entries(config.accounts)) {
    for (const entry of addresses) {
      const { address, mailbox, rulesets } = typeof entry === 'string' ? { address: entry, mailbox: 'INBOX', rulesets: [] } : entry
      add(parseListedAddress(address), { account, mailbox, rulesets: rulesets.map(createRuleset) })
    }
  }
  for (const [name, { dmarcReports, tlsReports }] of Object.entries(config.domains)) {
    for (const [reports, kind] of [[dmarcReports, 'dmarc'], [tlsReports, 'tls']] as const) {
      if (reports === undefined) continue
      const { localpart, account, mailbox } = reports
      add(parseListedAddress(`${localpart}@${name}`), { account, mailbox, rulesets: [], reports: kind })
    }
  }
  return destinations
}

function postmasterOf({ postmaster }: DirectoryConfig): Destination | undefined {
  if (postmaster === undefined) return undefined
  const { account, mailbox } = typeof postmaster === 'string' ? { account: postmaster, mailbox: 'INBOX' } : postmaster
  return { account, mailbox, rulesets: [], key: 'postmaster' }
}

function unicodeName(name: string): string {
  return domainOf(name)?.unicode ?? name
}
