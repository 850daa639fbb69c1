/**
 * A message's octets in the account's own keys: chunks of one page each. When the message exceeds one chunk and its
 * header section does not, chunk 0 is the header section alone, so that reading headers never touches the body.
 *
 *   chunk   format u8, octets, CRC-32
 */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

/** Octets of the message in every chunk but the first and the last. */
export const CHUNK_OCTETS = 8000

/** LIMIT: larger messages go to blob files, where megabytes don't pass through the store's one writer. */
export const INLINE_OCTETS = 262_144

/** Octets of chunk 0. @param headerOctets octets of the header section with its empty line */
export function firstChunkOctets(sizeOctets: number, headerOctets: number): number {
  if (sizeOctets <= CHUNK_OCTETS) return sizeOctets
  return headerOctets > 0 && headerOctets <= CHUNK_OCTETS ? headerOctets : CHUNK_OCTETS
}

/** Number of chunks of a message. */
export function countChunks(sizeOctets: number, firstOctets: number): number {
  return 1 + Math.ceil(Math.max(0, sizeOctets - firstOctets) / CHUNK_OCTETS)
}

/** Octets `[from, to)` of the message that chunk n holds; empty when it lies beyond the end. */
export function chunkSpan(
  n: number,
  sizeOctets: number,
  firstOctets: number,
): { readonly from: number; readonly to: number } {
  if (n === 0) return { from: 0, to: Math.min(firstOctets, sizeOctets) }
  const from = Math.min(sizeOctets, firstOctets + (n - 1) * CHUNK_OCTETS)
  return { from, to: Math.min(sizeOctets, from + CHUNK_OCTETS) }
}

/** Number of the chunk that holds an octet of the message. */
export function chunkOf(offset: number, firstOctets: number): number {
  return offset < firstOctets ? 0 : 1 + Math.floor((offset - firstOctets) / CHUNK_OCTETS)
}

/** @param pieces octets of the chunk, copied */
export function encodeChunk(...pieces: readonly Uint8Array[]): Uint8Array {
  const writer = new OctetWriter(pieces.reduce((sum, piece) => sum + piece.length, 5)).uint(FORMAT, 1)
  for (const piece of pieces) writer.raw(piece)
  return writer.checksum().finish()
}

/** @returns a view of the record @throws StoreError STORE_CORRUPT */
export function decodeChunk(octets: Uint8Array): Uint8Array {
  const reader = new OctetReader(octets, 'message body').checksum().format(FORMAT)
  return reader.raw(reader.remaining)
}
