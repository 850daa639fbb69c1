/** Where a kept reject lies, by its Message-ID or by the digest of its octets. */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

/** A hint: the message may have gone meanwhile. */
export interface RejectRecord {
  readonly mailbox: number
  readonly uid: number
}

export function encodeReject({ mailbox, uid }: RejectRecord): Uint8Array {
  return new OctetWriter(9).uint(FORMAT, 1).uint(mailbox, 4).uint(uid, 4).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeReject(octets: Uint8Array): RejectRecord {
  const reader = new OctetReader(octets, 'reject').format(FORMAT)
  const record = { mailbox: reader.uint(4), uid: reader.uint(4) }
  reader.end()
  return record
}
