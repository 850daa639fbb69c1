/**
 * The one writer of an account: runs change functions one after another, commits many of them in one batch, and tells
 * the results in order. Every batch expects the account's head as it was read and raises its generation, so that no two
 * processes can both win; the nonce in the head settles what became of a commit nobody answered.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock, Logger, Random, Timer } from '@postern/core/host'
import { sleep } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import { AccountBatch } from './account-batch.ts'
import type { HeadRecord } from './head-record.ts'
import { NONCE_OCTETS, decodeHead } from './head-record.ts'
import type { AccountKeys } from './account-keys.ts'
import type { LogEntry } from './log-record.ts'
import type { OrderedStore } from './ordered-store.ts'
import { compareOctets } from './ordered-store.ts'
import { Transaction } from './transaction.ts'

/** LIMIT: more gave no throughput and stop the event loop longer. */
const MAX_BATCH_CHANGES = 32
/** LIMIT: what may wait for one account; beyond it senders are asked to come back. */
const MAX_WAITING_CHANGES = 1000
const MAX_WAITING_OCTETS = 32 * 1_048_576
/** LIMIT: another process that wins so often has the account for itself. */
const MAX_CONFLICTS = 8
const FIRST_PAUSE_MS = 2
const MAX_CHANGE_MS = 30_000
/** LIMIT: about what a commit takes; those who come do so in half of it. */
const COMPANIONS_MS = 2
/** LIMIT: so that waiting in vain costs hardly anything. */
const HURRIED_BATCHES = 8
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
  readonly committed: (entries: readonly LogEntry[]) => void
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

/** Ends changes that take too long. */
interface Watch {
  isOver: boolean
  /** Ends the change that runs. */
  end: (cause: Error) => void
  timer: Timer
}

/** Changes on their way into the store together. */
interface Gathered {
  readonly batch: AccountBatch
  readonly ran: readonly Ran[]
}

/**
 * Whose change is running here. Only under tests (NODE_ENV is `test`): following it costs every promise of the
 * process, a twentieth of all it does. Elsewhere a change that waits for another of its account is ended by
 * `MAX_CHANGE_MS`.
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
  /** Changes that were under way when the last batch was done: those in it, and those behind it. */
  #underWay = 1
  /** Batches to come for which nobody is waited. */
  #hurried = 0
  /** Ends the waiting for others when so many are there. */
  #complete: { readonly from: number; readonly go: () => void } | undefined

  constructor(options: AccountWriterOptions) {
    this.#options = options
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
      if (this.#complete !== undefined && this.#queue.length >= this.#complete.from) this.#complete.go()
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
      await this.#othersCome()
      try {
        await this.#batch()
      } catch (cause) {
        this.#forget()
        for (const { reject } of this.#take(MAX_BATCH_CHANGES)) reject(cause)
      }
    }
    this.#working = undefined
  }

  /**
   * Who gets his answer now comes back soon, and would wait for the commit of those who are here already, while that
   * takes hardly longer with him: a few connections that append would take turns in two halves. Where they don't come, the
   * next batches don't wait. Goes by the machine's time, whatever the clock of the store says.
   */
  async #othersCome(): Promise<void> {
    const from = Math.min(this.#underWay, MAX_BATCH_CHANGES)
    if (this.#queue.length >= from) return
    if (this.#hurried > 0) {
      this.#hurried -= 1
      return
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, COMPANIONS_MS)
      const go = (): void => {
        clearTimeout(timer)
        resolve()
      }
      this.#complete = { from, go }
    })
    this.#complete = undefined
    if (this.#queue.length < from) this.#hurried = HURRIED_BATCHES
  }

  /** Runs and commits as many changes as fit. Those taken are settled when it returns; it throws before taking any. */
  async #batch(): Promise<void> {
    for (let conflicts = 0; ; ) {
      const head = await this.#readHead()
      const gathered = await this.#gather(head.record, MAX_BATCH_CHANGES)
      if (gathered === undefined) return
      const { ran } = gathered
      try {
        if ((await this.#commit(head.octets, gathered.batch)) === 'committed') return this.#succeed(gathered)
      } catch (cause) {
        this.#forget()
        if (ran.length === 1 || isCondition(cause)) return fail(ran, cause)
        // One of them poisons the others: each by itself, so that it fails alone.
        this.#options.logger.warn({ err: cause, changes: ran.length }, 'Batch failed, changes are tried alone')
        this.#putBack(ran)
        for (let left = ran.length; left > 0; left -= 1) await this.#single()
        return
      }
      this.#forget()
      conflicts += 1
      if (conflicts > MAX_CONFLICTS) {
        return fail(ran, new StoreError('STORE_BUSY', 'Another process keeps changing this account'))
      }
      this.#putBack(ran)
      await sleep(this.#options.clock, this.#pauseMs(conflicts))
    }
  }

  /** Runs and commits one change, once; after a conflict it waits for its turn again. */
  async #single(): Promise<void> {
    const head = await this.#readHead()
    const gathered = await this.#gather(head.record, 1)
    if (gathered === undefined) return
    try {
      if ((await this.#commit(head.octets, gathered.batch)) === 'committed') return this.#succeed(gathered)
    } catch (cause) {
      this.#forget()
      return fail(gathered.ran, cause)
    }
    this.#forget()
    this.#putBack(gathered.ran)
  }

  /** Runs changes from the queue until a batch is full. @returns undefined when there is nothing to commit */
  async #gather(head: HeadRecord, most: number): Promise<Gathered | undefined> {
    const { store, clock } = this.#options
    const nowSeconds = Math.floor(clock.now() / 1000)
    const batch = new AccountBatch(head)
    const ran: Ran[] = []
    const watch = this.#watch()
    while (ran.length < most && this.#queue.length > 0 && !watch.isOver && !batch.isLarge) {
      const [waiting] = this.#take(1) as [Waiting]
      const tx = new Transaction({ store, cache: this.#cache, batch: batch.layer, head: batch.head, nowSeconds })
      let value: unknown
      try {
        value = await this.#run(waiting.run, tx, watch)
      } catch (cause) {
        waiting.reject(cause)
        continue
      }
      if (ran.length > 0 && !batch.fits(tx)) {
        // Functions may run again: it goes first into the next batch.
        this.#putBack([{ waiting, value }])
        break
      }
      batch.add(tx)
      ran.push({ waiting, value })
    }
    watch.timer.cancel()
    if (ran.length === 0) return undefined
    if (!batch.isEmpty) return { batch, ran }
    this.#keep(batch.kept)
    succeed(ran)
    return undefined
  }

  #run(change: Change<unknown>, tx: Transaction, watch: Watch): Promise<unknown> {
    return new Promise((resolve, reject) => {
      watch.end = reject
      const running = inside === undefined ? change(tx) : inside.run(this, change, tx)
      running.then(resolve, reject)
    })
  }

  /** One timer for all changes of a batch: most take microseconds. */
  #watch(): Watch {
    const timer = this.#options.clock.timer(MAX_CHANGE_MS, () => {
      watch.isOver = true
      watch.end(new Error('A change of an account took over 30 s'))
    })
    const watch: Watch = { isOver: false, end: nobody, timer }
    return watch
  }

  async #commit(expected: Uint8Array, batch: AccountBatch): Promise<'committed' | 'conflict'> {
    const { store, keys, random, clock } = this.#options
    const nonce = random(NONCE_OCTETS)
    const { generation } = batch.head
    const sealed = batch.seal(keys, expected, nonce)
    for (let unanswered = 0; ; ) {
      try {
        const outcome = await store.commit(sealed.batch)
        if (outcome === 'committed') this.#head = { octets: sealed.head, record: batch.head }
        return outcome
      } catch (cause) {
        unanswered += 1
        if (codeOf(cause) !== 'STORE_UNKNOWN' || unanswered > MAX_CONFLICTS) throw cause
      }
      // The head tells what became of it: never send again without asking, that would deliver twice.
      const [found] = await store.getMany([keys.head()])
      const now = found === undefined ? undefined : decodeHead(found)
      if (now?.nonces.some((other) => compareOctets(other, nonce) === 0) === true) {
        // Others may have gone on since: what is known of the account is known no longer.
        this.#forget()
        return 'committed'
      }
      if (now?.generation !== generation) return 'conflict'
      await sleep(clock, this.#pauseMs(unanswered))
    }
  }

  #succeed({ batch, ran }: Gathered): void {
    this.#underWay = ran.length + this.#queue.length
    if (this.#head !== undefined) {
      for (const [text, value] of batch.layer) {
        if (batch.kept.has(text) || this.#cache.has(text)) batch.kept.set(text, value)
      }
      this.#keep(batch.kept)
    }
    const { modseq } = batch.head
    this.#options.committed(batch.logged)
    succeed(ran)
    if (batch.isVisible) this.#options.notify(modseq)
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

  #pauseMs(conflicts: number): number {
    const [octet = 0] = this.#options.random(1)
    return FIRST_PAUSE_MS * 2 ** conflicts * (0.5 + octet / 512)
  }
}

/** With no change running there is nobody to tell. */
function nobody(): void {}

function succeed(ran: readonly Ran[]): void {
  for (const { waiting, value } of ran) waiting.resolve(value as never)
}

function fail(ran: readonly Ran[], cause: unknown): void {
  for (const { waiting } of ran) waiting.reject(cause)
}

function codeOf(cause: unknown): unknown {
  return (cause as { code?: unknown } | undefined)?.code
}

/** Whether a commit failed for a reason that lies in the store, and no change in the batch is to blame. */
function isCondition(cause: unknown): boolean {
  const code = codeOf(cause)
  return typeof code === 'string' && code.startsWith('STORE_') && code !== 'STORE_BATCH'
}
