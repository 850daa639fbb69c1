/** Macro strings: read once, when a record is parsed, and expanded for each message. RFC 7208 §7 */

/** What a macro letter stands for; `c`, `r` and `t` are for explanations only. */
export type MacroLetter = 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'c' | 'r' | 't' | 'v'

export type MacroPiece =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'macro'
      readonly letter: MacroLetter
      /** Parts kept from the right; undefined: all. */
      readonly parts: number | undefined
      readonly reverse: boolean
      readonly delimiters: string
      /** The letter was upper case: what it stands for is escaped as in a URL. */
      readonly escape: boolean
    }

export type MacroString = readonly MacroPiece[]

const MACRO = /%(?:\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}|([%_-]))/iy

/** @returns undefined when it isn't one; in a domain-spec spaces and the letters of explanations are not allowed */
export function parseMacroString(text: string, where: 'domain-spec' | 'explanation'): MacroString | undefined {
  const pieces: MacroPiece[] = []
  let literal = ''
  const flush = (): void => {
    if (literal !== '') pieces.push({ kind: 'text', text: literal })
    literal = ''
  }
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '%') {
      const code = text.charCodeAt(at)
      if (code > 0x7e || code < (where === 'explanation' ? 0x20 : 0x21)) return undefined
      literal += text[at]
      at += 1
      continue
    }
    MACRO.lastIndex = at
    const found = MACRO.exec(text)
    if (found === null) return undefined
    at = MACRO.lastIndex
    const [, letter, digits = '', reverse, delimiters = '', escaped] = found
    if (letter === undefined) {
      literal += escaped === '%' ? '%' : escaped === '_' ? ' ' : '%20'
      continue
    }
    const lower = letter.toLowerCase() as MacroLetter
    const parts = digits === '' ? undefined : Number(digits)
    if (parts === 0 || (where === 'domain-spec' && 'crt'.includes(lower))) return undefined
    flush()
    pieces.push({
      kind: 'macro',
      letter: lower,
      parts: parts === undefined ? undefined : Math.min(parts, 128),
      reverse: reverse !== '',
      delimiters: delimiters === '' ? '.' : delimiters,
      escape: letter !== lower,
    })
  }
  flush()
  return pieces
}

/** A top-level label that ends a domain-spec written out: letters, digits and hyphens, not digits alone. */
const TOP_LABEL = /^(?=.*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/

/** A macro string that can name a domain: ends in a top-level label after a dot, or in a macro. RFC 7208 §7.1 */
export function parseDomainSpec(text: string): MacroString | undefined {
  const pieces = parseMacroString(text, 'domain-spec')
  const last = pieces?.at(-1)
  if (pieces === undefined || last === undefined) return undefined
  if (last.kind === 'macro') return pieces
  // What stands for "%" and space is a macro as well, but names nothing.
  const end = last.text.endsWith('.') ? last.text.slice(0, -1) : last.text
  const dot = end.lastIndexOf('.')
  return dot >= 0 && TOP_LABEL.test(end.slice(dot + 1)) ? pieces : undefined
}

/** LIMIT: of an expansion; domains are cut to 253 afterwards, explanations are shown no longer. */
const MAX_EXPANDED = 4_096

/** Whether a letter is used: `p` costs look-ups. */
export function usesLetter(macros: MacroString, letter: MacroLetter): boolean {
  return macros.some((piece) => piece.kind === 'macro' && piece.letter === letter)
}

/**
 * @param values for every letter the string uses
 * @param kept which part of a text that is too long: domains are cut from the left, explanations are read from there
 */
export function expandMacros(macros: MacroString, values: ReadonlyMap<MacroLetter, string>, kept: 'start' | 'end'): string {
  let text = ''
  for (const piece of macros) {
    text += piece.kind === 'text' ? piece.text : expandMacro(piece, values.get(piece.letter) ?? '')
    if (text.length <= MAX_EXPANDED) continue
    if (kept === 'start') return text.slice(0, MAX_EXPANDED)
    text = text.slice(-MAX_EXPANDED)
  }
  return text
}

function expandMacro({ parts, reverse, delimiters, escape }: Extract<MacroPiece, { kind: 'macro' }>, value: string): string {
  let expanded = value
  if (parts !== undefined || reverse || delimiters !== '.') {
    const split: string[] = ['']
    for (const character of value) {
      if (delimiters.includes(character)) split.push('')
      else split[split.length - 1] += character
    }
    if (reverse) split.reverse()
    expanded = (parts === undefined ? split : split.slice(-parts)).join('.')
  }
  // Half a character has no octets to be escaped; the detour makes a replacement character of it.
  return escape ? encodeURIComponent(Buffer.from(expanded).toString()).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`) : expanded
}
