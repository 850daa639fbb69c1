/** LSUB. RFC 3501 §6.3.9 */
import { ok } from '../responses/completion.ts'
import { listLine } from '../responses/list.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'
import { parentsOf } from './list-names.ts'
import { matcherOf } from './list-options.ts'
import type { NameMatcher } from './list-pattern.ts'

interface LsubArguments {
  readonly matches: NameMatcher
  readonly asksForSeparator: boolean
}

export const lsub: BoundCommand = command<LsubArguments>({
  verb: 'LSUB',
  states: AUTHENTICATED,
  // lsub = "LSUB" SP mailbox SP list-mailbox
  parse(reader) {
    reader.space()
    const reference = reader.mailbox()
    reader.space()
    const pattern = reader.listMailbox()
    return { matches: matcherOf(reader, reference, [pattern]), asksForSeparator: pattern === '' }
  },
  async run({ matches, asksForSeparator }, session, out) {
    if (asksForSeparator) {
      out.write(...listLine('LSUB', { attributes: ['\\Noselect'], name: '' }))
      return ok('LSUB completed')
    }
    const { account } = session
    const subscriptions = await account.subscriptions()
    const existing = new Set((await account.mailboxes()).map(({ name }) => name))
    // \Noselect: here it may also mean that only something below is subscribed.
    const told = new Map<string, readonly string[]>()
    for (const name of subscriptions) {
      if (matches(name)) told.set(name, existing.has(name) ? [] : ['\\Noselect'])
      else for (const parent of parentsOf(name).filter(matches)) if (!told.has(parent)) told.set(parent, ['\\Noselect'])
    }
    for (const name of [...told.keys()].sort()) {
      out.write(...listLine('LSUB', { attributes: told.get(name) ?? [], name }))
    }
    return ok('LSUB completed')
  },
})
