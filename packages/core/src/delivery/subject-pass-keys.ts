/** The secrets that subject passes are made with: one for each address, made when first needed. */
import type { Random } from '../host/index.ts'
import type { MailStore } from '../store/index.ts'

const KEY_OCTETS = 16

/** @param address canonical, `Destination.key` */
export async function subjectPassKey(store: MailStore, account: string, address: string, random: Random): Promise<Uint8Array> {
  const kind = `subject-pass ${address}`
  const kept = await store.secret(account, kind)
  if (kept !== undefined) return kept
  const key = random(KEY_OCTETS)
  await store.saveSecret(account, kind, key)
  // Of two that were made at the same time the one that stayed.
  return (await store.secret(account, kind)) ?? key
}
