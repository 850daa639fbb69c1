/** Which message a test waits for. */
import type { ParsedMessage } from './parsed-message.ts'

/** All that is given must fit: text exactly (addresses without regard to case), a regular expression anywhere. */
export interface MessageMatch {
  /** Any address of To and Cc. */
  readonly to?: string | RegExp
  readonly from?: string | RegExp
  readonly subject?: string | RegExp
}

export function matches(message: ParsedMessage, match: MessageMatch): boolean {
  return (
    (match.to === undefined || message.to.some((address) => fits(address.toLowerCase(), match.to, true))) &&
    fits(message.from.toLowerCase(), match.from, true) &&
    fits(message.subject, match.subject, false)
  )
}

function fits(value: string, wanted: string | RegExp | undefined, foldCase: boolean): boolean {
  if (wanted === undefined) return true
  if (typeof wanted === 'string') return value === (foldCase ? wanted.toLowerCase() : wanted)
  // A global expression keeps its place between calls, which would make every second answer wrong.
  return new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, '')).test(value)
}
