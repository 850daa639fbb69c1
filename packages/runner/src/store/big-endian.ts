/** Unsigned integers of 1 to 6 octets, big-endian: the fixed-width numbers of keys and records. */

/** Highest number of each width. */
const HIGHEST = [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff, 0xff_ffff_ffff, 0xffff_ffff_ffff] as const

/** @param value a whole number that fits `width` octets @throws RangeError otherwise: numbers never wrap */
export function writeUint(octets: Uint8Array, at: number, value: number, width: number): void {
  if (!Number.isInteger(value) || value < 0 || value > (HIGHEST[width] as number)) {
    throw new RangeError(`${value} does not fit ${width} octets`)
  }
  let end = at + width - 1
  let low = value
  if (width > 4) {
    // What lies above 32 bits, then the rest as an integer of the machine.
    const high = Math.floor(value / 0x1_0000_0000)
    octets[at] = width === 5 ? high : high >>> 8
    if (width === 6) octets[at + 1] = high & 0xff
    low = value % 0x1_0000_0000
  }
  for (let left = Math.min(4, width); left > 0; left -= 1) {
    octets[end] = low & 0xff
    low >>>= 8
    end -= 1
  }
}

/** The caller has checked that `at + width` lies within. */
export function readUint(octets: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let i = at; i < at + width; i += 1) value = value * 256 + (octets[i] as number)
  return value
}
