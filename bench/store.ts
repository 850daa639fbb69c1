/** The store against its gates: durable deliveries into a fresh and an aged store, churn, and large mailboxes. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMailServer, lmdbStore } from 'postern'
import type { AccountStore, ModSeq, UidRanges } from '@postern/core/store'
import { age, fill } from './aged-store.ts'
import { measureBareCommits } from './bare-commits.ts'
import { deliver, formatLoad, load } from './deliveries.ts'
import { formatFigure, formatMib } from './figures.ts'
import { Gates, measureSums, watchLoop } from './gates.ts'
import { PASSWORD, USER, startImapLoad } from './imap-load.ts'
import { createMovedClock, type MovedClock } from './moved-clock.ts'
import { numberOptions } from './options.ts'

const DELETED = 8
const HOUR_MS = 3_600_000

interface Bench {
  readonly store: Awaited<ReturnType<typeof lmdbStore>>
  /** Holds the large mailboxes. */
  readonly account: AccountStore
  readonly clock: MovedClock
  readonly gates: Gates
  readonly dir: string
  readonly scale: number
}

/** Options: `scale` of all sizes and times; 0.1 takes less than two minutes. */
export async function benchStore(args: readonly string[]): Promise<void> {
  const { scale } = numberOptions(args, { scale: 1 })
  const parent = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  const dir = join(parent, 'store')
  const seconds = Math.max(1, 3 * scale)
  const gates = new Gates({ commits: await measureBareCommits(join(parent, 'bare'), 1, seconds), sums: measureSums(seconds / 2) })
  const clock = createMovedClock()
  const store = await lmdbStore({ dir, clock, reserveOctets: 0 })
  try {
    const bench: Bench = { store, account: await store.createAccount(USER), clock, gates, dir, scale }
    await benchDeliveries(bench)
    await benchListing(bench)
    await benchAged(bench)
    await benchChurn(bench)
    await benchLarge(bench)
    gates.conclude()
    if (gates.missed.length > 0) process.exitCode = 1
  } finally {
    await store.close()
    rmSync(parent, { recursive: true, force: true })
  }
}

async function benchDeliveries({ store, gates, scale }: Bench): Promise<void> {
  const seconds = Math.max(1.5, 6 * scale)
  const one = await store.createAccount('one')
  const many: AccountStore[] = []
  for (let n = 0; n < 1_000; n += 1) many.push(await store.createAccount(`many${n}`))
  const toMany = (n: number): Promise<void> => deliver(store, many[n % many.length] as AccountStore, 5_120)

  console.log('\nDeliveries of 5 KB into a fresh store')
  const single = await load(1, { seconds }, () => deliver(store, one, 5_120))
  console.log(`  1 in flight: ${formatLoad(single)}`)
  for (const inFlight of [4, 20]) {
    const loop = watchLoop()
    const result = await load(inFlight, { seconds }, () => deliver(store, one, 5_120))
    console.log(`  ${inFlight} in flight, one account: ${formatLoad(result)}; loop delay p99 ${formatFigure(loop.p99())} ms`)
    if (inFlight !== 20) continue
    gates.rate('20 in flight, one account', result.perSecond, 4_000, 'disk')
    gates.time('  its p99', result.p99, 30, 'disk')
  }
  const loop = watchLoop()
  const spread = await load(100, { seconds }, toMany)
  console.log(`  100 in flight, 1,000 accounts: ${formatLoad(spread)}; loop delay p99 ${formatFigure(loop.p99())} ms`)
  gates.rate('100 in flight, 1,000 accounts', spread.perSecond, 2_500, 'disk')
  gates.time('  its p99', spread.p99, 100, 'disk')

  const crowd = await load(1_000, { count: Math.ceil(50_000 * scale) }, toMany)
  console.log(`  ${crowd.count} by 1,000 clients: ${formatLoad(crowd)}`)
  const after = await load(1, { seconds }, () => deliver(store, one, 5_120))
  console.log(`  then 1 in flight: ${formatLoad(after)}`)
  gates.time('p50 of a single delivery after 1,000 clients', after.p50, 3, 'disk')
  gates.ratio('  of its rate before', after.perSecond / single.perSecond, { atLeast: 0.6 })
}

/** Over a socket, to a client in a process of its own. */
async function benchListing({ store, account, gates, scale }: Bench): Promise<void> {
  const count = Math.ceil(200_000 * scale)
  const ms = await fill(store, account, 'INBOX', count)
  console.log(`\nA mailbox of ${count} messages, stored in ${(ms / 1000).toFixed(1)} s`)
  await overSocket(store, async (fetch) => {
    const listing = 'UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)'
    await fetch('INBOX', listing)
    const loop = watchLoop()
    gates.rate('listing over a socket', count / (await fetch('INBOX', listing)), 90_000, 'processor')
    console.log(`  loop delay p99 ${formatFigure(loop.p99())} ms, max ${formatFigure(loop.max())} ms`)
  })
}

async function benchAged({ store, account, clock, gates, dir, scale }: Bench): Promise<void> {
  const seconds = Math.max(2, 12 * scale)
  const small = (): Promise<void> => deliver(store, account, 5_120)
  const fresh = [await load(1, { seconds: seconds / 2 }, small), await load(20, { seconds: seconds / 2 }, small)] as const
  const { messages, ms } = await age(store, account, 'INBOX', clock)
  console.log(`\nAged: ${messages} messages at random erased, in ${(ms / 1000).toFixed(1)} s`)
  const before = sizeOf(dir)
  for (const [n, inFlight] of [1, 20].entries()) {
    const result = await load(inFlight, { seconds: seconds / 2 }, small)
    console.log(`  5 KB, ${inFlight} in flight: ${formatLoad(result)}; before: ${formatLoad(fresh[n] ?? result)}`)
    if (inFlight === 1) {
      gates.rate('aged, 5 KB', result.perSecond, 300, 'disk')
      gates.time('  its p99', result.p99, 30, 'disk')
    }
    gates.ratio(`  of the rate before, ${inFlight} in flight`, result.perSecond / (fresh[n]?.perSecond ?? 0), { atLeast: 0.7 })
  }
  // No more than half of what was erased has room for.
  const count = Math.ceil((messages * 5_120) / 2 / 200_000)
  const large = await load(4, { seconds, count }, () => deliver(store, account, 200_000))
  console.log(`  200 KB, 4 in flight: ${formatLoad(large)}`)
  gates.rate('aged, 200 KB', large.perSecond, 150, 'disk')
  gates.time('  its p99', large.p99, 30, 'disk')
  gates.ratio('growth of the file', sizeOf(dir) / before - 1, { atMost: 0.02 })
  const again = await load(1, { seconds: seconds / 2 }, small)
  console.log(`  then 5 KB, 1 in flight: ${formatLoad(again)}`)
}

/** Deliveries, and the eraser taking away the oldest beside them. */
async function benchChurn({ store, clock, gates, dir, scale }: Bench): Promise<void> {
  const seconds = Math.max(6, 100 * scale)
  const account = await store.createAccount('churn')
  const kept = 5_000
  console.log(`\nChurn for ${seconds.toFixed(0)} s: all but the newest ${kept} messages are erased again and again`)
  await fill(store, account, 'INBOX', kept)
  const stopped = new AbortController()
  let erased = 0
  const eraser = (async () => {
    while (!stopped.signal.aborted) {
      erased += await eraseOldest(store, account, clock, kept)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  })()
  const rates: number[] = []
  const sizes: number[] = []
  let worst = 0
  const parts = 6
  const loop = watchLoop()
  for (let part = 0; part < parts; part += 1) {
    const result = await load(20, { seconds: seconds / parts }, () => deliver(store, account, 5_120))
    rates.push(result.perSecond)
    sizes.push(sizeOf(dir))
    worst = Math.max(worst, result.p99)
    console.log(`  ${formatLoad(result)}; ${erased} erased; files ${formatMib(sizeOf(dir))} MiB`)
  }
  stopped.abort()
  await eraser
  console.log(`  loop delay p99 ${formatFigure(loop.p99())} ms, max ${formatFigure(loop.max())} ms`)
  gates.ratio('rate at the end, of that at the beginning', (rates.at(-1) ?? 0) / (rates[0] ?? 1), { atLeast: 0.75 })
  gates.time('p99 beside the eraser', worst, 50, 'disk')
  gates.ratio('files at the end, of those after a third', (sizes.at(-1) ?? 0) / (sizes[1] ?? 1), { atMost: 1.25 })
}

async function eraseOldest(store: Bench['store'], account: AccountStore, clock: MovedClock, kept: number): Promise<number> {
  const inbox = await account.open('INBOX', 'read-write')
  if (inbox === undefined) throw new Error('No inbox')
  const { uids } = inbox.snapshot
  const oldest = uids.at(uids.size - kept)
  if (oldest !== undefined) {
    const doomed = [{ first: uids.at(1), last: oldest }] as unknown as UidRanges
    await inbox.storeFlags(doomed, { mode: 'add', flags: DELETED, keywords: [] })
    await inbox.expunge(doomed)
    inbox.told(Number.MAX_SAFE_INTEGER as ModSeq)
  }
  inbox.close()
  clock.advance(HOUR_MS)
  await store.erase()
  return Math.max(0, uids.size - kept)
}

async function benchLarge({ store, account, gates, scale }: Bench): Promise<void> {
  const count = Math.ceil(1_000_000 * scale)
  const step = 2_000
  await account.create('Seed')
  await fill(store, account, 'Seed', step)
  await account.create('Large')
  const seed = await account.open('Seed', 'read-only')
  for (let made = 0; made < count; made += step) await seed?.copy(rangeTo(0xffff_ffff), 'Large')
  seed?.close()
  console.log(`\nA mailbox of ${count} places`)

  const openLoop = watchLoop()
  const started = performance.now()
  const large = await account.open('Large', 'read-only')
  gates.time('SELECT', performance.now() - started, Math.max(30, 300 * scale), 'processor')
  gates.time('  loop delay p99 meanwhile', openLoop.p99(), 10, 'processor')
  large?.close()

  await overSocket(store, async (fetch) => {
    await fetch('Large', 'UID FETCH 1:* (UID FLAGS)')
    const loop = watchLoop()
    gates.rate('flags over a socket', count / (await fetch('Large', 'UID FETCH 1:* (UID FLAGS)')), 400_000, 'processor')
    console.log(`  loop delay p99 ${formatFigure(loop.p99())} ms, max ${formatFigure(loop.max())} ms`)
  })
  await benchBystander(store, account, gates, Math.ceil(100_000 * scale))
}

/** Single deliveries to another account beside changes of very many messages. */
async function benchBystander(store: Bench['store'], account: AccountStore, gates: Gates, some: number): Promise<void> {
  const bystander = await store.createAccount('bystander')
  await account.create('Copied')
  const large = await account.open('Large', 'read-write')
  if (large === undefined) throw new Error('No mailbox')
  const works = {
    STORE: () => large.storeFlags(rangeTo(some), { mode: 'add', flags: DELETED, keywords: [] }),
    COPY: () => large.copy(rangeTo(some), 'Copied'),
    EXPUNGE: () => large.expunge(rangeTo(some)),
  }
  for (const [name, work] of Object.entries(works)) {
    const loop = watchLoop()
    const started = performance.now()
    let tookMs: number | undefined
    const done = (async () => {
      await work()
      tookMs = performance.now() - started
    })()
    const beside = await load(1, { isOver: () => tookMs !== undefined }, () => deliver(store, bystander, 5_120))
    await done
    console.log(`  ${name} of ${some}: ${formatFigure(tookMs ?? Number.NaN)} ms; deliveries beside it: ${formatLoad(beside)}; loop delay max ${formatFigure(loop.max())} ms`)
    gates.time(`longest delivery beside ${name}`, beside.max, 100, 'disk')
  }
  large.close()
}

/** A server on this store; `fetch` resolves with the seconds one command takes in a mailbox. */
async function overSocket(store: Bench['store'], run: (fetch: (mailbox: string, command: string) => Promise<number>) => Promise<void>): Promise<void> {
  const server = await createMailServer(
    {
      hostname: 'mail.example.org',
      listeners: { local: { addresses: ['127.0.0.1'], imap: { port: 0, allowPlainLogin: true } } },
      domains: { 'example.org': {} },
      accounts: { [USER]: { addresses: ['@example.org'] } },
    },
    // It may not close what others still use.
    { store: keptOpen(store) },
  )
  await (await server.accounts.get(USER))?.setPassword(PASSWORD)
  const [endpoint] = await server.listen()
  const client = startImapLoad()
  try {
    await run(async (mailbox, command) => {
      const { seconds } = await client.run({ kind: 'commands', port: endpoint?.port ?? 0, mailbox, commands: [command] })
      return seconds
    })
  } finally {
    client.stop()
    await server.close({ drain: 0 })
  }
}

function keptOpen(store: Bench['store']): Bench['store'] {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'close') return () => Promise.resolve()
      const found: unknown = Reflect.get(target, name, target)
      return typeof found === 'function' ? (found.bind(target) as unknown) : found
    },
  })
}

function rangeTo(last: number): UidRanges {
  return [{ first: 1, last }] as unknown as UidRanges
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
