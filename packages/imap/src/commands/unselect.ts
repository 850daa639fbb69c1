/** UNSELECT. RFC 3691 §2 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { SELECTED } from '../session/states.ts'

/** Leaves the mailbox and removes nothing. */
export const unselect: BoundCommand = command({
  verb: 'UNSELECT',
  states: SELECTED,
  parse() {},
  run(_, session) {
    session.unselect()
    return ok('UNSELECT completed')
  },
})
