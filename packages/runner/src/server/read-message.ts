/** Reads a spooled message from its first octet to its last. */
import type { SpooledMessage } from '@postern/core/store'

const PIECE_OCTETS = 65_536

export async function* readAll(message: SpooledMessage, from = 0): AsyncGenerator<Uint8Array> {
  for (let at = from; at < message.sizeOctets; at += PIECE_OCTETS) yield await message.read(at, Math.min(message.sizeOctets, at + PIECE_OCTETS))
}
