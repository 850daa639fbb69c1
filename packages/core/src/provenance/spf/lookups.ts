/** The questions one evaluation asks, with the limits on them and what comes of answers that fail. RFC 7208 §4.6.4, §5 */
import { DnsError, type DnsAnswer, type DnsKind, type Resolver } from '../../host/index.ts'
import { SpfProblem } from './spf-problem.ts'

export interface SpfLimits {
  /** Terms that cost look-ups. RFC 7208 §4.6.4: 10. */
  readonly terms: number
  /** Look-ups that found nothing. RFC 7208 §4.6.4: 2. */
  readonly voidLookups: number
}

/** Labels of 1 to 63 printable characters. */
const LABELS = /^[ -\-/-~]{1,63}(?:\.[ -\-/-~]{1,63})*$/

const NO_SUCH_NAME = { records: [], nameExists: false, ttl: 0, authentic: false } as const

export class Lookups {
  /** Every answer so far was validated. */
  authentic = true
  readonly #resolver: Resolver
  readonly #signal: AbortSignal | undefined
  readonly #limits: SpfLimits
  #terms = 0
  #voids = 0

  constructor(resolver: Resolver, signal: AbortSignal | undefined, limits: SpfLimits) {
    this.#resolver = resolver
    this.#signal = signal
    this.#limits = limits
  }

  countTerm(): void {
    this.#terms += 1
    if (this.#terms > this.#limits.terms) throw new SpfProblem('permerror', `more than ${this.#limits.terms} terms that cost look-ups`)
  }

  countVoid(): void {
    this.#voids += 1
    if (this.#voids > this.#limits.voidLookups) throw new SpfProblem('permerror', `more than ${this.#limits.voidLookups} look-ups that found nothing`)
  }

  /** Records a term asks for; having found nothing is counted. */
  async find<K extends DnsKind>(name: string, kind: K): Promise<DnsAnswer<K>['records']> {
    const { records } = await this.ask(name, kind)
    // What DNS can't hold was not asked for.
    if (records.length === 0 && isPossibleName(name)) this.countVoid()
    return records
  }

  /** Errors find nothing, and that is not counted. */
  async findOrNothing<K extends DnsKind>(name: string, kind: K): Promise<DnsAnswer<K>['records']> {
    try {
      return (await this.ask(name, kind)).records
    } catch (error) {
      if (error instanceof SpfProblem && error.result === 'temperror') return []
      throw error
    }
  }

  /** Nothing is counted. Rejects with a `temperror` when there is no answer. */
  async ask<K extends DnsKind>(name: string, kind: K): Promise<DnsAnswer<K>> {
    if (!isPossibleName(name)) return NO_SUCH_NAME
    try {
      const answer = await this.#resolver.query(name, kind, { signal: this.#signal })
      this.authentic &&= answer.authentic
      return answer
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      if (error.code === 'BAD_NAME') return NO_SUCH_NAME
      throw new SpfProblem('temperror', `${kind} ${name}: ${error.message}`)
    }
  }
}

/**
 * A name DNS can't hold has no records, so that terms that ask for it do not match. RFC 7208 §4.3, §5; RFC 8616 §4 for
 * what is not ASCII
 */
export function isPossibleName(name: string): boolean {
  return name.length <= 253 && LABELS.test(name)
}
