import { expect, it } from 'vitest'
import { systemRandom } from '../../src/host/random.ts'

it('gives so many octets, each time others, none left out at the end of the pool', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 2_000; n += 1) {
    const drawn = systemRandom(12)
    expect(drawn).toHaveLength(12)
    seen.add(Buffer.from(drawn).toString('hex'))
  }
  expect(seen.size).toBe(2_000)
  for (const size of [1, 1_024, 1_025, 65_536]) {
    const drawn = systemRandom(size)
    expect(drawn).toHaveLength(size)
    // All zeros would be octets that were never drawn.
    if (size > 100) expect(drawn.filter((octet) => octet === 0).length).toBeLessThan(size / 16)
  }
})

it('hands out arrays that do not change with later draws', () => {
  const first = systemRandom(16)
  const kept = Buffer.from(first).toString('hex')
  for (let n = 0; n < 1_000; n += 1) systemRandom(16)
  expect(Buffer.from(first).toString('hex')).toBe(kept)
})
