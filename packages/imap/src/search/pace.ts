/** Lets other conversations go on while a search does: after so much work it waits for a turn of the event loop. */

/** LIMIT: units of work in one turn, about 5 ms: a unit is a key asked of a row, or 64 characters looked through. */
const TURN_UNITS = 50_000
/** Characters for one unit. */
export const UNIT_CHARACTERS = 64

/** Counts work. */
export class Pace {
  #left = TURN_UNITS
  /** Turns taken, for tests. */
  turns = 0

  /** Counts work done. @returns true when it is time to `pause` */
  spend(units: number): boolean {
    this.#left -= units
    return this.#left <= 0
  }

  /** Resolves in a later turn of the event loop. */
  pause(): Promise<void> {
    this.#left = TURN_UNITS
    this.turns += 1
    return new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}
