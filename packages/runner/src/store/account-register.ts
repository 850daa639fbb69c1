/**
 * Which accounts there are, by name and number, and the one object that stands for each while anyone uses it: two
 * writers of one account would only get in each other's way.
 */
import type { Clock } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import type { AccountHost } from './account.ts'
import { Account } from './account.ts'
import { AccountTables } from './account-tables.ts'
import { eraseAccount } from './eraser.ts'
import { decodeHead, encodeHead } from './head-record.ts'
import { AccountKeys } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { serverKeys } from './server-keys.ts'
import type { Named } from './named-records.ts'
import { decodeBucket, encodeBucket, findNamed, withNamed } from './named-records.ts'
import type { AccountRecord } from './server-records.ts'
import { decodeAccount, decodeNumber, encodeAccount, encodeNumber } from './server-records.ts'

const READ_ACCOUNTS = 256
const MAX_NAME_OCTETS = 1000
/** LIMIT: accounts kept ready though nobody uses them now. */
const MAX_KEPT = 1024
/** LIMIT: names whose number is remembered. */
const MAX_NUMBERS = 65_536

export class AccountRegister {
  readonly #host: AccountHost
  readonly #clock: Clock
  /** Told which account has something to erase. */
  readonly #expunged: (number: number) => void
  readonly #live = new Map<number, WeakRef<Account>>()
  /** Numbers of active accounts by name, as far as they were asked for: this process alone changes the list. */
  readonly #numbers = new Map<string, number>()
  /** Newest last. */
  readonly #kept = new Map<number, Account>()
  /** One change of the list of accounts at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(host: AccountHost, expunged: (number: number) => void) {
    this.#host = host
    this.#clock = host.clock
    this.#expunged = expunged
  }

  /** Every account of some state, in no order. */
  async list(state: AccountRecord['state']): Promise<{ readonly name: string; readonly number: number }[]> {
    const found: { readonly name: string; readonly number: number }[] = []
    let { from } = serverKeys.accounts()
    const { to } = serverKeys.accounts()
    for (;;) {
      const entries = await this.#host.store.range({ from, to, limit: READ_ACCOUNTS })
      for (const { value } of entries) {
        for (const { name, octets } of decodeBucket(value)) {
          const record = decodeAccount(octets)
          if (record.state === state) found.push({ name, number: record.number })
        }
      }
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ_ACCOUNTS) return found
      from = keyAfter(last.key)
    }
  }

  async find(name: string): Promise<Account | undefined> {
    const known = this.#numbers.get(name)
    if (known !== undefined) return this.open(name, known)
    const { record } = await this.#read(name)
    if (record?.state !== 'active') return undefined
    if (this.#numbers.size >= MAX_NUMBERS) this.#numbers.clear()
    this.#numbers.set(name, record.number)
    return this.open(name, record.number)
  }

  /** The object for an account that exists. */
  open(name: string, number: number): Account {
    let account = this.#kept.get(number) ?? this.#live.get(number)?.deref()
    if (account === undefined) {
      account = new Account(name, number, this.#host, () => this.#expunged(number))
      this.#live.set(number, new WeakRef(account))
    }
    this.#kept.delete(number)
    this.#kept.set(number, account)
    this.#trim()
    return account
  }

  create(name: string): Promise<Account> {
    if (Buffer.byteLength(name) > MAX_NAME_OCTETS || name === '') {
      return Promise.reject(new RangeError('An account name has 1 to 1,000 octets'))
    }
    return this.#inTurn(async () => {
      const { record, bucket } = await this.#read(name)
      if (record?.state === 'active') throw new StoreError('STORE_EXISTS', 'There is an account of that name')
      if (record !== undefined) await eraseAccount(this.#host.store, new AccountKeys(record.number))
      const number = await this.#takeNumber()
      await this.#createHead(number, record?.nextUidValidity ?? 1)
      const account = this.open(name, number)
      await account.writer.change(async (tx) => {
        const tables = new AccountTables(tx, account.keys)
        await tables.create('INBOX')
        await tables.finish()
      })
      await this.#write(name, bucket, { number, state: 'active', nextUidValidity: 1 })
      return account
    })
  }

  /** @returns whether there was one */
  remove(name: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const { record, bucket } = await this.#read(name)
      if (record?.state !== 'active') return false
      const { number } = record
      const account = this.open(name, number)
      this.#numbers.delete(name)
      await account.close()
      const [head] = await this.#host.store.getMany([account.keys.head()])
      const nextUidValidity = head === undefined ? 1 : decodeHead(head).nextUidValidity
      await this.#write(name, bucket, { number, state: 'removed', nextUidValidity })
      this.#numbers.delete(name)
      this.#kept.delete(number)
      this.#live.delete(number)
      await eraseAccount(this.#host.store, account.keys)
      return true
    })
  }

  /** Waits for the changes under way in all accounts and refuses more. */
  async close(): Promise<void> {
    await this.#turn.catch(() => undefined)
    const accounts = [...this.#live.values()].map((ref) => ref.deref())
    await Promise.all(accounts.map((account) => account?.close()))
  }

  async #createHead(number: number, formerNextUidValidity: number): Promise<void> {
    const keys = new AccountKeys(number)
    const head = encodeHead({
      generation: 0,
      modseq: 0,
      nextEmailId: 1,
      nextMailboxId: 1,
      nextUidValidity: Math.max(formerNextUidValidity, Math.floor(this.#clock.now() / 1000)),
      octetsUsed: 0,
      nonces: [],
    })
    const outcome = await this.#host.store.commit({
      partition: keys.partition,
      expect: [{ key: keys.head(), value: undefined }],
      put: [{ key: keys.head(), value: head }],
    })
    if (outcome === 'conflict') throw new StoreError('STORE_CORRUPT', 'A new account has records already')
  }

  async #takeNumber(): Promise<number> {
    for (;;) {
      const [octets] = await this.#host.store.getMany([serverKeys.nextAccount])
      const number = octets === undefined ? 1 : decodeNumber(octets)
      const outcome = await this.#host.store.commit({
        partition: serverKeys.partition,
        expect: [{ key: serverKeys.nextAccount, value: octets }],
        put: [{ key: serverKeys.nextAccount, value: encodeNumber(number + 1) }],
      })
      if (outcome === 'committed') return number
    }
  }

  async #read(name: string): Promise<{ readonly record: AccountRecord | undefined; readonly bucket: Bucket }> {
    const [octets] = await this.#host.store.getMany([serverKeys.account(name)])
    const named = decodeBucket(octets)
    const found = findNamed(named, name)
    return { record: found === undefined ? undefined : decodeAccount(found), bucket: { octets, named } }
  }

  async #write(name: string, { octets, named }: Bucket, record: AccountRecord): Promise<void> {
    const key = serverKeys.account(name)
    const value = encodeBucket(withNamed(named, name, encodeAccount(record)))
    const outcome = await this.#host.store.commit({
      partition: serverKeys.partition,
      expect: [{ key, value: octets }],
      ...(value === undefined ? { delete: [key] } : { put: [{ key, value }] }),
    })
    if (outcome === 'conflict') throw new StoreError('STORE_BUSY', 'Another process changes this account')
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run, run)
    this.#turn = done.catch(() => undefined)
    return done
  }

  #trim(): void {
    if (this.#kept.size <= MAX_KEPT) return
    for (const [number, account] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT) break
      if (!account.isHeld) this.#kept.delete(number)
    }
    for (const [number, ref] of this.#live) if (ref.deref() === undefined) this.#live.delete(number)
  }
}

interface Bucket {
  /** As stored: what a change of it expects. */
  readonly octets: Uint8Array | undefined
  readonly named: readonly Named[]
}
