/**
 * The names a sender goes by, as judgements are kept and looked up: canonical text for each identity. Not here: how they
 * were verified, and what judgements of them mean.
 */
import { addressKey, networkKeys, parseIpAddress, type Address } from '../address/index.ts'
import type { Correspondent, ReceptionFacts, SenderIdentity } from '../store/index.ts'

/** Who sent a message, as far as reputation goes by it. Domains are Unicode text, as `Domain.unicode`. */
export interface Sender {
  /** The one address of the From field; undefined when there is none or more than one. */
  readonly from: Address | undefined
  /** Organizational domain of From, Unicode. */
  readonly organization: string | undefined
  /** The domain of From was authenticated: by SPF or DKIM, aligned. */
  readonly validated: boolean
  /** Domains of passing DKIM signatures, each once. */
  readonly dkimDomains: readonly string[]
  /** The reverse-path, when SPF passed for it. */
  readonly mailFrom: Address | undefined
  /** The name in EHLO, when SPF passed for it. */
  readonly helo: string | undefined
  readonly remoteAddress: string | undefined
}

/** LIMIT: identities of one message; what is beyond doesn't count. */
const MAX_DKIM_DOMAINS = 10

/** Identities of a sender by what they are asked for. */
export interface SenderIdentities {
  readonly fromAddress: SenderIdentity | undefined
  readonly fromDomain: SenderIdentity | undefined
  readonly fromOrganization: SenderIdentity | undefined
  readonly dkimDomains: readonly SenderIdentity[]
  readonly mailFromAddress: SenderIdentity | undefined
  readonly mailFromDomain: SenderIdentity | undefined
  readonly heloDomain: SenderIdentity | undefined
  /** Narrow, middle, wide; none for a sender without an address. */
  readonly networks: readonly SenderIdentity[]
}

export function identitiesOf(sender: Sender): SenderIdentities {
  const { from, organization, mailFrom, helo } = sender
  const address = sender.remoteAddress === undefined ? undefined : parseIpAddress(sender.remoteAddress)
  const [narrow, middle, wide] = address === undefined ? [] : networkKeys(address)
  const identity = (kind: SenderIdentity['kind'], value: string | undefined): SenderIdentity | undefined =>
    value === undefined ? undefined : { kind, value }
  const dkimDomains = [...new Set(sender.dkimDomains)].slice(0, MAX_DKIM_DOMAINS)
  return {
    fromAddress: identity('from-address', from === undefined ? undefined : correspondentKey(from)),
    fromDomain: identity('from-domain', from?.domain.unicode),
    fromOrganization: identity('from-organization', organization),
    dkimDomains: dkimDomains.map((value) => ({ kind: 'dkim-domain', value })),
    mailFromAddress: identity('mail-from-address', mailFrom === undefined ? undefined : correspondentKey(mailFrom)),
    mailFromDomain: identity('mail-from-domain', mailFrom?.domain.unicode),
    heloDomain: identity('helo-domain', helo),
    networks: [
      identity('network-1', narrow),
      identity('network-2', middle),
      identity('network-3', wide),
    ].filter((each) => each !== undefined),
  }
}

/** The identities as one list, in the order a decision asks for them. */
export function listIdentities(identities: SenderIdentities): readonly SenderIdentity[] {
  const { fromAddress, fromDomain, fromOrganization, dkimDomains, mailFromAddress, mailFromDomain, heloDomain, networks } =
    identities
  return [fromAddress, fromDomain, fromOrganization, ...dkimDomains, mailFromAddress, mailFromDomain, heloDomain, ...networks].filter(
    (each) => each !== undefined,
  )
}

/** What a store keeps of a message so that a judgement of it counts for its sender. */
export function receptionFacts(
  sender: Sender,
  receivedSeconds: number,
  intendedMailbox?: string,
): ReceptionFacts {
  const identities = identitiesOf(sender)
  return {
    receivedSeconds,
    identities: listIdentities(identities),
    validated: sender.validated,
    fromLocalpart: sender.from?.localpart ?? '',
    network: identities.networks[0]?.value,
    intendedMailbox,
  }
}

/** An address by each level it may have been written to. */
export function correspondentsOf(address: Address, organization: string | undefined): readonly Correspondent[] {
  return [
    { level: 'address', value: correspondentKey(address) },
    { level: 'domain', value: address.domain.unicode },
    ...(organization === undefined ? [] : [{ level: 'organization' as const, value: organization }]),
  ]
}

/** Senders write their own localpart in one case or another: it is one sender. */
function correspondentKey(address: Address): string {
  return addressKey({ localpart: address.localpart.toLowerCase(), domain: address.domain })
}
