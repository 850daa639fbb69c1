/** What each UTF-16 code unit does to the word it stands in, and its lower case. Not here: the words. */

/** Ends a word. */
export const SEPARATOR = 0
/** Makes words. */
export const LETTER = 1
/** Of a script written without spaces: every two neighbours make a word. */
export const IDEOGRAPH = 2
/** Invisible: as if it weren't there. */
export const INVISIBLE = 3
/** Belongs to a word when letters stand on both sides. */
export const INNER = 4
/** First or second half of a character beyond the basic plane. */
export const SURROGATE = 5

/** The kind stands above the lower case; above that a 1 for digits. */
export const KIND_SHIFT = 16
export const KIND_MASK = 7
export const DIGIT_SHIFT = 19
export const LOWER_MASK = 0xffff

let made: Uint32Array | undefined

/** Of each code unit its kind, its lower case and whether it is a digit of ASCII, in one number. Made when first asked for, some milliseconds. */
export function characterKinds(): Uint32Array {
  made ??= makeKinds()
  return made
}

/** Apostrophes, and what joins the parts of names, addresses, hosts and amounts. */
const INNERS = "'’‘ʼ`-‐‑._@"
/** Signs that tell as much as letters: of money, share and loudness. */
const SIGNS = '$€£¥¢%!#'
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Bopomofo}]/u
const LETTERS = /[\p{L}\p{N}\p{M}\p{Sc}\p{So}]/u
/** Soft hyphen, joiners, direction marks, variation selectors. */
const INVISIBLES = /[\p{Cf}\p{Variation_Selector}]/u

function makeKinds(): Uint32Array {
  const characters = new Uint32Array(65_536)
  for (let code = 0; code < 65_536; code += 1) {
    const character = String.fromCharCode(code)
    const folded = character.toLowerCase()
    const lower = folded.length === 1 ? folded.charCodeAt(0) : code
    const digit = code >= 0x30 && code <= 0x39 ? 1 : 0
    characters[code] = (digit << DIGIT_SHIFT) | (kindOf(character, code) << KIND_SHIFT) | lower
  }
  return characters
}

function kindOf(character: string, code: number): number {
  if (code >= 0xd800 && code <= 0xdfff) return SURROGATE
  if (INNERS.includes(character)) return INNER
  if (SIGNS.includes(character)) return LETTER
  if (INVISIBLES.test(character)) return INVISIBLE
  if (UNSPACED.test(character)) return IDEOGRAPH
  return LETTERS.test(character) ? LETTER : SEPARATOR
}
