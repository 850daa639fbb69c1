/**
 * How much an account got from a network lately, against limits: rolling windows over minutes as the store keeps them.
 * Held in memory for accounts that get mail, read from the store once. Not here: what a refusal is told as.
 */
import { networkOf, formatIpNetwork, parseIpAddress, parseIpNetwork, networkKeys } from '../address/index.ts'
import type { ArrivalCount } from '../store/index.ts'
import type { AdmissionLimits } from './limits.ts'

/** Which limit a message would pass. */
export interface ArrivalRefusal {
  readonly what: 'messages' | 'octets'
  readonly window: 'minute' | 'day'
  /** The network whose limit it is, `192.0.2.0/26`. */
  readonly network: string
  readonly limit: number
}

interface Count {
  messages: number
  octets: number
}

/**
 * LIMIT: networks counted in one slice of a window. Those beyond are counted by the wider networks around them, at last
 * not at all.
 */
const MAX_SLICE_NETWORKS = 2_000

/** Arrivals of one account in the last day. */
export class Arrivals {
  readonly #minute = new RollingCounts(60, 1)
  readonly #day = new RollingCounts(3_600, 24)

  /** @param stored as `AccountStore.arrivals` gives for the last day */
  constructor(stored: readonly ArrivalCount[]) {
    for (const { seconds, network, messages, octets } of stored) this.#count(widerNetworks(network), seconds, messages, octets)
  }

  /** Counts held in memory. */
  get size(): number {
    return this.#minute.size + this.#day.size
  }

  /** The first limit one more message would pass; counts before sizes, the minute before the day, narrow networks first. */
  check(remoteAddress: string, sizeOctets: number, nowSeconds: number, limits: AdmissionLimits): ArrivalRefusal | undefined {
    const address = parseIpAddress(remoteAddress)
    if (address === undefined) return undefined
    const networks = networkKeys(address)
    for (const what of ['messages', 'octets'] as const) {
      for (const window of ['minute', 'day'] as const) {
        const allowed = limits[`${what}Per${window === 'minute' ? 'Minute' : 'Day'}`]
        const counts = window === 'minute' ? this.#minute : this.#day
        for (const [at, network] of networks.entries()) {
          const limit = allowed[at] as number
          const count = counts.sum(network, what, nowSeconds)
          const isOver = what === 'messages' ? count >= limit : count + sizeOctets > limit
          if (isOver) return { what, window, network, limit }
        }
      }
    }
    return undefined
  }

  /** A message was stored. */
  add(remoteAddress: string, sizeOctets: number, nowSeconds: number): void {
    const address = parseIpAddress(remoteAddress)
    if (address !== undefined) this.#count(networkKeys(address), nowSeconds, 1, sizeOctets)
  }

  #count(networks: readonly string[], seconds: number, messages: number, octets: number): void {
    for (const network of networks) {
      this.#minute.add(network, seconds, messages, octets)
      this.#day.add(network, seconds, messages, octets)
    }
  }
}

/** Sums over the last `slices` slices of time; of the slice before these, the share that lies in the window, as if evenly filled. */
class RollingCounts {
  readonly #sliceSeconds: number
  readonly #slices: number
  /** By number of the slice, in any order; at most `slices` + 1. */
  readonly #counts = new Map<number, Map<string, Count>>()

  constructor(sliceSeconds: number, slices: number) {
    this.#sliceSeconds = sliceSeconds
    this.#slices = slices
  }

  get size(): number {
    let size = 0
    for (const counts of this.#counts.values()) size += counts.size
    return size
  }

  add(network: string, seconds: number, messages: number, octets: number): void {
    const slice = Math.floor(seconds / this.#sliceSeconds)
    let counts = this.#counts.get(slice)
    if (counts === undefined) {
      for (const old of this.#counts.keys()) if (old < slice - this.#slices) this.#counts.delete(old)
      this.#counts.set(slice, (counts = new Map()))
    }
    const count = counts.get(network)
    if (count !== undefined) {
      count.messages += messages
      count.octets += octets
    } else if (counts.size < MAX_SLICE_NETWORKS) {
      counts.set(network, { messages, octets })
    }
  }

  sum(network: string, what: keyof Count, nowSeconds: number): number {
    const newest = Math.floor(nowSeconds / this.#sliceSeconds)
    const oldest = newest - this.#slices
    const share = 1 - (nowSeconds - newest * this.#sliceSeconds) / this.#sliceSeconds
    let sum = 0
    for (const [slice, counts] of this.#counts) {
      if (slice < oldest) continue
      const count = counts.get(network)?.[what]
      if (count !== undefined) sum += slice === oldest ? count * share : count
    }
    return sum
  }
}

/** A counted network and the wider ones around it. */
function widerNetworks(text: string): readonly string[] {
  const network = parseIpNetwork(text)
  if (network === undefined) return []
  const { address, prefixLength } = network
  const counted = address.version === 4 ? [32, 26, 21] : [64, 48, 32]
  return counted.filter((length) => length <= prefixLength).map((length) => formatIpNetwork(networkOf(address, length)))
}
