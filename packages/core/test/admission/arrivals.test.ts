import { Arrivals, defaultAdmissionLimits, type AdmissionLimits } from '@postern/core/admission'
import { expect, test } from 'vitest'

const NOW = 1_700_000_040
const limits: AdmissionLimits = {
  ...defaultAdmissionLimits,
  messagesPerMinute: [3, 5, 9],
  messagesPerDay: [6, 12, 24],
  octetsPerMinute: [1_000, 3_000, 9_000],
  octetsPerDay: [2_500, 7_500, 22_500],
}

test('messages of one address in a minute', () => {
  const arrivals = new Arrivals([])
  for (let n = 0; n < 3; n += 1) {
    expect(arrivals.check('192.0.2.1', 10, NOW, limits)).toBeUndefined()
    arrivals.add('192.0.2.1', 10, NOW)
  }
  expect(arrivals.check('192.0.2.1', 10, NOW, limits)).toEqual({ what: 'messages', window: 'minute', network: '192.0.2.1/32', limit: 3 })
  expect(arrivals.check('192.0.2.2', 10, NOW, limits)).toBeUndefined()
  // Two minutes later nothing of it is left in the window.
  expect(arrivals.check('192.0.2.1', 10, NOW + 120, limits)).toBeUndefined()
})

const REFUSALS: readonly (readonly [string, readonly (readonly [address: string, octets: number, at: number])[], string, number, object])[] = [
  ['octets in a minute', [['192.0.2.1', 600, NOW]], '192.0.2.1', 401, { what: 'octets', window: 'minute', network: '192.0.2.1/32', limit: 1_000 }],
  [
    'messages in a day',
    [-9, -8, -7, -6, -5, -4].map((hours) => ['192.0.2.1', 1, NOW + hours * 3_600] as const),
    '192.0.2.1',
    1,
    { what: 'messages', window: 'day', network: '192.0.2.1/32', limit: 6 },
  ],
  [
    'octets in a day',
    [-9, -8, -7].map((hours) => ['192.0.2.1', 800, NOW + hours * 3_600] as const),
    '192.0.2.1',
    200,
    { what: 'octets', window: 'day', network: '192.0.2.1/32', limit: 2_500 },
  ],
  [
    'the /26 around it',
    [1, 2, 3, 4, 5].map((host) => [`192.0.2.${host}`, 1, NOW] as const),
    '192.0.2.9',
    1,
    { what: 'messages', window: 'minute', network: '192.0.2.0/26', limit: 5 },
  ],
]

test.each(REFUSALS)('%s', (_, came, address, octets, refusal) => {
  const arrivals = new Arrivals([])
  for (const [from, size, at] of came) arrivals.add(from, size, at)
  expect(arrivals.check(address, octets, NOW, limits)).toEqual(refusal)
})

test('what the store kept counts as what was seen', () => {
  const stored = [-9, -8, -7, -6, -5, -4].map((hours) => ({ seconds: NOW - 40 + hours * 3_600, network: '192.0.2.1/32', messages: 1, octets: 1 }))
  expect(new Arrivals(stored).check('192.0.2.1', 1, NOW, limits)).toMatchObject({ what: 'messages', window: 'day' })
  expect(new Arrivals(stored).check('192.0.2.1', 1, NOW + 86_400, limits)).toBeUndefined()
})

test('many networks take bounded memory', () => {
  const arrivals = new Arrivals([])
  for (let n = 0; n < 50_000; n += 1) arrivals.add(`10.${n >> 8}.${n & 255}.7`.replace(/^10\.(\d+)/, (_, d) => `10.${Number(d) & 255}`), 1, NOW)
  expect(arrivals.size).toBeLessThanOrEqual(4_000)
})
