/** The tail of the chi-square distribution, as a logarithm: small ones are told apart long after they are 0 as numbers. */

/**
 * Natural logarithm of the chance that a chi-square of so many degrees of freedom is at least `value`: the sum of
 * Abramowitz, Stegun, "Handbook of Mathematical Functions", 26.4.21.
 * @param value not negative @param degrees even, at least 2
 */
export function logChiSquareTail(value: number, degrees: number): number {
  const half = value / 2
  let term = -half
  let sum = term
  for (let step = 1; step < degrees / 2; step += 1) {
    term += Math.log(half / step)
    const larger = Math.max(sum, term)
    sum = larger === Number.NEGATIVE_INFINITY ? larger : larger + Math.log(Math.exp(sum - larger) + Math.exp(term - larger))
  }
  return Math.min(0, sum)
}
