/**
 * Blobs with those who refer to them: file, then head and references in one commit, and only then may an account's
 * record name the blob. So a reference may dangle after a crash; data never does.
 */
import type { Clock } from '@postern/core/host'
import type { SpooledMessage } from '@postern/core/store'
import type { BlobFiles } from './blob-files.ts'
import { decodeBlobHead, encodeBlobHead, encodeBlobRef } from './blob-records.ts'
import type { BlobOwner } from './blob-keys.ts'
import { blobKeys } from './blob-keys.ts'
import type { BlobPlace } from './message-writer.ts'
import type { Entry, OrderedStore } from './ordered-store.ts'
import { compareOctets } from './ordered-store.ts'

export interface StoredBlobsOptions {
  readonly store: OrderedStore
  readonly files: BlobFiles
  readonly clock: Clock
}

export interface StoredBlobs extends BlobPlace {
  /** Withdraws a reference once its owner is gone: what nobody refers to is collected later. */
  forget(id: Uint8Array, owner: BlobOwner): Promise<void>
}

export function createStoredBlobs({ store, files, clock }: StoredBlobsOptions): StoredBlobs {
  /** Blobs of messages that are being delivered: one for all recipients. */
  const kept = new WeakMap<SpooledMessage, Promise<Uint8Array>>()

  function nowSeconds(): number {
    return Math.floor(clock.now() / 1000)
  }

  function refsOf(id: Uint8Array, owners: readonly BlobOwner[]): Entry[] {
    const value = encodeBlobRef({ sinceSeconds: nowSeconds() })
    return owners.map((owner) => ({ key: blobKeys.ref(id, owner), value })).sort((a, b) => compareOctets(a.key, b.key))
  }

  async function create(message: SpooledMessage, owners: readonly BlobOwner[]): Promise<Uint8Array> {
    const id = await files.create(message)
    const { sizeOctets, sha256 } = message
    const head = encodeBlobHead({ state: 'live', sinceSeconds: nowSeconds(), sizeOctets, sha256 })
    const outcome = await store.commit({
      partition: blobKeys.partition,
      expect: [{ key: blobKeys.head(id), value: undefined }],
      put: [{ key: blobKeys.head(id), value: head }, ...refsOf(id, owners)],
    })
    if (outcome === 'conflict') throw new Error('A new blob has the id of another')
    return id
  }

  /** @returns false when the blob no longer lives */
  async function refer(id: Uint8Array, owners: readonly BlobOwner[]): Promise<boolean> {
    const [head] = await store.getMany([blobKeys.head(id)])
    if (head === undefined || decodeBlobHead(head).state !== 'live') return false
    const outcome = await store.commit({
      partition: blobKeys.partition,
      expect: [{ key: blobKeys.head(id), value: head }],
      put: refsOf(id, owners),
    })
    return outcome === 'committed'
  }

  return {
    async keep(message, owners) {
      const earlier = await kept.get(message)?.catch(() => undefined)
      if (earlier !== undefined && (await refer(earlier, owners))) return earlier
      const created = create(message, owners)
      kept.set(message, created)
      return created
    },
    read(id, from, to) {
      return files.read(id, from, to)
    },
    async forget(id, owner) {
      await store.commit({ partition: blobKeys.partition, delete: [blobKeys.ref(id, owner)] })
    },
  }
}
