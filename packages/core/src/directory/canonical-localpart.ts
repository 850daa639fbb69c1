/** Localparts in the one form a domain compares them in. */

/** How a domain compares localparts. */
export interface LocalpartRules {
  /** From the first one on, what follows is not compared. */
  readonly catchallSeparator?: string | undefined
  readonly caseSensitive: boolean
}

/**
 * @param rules of the domain; undefined for one that isn't ours: case doesn't matter
 * @returns may be empty: then no address is meant
 */
export function canonicalLocalpart(localpart: string, rules: LocalpartRules | undefined): string {
  // RFC 5321 §4.5.1: postmaster is that in any case.
  if (localpart.toLowerCase() === 'postmaster') return 'postmaster'
  const separator = rules?.catchallSeparator
  const at = separator === undefined ? -1 : localpart.indexOf(separator)
  const base = at < 0 ? localpart : localpart.slice(0, at)
  return rules?.caseSensitive === true ? base : base.toLowerCase()
}
