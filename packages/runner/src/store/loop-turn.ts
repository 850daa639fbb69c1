/**
 * Keeps long work from holding the event loop: reads of an embedded store resolve at once, so that a row of slices
 * would otherwise be one.
 */

/** LIMIT: how long work goes on without letting sockets and timers have their turn. */
const HELD_MS = 5

let turnedMs = 0

/** To be awaited between two slices; undefined while there is time left. */
export function loopTurn(): Promise<void> | undefined {
  if (performance.now() - turnedMs < HELD_MS) return undefined
  return new Promise((resolve) => {
    setImmediate(() => {
      turnedMs = performance.now()
      resolve()
    })
  })
}
