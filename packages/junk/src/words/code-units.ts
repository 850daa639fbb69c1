/**
 * The code units of a text as numbers: reading them one by one from a string takes twice as long, as a string may be of
 * many kinds.
 */

/** Longer texts get room of their own each time. */
const KEPT_UNITS = 65_536

/** Room for one text at a time: what it gave is valid until it is asked again, and past the end stands what stood there before. */
export class CodeUnits {
  readonly #kept = new Uint16Array(KEPT_UNITS)
  #isLatin = true

  /** Whether the last text had no unit above 255. */
  get isLatin(): boolean {
    return this.#isLatin
  }

  ofText(text: string): Uint16Array {
    const units = this.#roomFor(text.length)
    let all = 0
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      units[at] = code
      all |= code
    }
    this.#isLatin = all <= 0xff
    return units
  }

  /** Of octets each of which is a character. */
  ofOctets(octets: Uint8Array): Uint16Array {
    const units = this.#roomFor(octets.length)
    units.set(octets)
    return units
  }

  #roomFor(length: number): Uint16Array {
    return length <= KEPT_UNITS ? this.#kept : new Uint16Array(length)
  }
}
