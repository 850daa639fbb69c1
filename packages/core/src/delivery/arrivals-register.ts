/** Arrivals of the accounts that get mail, read from the store when an account gets its first. */
import { Arrivals, type AdmissionLimits, type ArrivalRefusal } from '../admission/index.ts'
import { ARRIVALS_KEPT_SECONDS, type AccountStore } from '../store/index.ts'

/** LIMIT: counts held for all accounts together; of those that got no mail for longest they are read again. */
const MAX_COUNTS = 200_000
/** LIMIT: accounts held. */
const MAX_ACCOUNTS = 2_000
/** Counts are added up once in so many openings. */
const OPENINGS_BETWEEN_COUNTS = 64

export class ArrivalsRegister {
  /** Least recently used first. */
  readonly #accounts = new Map<string, Promise<Arrivals>>()
  readonly #limits: AdmissionLimits
  #openings = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
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
  }

  forget(account: string): void {
    this.#accounts.delete(account)
  }

  async #open(account: AccountStore, nowSeconds: number): Promise<Arrivals> {
    const { name } = account
    let opened = this.#accounts.get(name)
    if (opened === undefined) {
      opened = account.arrivals(nowSeconds - ARRIVALS_KEPT_SECONDS).then((stored) => new Arrivals(stored))
      await this.#makeRoom()
    }
    this.#accounts.delete(name)
    this.#accounts.set(name, opened)
    // What could not be read is read anew by the next.
    opened.catch(() => this.#accounts.delete(name))
    return opened
  }

  async #makeRoom(): Promise<void> {
    this.#openings += 1
    let counts = 0
    if (this.#openings % OPENINGS_BETWEEN_COUNTS === 0) {
      for (const opened of [...this.#accounts.values()]) counts += (await opened).size
    }
    for (const [name, opened] of this.#accounts) {
      if (counts <= MAX_COUNTS && this.#accounts.size < MAX_ACCOUNTS) return
      if (counts > 0) counts -= (await opened).size
      this.#accounts.delete(name)
    }
  }
}
