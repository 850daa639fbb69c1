/**
 * MD5 that can stop after a block and go on later (RFC 1321): what lets CRAM-MD5 be checked without keeping the
 * password (RFC 2195 §2, "contexts"). node:crypto hashes but gives no state away, hence these lines of our own.
 * Not here: MD5 for anything that must resist forgery.
 */

const BLOCK_OCTETS = 64

/** Octets of a state: four words, little-endian. */
export const MD5_STATE_OCTETS = 16

// RFC 1321 §3.4: shifts per round, and the table T.
const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
const TABLE = Uint32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32))

/** State before the first block. RFC 1321 §3.3. */
function initialState(): Uint32Array {
  return Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
}

/** The state after one block. @param block exactly 64 octets @returns 16 octets */
export function md5AfterBlock(block: Uint8Array): Uint8Array {
  if (block.length !== BLOCK_OCTETS) throw new RangeError(`Expected ${BLOCK_OCTETS} octets, got ${block.length}`)
  const state = initialState()
  compress(state, new DataView(block.buffer, block.byteOffset, block.byteLength), 0)
  return encodeState(state)
}

/** The digest of one block, of which only the state is known, followed by `rest`. @param stateAfterBlock 16 octets */
export function md5Resume(stateAfterBlock: Uint8Array, rest: Uint8Array): Uint8Array {
  if (stateAfterBlock.length !== MD5_STATE_OCTETS) throw new RangeError('Expected an MD5 state of 16 octets')
  const from = new DataView(stateAfterBlock.buffer, stateAfterBlock.byteOffset, MD5_STATE_OCTETS)
  const state = Uint32Array.from({ length: 4 }, (_, i) => from.getUint32(i * 4, true))
  // RFC 1321 §3.1 and §3.2: one bit, zeros, then the length in bits.
  const padded = new Uint8Array((((rest.length + 8) >>> 6) + 1) << 6)
  padded.set(rest)
  padded[rest.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - 8, BigInt(BLOCK_OCTETS + rest.length) * 8n, true)
  for (let at = 0; at < padded.length; at += BLOCK_OCTETS) compress(state, view, at)
  return encodeState(state)
}

/** RFC 1321 §3.4, one block. */
function compress(state: Uint32Array, block: DataView, at: number): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number]
  for (let i = 0; i < 64; i += 1) {
    const round = i >>> 4
    let mixed: number
    let word: number
    if (round === 0) {
      mixed = (b & c) | (~b & d)
      word = i
    } else if (round === 1) {
      mixed = (b & d) | (c & ~d)
      word = (5 * i + 1) & 15
    } else if (round === 2) {
      mixed = b ^ c ^ d
      word = (3 * i + 5) & 15
    } else {
      mixed = c ^ (b | ~d)
      word = (7 * i) & 15
    }
    const sum = (a + mixed + (TABLE[i] as number) + block.getUint32(at + word * 4, true)) | 0
    const shift = SHIFTS[round * 4 + (i & 3)] as number
    a = d
    d = c
    c = b
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
}

function encodeState(state: Uint32Array): Uint8Array {
  const octets = new Uint8Array(MD5_STATE_OCTETS)
  const view = new DataView(octets.buffer)
  state.forEach((word, i) => view.setUint32(i * 4, word, true))
  return octets
}
