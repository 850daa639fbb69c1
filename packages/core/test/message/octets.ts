/** Octets for tests of the message room, and how work grows with them. */
import type { Work } from '../../src/message/index.ts'

/** UTF-8 of a text. */
export function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The value of the first field of a corpus row: what follows a line end without white space is another field or the body. */
export function fieldValue(header: string): Uint8Array {
  return octetsOf(header.split(/\r?\n(?![ \t])/, 1)[0] ?? '')
}

/** How much more work 1 MiB of `piece` again and again takes than 64 KiB; 16 when it grows with the input. */
export function growth(piece: string, run: (value: Uint8Array, work: Work) => unknown): number {
  return measured(piece, 1 << 20, run) / measured(piece, 1 << 16, run)
}

function measured(piece: string, size: number, run: (value: Uint8Array, work: Work) => unknown): number {
  const work: Work = { steps: 0 }
  run(octetsOf(piece.repeat(Math.ceil(size / Buffer.byteLength(piece)))), work)
  // A counter that isn't kept would make every ratio look good.
  if (work.steps < size / 4) throw new Error(`Only ${work.steps} steps counted for ${size} octets`)
  return work.steps
}
