/** The few strongest of many words: those whose odds are farthest from even. */

/** Keeps the strongest words it is offered; of equal ones those that came first. */
export class Strongest {
  readonly #size: number
  readonly #indexes: number[] = []
  readonly #odds: number[] = []
  /** How far from even each is: its odds or those against it, whichever are above 1. Strongest first. */
  readonly #strengths: number[] = []
  /** Nothing that isn't stronger is taken. */
  #weakest = 0

  /** @param size how many are kept; small: each one costs as many steps */
  constructor(size: number) {
    this.#size = size
  }

  /** @param odds that the word means spam: above 0, 1 when it says nothing */
  offer(index: number, odds: number): void {
    // Rounded, so that words as strong for ham as others for spam are equal, and none goes first for a rounding error.
    const strength = Math.fround(odds < 1 ? 1 / odds : odds)
    if (strength <= this.#weakest) return
    const strengths = this.#strengths
    let place = strengths.length < this.#size ? strengths.length : this.#size - 1
    while (place > 0 && (strengths[place - 1] as number) < strength) {
      strengths[place] = strengths[place - 1] as number
      this.#odds[place] = this.#odds[place - 1] as number
      this.#indexes[place] = this.#indexes[place - 1] as number
      place -= 1
    }
    strengths[place] = strength
    this.#odds[place] = odds
    this.#indexes[place] = index
    if (strengths.length === this.#size) this.#weakest = strengths[this.#size - 1] as number
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
