/** The few strongest of many words: those whose probability is farthest from 0.5. */
import type { WordEvidence } from './evidence.ts'

/** Keeps the strongest words it is offered; of equal ones those that came first. */
export class Strongest {
  readonly #size: number
  readonly #kept: WordEvidence[] = []
  #weakest = 0

  /** @param size how many are kept; small: each one costs as many steps */
  constructor(size: number) {
    this.#size = size
  }

  offer(index: number, probability: number): void {
    const strength = Math.abs(probability - 0.5)
    const kept = this.#kept
    if (kept.length >= this.#size) {
      if (strength <= this.#weakest) return
      kept.pop()
    }
    let place = kept.length
    while (place > 0 && Math.abs((kept[place - 1] as WordEvidence).probability - 0.5) < strength) place -= 1
    kept.splice(place, 0, { index, probability })
    this.#weakest = Math.abs((kept.at(-1) as WordEvidence).probability - 0.5)
  }

  /** Strongest first. */
  get words(): readonly WordEvidence[] {
    return this.#kept
  }
}
