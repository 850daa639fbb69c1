/** Finds one text in another that comes in pieces. Work goes with the text, however it was chosen. */

/** LIMIT: the engine's own search is linear for needles up to 250 characters; longer ones are found by an automaton. */
const MAX_DIRECT = 250

/** Looks for one needle. Pieces and needle have to be folded alike. */
export interface TextFinder {
  /** Takes the next piece. @returns whether the needle was found, now or before */
  push(piece: string): boolean
  /** What comes next is another text. */
  restart(): void
  readonly found: boolean
  /** Begins anew: nothing was found. */
  reset(): void
}

/** @param needle not empty */
export function createTextFinder(needle: string): TextFinder {
  return needle.length <= MAX_DIRECT ? new DirectFinder(needle) : new AutomatonFinder(needle)
}

class DirectFinder implements TextFinder {
  found = false
  readonly #needle: string
  /** End of what came: a needle may have begun in it. */
  #tail = ''

  constructor(needle: string) {
    this.#needle = needle
  }

  push(piece: string): boolean {
    if (this.found || piece === '') return this.found
    const needle = this.#needle
    const reach = needle.length - 1
    const border = this.#tail + piece.slice(0, reach)
    this.found = (this.#tail !== '' && border.includes(needle)) || piece.includes(needle)
    // Not `slice(-reach)`: of 0 that is everything.
    const end = piece.length >= reach ? piece : border
    this.#tail = end.slice(Math.max(0, end.length - reach))
    return this.found
  }

  restart(): void {
    this.#tail = ''
  }

  reset(): void {
    this.#tail = ''
    this.found = false
  }
}

/** Knuth, Morris and Pratt: for each length matched, the longest shorter one that could go on instead. */
class AutomatonFinder implements TextFinder {
  found = false
  readonly #needle: string
  readonly #shorter: Int32Array
  #matched = 0

  constructor(needle: string) {
    this.#needle = needle
    const shorter = new Int32Array(needle.length + 1)
    for (let length = 1, matched = 0; length < needle.length; length += 1) {
      const unit = needle.charCodeAt(length)
      while (matched > 0 && unit !== needle.charCodeAt(matched)) matched = shorter[matched] as number
      if (unit === needle.charCodeAt(matched)) matched += 1
      shorter[length + 1] = matched
    }
    this.#shorter = shorter
  }

  push(piece: string): boolean {
    const needle = this.#needle
    let matched = this.#matched
    for (let at = 0; at < piece.length && !this.found; at += 1) {
      const unit = piece.charCodeAt(at)
      while (matched > 0 && unit !== needle.charCodeAt(matched)) matched = this.#shorter[matched] as number
      if (unit === needle.charCodeAt(matched)) matched += 1
      this.found = matched === needle.length
    }
    this.#matched = this.found ? 0 : matched
    return this.found
  }

  restart(): void {
    this.#matched = 0
  }

  reset(): void {
    this.#matched = 0
    this.found = false
  }
}
