/** Arguments of LIST, plain and extended. RFC 3501 §9, RFC 5258 §6, RFC 5819 §3, RFC 6154 §6 */
import type { StatusItem } from '../responses/status.ts'
import type { Reader } from '../syntax/reader.ts'
import { compileListPattern, type NameMatcher } from './list-pattern.ts'
import { readStatusItems } from './status.ts'

/** LIMIT: patterns of one LIST; each is held against every name. */
const MAX_PATTERNS = 32

export interface ListArguments {
  /** Any of the patterns. */
  readonly matches: NameMatcher
  /** The plain form with an empty pattern: asks for the separator and nothing else. */
  readonly asksForSeparator: boolean
  readonly select: {
    readonly subscribed: boolean
    readonly specialUse: boolean
    readonly recursiveMatch: boolean
  }
  readonly returns: {
    readonly subscribed: boolean
    /** Counts to tell after each mailbox that has them. */
    readonly status: readonly StatusItem[]
  }
}

// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
/** Reads what follows LIST. */
export function readListArguments(reader: Reader): ListArguments {
  reader.space()
  const selection = reader.peek() === '(' ? readSelection(reader) : undefined
  if (selection !== undefined) reader.space()
  const reference = reader.mailbox()
  reader.space()
  const several = reader.peek() === '('
  const patterns = several ? reader.list(() => reader.listMailbox()) : [reader.listMailbox()]
  const returns = reader.acceptSpace() ? readReturns(reader) : undefined
  const isExtended = selection !== undefined || several || returns !== undefined
  const subscribed = selection?.subscribed ?? false
  return {
    matches: matcherOf(reader, reference, patterns),
    asksForSeparator: !isExtended && patterns[0] === '',
    select: selection ?? { subscribed: false, specialUse: false, recursiveMatch: false },
    // The selection SUBSCRIBED implies the return option. RFC 5258 §3.1
    returns: { subscribed: subscribed || (returns?.subscribed ?? false), status: returns?.status ?? [] },
  }
}

/** One matcher of all patterns, each put behind the reference. */
export function matcherOf(reader: Reader, reference: string, patterns: readonly string[]): NameMatcher {
  if (patterns.length > MAX_PATTERNS) reader.fail('list-mailbox', `at most ${MAX_PATTERNS} patterns`)
  // An empty pattern matches no mailbox, whatever the reference.
  const wanted = patterns.filter((pattern) => pattern !== '')
  const matchers = wanted.map((pattern) => {
    const matches = compileListPattern((reference + pattern).normalize('NFC'))
    return matches ?? reader.fail('list-mailbox', 'a pattern with fewer wildcards')
  })
  return (name) => matchers.some((matches) => matches(name))
}

// list-select-opts = "(" [list-select-opt *(SP list-select-opt)] ")"
function readSelection(reader: Reader): ListArguments['select'] {
  const { offset } = reader
  const options = new Set(
    reader.list(() => {
      const { offset } = reader
      const word = reader.word()
      // There are no remote mailboxes, so REMOTE asks for nothing more.
      if (!['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE'].includes(word)) {
        reader.fail('list-select-opt', 'list-select-opt', offset)
      }
      return word
    }, 'empty'),
  )
  const select = {
    subscribed: options.has('SUBSCRIBED'),
    specialUse: options.has('SPECIAL-USE'),
    recursiveMatch: options.has('RECURSIVEMATCH'),
  }
  if (select.recursiveMatch && !select.subscribed && !select.specialUse) {
    reader.fail('list-select-opt', 'an option for RECURSIVEMATCH to go with', offset)
  }
  return select
}

// list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
function readReturns(reader: Reader): ListArguments['returns'] {
  reader.expectWord('RETURN')
  reader.space()
  let subscribed = false
  let status: readonly StatusItem[] = []
  reader.list(() => {
    const { offset } = reader
    const word = reader.word()
    if (word === 'SUBSCRIBED') subscribed = true
    else if (word === 'STATUS') {
      reader.space()
      status = readStatusItems(reader)
    } else if (word !== 'CHILDREN' && word !== 'SPECIAL-USE') {
      // Children and special uses are told to everybody.
      reader.fail('return-option', 'return-option', offset)
    }
  }, 'empty')
  return { subscribed, status }
}
