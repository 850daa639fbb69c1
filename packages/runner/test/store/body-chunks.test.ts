import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHUNK_OCTETS,
  INLINE_OCTETS,
  chunkOf,
  chunkSpan,
  countChunks,
  decodeChunk,
  encodeChunk,
  firstChunkOctets,
} from '../../src/store/body-chunks.ts'
import { LIMITS } from '../../src/store/ordered-store.ts'

describe('body chunks', () => {
  const firsts: readonly [size: number, header: number, first: number, chunks: number][] = [
    [0, 0, 0, 1],
    [100, 50, 100, 1],
    [8000, 50, 8000, 1],
    [8001, 50, 50, 2],
    [8001, 8000, 8000, 2],
    [8001, 8001, 8000, 2],
    [8050, 50, 50, 2],
    [8051, 50, 50, 3],
    [9000, 0, 8000, 2],
    [INLINE_OCTETS, 500, 500, 34],
  ]
  it.each(firsts)('message of %i octets, header of %i: first of %i, %i in all', (size, header, first, chunks) => {
    expect(firstChunkOctets(size, header)).toBe(first)
    expect(countChunks(size, first)).toBe(chunks)
  })

  it('cover the message without gap or overlap, each in one value, and are found by offset', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), fc.nat({ max: 100_000 }), (size, headerOctets) => {
        const header = Math.min(size, headerOctets)
        const first = firstChunkOctets(size, header)
        const count = countChunks(size, first)
        let at = 0
        for (let n = 0; n < count; n += 1) {
          const { from, to } = chunkSpan(n, size, first)
          expect(from).toBe(at)
          expect(to - from).toBeLessThanOrEqual(CHUNK_OCTETS)
          if (to > from) expect([chunkOf(from, first), chunkOf(to - 1, first)]).toEqual([n, n])
          at = to
        }
        expect(at).toBe(size)
        expect(chunkSpan(count, size, first)).toEqual({ from: size, to: size })
      }),
    )
  })

  it('fit one value', () => {
    expect(encodeChunk(new Uint8Array(CHUNK_OCTETS)).length).toBeLessThanOrEqual(LIMITS.valueOctets)
  })

  it('keep their octets apart from those they were made of', () => {
    const octets = Uint8Array.of(1, 2, 3)
    const chunk = encodeChunk(octets)
    octets.fill(9)
    expect(decodeChunk(chunk)).toEqual(Uint8Array.of(1, 2, 3))
  })
})
