/** Builds a record octet by octet in a buffer that grows. Not here: what a record holds. */
import { crc32 } from 'node:zlib'
import { writeUint } from './big-endian.ts'
import { freshOctets } from './fresh-octets.ts'

const encoder = new TextEncoder()

export class OctetWriter {
  #octets: Uint8Array
  #length = 0

  constructor(capacity = 256) {
    this.#octets = freshOctets(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** @param width octets, 1 to 6 @throws RangeError when the value does not fit */
  uint(value: number, width: number): this {
    this.#grow(width)
    writeUint(this.#octets, this.#length, value, width)
    this.#length += width
    return this
  }

  /** Base 128, low group first. @param value 0 to 2^53−1 */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no count`)
    this.#grow(8)
    let rest = value
    while (rest >= 128) {
      this.#octets[this.#length] = (rest % 128) + 128
      this.#length += 1
      rest = Math.floor(rest / 128)
    }
    this.#octets[this.#length] = rest
    this.#length += 1
    return this
  }

  raw(octets: Uint8Array): this {
    this.#grow(octets.length)
    this.#octets.set(octets, this.#length)
    this.#length += octets.length
    return this
  }

  /** Length as varint, then the octets. */
  octets(octets: Uint8Array): this {
    return this.varint(octets.length).raw(octets)
  }

  /** As UTF-8, with its length. */
  text(text: string): this {
    const length = Buffer.byteLength(text)
    this.varint(length).#grow(length)
    encoder.encodeInto(text, this.#octets.subarray(this.#length))
    this.#length += length
    return this
  }

  /** Their number, then each. */
  texts(texts: readonly string[]): this {
    this.varint(texts.length)
    for (const text of texts) this.text(text)
    return this
  }

  /** CRC-32 of everything written so far. */
  checksum(): this {
    return this.uint(crc32(this.#octets.subarray(0, this.#length)), 4)
  }

  /** What was written, not copied. Ends the writing. */
  finish(): Uint8Array {
    return this.#octets.subarray(0, this.#length)
  }

  #grow(by: number): void {
    const needed = this.#length + by
    if (needed <= this.#octets.length) return
    const grown = freshOctets(Math.max(needed, this.#octets.length * 2))
    grown.set(this.#octets.subarray(0, this.#length))
    this.#octets = grown
  }
}
