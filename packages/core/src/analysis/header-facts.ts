/** What decisions need of a message's header, read in one pass over its fields. */
import { AddressSyntaxError, addressKey, parseAddress, type Address } from '../address/index.ts'
import { decodeUnlabelled, decodeUnstructured, FieldNames, parseAddressList, parseMessageIds, readFields, type HeaderField } from '../message/index.ts'
import { MAX_AUTHOR_DOMAINS } from './check-authors.ts'

/** LIMIT: fields that rulesets look at, and octets of each. */
const MAX_FIELDS = 1_000
const MAX_VALUE_OCTETS = 10_000

const NAMES = new FieldNames(['from', 'to', 'cc', 'subject', 'message-id', 'received', 'delivered-to'])
const [FROM, TO, CC, SUBJECT, MESSAGE_ID, RECEIVED, DELIVERED_TO] = [0, 1, 2, 3, 4, 5, 6]

export interface HeaderFacts {
  /** The address of From, when there is exactly one From field with exactly one address that can be read. RFC 5322 §3.6.2 */
  readonly from: Address | undefined
  /** Domains of all addresses in all From fields that can be read: A-labels, each once, at most one more than DMARC is asked for. */
  readonly authorDomains: readonly string[]
  /** Decoded; empty when there is none. */
  readonly subject: string
  /** First identifier, without brackets. */
  readonly messageId: string | undefined
  /** How often the message was received before. RFC 5321 §6.3 */
  readonly hops: number
  /** Whether an address stands in To or Cc, without regard to case. */
  names(address: Address): boolean
  /** Names and unfolded values in order, decoded from octets without a charset. */
  fields(): readonly (readonly [name: string, value: string])[]
}

/** @param header the header section, with or without its empty line */
export function readHeaderFacts(header: Uint8Array): HeaderFacts {
  const froms: HeaderField[] = []
  const recipients: HeaderField[] = []
  let subject: HeaderField | undefined
  let messageId: HeaderField | undefined
  let hops = 0
  for (const field of readFields(header)) {
    switch (NAMES.indexOf(header, field.start, field.nameEnd)) {
      case FROM:
        froms.push(field)
        break
      case TO:
      case CC:
        recipients.push(field)
        break
      case SUBJECT:
        subject ??= field
        break
      case MESSAGE_ID:
        messageId ??= field
        break
      case RECEIVED:
      case DELIVERED_TO:
        hops += 1
        break
      default:
    }
  }
  return new ReadFacts(header, { froms, recipients, subject, messageId }, hops)
}

interface FactFields {
  readonly froms: readonly HeaderField[]
  readonly recipients: readonly HeaderField[]
  readonly subject: HeaderField | undefined
  readonly messageId: HeaderField | undefined
}

/** Values are read when they are asked for: of a message nobody looks into, none. */
class ReadFacts implements HeaderFacts {
  readonly hops: number
  readonly #header: Uint8Array
  readonly #fields: FactFields
  #from: { readonly address: Address | undefined } | undefined
  #authorDomains: readonly string[] | undefined
  #authorLists: readonly (readonly (Address | null)[])[] | undefined
  #subject: string | undefined
  #named: ReadonlySet<string> | undefined

  constructor(header: Uint8Array, fields: FactFields, hops: number) {
    this.#header = header
    this.#fields = fields
    this.hops = hops
  }

  get from(): Address | undefined {
    const [field, ...others] = this.#fields.froms
    if (this.#from === undefined) {
      const [address, ...more] = field === undefined || others.length > 0 ? [] : this.#authors()[0] ?? []
      this.#from = { address: more.length > 0 ? undefined : (address ?? undefined) }
    }
    return this.#from.address
  }

  get authorDomains(): readonly string[] {
    return (this.#authorDomains ??= authorDomains(this.#authors()))
  }

  get subject(): string {
    const { subject } = this.#fields
    return (this.#subject ??= subject === undefined ? '' : decodeUnstructured(this.#valueOf(subject).subarray(0, MAX_VALUE_OCTETS)))
  }

  get messageId(): string | undefined {
    const { messageId } = this.#fields
    return messageId === undefined ? undefined : parseMessageIds(this.#valueOf(messageId), { maxIds: 1 })[0]
  }

  readonly names = (address: Address): boolean => {
    this.#named ??= new Set(this.#fields.recipients.flatMap((field) => addressesOf(this.#valueOf(field)).map(nameKey)))
    return this.#named.has(nameKey(address))
  }

  readonly fields = (): readonly (readonly [name: string, value: string])[] => {
    const fields: (readonly [string, string])[] = []
    for (const field of readFields(this.#header)) {
      if (fields.length === MAX_FIELDS) break
      if (field.nameEnd === field.start) continue
      const value = this.#valueOf(field).subarray(0, MAX_VALUE_OCTETS)
      fields.push([decodeUnlabelled(this.#header.subarray(field.start, field.nameEnd)), decodeUnlabelled(value).replaceAll(/\r?\n/g, '').trim()])
    }
    return fields
  }

  /** Of each From field its addresses; null for one that can't be read. */
  #authors(): readonly (readonly (Address | null)[])[] {
    return (this.#authorLists ??= this.#fields.froms.map((field) => mailboxesOf(this.#valueOf(field))))
  }

  #valueOf({ valueStart, valueEnd }: HeaderField): Uint8Array {
    return this.#header.subarray(valueStart, valueEnd)
  }
}

/** Addresses of a field that can be read as such. */
export function addressesOf(value: Uint8Array): Address[] {
  return mailboxesOf(value).filter((address) => address !== null)
}

function mailboxesOf(value: Uint8Array): (Address | null)[] {
  const addresses: (Address | null)[] = []
  for (const entry of parseAddressList(value)) if (entry.kind === 'mailbox') addresses.push(toAddress(entry.localpart, entry.domain) ?? null)
  return addresses
}

function authorDomains(fields: readonly (readonly (Address | null)[])[]): readonly string[] {
  const domains = new Set<string>()
  for (const addresses of fields) {
    for (const address of addresses) {
      if (address !== null) domains.add(address.domain.ascii)
      if (domains.size > MAX_AUTHOR_DOMAINS) return [...domains]
    }
  }
  return [...domains]
}

function toAddress(localpart: Uint8Array, domain: Uint8Array): Address | undefined {
  try {
    // Written anew, as the octets came without their quotes.
    const text = decodeUnlabelled(localpart)
    const quoted = /["\\]/.test(text) ? text.replaceAll(/["\\]/g, String.raw`\$&`) : text
    return parseAddress(`"${quoted}"@${decodeUnlabelled(domain)}`, { utf8: true })
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

function nameKey(address: Address): string {
  return addressKey({ localpart: address.localpart.toLowerCase(), domain: address.domain })
}
