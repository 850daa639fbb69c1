/** The account writer alone: grouping, limits, conflicts, unknown outcomes, changes that fail. */
import type { Clock } from '@postern/core/host'
import { silentLogger } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemRandom } from '../../src/host/random.ts'
import { AccountBatch } from '../../src/store/account-batch.ts'
import { AccountWriter } from '../../src/store/account-writer.ts'
import type { HeadRecord } from '../../src/store/head-record.ts'
import { decodeHead, encodeHead } from '../../src/store/head-record.ts'
import { AccountKeys } from '../../src/store/account-keys.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import type { Batch, OrderedStore } from '../../src/store/ordered-store.ts'
import { StoreUnknown } from '../../src/store/ordered-store.ts'
import type { Transaction } from '../../src/store/transaction.ts'

const keys = new AccountKeys(1)
const counter = keys.access('counter')
const nothingGiven = { nextEmailId: 1, nextMailboxId: 1, nextUidValidity: 1 }
const emptyHead = { generation: 0, modseq: 0, ...nothingGiven, octetsUsed: 0, nonces: [] }

/** Short waits are over at once, long ones never. */
const hastyClock: Clock = {
  now: () => 1_800_000_000_000,
  monotonic: () => 0,
  timer(ms, fire) {
    if (ms > 20_000) return { cancel() {} }
    const handle = setImmediate(fire)
    return { cancel: () => clearImmediate(handle) }
  },
}

/** Long waits are over as soon as nothing else is to be done. */
const rushingClock: Clock = { ...hastyClock, timer: (_, fire) => hastyClock.timer(0, fire) }

interface Setup {
  readonly engine: OrderedStore
  readonly batches: Batch[]
  readonly notices: number[]
  readonly writer: AccountWriter
}

type Commit = OrderedStore['commit']

/** @param intervene stands between writer and engine */
async function setUp(
  intervene?: (commit: Commit, batch: Batch) => ReturnType<Commit>,
  clock = hastyClock,
): Promise<Setup> {
  const engine = createMemoryOrderedStore()
  await engine.commit({ partition: keys.partition, put: [{ key: keys.head(), value: encodeHead(emptyHead) }] })
  const batches: Batch[] = []
  const notices: number[] = []
  const commit: Commit = (batch) => {
    batches.push(batch)
    return intervene === undefined ? engine.commit(batch) : intervene((each) => engine.commit(each), batch)
  }
  const store: OrderedStore = Object.assign(Object.create(engine) as OrderedStore, { commit })
  return { engine, batches, notices, writer: writerOver(store, notices, clock) }
}

function writerOver(store: OrderedStore, notices: number[] = [], clock = hastyClock): AccountWriter {
  return new AccountWriter({
    store,
    keys,
    clock,
    random: systemRandom,
    logger: silentLogger,
    committed() {},
    notify: (modseq) => notices.push(modseq),
  })
}

/** Adds one to a number in the store. */
async function count(tx: Transaction): Promise<number> {
  const next = ((await tx.get(counter))?.[0] ?? 0) + 1
  tx.put(counter, Uint8Array.of(next))
  tx.takeModseq()
  return next
}

async function counted({ engine }: Setup): Promise<number> {
  return (await engine.getMany([counter]))[0]?.[0] ?? 0
}

describe('account writer', () => {
  it('commits what waits together, at most 32 changes, each seeing those before it', async () => {
    const setup = await setUp()
    const results = await Promise.all(Array.from({ length: 100 }, () => setup.writer.change(count)))
    expect(results).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
    expect(setup.batches.length).toBe(4)
    expect(setup.notices).toEqual([32, 64, 96, 100])
    expect(await counted(setup)).toBe(100)
  })

  describe('waits for those who were answered together', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    })
    afterEach(() => {
      vi.useRealTimers()
    })
    const add = (writer: AccountWriter): Promise<number> => writer.change(count)
    const turns = async (): Promise<void> => {
      for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve))
    }

    it('until they are there', async () => {
      const { batches, writer } = await setUp()
      await Promise.all([add(writer), add(writer), add(writer)])
      expect(batches.length).toBe(1)
      const first = add(writer)
      await turns()
      const second = add(writer)
      await turns()
      expect(batches.length).toBe(1)
      expect(await Promise.all([first, second, add(writer)])).toEqual([4, 5, 6])
      expect(batches.length).toBe(2)
    })

    it('not for long, and then not again for a while', async () => {
      const { batches, writer } = await setUp()
      await Promise.all([add(writer), add(writer)])
      const alone = add(writer)
      await turns()
      expect(batches.length).toBe(1)
      vi.advanceTimersByTime(2)
      expect(await alone).toBe(3)
      const both = await Promise.all([add(writer), add(writer)])
      expect(both).toEqual([4, 5])
      expect(await add(writer)).toBe(6)
    })

    it('and not for anybody when one comes after the other', async () => {
      const { batches, writer } = await setUp()
      for (let n = 1; n <= 5; n += 1) expect(await add(writer)).toBe(n)
      expect(batches.length).toBe(5)
    })

    it('counting those who came while the last were committed', async () => {
      let late: Promise<number> | undefined
      const { batches, writer } = await setUp((commit, batch) => {
        late ??= add(writer)
        return commit(batch)
      })
      await add(writer)
      // One was answered, one was behind him: two are waited for, and only one is there.
      await turns()
      expect(batches.length).toBe(1)
      expect(await Promise.all([late, add(writer)])).toEqual([2, 3])
      expect(batches.length).toBe(2)
    })
  })

  it('expects the head and raises its generation with every batch', async () => {
    const setup = await setUp()
    await setup.writer.change(count)
    await setup.writer.change(async (tx) => tx.put(keys.access('quiet'), Uint8Array.of(1)))
    expect(setup.batches.map((batch) => batch.expect?.map(({ key }) => Buffer.from(key).toString('hex')))).toEqual([
      [Buffer.from(keys.head()).toString('hex')],
      [Buffer.from(keys.head()).toString('hex')],
    ])
    const [head] = await setup.engine.getMany([keys.head()])
    const { generation, modseq, nonces } = decodeHead(head as Uint8Array)
    expect([generation, modseq, nonces.length]).toEqual([2, 1, 2])
    expect(setup.notices).toEqual([1])
  })

  it('knows of the head what it has written, however many batches there were', () => {
    let record: HeadRecord = emptyHead
    for (let n = 0; n < 20; n += 1) {
      const batch = new AccountBatch(record)
      const { head } = batch.seal(keys, encodeHead(record), new Uint8Array(8).fill(n))
      expect(batch.head).toEqual(decodeHead(head))
      record = batch.head
    }
    expect(record.nonces.map(([octet]) => octet)).toEqual([19, 18, 17, 16, 15, 14, 13, 12])
  })

  it('commits nothing for changes that change nothing', async () => {
    const setup = await setUp()
    expect(await setup.writer.change(async (tx) => (await tx.get(counter)) === undefined)).toBe(true)
    expect(setup.batches).toEqual([])
  })

  it('resolves in the order of modseqs', async () => {
    const setup = await setUp()
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        order.push(await setup.writer.change(async (tx) => (await count(tx), tx.takeModseq())))
      }),
    )
    expect(order).toEqual([...order].sort((a, b) => a - b))
  })

  it('drops the writes of a change that throws, and no others', async () => {
    const setup = await setUp()
    const results = await Promise.allSettled([
      setup.writer.change(count),
      setup.writer.change(async (tx) => {
        await count(tx)
        throw new Error('no')
      }),
      setup.writer.change(count),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await counted(setup)).toBe(2)
  })

  it('keeps batches within the limits of puts and octets; a larger change goes alone', async () => {
    const setup = await setUp()
    const puts = (n: number, octets: number) => async (tx: Transaction) => {
      for (let i = 0; i < n; i += 1) tx.add(keys.message(i + 1, 2), new Uint8Array(octets))
    }
    await Promise.all([
      ...Array.from({ length: 4 }, () => setup.writer.change(puts(200, 1))),
      ...Array.from({ length: 4 }, () => setup.writer.change(puts(60, 8000))),
      setup.writer.change(puts(1000, 10)),
      setup.writer.change(count),
    ])
    for (const batch of setup.batches) {
      const octets = (batch.put ?? []).reduce((sum, { value }) => sum + value.length, 0)
      if (batch.large === true) expect(batch.put?.length).toBeGreaterThan(512)
      else expect([batch.put?.length ?? 0, octets].map((n, i) => n <= [512, 1_048_576][i]!)).toEqual([true, true])
    }
    expect(setup.batches.filter((batch) => batch.large === true)).toHaveLength(1)
    expect(await counted(setup)).toBe(1)
  })

  it('refuses when too many changes or octets wait', async () => {
    const setup = await setUp()
    const waiting = Array.from({ length: 1000 }, () => setup.writer.change(count))
    await expect(setup.writer.change(count)).rejects.toMatchObject({ code: 'STORE_BUSY' })
    await Promise.all(waiting)
    const large = Array.from({ length: 4 }, () => setup.writer.change(count, 8 * 1_048_576))
    await expect(setup.writer.change(count, 1)).rejects.toMatchObject({ code: 'STORE_BUSY' })
    await Promise.all(large)
    expect(await setup.writer.change(count, 100 * 1_048_576)).toBe((1000 + 4 + 1) % 256)
  })

  it('refuses a change within a change of the same account, not of another', async () => {
    const setup = await setUp()
    const other = await setUp()
    const nested = setup.writer.change(async () => {
      await Promise.resolve()
      return await setup.writer.change(count)
    })
    await expect(nested).rejects.toThrow('may not wait')
    expect(await setup.writer.change(() => other.writer.change(count))).toBe(1)
  })

  it('gives up a change that takes too long, and goes on', async () => {
    const setup = await setUp(undefined, rushingClock)
    const endless = setup.writer.change(() => new Promise(() => undefined))
    await expect(endless).rejects.toThrow('30 s')
  })

  it('runs changes again when another process was faster', async () => {
    const engine = createMemoryOrderedStore()
    await engine.commit({ partition: keys.partition, put: [{ key: keys.head(), value: encodeHead(emptyHead) }] })
    const writers = Array.from({ length: 3 }, () => writerOver(engine))
    const results = await Promise.all(
      Array.from({ length: 90 }, (_, n) => (writers[n % 3] as AccountWriter).change(count)),
    )
    expect([...results].sort((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, n) => n + 1))
  })

  it('tells STORE_BUSY when another process always wins', async () => {
    let tries = 0
    const setup = await setUp(async () => {
      tries += 1
      return 'conflict'
    })
    await expect(setup.writer.change(count)).rejects.toMatchObject({ code: 'STORE_BUSY' })
    expect(tries).toBe(9)
  })

  it.each([
    ['was committed', true],
    ['was not committed', false],
  ])('asks what became of a commit without an answer: it %s', async (_, wasCommitted) => {
    let first = true
    const setup = await setUp(async (commit, batch) => {
      if (!first) return await commit(batch)
      first = false
      if (wasCommitted) await commit(batch)
      throw new StoreUnknown('Connection lost')
    })
    expect(await Promise.all([setup.writer.change(count), setup.writer.change(count)])).toEqual([1, 2])
    expect(await counted(setup)).toBe(2)
    expect(setup.batches.length).toBe(wasCommitted ? 1 : 2)
    expect(await setup.writer.change(count)).toBe(3)
  })

  it('runs again after an unanswered commit when another process was faster', async () => {
    let first = true
    const setup = await setUp(async (commit, batch) => {
      if (!first) return await commit(batch)
      first = false
      await writerOver(setup.engine).change(count)
      throw new StoreUnknown('Connection lost')
    })
    expect(await setup.writer.change(count)).toBe(2)
    expect(await counted(setup)).toBe(2)
  })

  it('lets a poisonous change fail alone', async () => {
    const setup = await setUp()
    const results = await Promise.allSettled([
      setup.writer.change(count),
      setup.writer.change(async (tx) => tx.put(keys.access('huge'), new Uint8Array(9000))),
      setup.writer.change(count),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await counted(setup)).toBe(2)
    expect(await setup.writer.change(count)).toBe(3)
  })

  it('fails all changes of a batch when the store cannot write', async () => {
    let full = true
    const setup = await setUp(async (commit, batch) => {
      if (full) throw new StoreError('STORE_FULL', 'Disk is full')
      return await commit(batch)
    })
    const results = await Promise.allSettled([setup.writer.change(count), setup.writer.change(count)])
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORE_FULL' } })
    full = false
    expect(await setup.writer.change(count)).toBe(1)
  })

  it('refuses when its account is gone, and when it was closed', async () => {
    const setup = await setUp()
    await setup.writer.change(count)
    const last = setup.writer.change(count)
    await setup.writer.close(new StoreError('STORE_CLOSED', 'Closed'))
    expect(await last).toBe(2)
    await expect(setup.writer.change(count)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await setup.engine.commit({ partition: keys.partition, delete: [keys.head()] })
    await expect(writerOver(setup.engine).change(count)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })
})
