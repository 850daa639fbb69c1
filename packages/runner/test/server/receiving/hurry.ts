/** Moves a test's clock on, second by second, until something that waits on it has happened. */
import type { TestClock } from '../../../src/testing/index.ts'

/** Turns in which all that does not wait for the clock happens. */
const TURNS = 100
/** Passwords are hashed on a thread that no clock of ours moves: without time for it a login's three minutes would be over first. */
const REST_MS = 5

/** @returns what came, and how long it took by that clock */
export async function hurry<V>(waiting: Promise<V>, clock: TestClock): Promise<{ readonly value: V; readonly ms: number }> {
  const began = clock.monotonic()
  const state = { isOver: false }
  const onOver = (): void => {
    state.isOver = true
  }
  waiting.then(onOver, onOver)
  for (;;) {
    for (let turns = 0; !state.isOver && turns < TURNS; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    if (state.isOver) return { value: await waiting, ms: clock.monotonic() - began }
    await new Promise((resolve) => setTimeout(resolve, REST_MS))
    if (!state.isOver) await clock.advance(1_000)
  }
}
