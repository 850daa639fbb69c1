/** The machine's clock. */
import type { Clock, Timer } from '@postern/core/host'

/** LIMIT: Node fires timers of more than 2^31−1 ms at once, so longer waits are made of several. */
const LONGEST_TIMER_MS = 2_147_483_647

/** Reads and waits by the machine's own time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: startTimer,
}

function startTimer(ms: number, fire: () => void): Timer {
  if (ms <= LONGEST_TIMER_MS) {
    const handle = setTimeout(fire, Math.max(ms, 0))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  }
  const due = performance.now() + ms
  let handle: NodeJS.Timeout
  const wait = (): void => {
    const rest = due - performance.now()
    handle = setTimeout(() => (rest > LONGEST_TIMER_MS ? wait() : fire()), Math.min(Math.max(rest, 0), LONGEST_TIMER_MS))
    handle.unref()
  }
  wait()
  return { cancel: () => clearTimeout(handle) }
}
