import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from '@postern/core/config'

describe('durations and sizes', () => {
  it.each([
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['2d', 172_800_000],
    ['0s', 0],
    ['30m1h', undefined],
    ['10', undefined],
    ['10 m', undefined],
    ['-1s', undefined],
    ['1w', undefined],
    ['999999999999999d', undefined],
    ['1s'.repeat(200), undefined],
  ])('parseDuration(%j) is %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    ['25MiB', 26_214_400],
    ['1GiB512MiB', 1_610_612_736],
    ['512B', 512],
    ['1TiB', 1_099_511_627_776],
    ['25MB', undefined],
    ['25mib', undefined],
    ['1.5GiB', undefined],
    ['', undefined],
  ])('parseSize(%j) is %j', (text, octets) => {
    expect(parseSize(text)).toBe(octets)
  })

  it('gives back what it formatted', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(parseDuration(formatDuration(value))).toBe(value)
        expect(parseSize(formatSize(value))).toBe(value)
      }),
    )
  })
})
