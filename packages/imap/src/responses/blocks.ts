/**
 * Responses rendered into blocks: long answers cost one buffer at a time and no string per message.
 * Not here: what a response says. Short responses are written by `syntax/writer.ts`, which refuses line ends; here that
 * is the callers' part: texts are ours, octets from outside go into literals.
 */

/** LIMIT: the longest block a command hands over. */
const BLOCK_OCTETS = 65_536
/** Up to here a loop is quicker than `set`. */
const FEW_OCTETS = 64
/** Most answers are short. */
const FIRST_BLOCK_OCTETS = 2048

/** Fills blocks one after the other. */
export class BlockWriter {
  #block: Uint8Array = new Uint8Array(FIRST_BLOCK_OCTETS)
  #length = 0
  #full: Uint8Array[] = []

  /** US-ASCII as it stands, short. */
  text(text: string): void {
    const { length } = text
    if (this.#length + length > this.#block.length) this.#turn(length)
    const block = this.#block
    const at = this.#length
    for (let index = 0; index < length; index += 1) block[at + index] = text.charCodeAt(index)
    this.#length = at + length
  }

  /** Decimal digits. @param value an integer ≥ 0 */
  number(value: number): void {
    if (value > 0x7fff_ffff) {
      this.text(String(value))
      return
    }
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits += 1
    if (this.#length + digits > this.#block.length) this.#turn(digits)
    const block = this.#block
    let rest = value | 0
    let at = this.#length + digits
    this.#length = at
    do {
      const next = (rest / 10) | 0
      at -= 1
      block[at] = 0x30 + (rest - next * 10)
      rest = next
    } while (rest > 0)
  }

  /** Octets of any number, copied. */
  octets(octets: Uint8Array): void {
    const { length } = octets
    if (length <= FEW_OCTETS && this.#length + length <= this.#block.length) {
      const block = this.#block
      const at = this.#length
      for (let index = 0; index < length; index += 1) block[at + index] = octets[index] as number
      this.#length = at + length
      return
    }
    let from = 0
    while (octets.length - from > this.#block.length - this.#length) {
      const room = this.#block.length - this.#length
      this.#block.set(octets.subarray(from, from + room), this.#length)
      this.#length += room
      from += room
      this.#turn(octets.length - from)
    }
    if (from === 0) this.#block.set(octets, this.#length)
    else this.#block.set(octets.subarray(from), this.#length)
    this.#length += octets.length - from
  }

  /** The next full block, or undefined. */
  takeFull(): Uint8Array | undefined {
    return this.#full.length === 0 ? undefined : this.#full.shift()
  }

  /** All that is there, in blocks; the writer begins anew. */
  takeAll(): readonly Uint8Array[] {
    this.#turn(0)
    const all = this.#full
    this.#full = []
    return all
  }

  /** Puts the block aside and begins one with room for `octets`, if a block can have it. */
  #turn(octets: number): void {
    if (this.#length > 0) this.#full.push(this.#block.subarray(0, this.#length))
    // What is left of a block that was handed over can still be written to.
    const left = this.#block.subarray(this.#length)
    const isEnough = octets === 0 ? left.length > 0 : left.length >= Math.min(octets, BLOCK_OCTETS)
    this.#block = isEnough ? left : new Uint8Array(new ArrayBuffer(BLOCK_OCTETS))
    this.#length = 0
  }
}
