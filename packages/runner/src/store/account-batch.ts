/** What several changes of an account have put, on its way to becoming one batch of the store. */
import type { HeadRecord } from './head-record.ts'
import { encodeHead, withNonce } from './head-record.ts'
import type { AccountKeys } from './account-keys.ts'
import type { LogEntry } from './log-record.ts'
import { encodeLog } from './log-record.ts'
import type { Batch, Entry } from './ordered-store.ts'
import { LIMITS } from './ordered-store.ts'
import { keyOctets, keyText } from './sorted-map.ts'
import type { Layer, Transaction } from './transaction.ts'

/** Room left in a batch for head and log. */
const OWN_PUTS = 2
const OWN_OCTETS = 8192

export class AccountBatch {
  readonly layer: Layer = new Map()
  /** Values read or put that are likely to be needed again. */
  readonly kept = new Map<string, Uint8Array | undefined>()
  readonly logged: LogEntry[] = []
  readonly #before: HeadRecord
  #head: HeadRecord
  #octets = OWN_OCTETS
  #isLarge = false

  /** @param head as it is in the store */
  constructor(head: HeadRecord) {
    this.#before = head
    this.#head = head
  }

  /** The head as the changes have left it. */
  get head(): HeadRecord {
    return this.#head
  }

  get isEmpty(): boolean {
    return this.layer.size === 0 && this.#head === this.#before
  }

  /** It exceeds the limits of a batch, and was added all the same. */
  get isLarge(): boolean {
    return this.#isLarge
  }

  /** Something a client can see has changed. */
  get isVisible(): boolean {
    return this.#head.modseq > this.#before.modseq
  }

  fits(tx: Transaction): boolean {
    let puts = this.layer.size + OWN_PUTS
    for (const text of tx.layer.keys()) if (!this.layer.has(text)) puts += 1
    return puts <= LIMITS.batchPuts && this.#octets + tx.putOctets <= LIMITS.batchOctets
  }

  /** Takes over what a change has put. */
  add(tx: Transaction): void {
    this.#isLarge ||= !this.fits(tx)
    for (const [text, value] of tx.kept) this.kept.set(text, value)
    if (tx.isEmpty) return
    for (const [text, value] of tx.layer) this.layer.set(text, value)
    this.logged.push(...tx.logged)
    const { modseq, nextEmailId, nextMailboxId, nextUidValidity, octetsUsed } = tx.head
    const { generation, nonces } = this.#before
    this.#head = { generation, modseq, nextEmailId, nextMailboxId, nextUidValidity, octetsUsed, nonces }
    this.#octets += tx.putOctets
  }

  /**
   * Adds head and log.
   * @param expected the head's octets as they are in the store
   */
  seal(keys: AccountKeys, expected: Uint8Array, nonce: Uint8Array): { readonly batch: Batch; readonly head: Uint8Array } {
    const { generation, nonces } = this.#before
    this.#head = { ...this.#head, generation: generation + 1, nonces: withNonce(nonces, nonce) }
    const head = encodeHead(this.#head)
    if (this.isVisible) this.layer.set(keyText(keys.log(this.#head.modseq)), encodeLog(joinArrivals(this.logged)))
    this.layer.set(keyText(keys.head()), head)
    const put: Entry[] = []
    const deleted: Uint8Array[] = []
    for (const [text, value] of [...this.layer].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
      const key = keyOctets(text)
      if (value === undefined) deleted.push(key)
      else put.push({ key, value })
    }
    const expect = [{ key: keys.head(), value: expected }]
    const batch: Batch = { partition: keys.partition, expect, put, delete: deleted }
    return { batch: this.#isLarge ? { ...batch, large: true } : batch, head }
  }
}

/** Joins arrivals in one mailbox whose UIDs go on from each other, as those of deliveries do. */
function joinArrivals(entries: readonly LogEntry[]): readonly LogEntry[] {
  const joined: LogEntry[] = []
  /** By mailbox: where its last arrivals stand. */
  const arrivals = new Map<number, number>()
  for (const entry of entries) {
    const at = entry.kind === 'arrived' ? arrivals.get(entry.mailbox) : undefined
    const before = at === undefined ? undefined : joined[at]
    const last = before?.uids.at(-1)
    const next = entry.uids[0]
    if (at !== undefined && before !== undefined && last !== undefined && last.last + 1 === next?.first) {
      const uids = [...before.uids.slice(0, -1), { first: last.first, last: next.last }, ...entry.uids.slice(1)]
      joined[at] = { kind: before.kind, mailbox: before.mailbox, uids, exact: before.exact }
      continue
    }
    if (entry.kind === 'arrived') arrivals.set(entry.mailbox, joined.length)
    joined.push(entry)
  }
  return joined
}
