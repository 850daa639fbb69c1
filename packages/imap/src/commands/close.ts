/** CLOSE. RFC 3501 §6.4.2 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { SELECTED } from '../session/states.ts'

/** Removes what has \Deleted without telling, then leaves the mailbox; after EXAMINE it removes nothing. */
export const close: BoundCommand = command({
  verb: 'CLOSE',
  states: SELECTED,
  parse() {},
  async run(_, session) {
    const { view } = session
    if (!view.readOnly && view.size > 0) await view.mailbox.expunge(view.all)
    session.unselect()
    return ok('CLOSE completed')
  },
})
