/** Who may connect, and how often: counts of all listeners together, by network. */
import { connectionWindows, failedLoginWindows, NetworkLimiter, openConnectionWindows, type AdmissionLimits } from '@postern/core/admission'
import type { Clock } from '@postern/core/host'
import type { EventHub, Protocol } from './events.ts'

export interface AdmissionHost {
  readonly clock: Clock
  readonly events: EventHub
}

/** Mail and mailboxes are counted apart: who fetches his mail a lot can still send some. */
type Family = 'smtp' | 'imap'

export class Admission {
  /** Failures of all protocols together. */
  readonly failedLogins: NetworkLimiter
  readonly #rates: Readonly<Record<Family, NetworkLimiter>>
  readonly #open: Readonly<Record<Family, NetworkLimiter>>
  readonly #host: AdmissionHost

  constructor(limits: AdmissionLimits, host: AdmissionHost) {
    this.#host = host
    this.failedLogins = new NetworkLimiter(failedLoginWindows(limits))
    const perFamily = <T>(make: () => T): Readonly<Record<Family, T>> => ({ smtp: make(), imap: make() })
    this.#rates = perFamily(() => new NetworkLimiter(connectionWindows(limits)))
    this.#open = perFamily(() => new NetworkLimiter(openConnectionWindows(limits)))
  }

  /** Counts a connection in; `left` must be called at its end. */
  admit(protocol: Protocol, remoteAddress: string | undefined): boolean {
    const family = familyOf(protocol)
    const now = this.#host.clock.now()
    const admitted = this.#rates[family].add(remoteAddress, now) && this.#open[family].add(remoteAddress, now)
    if (!admitted) this.#host.events.emit('limited', { what: 'connection', key: remoteAddress ?? '' })
    return admitted
  }

  left(protocol: Protocol, remoteAddress: string | undefined): void {
    this.#open[familyOf(protocol)].release(remoteAddress)
  }
}

function familyOf(protocol: Protocol): Family {
  return protocol === 'imap' || protocol === 'imaps' ? 'imap' : 'smtp'
}
