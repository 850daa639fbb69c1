/**
 * Flags on the wire: system flags and keywords as names, and as the bits and names a store keeps.
 * Not here: reading flag lists from a command (`reader.ts`).
 */
import { FLAG_NAMES, type FlagSet, type MessageRow } from '@postern/core/store'

/** Every flag with a bit of its own, by its name in lower case. */
const BITS: ReadonlyMap<string, number> = new Map(FLAG_NAMES.map((name, index) => [name.toLowerCase(), 1 << index]))

/** Names of the flags every mailbox has, as FLAGS lists them. */
export const SYSTEM_FLAGS: readonly string[] = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft']
/** Well-known keywords kept as bits: told as flags of every mailbox, so that their first use needs no announcement. */
const WELL_KNOWN: readonly string[] = FLAG_NAMES.filter((name) => name.startsWith('$'))

/** Gathers flag names into bits and keywords. @param names system flags must be known ones; keywords any atoms */
export function flagSetOf(names: Iterable<string>): FlagSet {
  let flags = 0
  const keywords = new Map<string, string>()
  for (const name of names) {
    const folded = name.toLowerCase()
    const bit = BITS.get(folded)
    if (bit !== undefined) flags |= bit
    else if (!keywords.has(folded)) keywords.set(folded, name)
  }
  return { flags, keywords: [...keywords.values()] }
}

/** Bit of a flag by its name in any case, or undefined for keywords without one. */
export function flagBit(name: string): number | undefined {
  return BITS.get(name.toLowerCase())
}

/** Whether a name with a backslash is a flag a client may set: one of the five, not \Recent. RFC 3501 §2.3.2 */
export function isSystemFlag(name: string): boolean {
  return name.startsWith('\\') && BITS.has(name.toLowerCase())
}

/** All flags of a mailbox, in parentheses, as the FLAGS response lists them. RFC 3501 §7.2.6 */
export function formatMailboxFlags(keywords: readonly string[]): string {
  return `(${[...SYSTEM_FLAGS, ...WELL_KNOWN, ...keywords].join(' ')})`
}

/** Flags a client can change for good; `\*` while new keywords may be made. RFC 3501 §7.1 */
export function formatPermanentFlags(keywords: readonly string[]): string {
  return `(${[...SYSTEM_FLAGS, ...WELL_KNOWN, ...keywords, '\\*'].join(' ')})`
}

/** Most lists of flags kept. LIMIT: a mailbox has a few dozen combinations; a hostile one must not hold memory. */
const CACHE_ENTRIES = 4096

/** Flag lists of one mailbox, rendered once for each combination. */
export class FlagText {
  readonly #cache = new Map<number, string>()
  /** Names behind the keyword bits. May only ever grow at its end. */
  keywords: readonly string[]

  constructor(keywords: readonly string[]) {
    this.keywords = keywords
  }

  /** `(\Seen work)`. A bit without a name yet is left out: `knows` tells. */
  format(row: Pick<MessageRow, 'flags' | 'keywordBits' | 'wideKeywords'>, recent: boolean): string {
    // 10 flag bits, one for \Recent and 32 keyword bits fit into 43 bits.
    const key = ((row.flags & 0x3ff) | (recent ? 0x400 : 0)) * 2 ** 32 + (row.keywordBits >>> 0)
    const wide = row.wideKeywords !== undefined && row.wideKeywords.length > 0 ? row.wideKeywords : undefined
    const known = wide === undefined ? this.#cache.get(key) : undefined
    if (known !== undefined) return known
    const names: string[] = recent ? ['\\Recent'] : []
    FLAG_NAMES.forEach((name, index) => {
      if ((row.flags & (1 << index)) !== 0) names.push(name)
    })
    const width = Math.min(32, this.keywords.length)
    for (let bit = 0; bit < width; bit += 1) {
      if (((row.keywordBits >>> bit) & 1) !== 0) names.push(this.keywords[bit] as string)
    }
    if (wide !== undefined) return `(${[...names, ...wide].join(' ')})`
    const text = `(${names.join(' ')})`
    // A list with a bit still nameless would be wrong once the name is known.
    if (!this.knows(row)) return text
    if (this.#cache.size >= CACHE_ENTRIES) this.#cache.clear()
    this.#cache.set(key, text)
    return text
  }

  /** Whether every keyword of the row has a name here. */
  knows(row: Pick<MessageRow, 'keywordBits' | 'wideKeywords'>): boolean {
    const width = Math.min(32, this.keywords.length)
    if (width < 32 && row.keywordBits >>> width !== 0) return false
    if (row.wideKeywords === undefined) return true
    return row.wideKeywords.every((name) => this.keywords.includes(name))
  }
}
