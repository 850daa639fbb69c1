/** RENAME. RFC 3501 §6.3.5 */
import { no, ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'

interface RenameArguments {
  readonly from: string
  readonly to: string
}

export const rename: BoundCommand = command<RenameArguments>({
  verb: 'RENAME',
  states: AUTHENTICATED,
  // rename = "RENAME" SP mailbox SP mailbox
  parse(reader) {
    reader.space()
    const from = reader.mailbox()
    reader.space()
    return { from, to: reader.mailbox() }
  },
  async run({ from, to }, session) {
    const result = await session.account.rename(from, to)
    switch (result.kind) {
      case 'renamed':
        return ok('RENAME completed')
      case 'no-such-mailbox':
        return no('NONEXISTENT', 'No such mailbox')
      case 'exists':
        return no('ALREADYEXISTS', 'A mailbox of that name exists already')
      case 'bad-name':
        return no('CANNOT', result.reason)
    }
  },
})
