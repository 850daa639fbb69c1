/** The beginning of a command: its tag, its verb, and whether it may be given now. */
import { WireSyntaxError } from '@postern/core/conversation'
import { bad, type Completion } from '../responses/completion.ts'
import type { BoundCommand } from '../session/command.ts'
import type { State } from '../session/states.ts'
import type { CommandText } from '../syntax/command-text.ts'
import { Reader } from '../syntax/reader.ts'

/** A command that may be given. */
export interface KnownCommand {
  readonly kind: 'command'
  readonly tag: string
  readonly command: BoundCommand
  readonly uid: boolean
  /** Stands behind the verb. */
  readonly reader: Reader
}

/** A command that can't be run. */
export type MisplacedCommand =
  | { readonly kind: 'wrong-state'; readonly tag: string; readonly verb: string }
  /** No such verb, or none at all. */
  | { readonly kind: 'unknown'; readonly tag: string }
  /** Not even a tag. */
  | { readonly kind: 'no-tag' }

export type CommandHead = KnownCommand | MisplacedCommand

// command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
/** @param commands by verb, in upper case */
export function readCommandHead(
  text: CommandText,
  commands: ReadonlyMap<string, BoundCommand>,
  state: State,
): CommandHead {
  const reader = new Reader(text)
  let tag: string | undefined
  try {
    tag = reader.tag()
    reader.space()
    let verb = reader.word()
    const uid = verb === 'UID'
    if (uid) {
      reader.space()
      verb = reader.word()
    }
    const command = commands.get(verb)
    if (command === undefined || (uid && !command.uid)) return { kind: 'unknown', tag }
    if (!command.states.includes(state)) return { kind: 'wrong-state', tag, verb: uid ? `UID ${verb}` : verb }
    return { kind: 'command', tag, command, uid, reader }
  } catch (error) {
    if (!(error instanceof WireSyntaxError)) throw error
    return tag === undefined ? { kind: 'no-tag' } : { kind: 'unknown', tag }
  }
}

/** What the client hears of a command that can't be run. */
export function misplacedCompletion(head: MisplacedCommand): Completion {
  switch (head.kind) {
    case 'no-tag':
      return bad('Expected a tag')
    case 'unknown':
      return bad('Unknown command')
    case 'wrong-state':
      return bad(`${head.verb} is not allowed now`)
  }
}
