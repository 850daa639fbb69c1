/** Text without the difference of upper and lower case, so that two texts that differ in nothing else are equal. */

/**
 * Letters in lower case that are a variant of another one: each folds to that. Unicode CaseFolding.txt, status C and
 * S, as far as `toLowerCase` leaves them: micro sign, long s, final sigma, symbols of Greek letters, and Cyrillic variants.
 */
const VARIANTS: ReadonlyMap<string, string> = new Map([
  ['\u00b5', '\u03bc'],
  ['\u017f', 's'],
  ['\u0345', '\u03b9'],
  ['\u03c2', '\u03c3'],
  ['\u03d0', '\u03b2'],
  ['\u03d1', '\u03b8'],
  ['\u03d5', '\u03c6'],
  ['\u03d6', '\u03c0'],
  ['\u03f0', '\u03ba'],
  ['\u03f1', '\u03c1'],
  ['\u03f5', '\u03b5'],
  ['\u1e9b', '\u1e61'],
  ['\u1fbe', '\u03b9'],
  ['\u1c80', '\u0432'],
  ['\u1c81', '\u0434'],
  ['\u1c82', '\u043e'],
  ['\u1c83', '\u0441'],
  ['\u1c84', '\u0442'],
  ['\u1c85', '\u0442'],
  ['\u1c86', '\u044a'],
  ['\u1c87', '\u0463'],
  ['\u1c88', '\ua64b'],
])
const VARIANT = new RegExp(`[${[...VARIANTS.keys()].join('')}]`, 'g')
const NON_ASCII = /[^\0-\x7f]/

/**
 * Folds case, and nothing else: accents and compatibility forms stay. Simple folding of Unicode, but for the Turkish İ,
 * which becomes an i and a dot above it.
 */
export function foldCase(text: string): string {
  const lower = text.toLowerCase()
  return NON_ASCII.test(lower) ? lower.replace(VARIANT, (letter) => VARIANTS.get(letter) as string) : lower
}
