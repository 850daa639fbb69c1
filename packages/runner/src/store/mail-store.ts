/**
 * The mail store over an ordered store: fulfils core's `MailStore` on every engine, and does the work nobody asked
 * for: what was expunged is erased in the background.
 */
import type { Clock, Logger, Random, Timer } from '@postern/core/host'
import type { AccountStore, FilingPolicy, MailStore, Spool } from '@postern/core/store'
import { StoreError } from '@postern/core/store'
import type { Account } from './account.ts'
import { AccountRegister } from './account-register.ts'
import type { EraserHost } from './eraser.ts'
import { eraseAccount, eraseDue } from './eraser.ts'
import { AccountKeys } from './account-keys.ts'
import { decodeBucket, encodeBucket, findNamed, withNamed } from './named-records.ts'
import type { OrderedStore } from './ordered-store.ts'
import { ReportTable } from './report-table.ts'
import type { StoredBlobs } from './stored-blobs.ts'

const MAX_SECRET_OCTETS = 4000
const ERASE_EVERY_MS = 60_000

export interface MailStoreOptions {
  readonly info: MailStore['info']
  readonly store: OrderedStore
  readonly blobs: StoredBlobs
  readonly spool: () => Spool
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Whether there is room for mail. Default: always. */
  readonly hasRoom?: () => boolean
  /** Collects blobs nobody refers to; called once an hour. */
  readonly collect?: () => Promise<void>
  /** Closes what lies under the store. */
  readonly close: () => Promise<void>
}

/** A mail store with what its own tests and tools ask of it. */
export interface OpenMailStore extends MailStore {
  account(name: string): Promise<Account | undefined>
  /** Erases what is due, in all accounts where something may be. */
  erase(): Promise<void>
}

export function createMailStore(options: MailStoreOptions): OpenMailStore {
  return new StoreOverEngine(options)
}

class StoreOverEngine implements OpenMailStore {
  readonly info: MailStore['info']
  readonly reports: ReportTable
  readonly #options: MailStoreOptions
  readonly #register: AccountRegister
  #policyOf: (account: string) => FilingPolicy | undefined = () => undefined
  readonly #trainers = new Set<(account: string) => void>()
  /** Accounts that may have something to erase. At first: any. */
  readonly #due = new Set<number>()
  #knowsDue = false
  #timer: Timer | undefined
  #erasing: Promise<void> | undefined
  #collectedMs: number
  #closing: Promise<void> | undefined

  constructor(options: MailStoreOptions) {
    this.info = options.info
    this.#options = options
    this.reports = new ReportTable({ store: options.store, assertOpen: () => this.#assertOpen() })
    this.#register = new AccountRegister({ ...options, policyOf: (name) => this.#policyOf(name), leftToLearn: (name) => this.#tellTraining(name) }, (number) => this.#due.add(number))
    this.#collectedMs = options.clock.monotonic()
    this.#startTimer()
  }

  get accepting(): boolean {
    return this.#closing === undefined && this.#options.store.writable && (this.#options.hasRoom?.() ?? true)
  }

  async accounts(): Promise<readonly string[]> {
    this.#assertOpen()
    return (await this.#register.list('active')).map(({ name }) => name).sort()
  }

  async account(name: string): Promise<Account | undefined> {
    this.#assertOpen()
    return await this.#register.find(name)
  }

  async createAccount(name: string): Promise<AccountStore> {
    this.#assertOpen()
    return await this.#register.create(name)
  }

  async removeAccount(name: string): Promise<boolean> {
    this.#assertOpen()
    return await this.#register.remove(name)
  }

  async secret(name: string, kind: string): Promise<Uint8Array | undefined> {
    const account = await this.account(name)
    if (account === undefined) return undefined
    const [octets] = await this.#options.store.getMany([account.keys.access(kind)])
    return findNamed(decodeBucket(octets), kind)
  }

  async saveSecret(name: string, kind: string, octets: Uint8Array | undefined): Promise<void> {
    if (octets !== undefined && octets.length > MAX_SECRET_OCTETS) {
      throw new RangeError('A secret has at most 4,000 octets')
    }
    const account = await this.account(name)
    if (account === undefined) throw new RangeError('No such account')
    const key = account.keys.access(kind)
    const value = octets?.slice()
    await account.writer.change(async (tx) => {
      tx.putOrDelete(key, encodeBucket(withNamed(decodeBucket(await tx.get(key)), kind, value)))
    })
  }

  usePolicy(policyOf: (account: string) => FilingPolicy | undefined): void {
    this.#policyOf = policyOf
  }

  watchTraining(listener: (account: string) => void): () => void {
    const own = (account: string): void => listener(account)
    this.#trainers.add(own)
    return () => void this.#trainers.delete(own)
  }

  spool(): Spool {
    this.#assertOpen()
    return this.#options.spool()
  }

  erase(): Promise<void> {
    this.#erasing ??= this.#eraseDue().finally(() => {
      this.#erasing = undefined
    })
    return this.#erasing
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#timer?.cancel()
    await this.#erasing?.catch(() => undefined)
    await this.reports.settled()
    await this.#register.close()
    await this.#options.close()
  }

  #startTimer(): void {
    this.#timer = this.#options.clock.timer(ERASE_EVERY_MS, () => void this.#maintain())
  }

  async #maintain(): Promise<void> {
    const { clock, collect, logger } = this.#options
    try {
      await this.erase()
      if (collect !== undefined && clock.monotonic() - this.#collectedMs > 3_600_000) {
        this.#collectedMs = clock.monotonic()
        await collect()
      }
    } catch (cause) {
      if (this.#closing === undefined) logger.error({ err: cause }, 'Erasing what was expunged failed')
    }
    if (this.#closing === undefined) this.#startTimer()
  }

  async #eraseDue(): Promise<void> {
    const { store, blobs, clock, logger } = this.#options
    const host: EraserHost = { store, blobs, logger }
    for (const { number } of await this.#register.list('removed')) await eraseAccount(store, new AccountKeys(number))
    for (const { name, number } of await this.#register.list('active')) {
      if (this.#closing !== undefined) return
      if (this.#knowsDue && !this.#due.has(number)) continue
      this.#due.delete(number)
      const account = this.#register.open(name, number)
      if (await eraseDue(host, account, Math.floor(clock.now() / 1000))) this.#due.add(number)
    }
    this.#knowsDue = true
  }

  #tellTraining(account: string): void {
    for (const listener of this.#trainers) listener(account)
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('STORE_CLOSED', 'The store is closed')
  }
}
