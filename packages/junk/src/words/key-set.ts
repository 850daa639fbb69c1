/** Distinct keys in the order they came, each with a number that says where from. Room is made once, then used again. */
import { firstPlace } from './key-places.ts'

const FEWEST_BITS = 12

export class KeySet {
  readonly #keys: Int32Array
  readonly #origins: Int32Array
  #count = 0
  /** Number of the key in each place, above `#base`; what is not above it is of an earlier use, the place free. */
  readonly #slots: Int32Array
  #base = 0
  /** Logarithm of the places in use: few keys stay near each other in memory. */
  #bits = FEWEST_BITS

  /** @param capacity most keys there may be */
  constructor(capacity: number) {
    this.#keys = new Int32Array(2 * capacity)
    this.#origins = new Int32Array(capacity)
    this.#slots = new Int32Array(2 ** (1 + Math.ceil(Math.log2(capacity))))
  }

  clear(): void {
    this.#freeAll()
    this.#count = 0
    this.#bits = FEWEST_BITS
  }

  /** Adds a key unless it is there. Key 0 becomes another: in tables it means nothing is there. */
  add(givenHigh: number, low: number, origin: number): void {
    const high = givenHigh === 0 && low === 0 ? 1 : givenHigh
    const keys = this.#keys
    const slots = this.#slots
    const base = this.#base
    const mask = (1 << this.#bits) - 1
    let slot = firstPlace(high, low, this.#bits)
    for (;;) {
      const number = (slots[slot] as number) - base
      if (number <= 0) break
      if (keys[2 * number - 2] === high && keys[2 * number - 1] === low) return
      slot = (slot + 1) & mask
    }
    const index = this.#count
    keys[2 * index] = high
    keys[2 * index + 1] = low
    this.#origins[index] = origin
    this.#count = index + 1
    slots[slot] = base + this.#count
    if (2 * this.#count > mask && mask + 1 < slots.length) this.#spread()
  }

  /** A copy of the keys, two halves of each. */
  keys(): Uint32Array {
    return new Uint32Array(this.#keys.slice(0, 2 * this.#count).buffer)
  }

  /** A copy of the origins, one for each key. */
  origins(): Int32Array {
    return this.#origins.slice(0, this.#count)
  }

  /** Doubles the places in use. */
  #spread(): void {
    this.#freeAll()
    this.#bits += 1
    const mask = (1 << this.#bits) - 1
    for (let index = 0; index < this.#count; index += 1) {
      let slot = firstPlace(this.#keys[2 * index] as number, this.#keys[2 * index + 1] as number, this.#bits)
      while ((this.#slots[slot] as number) > this.#base) slot = (slot + 1) & mask
      this.#slots[slot] = this.#base + index + 1
    }
  }

  #freeAll(): void {
    this.#base += this.#count
    if (this.#base < 2 ** 30) return
    this.#base = 0
    this.#slots.fill(0)
  }
}
