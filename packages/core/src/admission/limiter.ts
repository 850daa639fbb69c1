/**
 * Counts by network against limits: how many connections, failed logins and the like one address, its neighbourhood and
 * its provider may cause in a window of time. Memory is bounded whoever knocks. Not here: what a refusal is told as.
 */
import { networkKeys, parseIpAddress } from '../address/index.ts'

/** Limits of one window for the three classes of networks, narrow to wide: IPv4 /32, /26, /21; IPv6 /64, /48, /32. */
export interface WindowLimits {
  /** Length of the window in milliseconds; windows begin at multiples of it since 1970. `Infinity`: counts never end by themselves. */
  readonly windowMs: number
  readonly limits: readonly [narrow: number, middle: number, wide: number]
}

/** LIMIT: networks counted of each class and window; the address space has more than memory has. */
const MAX_NETWORKS = 50_000

type NetworkKeys = readonly [narrow: string, middle: string, wide: string]

interface Window extends WindowLimits {
  number: number
  /** By network, for each class. */
  readonly counts: readonly [Map<string, number>, Map<string, number>, Map<string, number>]
}

/**
 * A limiter of one kind of event. When more networks of a class knock than it can count, those not counted yet are held
 * to the limits of the wider networks around them alone; a /8 has 8,192 of the widest class, an IPv6 /32 is one.
 */
export class NetworkLimiter {
  readonly #windows: readonly Window[]
  readonly #maxNetworks: number

  /** @param options.maxNetworks of each class and window */
  constructor(windows: readonly WindowLimits[], options: { readonly maxNetworks?: number } = {}) {
    this.#windows = windows.map((window) => ({ ...window, number: 0, counts: [new Map(), new Map(), new Map()] }))
    this.#maxNetworks = options.maxNetworks ?? MAX_NETWORKS
  }

  /** Networks counted at present, over all classes and windows. */
  get size(): number {
    return this.#windows.reduce((sum, { counts }) => sum + counts.reduce((all, { size }) => all + size, 0), 0)
  }

  /**
   * Counts `count` events from an address, unless a limit of any window and class would be passed: then nothing.
   * @param remoteAddress IP address as text; a peer without one is never limited
   * @param nowMs milliseconds since 1970
   */
  add(remoteAddress: string | undefined, nowMs: number, count = 1): boolean {
    const keys = keysOf(remoteAddress)
    if (keys === undefined) return true
    if (!this.#hasRoom(keys, nowMs, count)) return false
    this.#change(keys, count)
    return true
  }

  /** Whether `count` more events would be let through; counts nothing. */
  canAdd(remoteAddress: string | undefined, nowMs: number, count = 1): boolean {
    const keys = keysOf(remoteAddress)
    return keys === undefined || this.#hasRoom(keys, nowMs, count)
  }

  /** Takes back events that are over, such as a connection that was closed. */
  release(remoteAddress: string | undefined, count = 1): void {
    const keys = keysOf(remoteAddress)
    if (keys !== undefined) this.#change(keys, -count)
  }

  /** Forgets what one address did in the windows that run, as after a good login. What its neighbours did stays counted. */
  reset(remoteAddress: string | undefined, nowMs: number): void {
    const keys = keysOf(remoteAddress)
    if (keys === undefined) return
    for (const window of this.#windows) {
      turn(window, nowMs)
      const own = window.counts[0].get(keys[0])
      if (own === undefined) continue
      for (const [at, key] of keys.entries()) this.#count(window.counts[at] as Map<string, number>, key, -own)
    }
  }

  #hasRoom(keys: NetworkKeys, nowMs: number, count: number): boolean {
    return this.#windows.every((window) => {
      turn(window, nowMs)
      return keys.every((key, at) => (window.counts[at]?.get(key) ?? 0) + count <= (window.limits[at] as number))
    })
  }

  #change(keys: NetworkKeys, by: number): void {
    for (const { counts } of this.#windows) {
      for (const [at, key] of keys.entries()) this.#count(counts[at] as Map<string, number>, key, by)
    }
  }

  #count(counts: Map<string, number>, key: string, by: number): void {
    const count = (counts.get(key) ?? 0) + by
    if (count <= 0) counts.delete(key)
    else if (counts.size < this.#maxNetworks || counts.has(key)) counts.set(key, count)
  }
}

function turn(window: Window, nowMs: number): void {
  if (window.windowMs === Number.POSITIVE_INFINITY) return
  const number = Math.floor(nowMs / window.windowMs)
  if (number === window.number) return
  window.number = number
  for (const counts of window.counts) counts.clear()
}

function keysOf(remoteAddress: string | undefined): NetworkKeys | undefined {
  const address = remoteAddress === undefined ? undefined : parseIpAddress(remoteAddress)
  return address === undefined ? undefined : networkKeys(address)
}
