/** UTF-7 to text. RFC 2152. Not here: the modified form of IMAP mailbox names. */

const PLUS = 0x2b
const MINUS = 0x2d
const REPLACEMENT = 0xfffd

/** A streaming decoder: octets in pieces, text out; broken input gives U+FFFD, never an exception. */
export class Utf7Decoder {
  #isShifted = false
  /** True right after "+", when "-" stands for a plus sign. */
  #isFresh = false
  #bits = 0
  #bitCount = 0
  /** A high surrogate that waits for its low one. */
  #high = 0

  push(octets: Uint8Array): string {
    const units: number[] = []
    for (const octet of octets) {
      if (this.#isShifted) this.#shifted(octet, units)
      else this.#direct(octet, units)
    }
    return textOf(units)
  }

  end(): string {
    const units: number[] = []
    this.#unshift(units)
    return textOf(units)
  }

  #direct(octet: number, units: number[]): void {
    if (octet === PLUS) {
      this.#isShifted = true
      this.#isFresh = true
    } else {
      units.push(octet < 0x80 ? octet : REPLACEMENT)
    }
  }

  #shifted(octet: number, units: number[]): void {
    const value = BASE64[octet]
    if (value === undefined) {
      const isFresh = this.#isFresh
      this.#unshift(units)
      if (octet !== MINUS) this.#direct(octet, units)
      else if (isFresh) units.push(PLUS)
      return
    }
    this.#isFresh = false
    this.#bits = (this.#bits << 6) | value
    this.#bitCount += 6
    if (this.#bitCount < 16) return
    this.#bitCount -= 16
    this.#unit(this.#bits >>> this.#bitCount, units)
    this.#bits &= (1 << this.#bitCount) - 1
  }

  /** Takes a UTF-16 unit; surrogates only in pairs. */
  #unit(unit: number, units: number[]): void {
    const isLow = unit >= 0xdc00 && unit < 0xe000
    if (this.#high !== 0) {
      units.push(isLow ? this.#high : REPLACEMENT)
      this.#high = 0
      if (isLow) {
        units.push(unit)
        return
      }
    }
    if (unit >= 0xd800 && unit < 0xdc00) this.#high = unit
    else units.push(isLow ? REPLACEMENT : unit)
  }

  #unshift(units: number[]): void {
    if (this.#high !== 0) units.push(REPLACEMENT)
    this.#high = 0
    this.#isShifted = false
    this.#isFresh = false
    this.#bits = 0
    this.#bitCount = 0
  }
}

const BASE64: readonly (number | undefined)[] = (() => {
  const table: (number | undefined)[] = Array.from({ length: 256 }, () => undefined)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  for (const [value, letter] of Array.from(alphabet).entries()) table[letter.charCodeAt(0)] = value
  return table
})()

/** Text of UTF-16 units, made in slices: a call can't take a million arguments. */
function textOf(units: readonly number[]): string {
  let text = ''
  for (let at = 0; at < units.length; at += 4096) text += String.fromCharCode(...units.slice(at, at + 4096))
  return text
}
