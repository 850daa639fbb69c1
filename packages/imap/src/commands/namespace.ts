/** NAMESPACE. RFC 2342 §5 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'
import { responseLine } from '../syntax/writer.ts'

/** One personal namespace without a prefix; nobody else's, nothing shared. */
export const namespace: BoundCommand = command({
  verb: 'NAMESPACE',
  states: AUTHENTICATED,
  parse() {},
  run(_, __, out) {
    out.write(responseLine('* NAMESPACE (("" "/")) NIL NIL'))
    return ok('NAMESPACE completed')
  },
})
