/** Blobs of a store in memory: copies, gone when nobody refers to them any more. */
import { randomBytes } from 'node:crypto'
import type { BlobOwner } from './blob-keys.ts'
import { BLOB_ID_OCTETS, blobKeys } from './blob-keys.ts'
import { keyText } from './sorted-map.ts'
import type { StoredBlobs } from './stored-blobs.ts'

interface Blob {
  readonly octets: Uint8Array
  readonly owners: Set<string>
}

export function createMemoryBlobs(): StoredBlobs {
  const blobs = new Map<string, Blob>()

  function ownerText(id: Uint8Array, owner: BlobOwner): string {
    return keyText(blobKeys.ref(id, owner))
  }

  return {
    async keep(message, owners) {
      const id = new Uint8Array(randomBytes(BLOB_ID_OCTETS))
      const octets = (await message.read(0, message.sizeOctets)).slice()
      blobs.set(keyText(id), { octets, owners: new Set(owners.map((owner) => ownerText(id, owner))) })
      return id
    },
    async read(id, from, to) {
      return blobs.get(keyText(id))?.octets.slice(Math.max(0, from), Math.max(0, to))
    },
    async forget(id, owner) {
      const blob = blobs.get(keyText(id))
      blob?.owners.delete(ownerText(id, owner))
      if (blob?.owners.size === 0) blobs.delete(keyText(id))
    },
  }
}
