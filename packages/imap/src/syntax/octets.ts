/** Which octets may stand where in IMAP's grammar. RFC 3501 §9 */

const ATOM = 1
const ASTRING = 2
const LIST = 4
const TAG = 8
const WORD = 16

/** Classes of each octet. */
const CLASSES: Uint8Array = (() => {
  const classes = new Uint8Array(256)
  for (let octet = 0x21; octet < 0x7f; octet += 1) {
    const character = String.fromCharCode(octet)
    const special = '(){ %*"\\'.includes(character)
    const bracket = character === ']'
    const wildcard = character === '%' || character === '*'
    let mask = 0
    if (!special && !bracket) mask |= ATOM
    if (!special) mask |= ASTRING
    if (!special || wildcard) mask |= LIST
    if (!special && character !== '+') mask |= TAG
    if (/[A-Za-z0-9._-]/.test(character)) mask |= WORD
    classes[octet] = mask
  }
  return classes
})()

/** A kind of character that makes up a token. */
export type CharacterClass = 'atom' | 'astring' | 'list' | 'tag' | 'word'

const MASKS: Readonly<Record<CharacterClass, number>> = {
  atom: ATOM,
  astring: ASTRING,
  list: LIST,
  tag: TAG,
  word: WORD,
}

/** End of the run of octets of one class from `at` on, at most `octets.length`. */
export function endOfRun(octets: Uint8Array, at: number, of: CharacterClass): number {
  const mask = MASKS[of]
  let end = at
  while (end < octets.length && ((CLASSES[octets[end] as number] as number) & mask) !== 0) end += 1
  return end
}

/** Whether a text is a non-empty run of one class. */
export function isRun(text: string, of: CharacterClass): boolean {
  const mask = MASKS[of]
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code > 0xff || ((CLASSES[code] as number) & mask) === 0) return false
  }
  return text.length > 0
}
