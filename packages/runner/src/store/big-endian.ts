/** Unsigned integers of 1 to 6 octets, big-endian: the fixed-width numbers of keys and records. */

/** @param value a whole number that fits `width` octets @throws RangeError otherwise: numbers never wrap */
export function writeUint(octets: Uint8Array, at: number, value: number, width: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 256 ** width) {
    throw new RangeError(`${value} does not fit ${width} octets`)
  }
  let rest = value
  for (let i = at + width - 1; i >= at; i -= 1) {
    octets[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/** The caller has checked that `at + width` lies within. */
export function readUint(octets: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let i = at; i < at + width; i += 1) value = value * 256 + (octets[i] as number)
  return value
}
