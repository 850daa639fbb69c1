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

/** Both tables, by code unit. */
export interface CharacterKinds {
  readonly kinds: Uint8Array
  readonly lower: Uint16Array
}

let made: CharacterKinds | undefined

/** The tables; made when first asked for, some milliseconds. */
export function characterKinds(): CharacterKinds {
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

function makeKinds(): CharacterKinds {
  const kinds = new Uint8Array(65_536)
  const lower = new Uint16Array(65_536)
  for (let code = 0; code < 65_536; code += 1) {
    const character = String.fromCharCode(code)
    kinds[code] = kindOf(character, code)
    const folded = character.toLowerCase()
    lower[code] = folded.length === 1 ? folded.charCodeAt(0) : code
  }
  return { kinds, lower }
}

function kindOf(character: string, code: number): number {
  if (code >= 0xd800 && code <= 0xdfff) return SURROGATE
  if (INNERS.includes(character)) return INNER
  if (SIGNS.includes(character)) return LETTER
  if (INVISIBLES.test(character)) return INVISIBLE
  if (UNSPACED.test(character)) return IDEOGRAPH
  return LETTERS.test(character) ? LETTER : SEPARATOR
}
