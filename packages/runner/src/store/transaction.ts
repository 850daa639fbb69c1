/**
 * What one change of an account sees and does: the last committed state, the changes queued before it, and its own
 * puts. Nothing here touches the store's state; the account writer commits what a transaction has gathered, or drops
 * it.
 */
import type { UidRanges } from '@postern/core/store'
import type { HeadRecord } from './head-record.ts'
import type { KeySpan } from './key-octets.ts'
import type { LogEntry, LogKind } from './log-record.ts'
import type { Entry, OrderedStore } from './ordered-store.ts'
import { keyOctets, keyText } from './sorted-map.ts'

/** Values by `keyText`; undefined: deleted. */
export type Layer = Map<string, Uint8Array | undefined>

/** Numbers of the account's head that changes take from. */
export type HeadDraft = { -readonly [K in keyof Omit<HeadRecord, 'nonces' | 'generation'>]: HeadRecord[K] }

export interface TransactionSource {
  readonly store: OrderedStore
  /** Committed values the writer still knows. */
  readonly cache: ReadonlyMap<string, Uint8Array | undefined>
  /** What the batch's earlier changes have put. */
  readonly batch: ReadonlyMap<string, Uint8Array | undefined>
  readonly head: HeadRecord
  readonly nowSeconds: number
}

export class Transaction {
  /** What this change has put and deleted. */
  readonly layer: Layer = new Map()
  /** Keys read or put that are likely to be needed again. */
  readonly kept = new Map<string, Uint8Array | undefined>()
  readonly logged: LogEntry[] = []
  readonly head: HeadDraft
  /** Seconds since 1970 at which the batch began. */
  readonly nowSeconds: number
  readonly #source: TransactionSource
  #modseq: number | undefined
  putOctets = 0

  constructor(source: TransactionSource) {
    this.#source = source
    this.nowSeconds = source.nowSeconds
    const { modseq, nextEmailId, nextMailboxId, nextUidValidity, octetsUsed } = source.head
    this.head = { modseq, nextEmailId, nextMailboxId, nextUidValidity, octetsUsed }
  }

  /** Whether it changed anything. */
  get isEmpty(): boolean {
    const before = this.#source.head
    const { nextEmailId, nextMailboxId, nextUidValidity } = this.head
    const took =
      nextEmailId > before.nextEmailId ||
      nextMailboxId > before.nextMailboxId ||
      nextUidValidity > before.nextUidValidity
    return this.layer.size === 0 && this.#modseq === undefined && !took
  }

  /** The modseq of what this change does that a client can see; the first call takes it. */
  takeModseq(): number {
    if (this.#modseq === undefined) {
      this.head.modseq += 1
      this.#modseq = this.head.modseq
    }
    return this.#modseq
  }

  /** Tells sessions where to look. @param uids ascending */
  log(kind: LogKind, mailbox: number, uids: UidRanges = []): void {
    this.logged.push({ kind, mailbox, uids, exact: true })
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const text = keyText(key)
    if (this.layer.has(text)) return this.layer.get(text)
    const { batch, cache, store } = this.#source
    if (batch.has(text)) return batch.get(text)
    if (this.kept.has(text)) return this.kept.get(text)
    const value = cache.has(text) ? cache.get(text) : (await store.getMany([key]))[0]
    this.kept.set(text, value)
    return value
  }

  /** As `get`, for keys that are not needed again soon. */
  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const texts = keys.map(keyText)
    const values: (Uint8Array | undefined)[] = []
    const missing: number[] = []
    for (const [n, text] of texts.entries()) {
      const layer = this.#layerOf(text)
      if (layer === undefined) missing.push(n)
      else values[n] = layer.get(text)
    }
    if (missing.length === 0) return values
    const read = await this.#source.store.getMany(missing.map((n) => keys[n] as Uint8Array))
    for (const [m, n] of missing.entries()) values[n] = read[m]
    return values
  }

  /**
   * Entries of a span, ascending. @param limit at most so many are read from the store; fewer than `limit` means the
   * end
   */
  async range(span: KeySpan, limit: number): Promise<Entry[]> {
    const stored = await this.#source.store.range({ ...span, limit })
    const from = keyText(span.from)
    const last = stored.length < limit ? undefined : keyText((stored.at(-1) as Entry).key)
    const to = keyText(span.to)
    const isIn = (text: string): boolean => text >= from && text < to && (last === undefined || text <= last)
    const over = new Map<string, Uint8Array | undefined>()
    for (const layer of [this.#source.batch, this.layer]) {
      for (const [text, value] of layer) if (isIn(text)) over.set(text, value)
    }
    if (over.size === 0) return stored
    const merged = new Map(stored.map((entry) => [keyText(entry.key), entry]))
    for (const [text, value] of over) {
      if (value === undefined) merged.delete(text)
      else merged.set(text, { key: keyOctets(text), value })
    }
    return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  }

  /** @param value not changed afterwards */
  put(key: Uint8Array, value: Uint8Array): void {
    const text = keyText(key)
    this.#set(text, value)
    this.kept.set(text, value)
  }

  /** Puts what is written once and not read again soon. @param value not changed afterwards */
  add(key: Uint8Array, value: Uint8Array): void {
    this.#set(keyText(key), value)
  }

  delete(key: Uint8Array): void {
    const text = keyText(key)
    this.#set(text, undefined)
    this.kept.delete(text)
  }

  /** Puts, or deletes when there is nothing left to put. */
  putOrDelete(key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.delete(key)
    else this.put(key, value)
  }

  #set(text: string, value: Uint8Array | undefined): void {
    this.putOctets += text.length + (value?.length ?? 0)
    this.layer.set(text, value)
  }

  #layerOf(text: string): ReadonlyMap<string, Uint8Array | undefined> | undefined {
    if (this.layer.has(text)) return this.layer
    const { batch, cache } = this.#source
    if (batch.has(text)) return batch
    return cache.has(text) ? cache : undefined
  }
}
