/** Whom an account wrote to, and when: by address, domain and organization. */
import type { Correspondent } from '@postern/core/store'
import type { AccountKeys } from './account-keys.ts'
import { decodeBucket, encodeBucket, lookUpNamed, withNamed } from './named-records.ts'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'
import type { Transaction } from './transaction.ts'

/** By number in keys; never reordered. */
const LEVELS: readonly Correspondent['level'][] = ['address', 'domain', 'organization']
/** A later time is written only when the one that is there is so much older. */
const EXACT_SECONDS = 86_400

export function correspondentKey(keys: AccountKeys, { level, value }: Correspondent): Uint8Array {
  return keys.sent(LEVELS.indexOf(level), value)
}

/** @returns seconds since 1970 @throws StoreError STORE_CORRUPT */
export function lastWritten(octets: Uint8Array | undefined, value: string): number | undefined {
  const found = lookUpNamed(octets, value)
  return found === undefined ? undefined : new OctetReader(found, 'correspondent').uint(4)
}

export async function enterWritten(tx: Transaction, keys: AccountKeys, correspondents: readonly Correspondent[], seconds: number): Promise<void> {
  for (const correspondent of correspondents) {
    const key = correspondentKey(keys, correspondent)
    const [octets] = await tx.getMany([key])
    const last = lastWritten(octets, correspondent.value)
    if (last !== undefined && seconds - last < EXACT_SECONDS) continue
    const bucket = withNamed(decodeBucket(octets), correspondent.value, new OctetWriter(4).uint(seconds, 4).finish())
    tx.add(key, encodeBucket(bucket) ?? new Uint8Array(0))
  }
}
