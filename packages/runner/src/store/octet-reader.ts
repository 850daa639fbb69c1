/** Reads a record octet by octet. Whatever the octets are, it gives values or throws `StoreError` STORE_CORRUPT. */
import { crc32 } from 'node:zlib'
import { StoreError } from '@postern/core/store'
import { readUint } from './big-endian.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class OctetReader {
  readonly #octets: Uint8Array
  readonly #what: string
  #at = 0
  #end: number

  /** @param what names the record in errors */
  constructor(octets: Uint8Array, what: string) {
    this.#octets = octets
    this.#what = what
    this.#end = octets.length
  }

  get remaining(): number {
    return this.#end - this.#at
  }

  /** Checks and takes off the CRC-32 at the end. Call first. */
  checksum(): this {
    const at = this.#end - 4
    if (at < 0 || readUint(this.#octets, at, 4) !== crc32(this.#octets.subarray(0, at)))
      this.fail('has a wrong checksum')
    this.#end = at
    return this
  }

  /** The format octet. @throws StoreError STORE_CORRUPT when it is another */
  format(expected: number): this {
    const format = this.uint(1)
    if (format !== expected) this.fail(`has format ${format}`)
    return this
  }

  uint(width: number): number {
    if (this.remaining < width) this.fail('ends early')
    const value = readUint(this.#octets, this.#at, width)
    this.#at += width
    return value
  }

  varint(): number {
    let value = 0
    let factor = 1
    // 2^53−1 takes eight groups of seven bits.
    for (let group = 0; group < 8; group += 1) {
      const octet = this.uint(1)
      value += (octet & 0x7f) * factor
      if (octet < 0x80) {
        if (!Number.isSafeInteger(value)) this.fail('has a number out of range')
        return value
      }
      factor *= 128
    }
    return this.fail('has a number out of range')
  }

  /** A number that says how many elements follow, each of at least `elementOctets`: never more than there can be. */
  count(elementOctets = 1): number {
    const count = this.varint()
    if (count * elementOctets > this.remaining) this.fail('ends early')
    return count
  }

  /** A view of the record's octets. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) this.fail('ends early')
    const octets = this.#octets.subarray(this.#at, this.#at + length)
    this.#at += length
    return octets
  }

  /** A copy, whose length stands before it. */
  octets(): Uint8Array {
    return this.raw(this.varint()).slice()
  }

  text(): string {
    const octets = this.raw(this.varint())
    try {
      return decoder.decode(octets)
    } catch (cause) {
      return this.fail('has text that is not UTF-8', cause)
    }
  }

  texts(): string[] {
    const texts: string[] = []
    for (let left = this.count(); left > 0; left -= 1) texts.push(this.text())
    return texts
  }

  /** A value of a table of names, by its number. */
  choice<T>(values: readonly T[]): T {
    const value = values[this.uint(1)]
    return value === undefined ? this.fail('has an unknown kind') : value
  }

  /** Nothing may follow. */
  end(): void {
    if (this.remaining > 0) this.fail('is too long')
  }

  fail(how: string, cause?: unknown): never {
    throw new StoreError('STORE_CORRUPT', `Record of ${this.#what} ${how}`, cause === undefined ? undefined : { cause })
  }
}
