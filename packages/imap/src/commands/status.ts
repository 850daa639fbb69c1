/** STATUS. RFC 3501 §6.3.10, RFC 8438 */
import { no, ok } from '../responses/completion.ts'
import { STATUS_ITEMS, statusResponse, type StatusItem } from '../responses/status.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'
import type { Reader } from '../syntax/reader.ts'

interface StatusArguments {
  readonly name: string
  readonly items: readonly StatusItem[]
}

export const status: BoundCommand = command<StatusArguments>({
  verb: 'STATUS',
  states: AUTHENTICATED,
  // status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
  parse(reader) {
    reader.space()
    const name = reader.mailbox()
    reader.space()
    return { name, items: readStatusItems(reader) }
  },
  async run({ name, items }, session, out) {
    const { account } = session
    const mailbox = await account.mailbox(name)
    const [counts] = mailbox === undefined ? [] : await account.status([mailbox.id])
    if (counts === undefined) return no('NONEXISTENT', 'No such mailbox')
    out.write(...statusResponse(name, items, counts))
    return ok('STATUS completed')
  },
})

/** Items in parentheses, each once. */
export function readStatusItems(reader: Reader): readonly StatusItem[] {
  const items = reader.list(() => {
    const { offset } = reader
    const word = reader.word()
    return STATUS_ITEMS.find((item) => item === word) ?? reader.fail('status-att', 'status-att', offset)
  })
  return [...new Set(items)]
}
