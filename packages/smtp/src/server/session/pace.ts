/**
 * Whether a message comes fast enough: some of it in each window of time, all of it in so many windows. RFC 5321
 * §4.5.3.2.5. Knows no clock: it is told when a window is over.
 */
import type { SmtpLimits } from './limits.ts'

export class Pace {
  readonly #limits: SmtpLimits
  #octets: number
  #windows = 0

  /** @param octets that have come already */
  constructor(limits: SmtpLimits, octets: number) {
    this.#limits = limits
    this.#octets = octets
  }

  came(octets: number): void {
    this.#octets += octets
  }

  /**
   * A window is over.
   * @param wasOurs the peer could not send, because we were not reading: nothing is held against it
   * @returns whether there may be another
   */
  mayGoOn(wasOurs: boolean): boolean {
    const octets = this.#octets
    this.#octets = 0
    if (wasOurs) return true
    this.#windows += 1
    const { minDataOctets, dataMs, dataTotalMs } = this.#limits
    return octets >= minDataOctets && this.#windows * dataMs < dataTotalMs
  }
}
