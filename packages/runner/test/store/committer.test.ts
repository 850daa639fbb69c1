import { join } from 'node:path'
import { silentLogger } from '@postern/core/host'
import type { Logger } from '@postern/core/host'
import { open } from 'lmdb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import type { Committer } from '../../src/store/committer.ts'
import { LMDB_OPTIONS, openCommitter } from '../../src/store/committer.ts'
import { GROUP } from '../../src/store/group-queue.ts'
import type { Batch } from '../../src/store/ordered-store.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const MANY_OCTETS = 10 ** 15

interface Opened {
  readonly store: Committer
  readonly path: string
  /** Batches of each group, in the order they were committed. */
  readonly groups: number[]
}

async function opened(options: { freeOctets?: () => Promise<number>; log?: Logger } = {}): Promise<Opened> {
  const path = join(await temporaryDirectory(), 'store.mdb')
  const groups: number[] = []
  const store = openCommitter({
    path,
    clock: systemClock,
    log: options.log ?? silentLogger,
    disk: { freeOctets: options.freeOctets ?? (async () => MANY_OCTETS) },
    onGroup: (batches) => groups.push(batches),
  })
  onTestFinished(() => store.close())
  return { store, path, groups }
}

/** A batch of one account: `puts` records of `octets` each. */
function batch(account: number, puts = 1, octets = 10, tag = 0): Batch {
  const partition = Uint8Array.of(0x61, account)
  const put = Array.from({ length: puts }, (_, i) => ({
    key: Uint8Array.of(0x61, account, tag, i >> 8, i & 0xff),
    value: new Uint8Array(octets).fill(tag),
  }))
  return { partition, put }
}

/** A batch LMDB throws at, though its form is right. */
function poisonous(account: number): Batch {
  const { partition, put } = batch(account, 3, 10, 9)
  const bad = { key: Uint8Array.of(0x61, account, 200), value: { length: 5 } as unknown as Uint8Array }
  return { partition, put: [...(put ?? []), bad] }
}

/** Keeps the committer busy with one commit, so that what follows has to wait. */
function occupy(store: Committer): Promise<unknown> {
  return store.commit(batch(255, 1, 10))
}

describe('group commit', () => {
  it('takes what is waiting together, at most 32 batches', async () => {
    const { store, groups } = await opened()
    await Promise.all(Array.from({ length: 100 }, (_, account) => store.commit(batch(account))))
    expect(Math.max(...groups)).toBe(GROUP.batches)
    expect(groups.reduce((a, b) => a + b, 0)).toBe(100)
    expect(groups).toHaveLength(4)
  })

  const caps: readonly [title: string, puts: number, octets: number, perGroup: number][] = [
    ['512 puts', 100, 10, 5],
    ['1 MiB', 40, 8000, 3],
  ]
  it.each(caps)('takes no more than %s', async (_title, puts, octets, perGroup) => {
    const { store, groups } = await opened()
    await Promise.all(Array.from({ length: 15 }, (_, account) => store.commit(batch(account, puts, octets))))
    expect(Math.max(...groups)).toBe(perGroup)
  })

  it('commits a large batch by itself', async () => {
    const { store, groups } = await opened()
    const large: Batch = { ...batch(1, 3000, 100), large: true }
    await Promise.all([store.commit(batch(0)), store.commit(large), store.commit(batch(2)), store.commit(batch(3))])
    expect(groups).toEqual([1, 1, 2])
  })

  it('serves accounts in turn: one with many batches does not keep others waiting', async () => {
    const { store } = await opened()
    const order: string[] = []
    const busy = Array.from({ length: 200 }, (_, i) =>
      store.commit(batch(1, 1, 10, i)).then(() => order.push(`busy ${i}`)),
    )
    const others = [2, 3].map((account) => store.commit(batch(account)).then(() => order.push(`account ${account}`)))
    await Promise.all([...busy, ...others])
    expect(order.indexOf('account 2')).toBeLessThan(GROUP.batches)
    expect(order.indexOf('account 3')).toBeLessThan(GROUP.batches)
  })

  it('keeps the order of one account, in what is written and in when it is told', async () => {
    const { store } = await opened()
    const told: number[] = []
    const partition = Uint8Array.of(0x61, 1)
    const key = Uint8Array.of(0x61, 1, 1)
    await Promise.all(
      Array.from({ length: 150 }, (_, i) =>
        store
          .commit({
            partition,
            expect: [{ key, value: i === 0 ? undefined : Uint8Array.of(i - 1) }],
            put: [{ key, value: Uint8Array.of(i) }],
          })
          .then((outcome) => told.push(outcome === 'committed' ? i : -1)),
      ),
    )
    expect(told).toEqual(Array.from({ length: 150 }, (_, i) => i))
    expect((await store.getMany([key]))[0]).toEqual(Uint8Array.of(149))
  })

  it('skips a batch that conflicts and commits the others of its group', async () => {
    const { store } = await opened()
    await store.commit(batch(1))
    const taken = { ...batch(1, 1, 20), expect: [{ key: Uint8Array.of(0x61, 1, 0, 0, 0), value: undefined }] }
    void occupy(store)
    const outcomes = await Promise.all([store.commit(batch(2)), store.commit(taken), store.commit(batch(3))])
    expect(outcomes).toEqual(['committed', 'conflict', 'committed'])
    const [untouched] = await store.getMany([Uint8Array.of(0x61, 1, 0, 0, 0)])
    expect(untouched?.length).toBe(10)
  })

  it('fails only the batch that cannot be applied, leaving nothing of it', async () => {
    const { store, groups } = await opened()
    void occupy(store)
    const results = await Promise.allSettled([
      store.commit(batch(1)),
      store.commit(poisonous(2)),
      store.commit(batch(3)),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(groups).toEqual([4, 1, 1, 1, 1])
    const stored = await store.range({ from: Uint8Array.of(0x61), to: Uint8Array.of(0x62), limit: 99 })
    expect(stored.map(({ key }) => key[1])).toEqual([1, 3, 255])
    expect(store.writable).toBe(true)
    expect(await store.commit(batch(4))).toBe('committed')
  })

  it('commits what was waiting before it closes', async () => {
    const { store, path } = await opened()
    const committed = Promise.all(Array.from({ length: 50 }, (_, account) => store.commit(batch(account))))
    await store.close()
    expect(await committed).toEqual(Array.from({ length: 50 }, () => 'committed'))
    const again = openCommitter({
      path,
      clock: systemClock,
      log: silentLogger,
      disk: { freeOctets: async () => MANY_OCTETS },
    })
    onTestFinished(() => again.close())
    expect(await again.range({ from: Uint8Array.of(0x61), to: Uint8Array.of(0x62), limit: 99 })).toHaveLength(50)
  })

  it('refuses more when too much is waiting', async () => {
    const { store } = await opened()
    const results = await Promise.allSettled(
      Array.from({ length: 10_050 }, (_, i) => store.commit(batch(i % 200, 1, 1, i % 256))),
    )
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused).toHaveLength(50)
    expect(refused[0]).toMatchObject({ reason: { code: 'STORE_BUSY' } })
    expect(await store.commit(batch(1))).toBe('committed')
  }, 60_000)
})

describe('durability', () => {
  it('opens LMDB with exactly the options that were measured', () => {
    expect(LMDB_OPTIONS).toEqual({
      keyEncoding: 'binary',
      encoding: 'binary',
      pageSize: 8192,
      overlappingSync: false,
      eventTurnBatching: false,
      maxReaders: 1000,
      maxFreeSpaceToLoad: 1000,
      maxFreeSpaceToRetain: 2000,
    })
  })

  it('has them in effect: pages of 8 KiB, and an environment without overlapping syncs', async () => {
    const { store, path } = await opened()
    await store.commit(batch(1))
    expect(store.stats()).toMatchObject({ pageOctets: 8192, entries: 1 })
    // A second handle of the process shares the environment, and may not ask for what it doesn't have.
    expect(() => open({ path, noSubdir: true, overlappingSync: true })).toThrow('overlappingSync')
  })

  it('has what it told on disk: another handle on the file reads it', async () => {
    const { store, path } = await opened()
    await Promise.all(Array.from({ length: 20 }, (_, account) => store.commit(batch(account))))
    await store.close()
    const db = open<Uint8Array, Uint8Array>({
      path,
      noSubdir: true,
      readOnly: true,
      keyEncoding: 'binary',
      encoding: 'binary',
    })
    onTestFinished(() => db.close())
    expect(db.getKeysCount({ start: Uint8Array.of(0x61), end: Uint8Array.of(0x62) })).toBe(20)
  })
})

describe('values of 8,100 octets', () => {
  it('take one overflow page each', async () => {
    const { store, path } = await opened()
    await store.commit(batch(1, 100, 8100))
    await store.close()
    const db = open({ path, noSubdir: true, keyEncoding: 'binary', encoding: 'binary' })
    onTestFinished(() => db.close())
    expect(db.getStats()).toMatchObject({ overflowPages: 100 })
  })
})
