/** Patterns of LIST and LSUB. RFC 3501 §6.3.8 */

/** Wildcards a pattern may have. LIMIT: matching costs wildcards times name; clients write one or two. */
const MAX_WILDCARDS = 32

/** Whether a mailbox of that name is meant. */
export type NameMatcher = (name: string) => boolean

/** @returns undefined for a pattern with too many wildcards */
export function compileListPattern(pattern: string): NameMatcher | undefined {
  const tokens = Array.from(pattern.matchAll(/[%*]+|[^%*]+/g), ([token]) => tokenOf(token))
  if (tokens.filter((token) => token === '*' || token === '%').length > MAX_WILDCARDS) return undefined
  const matches = matcherOf(tokens)
  const inbox = matcherOf(tokens.map((token) => token.toUpperCase()))
  // INBOX is the one name without case. RFC 3501 §5.1
  return (name) => (name === 'INBOX' ? inbox(name) : matches(name))
}

/** A run of wildcards matches what its freest one matches. */
function tokenOf(run: string): string {
  if (run.includes('*')) return '*'
  return run.startsWith('%') ? '%' : run
}

/**
 * `*` is any text, `%` any text without a separator. Follows all places a name can be matched up to at once, so that no
 * pattern takes longer than its tokens times the name.
 */
function matcherOf(tokens: readonly string[]): NameMatcher {
  return (name) => {
    let places = new Uint8Array(name.length + 1)
    places[0] = 1
    for (const token of tokens) {
      const next = new Uint8Array(name.length + 1)
      if (token === '*' || token === '%') {
        let open = false
        for (let at = 0; at <= name.length; at += 1) {
          if (token === '%' && name[at - 1] === '/') open = false
          if (places[at] === 1) open = true
          if (open) next[at] = 1
        }
      } else {
        for (let at = 0; at + token.length <= name.length; at += 1) {
          if (places[at] === 1 && name.startsWith(token, at)) next[at + token.length] = 1
        }
      }
      places = next
    }
    return places[name.length] === 1
  }
}
