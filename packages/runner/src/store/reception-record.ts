/** What the reception of a message left: the names of its sender that judgements of it count for, and where they count. */
import type { ReceptionFacts, SenderIdentity, SenderIdentityKind } from '@postern/core/store'
import { localpartNumber } from '@postern/core/store'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1
const VALIDATED = 1
const REJECT = 2

/** By number in records and keys; never reordered. */
export const IDENTITY_KINDS: readonly SenderIdentityKind[] = [
  'from-address',
  'from-domain',
  'from-organization',
  'dkim-domain',
  'mail-from-address',
  'mail-from-domain',
  'helo-domain',
  'network-1',
  'network-2',
  'network-3',
]

/** LIMIT: octets of one identity; longer ones are no names of senders. */
const MAX_VALUE = 512
const MAX_IDENTITIES = 32

export interface ReceptionRecord {
  readonly receivedSeconds: number
  readonly validated: boolean
  readonly localpart: number
  /** Mailbox its judgement counts for. */
  readonly origin: number
  /** While it is kept as a reject: where it would have gone, and what it is found by. */
  readonly reject: { readonly intendedMailbox: string; readonly digest: Uint8Array } | undefined
  readonly identities: readonly SenderIdentity[]
}

/** @param digest of a kept reject */
export function receptionRecord(facts: ReceptionFacts, origin: number, digest: Uint8Array | undefined): ReceptionRecord {
  const { receivedSeconds, validated, fromLocalpart, intendedMailbox } = facts
  return {
    receivedSeconds,
    validated,
    localpart: localpartNumber(fromLocalpart),
    origin,
    reject: intendedMailbox === undefined ? undefined : { intendedMailbox, digest: digest ?? new Uint8Array(0) },
    identities: facts.identities.filter(({ value }) => Buffer.byteLength(value) <= MAX_VALUE).slice(0, MAX_IDENTITIES),
  }
}

export function encodeReception({ receivedSeconds, validated, localpart, origin, reject, identities }: ReceptionRecord): Uint8Array {
  const writer = new OctetWriter(256)
    .uint(FORMAT, 1)
    .uint((validated ? VALIDATED : 0) | (reject === undefined ? 0 : REJECT), 1)
    .uint(receivedSeconds, 4)
    .uint(localpart, 2)
    .uint(origin, 4)
  if (reject !== undefined) writer.text(reject.intendedMailbox).octets(reject.digest)
  writer.uint(identities.length, 1)
  for (const { kind, value } of identities) writer.uint(IDENTITY_KINDS.indexOf(kind), 1).text(value)
  return writer.checksum().finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeReception(octets: Uint8Array): ReceptionRecord {
  const reader = new OctetReader(octets, 'reception').checksum().format(FORMAT)
  const bits = reader.uint(1)
  const record = { receivedSeconds: reader.uint(4), localpart: reader.uint(2), origin: reader.uint(4) }
  const reject = (bits & REJECT) === 0 ? undefined : { intendedMailbox: reader.text(), digest: reader.octets() }
  const identities: SenderIdentity[] = []
  for (let left = reader.uint(1); left > 0; left -= 1) identities.push({ kind: reader.choice(IDENTITY_KINDS), value: reader.text() })
  reader.end()
  return { ...record, validated: (bits & VALIDATED) !== 0, reject, identities }
}
