/** Time and faults of the analysis: it ends within a minute, and what goes wrong in it costs one message. */
import type { Timer } from '../host/index.ts'
import { StoreError } from '../store/index.ts'
import type { ReceiveHost } from './receive-host.ts'

/** For all look-ups about one message together. */
const ANALYSIS_MS = 60_000

/** The end of the time an analysis has. What never asks for its signal can't wait long, and costs no timer. */
export class Deadline {
  /** Rejects when the time is over. */
  readonly over: Promise<never>
  readonly #clock: ReceiveHost['clock']
  readonly #outer: AbortSignal
  #fail: (reason: unknown) => void = () => {}
  #timer: Timer | undefined
  #controller: AbortController | undefined

  /** @param outer ends the time early when it is aborted */
  constructor(clock: ReceiveHost['clock'], outer: AbortSignal) {
    this.#clock = clock
    this.#outer = outer
    this.over = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
  }

  /** Aborted when the time is over, or with the outer one. Asking for it begins the time. */
  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    this.#controller = new AbortController()
    if (this.#outer.aborted) this.#abort()
    else this.#outer.addEventListener('abort', this.#abort, { once: true })
    this.begin()
    return this.#controller.signal
  }

  /** From now on the time runs. */
  begin(): void {
    this.#timer ??= this.#clock.timer(ANALYSIS_MS, () => this.#end(new Error('The analysis took too long')))
  }

  /** Whatever comes later is not waited for. */
  release(): void {
    this.#timer?.cancel()
    this.#outer.removeEventListener('abort', this.#abort)
  }

  readonly #abort = (): void => this.#end(this.#outer.reason)

  #end(reason: unknown): void {
    this.#controller?.abort(reason)
    this.#fail(reason)
  }
}

/**
 * Runs a part of the analysis; what does not heed the deadline is left behind.
 * @returns undefined, and logs why, when it failed. Rejects with `StoreError`, or when the signal is aborted
 */
export async function analyse<T>(host: Pick<ReceiveHost, 'clock' | 'logger'>, signal: AbortSignal, run: (deadline: Deadline) => T | Promise<T>): Promise<T | undefined> {
  const deadline = new Deadline(host.clock, signal)
  try {
    const result = run(deadline)
    return result instanceof Promise ? await Promise.race([result, deadline.over]) : result
  } catch (error) {
    if (error instanceof StoreError || signal.aborted) throw error
    host.logger.error({ err: error }, 'The analysis failed')
    return undefined
  } finally {
    deadline.release()
  }
}
