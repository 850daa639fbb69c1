/** DNS block lists: whether an address is listed, asked only of lists that answer sensibly. RFC 5782 */
import { parseIpAddress, type IpAddress } from '../address/index.ts'
import { DnsError, type Clock, type Resolver } from '../host/index.ts'
import { reversedLabels } from './reverse-name.ts'

export interface BlockListing {
  readonly zone: string
  readonly result: 'listed' | 'not-listed' | 'unhealthy' | 'temperror'
  /** What the list says about a listing: printable ASCII, at most 200 characters. Not to be trusted. */
  readonly explanation: string | undefined
}

export interface BlockListHost {
  readonly resolver: Resolver
  readonly clock: Pick<Clock, 'monotonic'>
}

/** How long a list is taken for healthy, or not. */
const HEALTH_MS = 5 * 60_000
const MAX_EXPLANATION = 200
/** Addresses that must be listed, and must not be. RFC 5782 §5 */
const TEST_LISTED = { 4: '127.0.0.2', 6: '::ffff:7f00:2' } as const
const TEST_NOT_LISTED = { 4: '127.0.0.1', 6: '::ffff:7f00:1' } as const

/** Lists that are asked side by side; remembers which of them are healthy. */
export class BlockLists {
  readonly #zones: readonly string[]
  readonly #host: BlockListHost
  readonly #health = new Map<string, { readonly healthy: Promise<boolean>; readonly until: number }>()

  /** @param zones names such as `bl.example.org` */
  constructor(zones: readonly string[], host: BlockListHost) {
    this.#zones = zones
    this.#host = host
  }

  /** In the order of the zones; empty for text that is no address. Rejects only with the signal's reason. */
  async check(ip: string, signal?: AbortSignal): Promise<readonly BlockListing[]> {
    const address = parseIpAddress(ip)
    return address === undefined ? [] : Promise.all(this.#zones.map((zone) => this.#checkZone(zone, address, signal)))
  }

  async #checkZone(zone: string, address: IpAddress, signal: AbortSignal | undefined): Promise<BlockListing> {
    const not = (result: Exclude<BlockListing['result'], 'listed'>): BlockListing => ({ zone, result, explanation: undefined })
    try {
      if (!(await this.#isHealthy(zone, address.version))) return not('unhealthy')
      if (!(await this.#isListed(zone, address, signal))) return not('not-listed')
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      return not('temperror')
    }
    return { zone, result: 'listed', explanation: await this.#explanation(zone, address, signal) }
  }

  /** A list that lists everybody, or nobody, is one that has ended. */
  #isHealthy(zone: string, version: 4 | 6): Promise<boolean> {
    const key = `${zone} ${version}`
    const now = this.#host.clock.monotonic()
    const known = this.#health.get(key)
    if (known !== undefined && known.until > now) return known.healthy
    const healthy = this.#probe(zone, version)
    this.#health.set(key, { healthy, until: now + HEALTH_MS })
    // What could not be found out is asked anew.
    healthy.catch(() => this.#health.delete(key))
    return healthy
  }

  async #probe(zone: string, version: 4 | 6): Promise<boolean> {
    const [listed, notListed] = await Promise.all([TEST_LISTED[version], TEST_NOT_LISTED[version]].map((text) => this.#has(zone, testLabels(text))))
    if (listed === true && notListed === false) return true
    // Few lists of IPv6 addresses have the entries the RFC asks for: those of IPv4 speak for them.
    return version === 6 && listed === false && notListed === false && (await this.#isHealthy(zone, 4))
  }

  #isListed(zone: string, address: IpAddress, signal: AbortSignal | undefined): Promise<boolean> {
    return this.#has(zone, reversedLabels(address), signal)
  }

  async #has(zone: string, labels: string, signal?: AbortSignal): Promise<boolean> {
    const { records } = await this.#host.resolver.query(`${labels}.${zone}`, 'A', { signal })
    return records.some(isListing)
  }

  async #explanation(zone: string, address: IpAddress, signal: AbortSignal | undefined): Promise<string | undefined> {
    try {
      const { records } = await this.#host.resolver.query(`${reversedLabels(address)}.${zone}`, 'TXT', { signal })
      return records[0]?.replaceAll(/[^ -~]/g, '?').slice(0, MAX_EXPLANATION)
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      return undefined
    }
  }
}

/** Listings are in 127.0.0.0/8. QUIRK(lists): 127.255.255.x tells who asks that he may not. */
function isListing(text: string): boolean {
  return text.startsWith('127.') && !text.startsWith('127.255.255.')
}

/** Of the test addresses; those for IPv6 are IPv4-mapped, so must not be read as the IPv4 ones. RFC 5782 §5 */
function testLabels(text: string): string {
  if (!text.startsWith('::ffff:')) return text.split('.').reverse().join('.')
  const [high = '', low = ''] = text.slice(7).split(':')
  const nibbles = `${'0'.repeat(20)}ffff${high.padStart(4, '0')}${low.padStart(4, '0')}`
  return [...nibbles].reverse().join('.')
}
