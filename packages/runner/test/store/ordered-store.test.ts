import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@postern/core/host'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { openCommitter } from '../../src/store/committer.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import { SortedMap } from '../../src/store/sorted-map.ts'
import { describeOrderedStore, key } from './ordered-store.suite.ts'

let directory: string
let opened = 0
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describeOrderedStore('memory', async () => createMemoryOrderedStore())
describeOrderedStore('LMDB', async () => {
  opened += 1
  return openCommitter({
    path: join(directory, `${opened}.mdb`),
    clock: systemClock,
    log: silentLogger,
    disk: { freeOctets: async () => Number.MAX_SAFE_INTEGER },
  })
})

it('keeps 100,000 keys in memory, in whatever order they come', async () => {
  const map = new SortedMap<number>()
  // 61,001 has no factor in common with 100,000: every key once, scattered.
  for (let i = 0; i < 100_000; i += 1) map.set(String((i * 61_001) % 100_000).padStart(6, '0'), i)
  expect(map.size).toBe(100_000)
  let last = ''
  let count = 0
  for (const [name] of map.ascending('', '\xff')) {
    if (name > last) count += 1
    last = name
  }
  expect(count).toBe(100_000)
  for (let i = 0; i < 100_000; i += 2) map.delete(String(i).padStart(6, '0'))
  expect(map.size).toBe(50_000)
  expect([...map.descending('000000', '000006')].map(([name]) => name)).toEqual(['000005', '000003', '000001'])
})

it('holds what was handed to a commit, not what became of it later', async () => {
  const store = createMemoryOrderedStore()
  const octets = Uint8Array.of(1, 2, 3)
  const committed = store.commit({ partition: Uint8Array.of(0x61), put: [{ key: key('k'), value: octets }] })
  octets.fill(9)
  await committed
  expect((await store.getMany([key('k')]))[0]).toEqual(Uint8Array.of(1, 2, 3))
})
