/** A clock for tests: it goes like the machine's and can be moved ahead, so that hours pass in no time. */
import type { Clock, Timer } from '@postern/core/host'
import { systemClock } from '../host/clock.ts'

export interface TestClock extends Clock {
  /** Moves time ahead and fires what falls due, in order, letting what follows from each happen before the next. @param ms ≥ 0 */
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, as an operator would; timers and `monotonic` do not notice. */
  set(date: Date): void
}

interface Waiting {
  readonly due: number
  readonly order: number
  readonly fire: () => void
  machine: Timer
}

/** @param options.frozen time stands still but for `advance` (default false) */
export function createTestClock(options: { readonly frozen?: boolean } = {}): TestClock {
  const frozen = options.frozen ?? false
  const startedAt = systemClock.monotonic()
  const waiting = new Set<Waiting>()
  let ahead = 0
  let wallOffset = 0
  let order = 0
  const flowed = (): number => (frozen ? 0 : systemClock.monotonic() - startedAt)
  const monotonic = (): number => flowed() + ahead
  const wallStart = systemClock.now()

  function schedule(timer: Waiting): void {
    if (frozen) return
    timer.machine.cancel()
    timer.machine = systemClock.timer(Math.max(0, timer.due - monotonic()), () => fire(timer))
  }
  function fire(timer: Waiting): void {
    if (!waiting.delete(timer)) return
    timer.machine.cancel()
    timer.fire()
  }

  return {
    now: () => Math.floor(wallStart + monotonic() + wallOffset),
    monotonic,
    timer(ms, fireTimer) {
      const timer: Waiting = { due: monotonic() + ms, order: (order += 1), fire: fireTimer, machine: { cancel() {} } }
      waiting.add(timer)
      schedule(timer)
      return {
        cancel() {
          waiting.delete(timer)
          timer.machine.cancel()
        },
      }
    },
    async advance(ms) {
      const target = monotonic() + ms
      for (;;) {
        await turn()
        const next = [...waiting].filter(({ due }) => due <= target).sort((a, b) => a.due - b.due || a.order - b.order)[0]
        if (next === undefined) break
        ahead += Math.max(0, next.due - monotonic())
        fire(next)
      }
      ahead += Math.max(0, target - monotonic())
      for (const timer of waiting) schedule(timer)
    },
    set(date) {
      wallOffset += date.getTime() - (wallStart + monotonic() + wallOffset)
    },
  }
}

/** Lets promises and sockets that are ready go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve))
  })
}
