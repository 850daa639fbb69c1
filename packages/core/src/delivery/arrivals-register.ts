/** Arrivals of the accounts that get mail, read from the store when an account gets its first. */
import { Arrivals, type AdmissionLimits, type ArrivalRefusal } from '../admission/index.ts'
import { ARRIVALS_KEPT_SECONDS, type AccountStore } from '../store/index.ts'

/** Bounds of memory. */
export interface RegisterBounds {
  /** Accounts held. */
  readonly maxAccounts: number
  /** Counts held for all accounts together, each some 100 octets. */
  readonly maxCounts: number
  /** Counts are added up once in so many messages, so that many may be too much. */
  readonly messagesBetweenCounts: number
}

const defaultBounds: RegisterBounds = { maxAccounts: 2_000, maxCounts: 200_000, messagesBetweenCounts: 256 }

/** LIMIT: what is too much goes by the account that got no mail for longest; its counts are read again with its next message. */
export class ArrivalsRegister {
  /** Least recently used first. */
  readonly #accounts = new Map<string, Promise<Arrivals>>()
  readonly #limits: AdmissionLimits
  readonly #bounds: RegisterBounds
  #messages = 0

  constructor(limits: AdmissionLimits, bounds: Partial<RegisterBounds> = {}) {
    this.#limits = limits
    this.#bounds = { ...defaultBounds, ...bounds }
  }

  /** Accounts held. */
  get size(): number {
    return this.#accounts.size
  }

  /** Counts held at present, over all accounts. */
  async counts(): Promise<number> {
    const all = await Promise.all(this.#accounts.values())
    return all.reduce((sum, { size }) => sum + size, 0)
  }

  /** Which limit a message from an address would pass. */
  async check(account: AccountStore, remoteAddress: string | undefined, sizeOctets: number, nowSeconds: number): Promise<ArrivalRefusal | undefined> {
    if (remoteAddress === undefined) return undefined
    return (await this.#open(account, nowSeconds)).check(remoteAddress, sizeOctets, nowSeconds, this.#limits)
  }

  /** A message was stored; the store counts it by itself. */
  async stored(account: AccountStore, remoteAddress: string | undefined, sizeOctets: number, nowSeconds: number): Promise<void> {
    if (remoteAddress === undefined) return
    const arrivals = await this.#accounts.get(account.name)
    arrivals?.add(remoteAddress, sizeOctets, nowSeconds)
    this.#messages += 1
    if (this.#messages % this.#bounds.messagesBetweenCounts === 0) await this.#makeRoom()
  }

  #open(account: AccountStore, nowSeconds: number): Promise<Arrivals> {
    const { name } = account
    const known = this.#accounts.get(name)
    if (known !== undefined) {
      this.#accounts.delete(name)
      this.#accounts.set(name, known)
      return known
    }
    const opened = account.arrivals(nowSeconds - ARRIVALS_KEPT_SECONDS).then((stored) => new Arrivals(stored))
    // In place before anything is waited for: whoever comes meanwhile must count in the same.
    this.#accounts.set(name, opened)
    // What could not be read is read anew by the next.
    opened.catch(() => {
      if (this.#accounts.get(name) === opened) this.#accounts.delete(name)
    })
    for (const oldest of this.#accounts.keys()) {
      if (this.#accounts.size <= this.#bounds.maxAccounts) break
      this.#accounts.delete(oldest)
    }
    return opened
  }

  async #makeRoom(): Promise<void> {
    const sizes: (readonly [name: string, opened: Promise<Arrivals>, size: number])[] = []
    let counts = 0
    for (const [name, opened] of [...this.#accounts]) {
      const { size } = await opened
      sizes.push([name, opened, size])
      counts += size
    }
    for (const [name, opened, size] of sizes) {
      if (counts <= this.#bounds.maxCounts) return
      if (this.#accounts.get(name) === opened) this.#accounts.delete(name)
      counts -= size
    }
  }
}
