/** What the store knows of a blob: whether it lives, and since when someone refers to it. */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1
export const SHA256_OCTETS = 32

/** By number in the record; never reordered. `dying`: no new reference may be made, the file goes soon. */
const STATES = ['live', 'dying'] as const

export interface BlobHead {
  readonly state: (typeof STATES)[number]
  /** When it came into this state; seconds since 1970. */
  readonly sinceSeconds: number
  readonly sizeOctets: number
  readonly sha256: Uint8Array
}

export function encodeBlobHead(head: BlobHead): Uint8Array {
  if (head.sha256.length !== SHA256_OCTETS) throw new RangeError(`SHA-256 of ${head.sha256.length} octets`)
  return new OctetWriter(64)
    .uint(FORMAT, 1)
    .uint(STATES.indexOf(head.state), 1)
    .uint(head.sinceSeconds, 5)
    .uint(head.sizeOctets, 6)
    .raw(head.sha256)
    .finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeBlobHead(octets: Uint8Array): BlobHead {
  const reader = new OctetReader(octets, 'blob').format(FORMAT)
  const head = {
    state: reader.choice(STATES),
    sinceSeconds: reader.uint(5),
    sizeOctets: reader.uint(6),
    sha256: reader.raw(SHA256_OCTETS).slice(),
  }
  reader.end()
  return head
}

export interface BlobRef {
  /** When the reference was made; seconds since 1970. */
  readonly sinceSeconds: number
}

export function encodeBlobRef(ref: BlobRef): Uint8Array {
  return new OctetWriter(8).uint(FORMAT, 1).uint(ref.sinceSeconds, 5).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeBlobRef(octets: Uint8Array): BlobRef {
  const reader = new OctetReader(octets, 'blob reference').format(FORMAT)
  const ref = { sinceSeconds: reader.uint(5) }
  reader.end()
  return ref
}
