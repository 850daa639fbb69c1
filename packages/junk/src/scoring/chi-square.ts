/** The tail of the chi-square distribution, as a logarithm: small ones are told apart long after they are 0 as numbers. */
import type { WordEvidence } from './evidence.ts'

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

/**
 * Fisher's method for spam and for ham, as Robinson proposed ("A Statistical Approach to the Spam Problem", Linux
 * Journal 107, 2003): how unlikely the words would be by chance as ham, against how unlikely as spam.
 * @returns natural logarithm of odds, above 0 for spam; 0 without evidence
 */
export function oddsByFisher(evidence: readonly WordEvidence[]): number {
  if (evidence.length === 0) return 0
  let spam = 0
  let ham = 0
  for (const { probability } of evidence) {
    spam += Math.log(probability)
    ham += Math.log(1 - probability)
  }
  const degrees = 2 * evidence.length
  return logChiSquareTail(-2 * spam, degrees) - logChiSquareTail(-2 * ham, degrees)
}
