/** Keys of the blob space: bodies in files of their own, and who refers to them. */
import { readUint } from './big-endian.ts'
import type { KeySpan } from './key-octets.ts'
import { extend, Space, span } from './key-octets.ts'

/** Tables of the blob space. */
const BlobTable = { head: 1, ref: 2 } as const

/** Octets of a blob id: time u48, random u80. */
export const BLOB_ID_OCTETS = 16

/** Who refers to a blob: an account's message, or a queued one. */
export type BlobOwner =
  | { readonly kind: 'message'; readonly account: number; readonly emailId: number }
  | { readonly kind: 'queue'; readonly id: number }

export const blobKeys = {
  partition: Uint8Array.of(Space.blobs),
  head(id: Uint8Array): Uint8Array {
    return extend(Uint8Array.of(Space.blobs, BlobTable.head), [], id)
  },
  heads(): KeySpan {
    return span(Uint8Array.of(Space.blobs, BlobTable.head))
  },
  ref(id: Uint8Array, owner: BlobOwner): Uint8Array {
    const prefix = extend(Uint8Array.of(Space.blobs, BlobTable.ref), [], id)
    return owner.kind === 'message'
      ? extend(prefix, [
          [Space.account, 1],
          [owner.account, 4],
          [owner.emailId, 5],
        ])
      : extend(prefix, [
          [Space.queue, 1],
          [owner.id, 6],
        ])
  },
  refs(id: Uint8Array): KeySpan {
    return span(extend(Uint8Array.of(Space.blobs, BlobTable.ref), [], id))
  },
} as const

/** Id of a key of `blobKeys.heads()`. */
export function parseBlobHeadKey(key: Uint8Array): { readonly id: Uint8Array } {
  return { id: key.slice(2, 2 + BLOB_ID_OCTETS) }
}

/** Owner of a key of `blobKeys.refs(id)`. */
export function parseBlobRefKey(key: Uint8Array): { readonly id: Uint8Array; readonly owner: BlobOwner } {
  const at = 2 + BLOB_ID_OCTETS
  const id = key.slice(2, at)
  return key[at] === Space.account
    ? { id, owner: { kind: 'message', account: readUint(key, at + 1, 4), emailId: readUint(key, at + 5, 5) } }
    : { id, owner: { kind: 'queue', id: readUint(key, at + 1, 6) } }
}
