/**
 * Where a key goes in a table of places: two multiplications by numbers drawn when the process starts, so that nobody
 * can write words that all go to one place (Dietzfelbinger et al., "A Reliable Randomized Algorithm for the
 * Closest-Pair Problem", 1997: multiply-shift). Nothing that can be seen from outside depends on them.
 * Not here: the tables.
 */
const [HIGH_FACTOR, LOW_FACTOR] = Array.from(crypto.getRandomValues(new Uint32Array(2)), (drawn) => drawn | 1) as [number, number]

/** The first place to look at. @param bits logarithm of the number of places, 1 to 31 */
export function firstPlace(high: number, low: number, bits: number): number {
  return (Math.imul(high, HIGH_FACTOR) + Math.imul(low, LOW_FACTOR)) >>> (32 - bits)
}
