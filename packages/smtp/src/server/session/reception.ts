/** Octets on their way into a sink: who answers when they have come, and whether they come fast enough. */
import type { Frames, ReceiveOutcome } from '@postern/core/conversation'
import type { Answer } from './backend.ts'
import type { Step } from './command.ts'
import type { SmtpLimits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { Pace } from './pace.ts'

export class Reception {
  readonly #limits: SmtpLimits
  readonly #outbox: Outbox
  #take: ((outcome: ReceiveOutcome) => Answer<Step>) | undefined
  /** Of the message: when it comes in chunks, from the first to the last, what lies between them included. */
  #pace: Pace | undefined

  constructor(limits: SmtpLimits, outbox: Outbox) {
    this.#limits = limits
    this.#outbox = outbox
  }

  /** Whether octets are to come. */
  get isOpen(): boolean {
    return this.#take !== undefined
  }

  /** From here on octets are received. */
  begin({ how, take }: NonNullable<Step['receive']>, frames: Frames): void {
    frames.receive(how)
    this.#take = take
    this.#setTimer('command', undefined)
    if (this.#pace !== undefined) return
    this.#pace = new Pace(this.#limits, frames.buffered)
    this.#setTimer('data', this.#limits.dataMs)
  }

  /** They have come. @param goesOn more of the message is to follow */
  finish(outcome: ReceiveOutcome, goesOn: boolean): Answer<Step> {
    const take = this.#take
    if (take === undefined) throw new Error('Octets received that nobody asked for')
    this.#take = undefined
    if (!goesOn) this.end()
    return take(outcome)
  }

  /** No more of the message is to follow. */
  end(): void {
    if (this.#pace === undefined) return
    this.#pace = undefined
    this.#setTimer('data', undefined)
  }

  /** Octets have come, of whatever. */
  came(octets: number): void {
    this.#pace?.came(octets)
  }

  /** A window of time is over. @param wasOurs as of `Pace` @returns whether the peer has used it well */
  mayGoOn(wasOurs: boolean): boolean {
    if (this.#pace === undefined) return true
    if (!this.#pace.mayGoOn(wasOurs)) return false
    this.#setTimer('data', this.#limits.dataMs)
    return true
  }

  #setTimer(name: 'command' | 'data', ms: number | undefined): void {
    this.#outbox.push({ kind: 'timer', name, ms })
  }
}
