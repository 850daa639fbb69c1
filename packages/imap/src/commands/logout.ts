/** LOGOUT. RFC 3501 §6.1.3 */
import { ok, statusLine } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { ANY_STATE } from '../session/states.ts'

export const logout: BoundCommand = command({
  verb: 'LOGOUT',
  states: ANY_STATE,
  parse() {},
  run(_, session, out) {
    // No change is told any more: only BYE may stand between LOGOUT and its completion.
    session.unselect()
    out.write(statusLine('BYE', 'Logging out'))
    return { ...ok('LOGOUT completed'), next: 'close' }
  },
})
