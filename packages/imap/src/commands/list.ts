/** LIST. RFC 3501 §6.3.8, RFC 5258, RFC 5819; special uses and children are told always (RFC 6154 §2, RFC 3348 §3) */
import type { AccountStore, Mailbox } from '@postern/core/store'
import { ok, type Completion } from '../responses/completion.ts'
import { listLine } from '../responses/list.ts'
import { statusResponse } from '../responses/status.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'
import { parentsOf } from './list-names.ts'
import { readListArguments, type ListArguments } from './list-options.ts'

/** Mailboxes told in one block. */
const BLOCK_MAILBOXES = 64

export const list: BoundCommand = command<ListArguments>({
  verb: 'LIST',
  states: AUTHENTICATED,
  parse: (reader) => readListArguments(reader),
  run: (args, session) => answer(args, session.account),
})

/** One name to be told, and its mailbox if there is one. */
interface Listed {
  readonly name: string
  readonly attributes: readonly string[]
  readonly mailbox: Mailbox | undefined
  /** A child meets the criteria: told to those who asked with RECURSIVEMATCH. RFC 5258 §3.5 */
  readonly hasSelectedChild: boolean
}

async function* answer(args: ListArguments, account: AccountStore): AsyncGenerator<readonly Uint8Array[], Completion> {
  const { select, returns } = args
  if (args.asksForSeparator) {
    yield listLine('LIST', { attributes: ['\\Noselect'], name: '' })
    return ok('LIST completed')
  }
  const mailboxes = await account.mailboxes()
  const subscriptions = new Set(returns.subscribed ? await account.subscriptions() : [])
  const listed = selectNames(args, mailboxes, subscriptions)
  const criteria = [...(select.subscribed ? ['SUBSCRIBED'] : []), ...(select.specialUse ? ['SPECIAL-USE'] : [])]
  for (let at = 0; at < listed.length; at += BLOCK_MAILBOXES) {
    const some = listed.slice(at, at + BLOCK_MAILBOXES)
    const ids = returns.status.length === 0 ? [] : some.flatMap(({ mailbox }) => mailbox?.id ?? [])
    const statuses = ids.length === 0 ? [] : await account.status(ids)
    let next = 0
    yield some.flatMap((each) => {
      const line = listLine('LIST', { ...each, childInfo: each.hasSelectedChild ? criteria : [] })
      const status = each.mailbox === undefined ? undefined : statuses[next++]
      return status === undefined ? line : [...line, ...statusResponse(each.name, returns.status, status)]
    })
  }
  return ok('LIST completed')
}

/** The names to be told, mailboxes in the store's order, then names without a mailbox. */
function selectNames(
  { matches, select, returns }: ListArguments,
  mailboxes: readonly Mailbox[],
  subscriptions: ReadonlySet<string>,
): readonly Listed[] {
  const byName = new Map(mailboxes.map((mailbox) => [mailbox.name, mailbox]))
  const parents = new Set(mailboxes.flatMap(({ name }) => parentsOf(name)))
  const candidates = [...byName.keys(), ...[...subscriptions].filter((name) => !byName.has(name))]
  const meetsCriteria = (name: string): boolean => {
    const mailbox = byName.get(name)
    if (select.subscribed ? !subscriptions.has(name) : mailbox === undefined) return false
    return !select.specialUse || (mailbox?.specialUse.length ?? 0) > 0
  }
  const selected = candidates.filter(meetsCriteria)
  const told = new Set(selected.filter(matches))
  const withSelectedChild = new Set<string>()
  if (select.recursiveMatch) {
    for (const name of selected) {
      for (const parent of parentsOf(name)) {
        if (!matches(parent)) continue
        if (told.has(parent) || !told.has(name)) withSelectedChild.add(parent)
      }
    }
  }
  const parentsOnly = [...withSelectedChild].filter((name) => !told.has(name))
  return [...candidates.filter((name) => told.has(name)), ...parentsOnly].map((name) => {
    const mailbox = byName.get(name)
    const attributes = [
      ...(mailbox === undefined ? ['\\NonExistent'] : []),
      ...(returns.subscribed && subscriptions.has(name) ? ['\\Subscribed'] : []),
      parents.has(name) ? '\\HasChildren' : '\\HasNoChildren',
      ...(mailbox?.specialUse ?? []),
    ]
    return { name, attributes, mailbox, hasSelectedChild: withSelectedChild.has(name) }
  })
}
