/** The store alone, against its gates: durable deliveries on a fresh and on an aged store, and large mailboxes. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { open } from 'lmdb'
import { lmdbStore } from 'postern'
import type { AccountStore, SpooledMessage, Uid, UidRanges } from '@postern/core/store'
import { numberOptions } from './options.ts'

type Store = Awaited<ReturnType<typeof lmdbStore>>

const ALL: UidRanges = [{ first: 1 as Uid, last: 0xffff_ffff as Uid }]

/** Goes with the machine's clock, ahead of it by what was asked for: the eraser waits ten minutes. */
let aheadMs = 0
const clock = {
  now: () => Date.now() + aheadMs,
  monotonic: () => performance.now() + aheadMs,
  timer(ms: number, fire: () => void) {
    const handle = setTimeout(fire, Math.min(ms, 2 ** 31 - 1))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}

export async function benchStore(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { aged: 200_000, large: 1_000_000, seconds: 4 })
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  try {
    const bare = await bareCommits(join(dir, 'bare'), options.seconds)
    console.log(`baseline, bare LMDB: ${bare.toFixed(0)} durable puts of 5 KB/s, 20 in flight`)
    const store = await lmdbStore({ dir: join(dir, 'store'), clock, reserveOctets: 0 })
    try {
      await measureDeliveries(store, options.seconds, bare)
      await measureAged(store, join(dir, 'store'), options.aged, options.seconds)
      await measureLarge(store, options.large)
    } finally {
      await store.close()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function bareCommits(dir: string, seconds: number): Promise<number> {
  const db = open<Buffer, Buffer>({ path: dir, keyEncoding: 'binary', encoding: 'binary', pageSize: 8192, overlappingSync: false, eventTurnBatching: false })
  let n = 0
  const { perSecond } = await load(20, seconds, async () => {
    n += 1
    await db.put(Buffer.from(String(n).padStart(12, '0')), Buffer.alloc(5_120, n))
  })
  await db.close()
  return perSecond
}

async function measureDeliveries(store: Store, seconds: number, bare: number): Promise<void> {
  const one = await store.createAccount('one')
  print('1 in flight', await load(1, seconds, () => deliver(store, one, 5_120)), bare)
  print('20 in flight, one account', await load(20, seconds, () => deliver(store, one, 5_120)), bare)
  const many: AccountStore[] = []
  for (let n = 0; n < 1_000; n += 1) many.push(await store.createAccount(`many${n}`))
  print('100 in flight, 1,000 accounts', await load(100, seconds, (n) => deliver(store, many[n % 1_000] as AccountStore, 5_120)), bare)
  print('then 1 in flight', await load(1, seconds, () => deliver(store, one, 5_120)), bare)
}

async function measureAged(store: Store, dir: string, count: number, seconds: number): Promise<void> {
  const aged = await store.createAccount('aged')
  const fresh = await load(20, seconds, () => deliver(store, aged, 5_120))
  const message = await spooled(store, 5_120)
  for (let done = 0; done < count; done += 500) {
    await aged.append('INBOX', Array.from({ length: 500 }, () => ({ message, flags: 0, keywords: [] })))
  }
  message.release()
  const inbox = await aged.open('INBOX', 'read-write')
  if (inbox === undefined) throw new Error('No inbox')
  const half = [...inbox.snapshot.uids].filter(() => Math.random() < 0.5)
  for (let at = 0; at < half.length; at += 20_000) {
    const uids = half.slice(at, at + 20_000).map((uid) => ({ first: uid, last: uid })) as unknown as UidRanges
    await inbox.storeFlags(uids, { mode: 'add', flags: 8, keywords: [] })
  }
  const removed = await inbox.expunge()
  inbox.told(Number.MAX_SAFE_INTEGER as never)
  inbox.close()
  aheadMs += 3_600_000
  const started = performance.now()
  await store.erase()
  console.log(`aged: ${count} messages, half erased at random (${removed.length} ranges, erased in ${((performance.now() - started) / 1000).toFixed(1)} s)`)
  const size = sizeOf(dir)
  const small = await load(20, seconds, () => deliver(store, aged, 5_120))
  print('aged, 5 KB, 20 in flight', small, fresh.perSecond, 'of fresh')
  print('aged, 5 KB, 1 in flight', await load(1, seconds, () => deliver(store, aged, 5_120)), fresh.perSecond, 'of fresh')
  print('aged, 200 KB, 20 in flight', await load(20, seconds, () => deliver(store, aged, 200_000)), fresh.perSecond, 'of fresh')
  console.log(`file: ${(size / 1_048_576).toFixed(0)} MiB before, ${(sizeOf(dir) / 1_048_576).toFixed(0)} MiB after those deliveries`)
}

async function measureLarge(store: Store, count: number): Promise<void> {
  const account = await store.createAccount('large')
  const message = await spooled(store, 2_000)
  for (let n = 0; n < 4; n += 1) await account.append('INBOX', Array.from({ length: 500 }, () => ({ message, flags: 0, keywords: [] })))
  message.release()
  await account.create('Large')
  const source = await account.open('INBOX', 'read-write')
  if (source === undefined) throw new Error('No inbox')
  const copies = Math.ceil(count / source.snapshot.uids.size)
  for (let n = 0; n < copies; n += 1) await source.copy(ALL, 'Large')
  source.close()

  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  let started = performance.now()
  const large = await account.open('Large', 'read-only')
  if (large === undefined) throw new Error('No mailbox')
  const size = large.snapshot.uids.size
  const openMs = performance.now() - started
  loop.disable()
  console.log(`SELECT of ${size}: ${openMs.toFixed(0)} ms (gate < 300), loop delay p99 ${(loop.percentile(99) / 1e6).toFixed(1)} ms (gate < 10)`)

  for (const [name, parts] of [
    ['flags', {}],
    ['list records', { list: true }],
  ] as const) {
    started = performance.now()
    let rows = 0
    for await (const batch of large.fetch(ALL, parts)) {
      rows += batch.length
      if (rows >= 200_000 && name === 'list records') break
    }
    console.log(`reading ${rows} rows, ${name}: ${((rows / (performance.now() - started)) * 1000).toFixed(0)}/s`)
  }

  const bystander = await store.createAccount('bystander')
  const beside = (what: string, work: Promise<unknown>): Promise<void> => untilDone(what, work, () => deliver(store, bystander, 5_120))
  const some: UidRanges = [{ first: 1 as Uid, last: 100_000 as Uid }]
  await account.create('Copied')
  await beside('STORE of 100,000', large.storeFlags(some, { mode: 'add', flags: 8, keywords: [] }))
  await beside('COPY of 100,000', large.copy(some, 'Copied'))
  await beside('EXPUNGE of 100,000', large.expunge(some))
  large.close()
}

/** Deliveries one after another until something else is done, and the longest any took. */
async function untilDone(what: string, work: Promise<unknown>, deliverOne: () => Promise<void>): Promise<void> {
  const started = performance.now()
  const progress = { isDone: false }
  const ended = work.finally(() => {
    progress.isDone = true
  })
  const taken: number[] = []
  do {
    const before = performance.now()
    await deliverOne()
    taken.push(performance.now() - before)
  } while (!progress.isDone)
  await ended
  console.log(`${what}: ${(performance.now() - started).toFixed(0)} ms; deliveries beside it at most ${Math.max(...taken).toFixed(1)} ms (gate 100)`)
}

async function spooled(store: Store, octets: number): Promise<SpooledMessage> {
  const spool = store.spool()
  number += 1
  await spool.write(Buffer.from(`Message-ID: <${number}@example.org>\r\nFrom: Ada <ada@example.com>\r\nTo: bob@example.org\r\nSubject: message ${number}\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(Math.ceil(octets / 72))}`))
  return spool.end()
}
let number = 0

async function deliver(store: Store, account: AccountStore, octets: number): Promise<void> {
  const message = await spooled(store, octets)
  await account.append('INBOX', [{ message, flags: 0, keywords: [] }])
  message.release()
}

interface Load {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

async function load(inFlight: number, seconds: number, run: (n: number) => Promise<void>): Promise<Load> {
  const taken: number[] = []
  const started = performance.now()
  const end = started + seconds * 1000
  let n = 0
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        const before = performance.now()
        await run((n += 1))
        taken.push(performance.now() - before)
      }
    }),
  )
  taken.sort((a, b) => a - b)
  const at = (share: number): number => taken[Math.floor(taken.length * share)] ?? Number.NaN
  return { perSecond: taken.length / ((performance.now() - started) / 1000), p50: at(0.5), p99: at(0.99) }
}

function print(what: string, { perSecond, p50, p99 }: Load, baseline: number, of = 'of bare'): void {
  console.log(`${what}: ${perSecond.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; ${(perSecond / baseline).toFixed(2)} × ${of}`)
}

function sizeOf(dir: string): number {
  if (!existsSync(dir)) return 0
  let octets = 0
  for (const name of readdirSync(dir)) {
    const found = statSync(join(dir, name))
    octets += found.isDirectory() ? sizeOf(join(dir, name)) : found.size
  }
  return octets
}
