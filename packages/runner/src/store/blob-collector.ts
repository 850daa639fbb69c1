/**
 * Removes blobs nobody refers to. A reference counts while its owner exists; young ones always do, since their owner
 * may be about to be committed. A blob without any goes from live to dying, where it takes no new references, and an
 * hour later its file goes, then its head. One key decides who wins, collector or a new reference: on every engine,
 * without locks.
 */
import type { Clock, Logger } from '@postern/core/host'
import type { BlobFiles } from './blob-files.ts'
import { blobTimeMs } from './blob-files.ts'
import type { BlobHead } from './blob-records.ts'
import { decodeBlobHead, decodeBlobRef, encodeBlobHead } from './blob-records.ts'
import type { BlobOwner } from './blob-keys.ts'
import { AccountKeys, MessagePart } from './account-keys.ts'
import { blobKeys, parseBlobHeadKey, parseBlobRefKey } from './blob-keys.ts'
import { keyAfter } from './key-octets.ts'
import type { Entry, OrderedStore } from './ordered-store.ts'

/** LIMIT: an account's commit follows its reference within seconds; a backup names only files that are still there. */
const GRACE_SECONDS = 24 * 3600
/** How long a blob stays dying: a reader that found it may be reading still. */
const DYING_SECONDS = 3600
const SLICE = 128

export interface BlobCollectorOptions {
  readonly store: OrderedStore
  readonly files: BlobFiles
  readonly clock: Clock
  readonly log: Logger
  /** Whether the queue holds such a message. Default: it holds all that refer to a blob. */
  readonly isQueued?: (id: number) => Promise<boolean>
}

export interface Collected {
  /** Blobs that came into the state dying, and those that went. */
  readonly dying: number
  readonly gone: number
}

/** Goes through all blobs once. Whoever calls it twice at a time does no harm. */
export async function collectBlobs(options: BlobCollectorOptions): Promise<Collected> {
  const collector = new Collector(options)
  await collector.collectHeads()
  await collector.collectFiles()
  return collector.collected
}

class Collector {
  readonly #options: BlobCollectorOptions
  readonly #nowSeconds: number
  readonly collected = { dying: 0, gone: 0 }

  constructor(options: BlobCollectorOptions) {
    this.#options = options
    this.#nowSeconds = Math.floor(options.clock.now() / 1000)
  }

  async collectHeads(): Promise<void> {
    const { from, to } = blobKeys.heads()
    let at = from
    for (;;) {
      const entries = await this.#options.store.range({ from: at, to, limit: SLICE })
      for (const entry of entries) await this.#consider(entry)
      const last = entries.at(-1)
      if (last === undefined || entries.length < SLICE) return
      at = keyAfter(last.key)
    }
  }

  /** Files whose head was never committed, since the process died in between. */
  async collectFiles(): Promise<void> {
    const { store, files } = this.#options
    for await (const ids of files.list()) {
      const old = ids.filter((id) => blobTimeMs(id) / 1000 < this.#nowSeconds - GRACE_SECONDS)
      for (let at = 0; at < old.length; at += SLICE) {
        const slice = old.slice(at, at + SLICE)
        const heads = await store.getMany(slice.map((id) => blobKeys.head(id)))
        for (const [index, id] of slice.entries()) {
          if (heads[index] !== undefined) continue
          await files.delete(id)
          this.collected.gone += 1
        }
      }
    }
  }

  async #consider({ key, value }: Entry): Promise<void> {
    const { id } = parseBlobHeadKey(key)
    const head = decodeBlobHead(value)
    const age = this.#nowSeconds - head.sinceSeconds
    if (age < (head.state === 'live' ? GRACE_SECONDS : DYING_SECONDS)) return
    const inUse = await this.#isReferred(id)
    if (head.state === 'live') {
      if (!inUse && (await this.#become(key, value, { ...head, state: 'dying' }))) this.collected.dying += 1
    } else if (inUse) {
      await this.#become(key, value, { ...head, state: 'live' })
    } else {
      await this.#options.files.delete(id)
      await this.#options.store.commit({
        partition: blobKeys.partition,
        expect: [{ key, value }],
        delete: [key],
      })
      this.collected.gone += 1
    }
  }

  /** @returns false when someone else changed the head meanwhile */
  async #become(key: Uint8Array, value: Uint8Array, head: BlobHead): Promise<boolean> {
    const outcome = await this.#options.store.commit({
      partition: blobKeys.partition,
      expect: [{ key, value }],
      put: [{ key, value: encodeBlobHead({ ...head, sinceSeconds: this.#nowSeconds }) }],
    })
    return outcome === 'committed'
  }

  /** Looks for a reference that counts; removes those that don't. */
  async #isReferred(id: Uint8Array): Promise<boolean> {
    const { store, log } = this.#options
    const { from, to } = blobKeys.refs(id)
    for (let at = from; ;) {
      const refs = await store.range({ from: at, to, limit: SLICE })
      const dangling: Uint8Array[] = []
      for (const { key, value } of refs) {
        const young = decodeBlobRef(value).sinceSeconds > this.#nowSeconds - GRACE_SECONDS
        if (young || (await this.#exists(parseBlobRefKey(key).owner))) return true
        dangling.push(key)
      }
      if (dangling.length > 0) {
        log.debug({ references: dangling.length }, 'References to a blob without owner are removed')
        await store.commit({ partition: blobKeys.partition, delete: dangling })
      }
      const last = refs.at(-1)
      if (last === undefined || refs.length < SLICE) return false
      at = keyAfter(last.key)
    }
  }

  async #exists(owner: BlobOwner): Promise<boolean> {
    if (owner.kind === 'queue') return (await this.#options.isQueued?.(owner.id)) ?? true
    const key = new AccountKeys(owner.account).message(owner.emailId, MessagePart.structure)
    const [structure] = await this.#options.store.getMany([key])
    return structure !== undefined
  }
}
