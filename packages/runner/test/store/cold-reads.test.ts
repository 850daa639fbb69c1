import { join } from 'node:path'
import type { Clock } from '@postern/core/host'
import { silentLogger } from '@postern/core/host'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { ColdReads } from '../../src/store/cold-reads.ts'
import { openCommitter } from '../../src/store/committer.ts'
import type { OrderedStore } from '../../src/store/ordered-store.ts'
import { createTestClock } from '../../src/testing/test-clock.ts'
import { describeOrderedStore } from './ordered-store.suite.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A clock on which every look takes `stepMs`: each slice seems that long. */
function slowClock(stepMs: number): Clock {
  let now = 0
  return { ...systemClock, monotonic: () => (now += stepMs) }
}

async function openCold(): Promise<OrderedStore> {
  return openCommitter({
    path: join(await temporaryDirectory(), 'store.mdb'),
    clock: slowClock(1000),
    log: silentLogger,
    disk: { freeOctets: async () => 10 ** 15 },
  })
}

describe('cold reads', () => {
  const slices: readonly [ms: number, reads: number, cold: boolean][] = [
    [1.9, 1, false],
    [2.1, 1, true],
    [10, 0, true],
    [10, 256, false],
    [20, 256, true],
  ]
  it.each(slices)('a slice of %d ms with %i reads: cold is %s', (ms, reads, cold) => {
    const clock = createTestClock({ frozen: true })
    const coldReads = new ColdReads(clock)
    expect(coldReads.isCold()).toBe(false)
    coldReads.took(ms, reads)
    expect(coldReads.isCold()).toBe(cold)
  })

  it('are tried without prefetching after a while, by number or by time', async () => {
    const clock = createTestClock({ frozen: true })
    const coldReads = new ColdReads(clock)
    coldReads.took(50, 1)
    let prefetched = 0
    while (coldReads.isCold()) prefetched += 1
    expect(prefetched).toBe(32)
    coldReads.took(50, 1)
    await clock.advance(10_000)
    expect(coldReads.isCold()).toBe(false)
  })

  it('may be under way when the store is closed', async () => {
    const store = await openCold()
    onTestFinished(() => store.close())
    const keys = Array.from({ length: 200 }, (_, i) => Uint8Array.of(0x61, i))
    await store.commit({
      partition: Uint8Array.of(0x61),
      put: keys.map((key) => ({ key, value: new Uint8Array(8000) })).slice(0, 100),
    })
    await store.getMany(keys)
    const reading = Promise.allSettled([
      store.getMany(keys),
      store.range({ from: keys[0] as Uint8Array, to: Uint8Array.of(0x62), limit: 100 }),
    ])
    await store.close()
    for (const result of await reading) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'STORE_CLOSED' })
    }
  })
})

// Prefetching changes when pages are read, never what is read.
describeOrderedStore('LMDB, cold', openCold)
