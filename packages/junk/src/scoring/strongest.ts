/** The few strongest of many words: those whose odds are farthest from even. */

/** Keeps the strongest words it is offered; of equal ones those that came first, and no more than it may. */
export class Strongest {
  readonly #size: number
  readonly #alike: number
  readonly #indexes: number[] = []
  readonly #odds: number[] = []
  /** How far from even each is: its odds or those against it, whichever are above 1. Strongest first. */
  readonly #strengths: number[] = []
  /** Nothing that isn't stronger is taken. */
  #weakest = 0

  /**
   * @param size how many are kept; small: each one costs as many steps
   * @param alike how many of them may have the same odds, at least 1
   */
  constructor(size: number, alike: number = size) {
    this.#size = size
    this.#alike = alike
  }

  /** @param odds that the word means spam: above 0, 1 when it says nothing */
  offer(index: number, odds: number): void {
    // Rounded, so that words as strong for ham as others for spam are equal, and none goes first for a rounding error.
    const strength = Math.fround(odds < 1 ? 1 / odds : odds)
    if (strength <= this.#weakest) return
    const strengths = this.#strengths
    const kept = strengths.length
    let at = kept
    while (at > 0 && (strengths[at - 1] as number) < strength) at -= 1
    if (this.#alike < this.#size && this.#countAlike(at, strength, odds) >= this.#alike) return
    for (let place = kept < this.#size ? kept : kept - 1; place > at; place -= 1) {
      strengths[place] = strengths[place - 1] as number
      this.#odds[place] = this.#odds[place - 1] as number
      this.#indexes[place] = this.#indexes[place - 1] as number
    }
    strengths[at] = strength
    this.#odds[at] = odds
    this.#indexes[at] = index
    if (strengths.length === this.#size) this.#weakest = strengths[this.#size - 1] as number
  }

  /** How many that are kept have these odds: they stand right before the place of their strength. */
  #countAlike(end: number, strength: number, odds: number): number {
    let count = 0
    for (let at = end - 1; at >= 0 && this.#strengths[at] === strength; at -= 1) {
      // As strong for ham as others are for spam isn't alike.
      if ((this.#odds[at] as number) < 1 === odds < 1) count += 1
    }
    return count
  }

  /** Their numbers, strongest first. */
  get indexes(): readonly number[] {
    return this.#indexes
  }

  /** Sum of the logarithms of their odds. */
  get logOdds(): number {
    let sum = 0
    for (const odds of this.#odds) sum += Math.log(odds)
    return sum
  }
}
