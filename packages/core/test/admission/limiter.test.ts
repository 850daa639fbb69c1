import { NetworkLimiter } from '@postern/core/admission'
import { expect, test } from 'vitest'

const MINUTE = { windowMs: 60_000, limits: [3, 5, 8] as const }

test('the narrow limit refuses the next event of one address and counts nothing for it', () => {
  const limiter = new NetworkLimiter([MINUTE])
  for (let n = 0; n < 3; n += 1) expect(limiter.add('192.0.2.1', 1_000)).toBe(true)
  expect(limiter.add('192.0.2.1', 2_000)).toBe(false)
  expect(limiter.canAdd('192.0.2.1', 2_000)).toBe(false)
  expect(limiter.add('192.0.2.2', 2_000), 'a neighbour has room of his own').toBe(true)
})

const CLASSES: readonly (readonly [what: string, addresses: readonly string[], refused: string, free: string])[] = [
  ['IPv4 /26', ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.63'], '192.0.2.40', '192.0.2.64'],
  [
    'IPv4 /21',
    ['198.51.96.1', '198.51.97.1', '198.51.98.1', '198.51.99.1', '198.51.100.1', '198.51.101.1', '198.51.102.1', '198.51.103.1'],
    '198.51.103.200',
    '198.51.104.1',
  ],
  ['IPv6 /64', ['2001:db8::1', '2001:db8::2', '2001:db8::ffff:1'], '2001:db8::9', '2001:db8:0:1::1'],
  [
    'IPv6 /48',
    ['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:0:3::1', '2001:db8:0:4::1', '2001:db8:0:5::1'],
    '2001:db8:0:6::1',
    '2001:db8:1::1',
  ],
]

test.each(CLASSES)('%s shares a limit', (_, addresses, refused, free) => {
  const limiter = new NetworkLimiter([MINUTE])
  for (const address of addresses) expect(limiter.add(address, 0), address).toBe(true)
  expect(limiter.add(refused, 0)).toBe(false)
  expect(limiter.add(free, 0)).toBe(true)
})

test('windows begin at multiples of their length; the longer one goes on', () => {
  const limiter = new NetworkLimiter([MINUTE, { windowMs: 3_600_000, limits: [4, 40, 400] }])
  for (let n = 0; n < 3; n += 1) limiter.add('192.0.2.1', 59_000)
  expect(limiter.add('192.0.2.1', 59_999)).toBe(false)
  expect(limiter.add('192.0.2.1', 60_000)).toBe(true)
  expect(limiter.add('192.0.2.1', 61_000), 'the hour is full').toBe(false)
  expect(limiter.add('192.0.2.1', 3_600_000)).toBe(true)
})

test('reset takes back what the address did, not what its neighbours did', () => {
  const limiter = new NetworkLimiter([MINUTE])
  limiter.add('192.0.2.1', 0, 3)
  limiter.add('192.0.2.2', 0, 2)
  expect(limiter.add('192.0.2.3', 0)).toBe(false)
  limiter.reset('192.0.2.1', 0)
  expect(limiter.add('192.0.2.3', 0, 3)).toBe(true)
  expect(limiter.add('192.0.2.1', 0)).toBe(false)
})

test('without a window counts last until they are released', () => {
  const limiter = new NetworkLimiter([{ windowMs: Number.POSITIVE_INFINITY, limits: [2, 9, 9] }])
  limiter.add('192.0.2.1', 0)
  limiter.add('192.0.2.1', 0)
  expect(limiter.add('192.0.2.1', 10 ** 12)).toBe(false)
  limiter.release('192.0.2.1')
  expect(limiter.add('192.0.2.1', 10 ** 12)).toBe(true)
  limiter.release('192.0.2.1', 2)
  expect(limiter.size).toBe(0)
})

test('a peer without an address is not limited', () => {
  const limiter = new NetworkLimiter([{ windowMs: 60_000, limits: [0, 0, 0] }])
  expect(limiter.add(undefined, 0)).toBe(true)
  expect(limiter.add('192.0.2.1', 0)).toBe(false)
})

test('memory is bounded when a /8 and an IPv6 /32 knock, and the wide limits still hold', () => {
  const limiter = new NetworkLimiter([{ windowMs: 60_000, limits: [30, 90, 270] }], { maxNetworks: 1_000 })
  let admitted = 0
  for (let n = 0; n < 100_000; n += 1) {
    const at = (n * 40_503) % 2 ** 24
    if (limiter.add(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 0)) admitted += 1
  }
  expect(limiter.size).toBeLessThanOrEqual(3_000)
  // One /21 of those that are counted has its 270 and no more.
  let more = 0
  for (let n = 0; n < 1_000; n += 1) if (limiter.add(`10.0.${n & 7}.${n & 255}`, 0)) more += 1
  expect(more).toBeLessThanOrEqual(270)
  expect(admitted).toBeGreaterThan(0)
  let six = 0
  const fresh = new NetworkLimiter([{ windowMs: 60_000, limits: [30, 90, 270] }], { maxNetworks: 100 })
  for (let n = 0; n < 5_000; n += 1) if (fresh.add(`2001:db8:${(n * 13) % 65_536}::1`.replace(/:(\d+)::/, (_, d) => `:${Number(d).toString(16)}::`), 0)) six += 1
  expect(six, 'a /32 has 270 in all').toBe(270)
  expect(fresh.size).toBeLessThanOrEqual(300)
})

test('by default 300,000 addresses take no more memory than 150,000 counts', () => {
  const limiter = new NetworkLimiter([{ windowMs: 60_000, limits: [300, 900, 2_700] }])
  for (let n = 0; n < 300_000; n += 1) limiter.add(`10.${n >> 14}.${(n >> 6) & 255}.${(n & 63) * 4}`, 0)
  expect(limiter.size).toBeGreaterThan(50_000)
  expect(limiter.size).toBeLessThanOrEqual(150_000)
  limiter.add('192.0.2.1', 60_000)
  expect(limiter.size, 'the next window begins empty').toBeLessThanOrEqual(3)
})
