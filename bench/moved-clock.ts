/** The machine's clock, which can be set ahead: what was expunged is erased only ten minutes later. */

export interface MovedClock {
  now(): number
  monotonic(): number
  timer(ms: number, fire: () => void): { cancel(): void }
  /** Timers that run stay as they are. */
  advance(ms: number): void
}

export function createMovedClock(): MovedClock {
  let aheadMs = 0
  return {
    now: () => Date.now() + aheadMs,
    monotonic: () => performance.now() + aheadMs,
    timer(ms, fire) {
      const handle = setTimeout(fire, Math.min(ms, 2 ** 31 - 1))
      handle.unref()
      return { cancel: () => clearTimeout(handle) }
    },
    advance(ms) {
      aheadMs += ms
    },
  }
}
