/** CAPABILITY. RFC 3501 §6.1.1 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { ANY_STATE } from '../session/states.ts'
import { responseLine } from '../syntax/writer.ts'

export const capability: BoundCommand = command({
  verb: 'CAPABILITY',
  states: ANY_STATE,
  parse() {},
  run(_, session, out) {
    out.write(responseLine(`* CAPABILITY ${session.capabilities.join(' ')}`))
    return ok('CAPABILITY completed')
  },
})
