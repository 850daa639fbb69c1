/** Records of the server space: the file format, the installation, and the numbers of accounts. */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

/** By number in the record; never reordered. `removed`: its keys are being erased, its number is never used again. */
const ACCOUNT_STATES = ['active', 'removed'] as const

/** Beside an account's name in a bucket of `named-records.ts`. */
export interface AccountRecord {
  readonly number: number
  readonly state: (typeof ACCOUNT_STATES)[number]
  /**
   * Where UIDVALIDITY of the next account of this name begins, so that clients see another mailbox. RFC 9051 §2.3.1.1
   */
  readonly nextUidValidity: number
}

export function encodeAccount({ number, state, nextUidValidity }: AccountRecord): Uint8Array {
  return new OctetWriter(16).uint(number, 4).uint(ACCOUNT_STATES.indexOf(state), 1).uint(nextUidValidity, 4).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeAccount(octets: Uint8Array): AccountRecord {
  const reader = new OctetReader(octets, 'account')
  const account = { number: reader.uint(4), state: reader.choice(ACCOUNT_STATES), nextUidValidity: reader.uint(4) }
  reader.end()
  return account
}

/** A number by itself: the next account's, the version of the file format. @param value 0 to 2^32−1 */
export function encodeNumber(value: number): Uint8Array {
  return new OctetWriter(8).uint(FORMAT, 1).uint(value, 4).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeNumber(octets: Uint8Array): number {
  const reader = new OctetReader(octets, 'number').format(FORMAT)
  const value = reader.uint(4)
  reader.end()
  return value
}
