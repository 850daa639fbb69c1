/** Who owns an address. Built from the configuration, replaced as a whole when that changes. */
import { AddressSyntaxError, parseAddress, type ForwardPath } from '../address/index.ts'
import { listedAddressKey, parseListedAddress, type DirectoryConfig } from './directory-config.ts'

/** What an envelope recipient turns out to be. */
export type Recipient =
  | { readonly kind: 'account'; readonly account: string; readonly mailbox: string }
  /** The domain is ours, the address isn't known. */
  | { readonly kind: 'no-such-address' }
  /** Not a domain of ours: taking it would be relaying. */
  | { readonly kind: 'not-local' }

export interface Directory {
  findRecipient(path: ForwardPath): Recipient
  /** Account a login name stands for: one of its addresses, or its own name. */
  findLogin(login: string): string | undefined
}

/** @param config as `checkDirectory` found without issues */
export function createDirectory(config: DirectoryConfig): Directory {
  const domains = new Set(Object.keys(config.domains).map((name) => listedAddressKey(parseListedAddress(`@${name}`)).slice(1)))
  const owners = new Map<string, string>()
  for (const [account, { addresses }] of Object.entries(config.accounts)) {
    for (const text of addresses) owners.set(listedAddressKey(parseListedAddress(text)), account)
  }
  const inboxOf = (account: string | undefined): Recipient | undefined =>
    account === undefined ? undefined : { kind: 'account', account, mailbox: 'INBOX' }

  function findRecipient(path: ForwardPath): Recipient {
    // RFC 5321 §4.5.1: postmaster without a domain is always ours.
    if (path.kind === 'postmaster') return inboxOf(config.postmaster ?? owners.get('*')) ?? { kind: 'no-such-address' }
    if (path.kind === 'literal') return inboxOf(owners.get('*')) ?? { kind: 'not-local' }
    const { localpart, domain } = path.address
    const lower = localpart.toLowerCase()
    const owner = owners.get(`${lower}@${domain.unicode}`) ?? owners.get(`@${domain.unicode}`)
    if (owner !== undefined) return { kind: 'account', account: owner, mailbox: 'INBOX' }
    const fallback = inboxOf(owners.get('*'))
    if (fallback !== undefined) return fallback
    if (!domains.has(domain.unicode)) return { kind: 'not-local' }
    if (lower === 'postmaster') return inboxOf(config.postmaster) ?? { kind: 'no-such-address' }
    return { kind: 'no-such-address' }
  }

  return {
    findRecipient,
    findLogin(login) {
      if (Object.hasOwn(config.accounts, login)) return login
      try {
        const { localpart, domain } = parseAddress(login, { utf8: true })
        return owners.get(`${localpart.toLowerCase()}@${domain.unicode}`)
      } catch (error) {
        if (error instanceof AddressSyntaxError) return undefined
        throw error
      }
    },
  }
}
