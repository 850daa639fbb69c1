/**
 * The one writer of an account: runs change functions one after another, commits many of them in one batch, and tells the
 * results in order. Every batch expects the account's head as it was read and raises its generation, so that no two
 * processes can both win; the nonce in the head settles what became of a commit nobody answered.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock, Logger, Random, Timer } from '@postern/core/host'
import { sleep } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import type { HeadRecord } from './head-record.ts'
import { NONCE_OCTETS, decodeHead, encodeHead } from './head-record.ts'
import type { AccountKeys } from './keys.ts'
import type { LogEntry } from './log-record.ts'
import { encodeLog } from './log-record.ts'
import type { Batch, Entry, OrderedStore } from './ordered-store.ts'
import { LIMITS, compareOctets } from './ordered-store.ts'
import { keyOctets, keyText } from './sorted-map.ts'
import type { Layer } from './transaction.ts'
import { Transaction } from './transaction.ts'

/** LIMIT: more gave no throughput and stop the event loop longer. */
const MAX_BATCH_CHANGES = 32
/** Room left in a batch for head and log. */
const OWN_PUTS = 2
const OWN_OCTETS = 8192
/** LIMIT: what may wait for one account; beyond it senders are asked to come back. */
const MAX_WAITING_CHANGES = 1000
const MAX_WAITING_OCTETS = 32 * 1_048_576
/** LIMIT: another process that wins so often has the account for itself. */
const MAX_CONFLICTS = 8
const FIRST_PAUSE_MS = 2
const MAX_CHANGE_MS = 30_000
/** LIMIT: committed values kept; a delivery needs four, and there are many accounts. */
const MAX_CACHED = 24

/**
 * Changes an account. It may run more than once and does nothing but read and write `tx`; it awaits only reads of `tx`.
 * A throw drops its own writes and nothing else.
 */
export type Change<T> = (tx: Transaction) => Promise<T>

export interface AccountWriterOptions {
  readonly store: OrderedStore
  readonly keys: AccountKeys
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called after each commit with what was logged, in order, before the results are told. */
  readonly committed: (entries: readonly LogEntry[], modseq: number) => void
  /** Called after the results were told, when there was something a client can see. */
  readonly notify: (modseq: number) => void
}

/** A change that waits for its turn. */
interface Waiting {
  readonly run: Change<unknown>
  readonly octets: number
  readonly resolve: (value: never) => void
  readonly reject: (cause: unknown) => void
}

/** A change that ran, with what it gave. */
interface Ran {
  readonly waiting: Waiting
  readonly value: unknown
}

/** What a batch has gathered. */
interface Gathered {
  readonly layer: Layer
  readonly kept: Map<string, Uint8Array | undefined>
  readonly logged: LogEntry[]
  readonly ran: Ran[]
  head: HeadRecord
  octets: number
  large: boolean
}

/** Ends changes that take too long. */
interface Watch {
  readonly late: Promise<never>
  isOver: boolean
  timer: Timer
}

type Outcome = 'committed' | 'conflict'

/**
 * Whose change is running here. Only under tests (NODE_ENV is `test`): following it costs every promise of the process, a
 * twentieth of all it does. Elsewhere a change that waits for another of its account is ended by `MAX_CHANGE_MS`.
 */
const inside = process.env['NODE_ENV'] === 'test' ? new AsyncLocalStorage<AccountWriter>() : undefined

export class AccountWriter {
  readonly #options: AccountWriterOptions
  readonly #cache = new Map<string, Uint8Array | undefined>()
  #queue: Waiting[] = []
  #waitingOctets = 0
  #head: { readonly octets: Uint8Array; readonly record: HeadRecord } | undefined
  #working: Promise<void> | undefined
  #closed: StoreError | undefined

  constructor(options: AccountWriterOptions) {
    this.#options = options
  }

  /** Changes that wait or run. */
  get waiting(): number {
    return this.#queue.length
  }

  /**
   * Runs a change and resolves with what it gave once that is durable, in the order of modseqs.
   * @param octets about how much it will put
   * Rejects with `StoreError` STORE_BUSY when too much waits, or as the commit does.
   */
  change<T>(run: Change<T>, octets = 0): Promise<T> {
    if (inside?.getStore() === this) throw new Error('A change may not wait for another of the same account')
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    const crowded = this.#waitingOctets > 0 && this.#waitingOctets + octets > MAX_WAITING_OCTETS
    if (crowded || this.#queue.length >= MAX_WAITING_CHANGES) {
      return Promise.reject(new StoreError('STORE_BUSY', 'Too many changes wait for this account'))
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run, octets, resolve, reject })
      this.#waitingOctets += octets
      this.#working ??= this.#work()
    })
  }

  /** Waits for what is under way and refuses what comes after. */
  async close(why: StoreError): Promise<void> {
    this.#closed ??= why
    await this.#working
  }

  async #work(): Promise<void> {
    // Everything asked for in one turn of the event loop goes into the first batch.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      try {
        await this.#batch()
      } catch (cause) {
        this.#forget()
        this.#fail(this.#take(MAX_BATCH_CHANGES), cause)
      }
    }
    this.#working = undefined
  }

  /** Runs and commits as many changes as fit. Those taken are settled when it returns; it throws before taking any. */
  async #batch(): Promise<void> {
    let conflicts = 0
    for (;;) {
      const head = await this.#readHead()
      const gathered = await this.#gather(head.record, MAX_BATCH_CHANGES)
      if (gathered === undefined) return
      let outcome: Outcome
      try {
        outcome = await this.#commit(head.octets, gathered)
      } catch (cause) {
        this.#forget()
        if (gathered.ran.length === 1 || cause instanceof StoreError) {
          return this.#fail(
            gathered.ran.map(({ waiting }) => waiting),
            cause,
          )
        }
        // One of them poisons the others: each by itself, so that it fails alone.
        this.#options.logger.warn({ err: cause, changes: gathered.ran.length }, 'Batch failed, changes are tried alone')
        this.#putBack(gathered.ran)
        for (let left = gathered.ran.length; left > 0; left -= 1) await this.#single()
        return
      }
      if (outcome === 'committed') return this.#succeed(gathered, gathered.head.modseq > head.record.modseq)
      this.#forget()
      this.#putBack(gathered.ran)
      conflicts += 1
      if (conflicts > MAX_CONFLICTS) {
        const busy = new StoreError('STORE_BUSY', 'Another process keeps changing this account')
        return this.#fail(this.#take(gathered.ran.length), busy)
      }
      await sleep(this.#options.clock, this.#pauseMs(conflicts))
    }
  }

  async #single(): Promise<void> {
    const head = await this.#readHead()
    const gathered = await this.#gather(head.record, 1)
    if (gathered === undefined) return
    try {
      if ((await this.#commit(head.octets, gathered)) === 'committed') {
        return this.#succeed(gathered, gathered.head.modseq > head.record.modseq)
      }
      this.#forget()
      this.#putBack(gathered.ran)
    } catch (cause) {
      this.#forget()
      this.#fail(
        gathered.ran.map(({ waiting }) => waiting),
        cause,
      )
    }
  }

  /** Runs changes from the queue until a batch is full. @returns undefined when there is nothing to commit */
  async #gather(head: HeadRecord, most: number): Promise<Gathered | undefined> {
    const nowSeconds = Math.floor(this.#options.clock.now() / 1000)
    const gathered: Gathered = {
      layer: new Map(),
      kept: new Map(),
      logged: [],
      ran: [],
      head,
      octets: OWN_OCTETS,
      large: false,
    }
    const watch = this.#watch()
    while (gathered.ran.length < most && this.#queue.length > 0 && !watch.isOver) {
      const [waiting] = this.#take(1) as [Waiting]
      const source = { store: this.#options.store, cache: this.#cache, batch: gathered.layer, head: gathered.head, nowSeconds }
      const tx = new Transaction(source)
      let value: unknown
      try {
        value = await this.#run(waiting.run, tx, watch)
      } catch (cause) {
        waiting.reject(cause)
        continue
      }
      const fits = this.#fits(gathered, tx)
      if (!fits && gathered.ran.length > 0) {
        // Functions may run again: it goes first into the next batch.
        this.#putBack([{ waiting, value }])
        break
      }
      this.#merge(gathered, tx, { waiting, value })
      gathered.large = !fits
      if (!fits) break
    }
    watch.timer.cancel()
    if (gathered.ran.length === 0) return undefined
    if (gathered.layer.size === 0 && gathered.head === head) {
      this.#keep(gathered.kept)
      for (const { waiting, value } of gathered.ran) waiting.resolve(value as never)
      return undefined
    }
    return gathered
  }

  async #run(change: Change<unknown>, tx: Transaction, { late }: Watch): Promise<unknown> {
    return await Promise.race([inside === undefined ? change(tx) : inside.run(this, change, tx), late])
  }

  /** One timer for all changes of a batch: most take microseconds. */
  #watch(): Watch {
    let timedOut: ((cause: Error) => void) | undefined
    const late = new Promise<never>((_, reject) => (timedOut = reject))
    // Heard by whichever change runs then; with none running there is nobody to tell.
    late.catch(() => undefined)
    const watch: Watch = { late, isOver: false, timer: { cancel() {} } }
    watch.timer = this.#options.clock.timer(MAX_CHANGE_MS, () => {
      watch.isOver = true
      timedOut?.(new Error('A change of an account took over 30 s'))
    })
    return watch
  }

  #fits(gathered: Gathered, tx: Transaction): boolean {
    let puts = gathered.layer.size + OWN_PUTS
    for (const text of tx.layer.keys()) if (!gathered.layer.has(text)) puts += 1
    return puts <= LIMITS.batchPuts && gathered.octets + tx.putOctets <= LIMITS.batchOctets
  }

  #merge(gathered: Gathered, tx: Transaction, ran: Ran): void {
    gathered.ran.push(ran)
    for (const [text, value] of tx.kept) gathered.kept.set(text, value)
    if (tx.isEmpty) return
    for (const [text, value] of tx.layer) gathered.layer.set(text, value)
    gathered.logged.push(...tx.logged)
    gathered.head = { ...gathered.head, ...tx.head }
    gathered.octets += tx.putOctets
  }

  async #commit(expected: Uint8Array, gathered: Gathered): Promise<Outcome> {
    const { store, keys, random } = this.#options
    const nonce = random(NONCE_OCTETS)
    const before = decodeHead(expected)
    gathered.head = { ...gathered.head, generation: before.generation + 1, nonces: [nonce, ...before.nonces] }
    const headOctets = encodeHead(gathered.head)
    const { modseq } = gathered.head
    if (modseq > before.modseq) gathered.layer.set(keyText(keys.log(modseq)), encodeLog(mergeLog(gathered.logged)))
    gathered.layer.set(keyText(keys.head()), headOctets)
    const batch = batchOf(keys, expected, gathered)
    for (;;) {
      let outcome: Outcome
      try {
        outcome = await store.commit(batch)
      } catch (cause) {
        if ((cause as { code?: unknown }).code !== 'STORE_UNKNOWN') throw cause
        const [found] = await store.getMany([keys.head()])
        const now = found === undefined ? undefined : decodeHead(found)
        if (now?.nonces.some((other) => compareOctets(other, nonce) === 0) === true) outcome = 'committed'
        else if (now?.generation === before.generation) continue
        else outcome = 'conflict'
      }
      if (outcome === 'committed') this.#head = { octets: headOctets, record: gathered.head }
      return outcome
    }
  }

  #succeed(gathered: Gathered, raised: boolean): void {
    for (const [text, value] of gathered.layer) if (gathered.kept.has(text) || this.#cache.has(text)) gathered.kept.set(text, value)
    this.#keep(gathered.kept)
    const { modseq } = gathered.head
    this.#options.committed(gathered.logged, modseq)
    for (const { waiting, value } of gathered.ran) waiting.resolve(value as never)
    if (raised) this.#options.notify(modseq)
  }

  async #readHead(): Promise<{ readonly octets: Uint8Array; readonly record: HeadRecord }> {
    if (this.#head !== undefined) return this.#head
    const [octets] = await this.#options.store.getMany([this.#options.keys.head()])
    if (octets === undefined) throw new StoreError('STORE_CLOSED', 'The account was removed')
    this.#head = { octets, record: decodeHead(octets) }
    return this.#head
  }

  /** The newest values are the last of the map; the oldest go. */
  #keep(kept: ReadonlyMap<string, Uint8Array | undefined>): void {
    for (const [text, value] of kept) {
      this.#cache.delete(text)
      this.#cache.set(text, value)
    }
    for (const text of this.#cache.keys()) {
      if (this.#cache.size <= MAX_CACHED) break
      this.#cache.delete(text)
    }
  }

  #forget(): void {
    this.#cache.clear()
    this.#head = undefined
  }

  #take(most: number): Waiting[] {
    const taken = this.#queue.slice(0, most)
    this.#queue = this.#queue.slice(most)
    for (const { octets } of taken) this.#waitingOctets -= octets
    return taken
  }

  #putBack(ran: readonly Ran[]): void {
    const waiting = ran.map((each) => each.waiting)
    this.#queue = [...waiting, ...this.#queue]
    for (const { octets } of waiting) this.#waitingOctets += octets
  }

  #fail(taken: readonly Waiting[], cause: unknown): void {
    for (const { reject } of taken) reject(cause)
  }

  #pauseMs(conflicts: number): number {
    const [octet = 0] = this.#options.random(1)
    return FIRST_PAUSE_MS * 2 ** conflicts * (0.5 + octet / 512)
  }
}

function batchOf(keys: AccountKeys, expected: Uint8Array, gathered: Gathered): Batch {
  const put: Entry[] = []
  const deleted: Uint8Array[] = []
  const ordered = [...gathered.layer].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [text, value] of ordered) {
    const key = keyOctets(text)
    if (value === undefined) deleted.push(key)
    else put.push({ key, value })
  }
  return {
    partition: keys.partition,
    expect: [{ key: keys.head(), value: expected }],
    put,
    delete: deleted,
    ...(gathered.large ? { large: true } : {}),
  }
}

/** Joins neighbouring entries of the same kind whose UIDs go on from each other, as deliveries do. */
function mergeLog(entries: readonly LogEntry[]): readonly LogEntry[] {
  const merged: LogEntry[] = []
  const arrivals = new Map<number, number>()
  for (const entry of entries) {
    const at = entry.kind === 'arrived' ? arrivals.get(entry.mailbox) : undefined
    const before = at === undefined ? undefined : merged[at]
    const last = before?.uids.at(-1)
    const next = entry.uids[0]
    if (at !== undefined && before !== undefined && last !== undefined && next !== undefined && last.last + 1 === next.first) {
      const uids = [...before.uids.slice(0, -1), { first: last.first, last: next.last }, ...entry.uids.slice(1)]
      merged[at] = { ...before, uids }
      continue
    }
    if (entry.kind === 'arrived') arrivals.set(entry.mailbox, merged.length)
    merged.push(entry)
  }
  return merged
}
