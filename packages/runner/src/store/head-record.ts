/** The head of an account: what every batch of it expects and raises. */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1
/** LIMIT: batches whose outcome can still be asked for after a connection broke. */
const NONCES = 8
export const NONCE_OCTETS = 8

export interface HeadRecord {
  /** Raised by every batch, 0 to 2^48−1. */
  readonly generation: number
  /** Raised by every change a client can see, 0 to 2^48−1. */
  readonly modseq: number
  readonly nextEmailId: number
  readonly nextMailboxId: number
  readonly nextUidValidity: number
  readonly octetsUsed: number
  /** Nonces of the last batches, newest first, of `NONCE_OCTETS` each. */
  readonly nonces: readonly Uint8Array[]
}

/** Nonces after one batch more: the newest eight. */
export function withNonce(nonces: readonly Uint8Array[], nonce: Uint8Array): readonly Uint8Array[] {
  return [nonce, ...nonces.slice(0, NONCES - 1)]
}

/** Keeps the newest eight nonces. */
export function encodeHead(head: HeadRecord): Uint8Array {
  const nonces = head.nonces.slice(0, NONCES)
  const writer = new OctetWriter(128)
    .uint(FORMAT, 1)
    .uint(head.generation, 6)
    .uint(head.modseq, 6)
    .uint(head.nextEmailId, 5)
    .uint(head.nextMailboxId, 4)
    .uint(head.nextUidValidity, 4)
    .uint(head.octetsUsed, 6)
    .uint(nonces.length, 1)
  for (const nonce of nonces) {
    if (nonce.length !== NONCE_OCTETS) throw new RangeError(`Nonce of ${nonce.length} octets`)
    writer.raw(nonce)
  }
  return writer.finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeHead(octets: Uint8Array): HeadRecord {
  const reader = new OctetReader(octets, 'account head').format(FORMAT)
  const head = {
    generation: reader.uint(6),
    modseq: reader.uint(6),
    nextEmailId: reader.uint(5),
    nextMailboxId: reader.uint(4),
    nextUidValidity: reader.uint(4),
    octetsUsed: reader.uint(6),
    nonces: [] as Uint8Array[],
  }
  for (let left = reader.uint(1); left > 0; left -= 1) head.nonces.push(reader.raw(NONCE_OCTETS).slice())
  reader.end()
  return head
}
