/** The names a client's address has, as far as they lead back to it: for `ptr` and `%{p}`. RFC 7208 §5.5, §7.3 */
import { parseIpAddress, type IpAddress } from '../../address/index.ts'
import { reverseDomain } from '../reverse-name.ts'
import type { Lookups } from './lookups.ts'

/** LIMIT: names looked at; RFC 7208 §4.6.4. */
const MAX_NAMES = 10

/** Names are asked for once, and only those that could matter are looked up. */
export class ClientNames {
  readonly #ip: IpAddress
  readonly #lookups: Lookups
  #names: Promise<readonly string[]> | undefined
  readonly #leadsBack = new Map<string, Promise<boolean>>()

  constructor(ip: IpAddress, lookups: Lookups) {
    this.#ip = ip
    this.#lookups = lookups
  }

  /** Whether one of them is the domain or lies below it. */
  async hasOneWithin(domain: string): Promise<boolean> {
    const names = await this.#all()
    return (await this.#firstValidated(names.filter((name) => isAtOrBelow(name, domain)))) !== undefined
  }

  /** What `%{p}` stands for: the domain itself, else one below it, else any. */
  async nameFor(domain: string): Promise<string> {
    // The look-up of PTR records is a term's here too. RFC 7208 §4.6.4
    if (this.#names === undefined) this.#lookups.countTerm()
    const rank = (name: string): number => (!isAtOrBelow(name, domain) ? 2 : name.length > domain.length ? 1 : 0)
    const names = [...(await this.#all())].sort((a, b) => rank(a) - rank(b))
    return (await this.#firstValidated(names)) ?? 'unknown'
  }

  /** Errors find nothing. */
  async #all(): Promise<readonly string[]> {
    this.#names ??= this.#lookups.findOrNothing(reverseDomain(this.#ip), 'PTR')
    const names = await this.#names
    // Counted by terms, of which each would have asked.
    if (names.length === 0) this.#lookups.countVoid()
    return names.slice(0, MAX_NAMES)
  }

  async #firstValidated(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) {
      let leadsBack = this.#leadsBack.get(name)
      if (leadsBack === undefined) this.#leadsBack.set(name, (leadsBack = this.#isOfClient(name)))
      if (await leadsBack) return name
    }
    return undefined
  }

  /** Having found nothing is not counted: who sends chooses these names, and could make an error of a fail. */
  async #isOfClient(name: string): Promise<boolean> {
    const records = await this.#lookups.findOrNothing(name, this.#ip.version === 4 ? 'A' : 'AAAA')
    return records.some((text) => parseIpAddress(text)?.text === this.#ip.text)
  }
}

function isAtOrBelow(name: string, domain: string): boolean {
  const [lower, above] = [name.toLowerCase(), domain.toLowerCase()]
  return lower === above || lower.endsWith(`.${above}`)
}
