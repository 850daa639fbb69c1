/** The corpus of an account over both engines: the junk filter's suite with merging at every turn, crashes, and dropping of rare words. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, type Clock } from '@postern/core/host'
import { corpusCases } from '@postern/junk/conformance'
import { createMemoryCorpus, type Corpus, type CorpusDelta } from '@postern/junk/corpus'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { systemRandom } from '../../src/host/random.ts'
import { StoredTraining } from '../../src/store/account-training.ts'
import { AccountWriter } from '../../src/store/account-writer.ts'
import { openCommitter } from '../../src/store/committer.ts'
import { foldCorpus, RARE_DAYS } from '../../src/store/corpus-fold.ts'
import { StoredCorpus, type CorpusSource } from '../../src/store/corpus-words.ts'
import { encodeHead } from '../../src/store/head-record.ts'
import { AccountKeys } from '../../src/store/account-keys.ts'
import { createMemoryBlobs } from '../../src/store/memory-blobs.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import type { OrderedStore } from '../../src/store/ordered-store.ts'
import { StoreError } from '@postern/core/store'

const keys = new AccountKeys(1)

async function createHead(store: OrderedStore): Promise<void> {
  const head = encodeHead({ generation: 0, modseq: 0, nextEmailId: 1, nextMailboxId: 1, nextUidValidity: 1, octetsUsed: 0, nonces: [] })
  await store.commit({ partition: keys.partition, put: [{ key: keys.head(), value: head }] })
}

function sourceOf(store: OrderedStore, clock: Clock = systemClock): CorpusSource {
  const writer = new AccountWriter({ store, keys, clock, random: systemRandom, logger: silentLogger, committed: () => undefined, notify: () => undefined })
  return { store, keys, writer }
}

function trainingOf(source: CorpusSource, foldOctets: number): StoredTraining {
  return new StoredTraining({ ...source, blobs: createMemoryBlobs(), logger: silentLogger, foldOctets })
}

interface Engine {
  readonly store: OrderedStore
  reopen(): Promise<OrderedStore>
  close(): Promise<void>
}

const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  async memory() {
    const store = createMemoryOrderedStore()
    return { store, reopen: async () => store, close: () => store.close() }
  },
  async lmdb() {
    const dir = await mkdtemp(join(tmpdir(), 'postern-corpus-'))
    const open = (): OrderedStore => openCommitter({ path: join(dir, 'store'), clock: systemClock, log: silentLogger, disk: { freeOctets: async () => 1e12 } })
    let store = open()
    return {
      store,
      async reopen() {
        await store.close()
        store = open()
        return store
      },
      async close() {
        await store.close()
        await rm(dir, { recursive: true })
      },
    }
  },
}

for (const [engine, make] of Object.entries(ENGINES)) {
  for (const foldOctets of [1, 20_000, 1e9]) {
    describe(`corpus of an account over ${engine}, merged from ${foldOctets} octets on`, () => {
      const cases = corpusCases(async () => {
        const made = await make()
        await createHead(made.store)
        let training = trainingOf(sourceOf(made.store), foldOctets)
        return {
          corpus: training.corpus,
          async reopen() {
            await training.close()
            training = trainingOf(sourceOf(await made.reopen()), foldOctets)
            return training.corpus
          },
          async close() {
            await training.close()
            await made.close()
          },
        }
      })
      for (const { name, run } of cases) it(name, run)
    })
  }
}

/** Words few enough that they meet. */
// None of them is 0, which is no key.
const wordKeys = (words: readonly number[]): Uint32Array => Uint32Array.from([...new Set(words)].flatMap((word) => [word % 3, Math.imul(word + 1, 0x9e37_79b1) >>> 0]))

const EVERY_WORD = wordKeys(Array.from({ length: 60 }, (_, n) => n))

async function told(corpus: Corpus): Promise<unknown> {
  const { totals, counts } = await corpus.read(EVERY_WORD)
  return { ham: totals.ham, spam: totals.spam, counts: [...counts] }
}

/** An engine that breaks off after some commits, as a killed process does: what was committed stays. */
function killedAfter(store: OrderedStore, commits: number): OrderedStore {
  let left = commits
  return {
    ...store,
    read: (partition, fn) => store.read(partition, fn),
    getMany: (wanted) => store.getMany(wanted),
    range: (range) => store.range(range),
    limits: store.limits,
    writable: true,
    close: () => store.close(),
    commit: (batch) => {
      left -= 1
      return left < 0 ? Promise.reject(new StoreError('STORE_CLOSED', 'Killed')) : store.commit(batch)
    },
  }
}

const delta = fc.record({ words: fc.array(fc.nat({ max: 59 }), { minLength: 1, maxLength: 30 }), verdict: fc.constantFrom('ham' as const, 'spam' as const), sign: fc.constantFrom(1 as const, -1 as const) })

describe('merging', () => {
  it('goes on where a killed process left it: nothing is lost, nothing counted twice', async () => {
    const step = fc.record({ deltas: fc.array(delta, { minLength: 1, maxLength: 4 }), commits: fc.nat({ max: 12 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const store = createMemoryOrderedStore()
        await createHead(store)
        const expected = createMemoryCorpus()
        const kept = new StoredCorpus(sourceOf(store), 1, () => undefined)
        for (const { deltas, commits } of steps) {
          expect(await told(kept)).toEqual(await told(expected))
          const given = deltas.map(({ words, verdict, sign }): CorpusDelta => ({ keys: wordKeys(words), verdict, sign }))
          const corpus = new StoredCorpus(sourceOf(store), 1, () => undefined)
          await corpus.apply(given)
          await expected.apply(given)
          const killed = sourceOf(killedAfter(store, commits))
          await foldCorpus(killed, 1, { fromOctets: 1 }).catch((error: { code?: string }) => {
            if (error.code !== 'STORE_CLOSED') throw error
          })
          expect(await told(corpus)).toEqual(await told(expected))
          expect(await told(new StoredCorpus(sourceOf(store), 1, () => undefined))).toEqual(await told(expected))
          expect(await told(kept)).toEqual(await told(expected))
        }
        await foldCorpus(sourceOf(store), 1, { fromOctets: 1 })
        expect(await store.range({ ...keys.deltas(1, 0, 2 ** 40), limit: 10 })).toEqual([])
        expect(await told(new StoredCorpus(sourceOf(store), 1, () => undefined))).toEqual(await told(expected))
        const rows = await store.range({ ...keys.words(1), limit: 1_000 })
        expect(rows.length).toBe(expected.size)
      }),
      { numRuns: 60 },
    )
  })

  it('is not seen by those who read meanwhile, learning included', async () => {
    const store = createMemoryOrderedStore()
    await createHead(store)
    const corpus = new StoredCorpus(sourceOf(store), 1, () => undefined)
    const source = sourceOf(store)
    const many = Uint32Array.from({ length: 12_000 }, (_, n) => (n % 2 === 0 ? Math.imul(n + 2, 0x9e37_79b1) >>> 0 : n))
    for (let round = 1; round <= 4; round += 1) {
      await corpus.apply([{ keys: many, verdict: 'ham', sign: 1 }])
      const fold = foldCorpus(source, 1, { fromOctets: 1 })
      for (let n = 0; n < 5; n += 1) {
        const { totals, counts } = await corpus.read(many)
        expect(totals).toEqual({ ham: round, spam: 0 })
        expect(counts.every((count, at) => count === (at % 2 === 0 ? round : 0))).toBe(true)
      }
      await fold
    }
    expect((await store.range({ ...keys.words(1), limit: 10_000 })).length).toBe(6_000)
  })

  it('lets words that were read be read again without the disk, until something is merged', async () => {
    const store = createMemoryOrderedStore()
    await createHead(store)
    // Few enough to have places of their own.
    const words = wordKeys([1, 2, 3])
    let asked = 0
    const counting: OrderedStore = {
      ...store,
      limits: store.limits,
      writable: true,
      read: (partition, fn) => store.read(partition, fn),
      range: (range) => store.range(range),
      commit: (batch) => store.commit(batch),
      close: () => store.close(),
      getMany(wanted) {
        asked += wanted.length
        return store.getMany(wanted)
      },
    }
    const corpus = new StoredCorpus(sourceOf(counting), 1, () => undefined)
    const costOf = async (): Promise<number> => {
      asked = 0
      await corpus.read(words)
      return asked
    }
    await corpus.apply([{ keys: words, verdict: 'spam', sign: 1 }])
    await foldCorpus(sourceOf(store), 1, { fromOctets: 1 })
    const first = await costOf()
    expect(first).toBe(2 + 3)
    expect(await costOf()).toBe(1)
    await corpus.apply([{ keys: wordKeys([1]), verdict: 'ham', sign: 1 }])
    expect(await costOf()).toBe(1)
    await foldCorpus(sourceOf(store), 1, { fromOctets: 1 })
    expect(await costOf()).toBe(first)
  })

  it('drops words that came once and not again for long, and no others', async () => {
    const store = createMemoryOrderedStore()
    await createHead(store)
    let ms = Date.parse('2026-01-01T00:00:00Z')
    const clock: Clock = { ...systemClock, now: () => ms, timer: (after, fire) => systemClock.timer(after, fire), monotonic: () => systemClock.monotonic() }
    const source = sourceOf(store, clock)
    const corpus = new StoredCorpus(source, 1, () => undefined)
    const learn = async (...words: number[]): Promise<void> => {
      await corpus.apply([{ keys: wordKeys(words), verdict: 'spam', sign: 1 }])
      await foldCorpus(source, 1, { fromOctets: 1 })
    }
    const seen = async (): Promise<number[]> => {
      const { counts } = await corpus.read(EVERY_WORD)
      return [...counts.filter((_, at) => at % 2 === 1)].flatMap((count, word) => (count === 0 ? [] : [word]))
    }
    await learn(1, 2, 3)
    await learn(2)
    ms += (RARE_DAYS - 1) * 86_400_000
    await learn(3, 4)
    expect(await seen()).toEqual([1, 2, 3, 4])
    ms += 8 * 86_400_000
    await learn(5)
    expect(await seen()).toEqual([2, 3, 4, 5])
    expect((await corpus.read(EVERY_WORD)).totals).toEqual({ ham: 0, spam: 4 })
  })
})
