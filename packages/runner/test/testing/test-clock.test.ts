import { describe, expect, it } from 'vitest'
import { sleep } from '@postern/core/host'
import { createTestClock } from '../../src/testing/test-clock.ts'

describe('createTestClock', () => {
  it('fires what falls due in order, and nothing later', async () => {
    const clock = createTestClock({ frozen: true })
    const fired: string[] = []
    clock.timer(3_000, () => fired.push('c'))
    clock.timer(1_000, () => {
      fired.push('a')
      clock.timer(500, () => fired.push('b'))
    })
    clock.timer(10_000, () => fired.push('late'))
    const taken = clock.timer(2_000, () => fired.push('taken back'))
    taken.cancel()
    await clock.advance(5_000)
    expect(fired).toEqual(['a', 'b', 'c'])
    expect(clock.monotonic()).toBe(5_000)
  })

  it('lets what follows from a timer happen before the next', async () => {
    const clock = createTestClock({ frozen: true })
    const seen: number[] = []
    const run = (async () => {
      for (let i = 0; i < 3; i += 1) {
        await sleep(clock, 86_400_000)
        seen.push(clock.monotonic() / 86_400_000)
      }
    })()
    await clock.advance(3 * 86_400_000)
    await run
    expect(seen).toEqual([1, 2, 3])
  })

  it('sets the wall clock alone', async () => {
    const clock = createTestClock({ frozen: true })
    clock.set(new Date('2030-01-01T00:00:00Z'))
    expect(new Date(clock.now()).toISOString()).toBe('2030-01-01T00:00:00.000Z')
    expect(clock.monotonic()).toBe(0)
    await clock.advance(60_000)
    expect(new Date(clock.now()).toISOString()).toBe('2030-01-01T00:01:00.000Z')
  })

  it('flows by itself unless frozen', async () => {
    const clock = createTestClock()
    await sleep(clock, 50)
    expect(clock.monotonic()).toBeGreaterThan(40)
  })
})
