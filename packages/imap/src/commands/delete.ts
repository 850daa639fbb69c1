/** DELETE. RFC 3501 §6.3.4 */
import { no, ok, statusLine } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'

export const deleteMailbox: BoundCommand = command<string>({
  verb: 'DELETE',
  states: AUTHENTICATED,
  // delete = "DELETE" SP mailbox
  parse(reader) {
    reader.space()
    return reader.mailbox()
  },
  async run(name, session, out) {
    const doomed = await session.account.mailbox(name)
    const result = await session.account.delete(name)
    switch (result.kind) {
      case 'deleted':
        if (doomed !== undefined && doomed.id === session.selected?.mailbox.snapshot.mailbox.id) {
          session.unselect()
          out.write(statusLine('OK', 'The selected mailbox was deleted', 'CLOSED'))
        }
        return ok('DELETE completed')
      case 'no-such-mailbox':
        return no('NONEXISTENT', 'No such mailbox')
      case 'has-children':
        return no('HASCHILDREN', 'Mailbox has children')
      case 'inbox':
        return no('CANNOT', 'INBOX can not be deleted')
    }
  },
})
