/** Work that several wait for at once: begun once for a key, ended early only when nobody waits for it any more. */
import { setMaxListeners } from 'node:events'

interface Flight<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  waiting: number
}

export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>()

  has(key: string): boolean {
    return this.#flights.has(key)
  }

  /**
   * The result of what is under way for the key, else of `start`.
   * @param start must heed its signal, which is aborted when all who waited have left; called at once
   * Rejects with the reason of `signal`, the caller's own, without disturbing others.
   */
  run(key: string, signal: AbortSignal | undefined, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key) ?? this.#begin(key, start)
    flight.waiting += 1
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal?.reason as Error)
        flight.waiting -= 1
        if (flight.waiting > 0) return
        this.#end(key, flight)
        flight.controller.abort()
      }
      if (signal?.aborted === true) return onAbort()
      // All lookups for one message hang on one signal; Node would warn of a leak at the eleventh.
      if (signal !== undefined) setMaxListeners(0, signal)
      signal?.addEventListener('abort', onAbort, { once: true })
      flight.result.then(resolve, reject).finally(() => signal?.removeEventListener('abort', onAbort))
    })
  }

  /** Ends all that is under way, with `reason` for those who wait; resolves when it has ended. */
  async abort(reason: Error): Promise<void> {
    const flights = [...this.#flights.values()]
    for (const { controller } of flights) controller.abort(reason)
    await Promise.allSettled(flights.map(({ result }) => result))
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController()
    const result = start(controller.signal).finally(() => this.#end(key, flight))
    // All who waited may have left before it ends, and then nobody asks how.
    result.catch(() => undefined)
    const flight: Flight<T> = { result, controller, waiting: 0 }
    this.#flights.set(key, flight)
    return flight
  }

  /** Another flight may have begun since for the same key. */
  #end(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
