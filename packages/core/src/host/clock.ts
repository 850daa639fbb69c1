/**
 * Time as code may ask for it. Everything that waits or reads the time takes a `Clock`, so that a test can hold it still.
 * Not here: the machine's own clock, which the runner provides.
 */

/** A timer that can be taken back. */
export interface Timer {
  /** Takes the timer back; after it has fired, nothing. */
  cancel(): void
}

/** Source of time and of every timer. */
export interface Clock {
  /** Wall clock time in milliseconds since 1970-01-01T00:00:00Z; may be set back by the operator. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number
  /**
   * Calls `fire` once after `ms` milliseconds.
   * @param ms 0 to 2^53−1; waits longer than 2^31−1 ms are split by the implementation, not cut to zero
   */
  timer(ms: number, fire: () => void): Timer
}

/** Resolves after `ms` milliseconds of `clock`; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    function onAbort(): void {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
