/** NOOP. RFC 3501 §6.1.2 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { ANY_STATE } from '../session/states.ts'

/** Does nothing; what is owed is told before its completion, as for most commands. */
export const noop: BoundCommand = command({
  verb: 'NOOP',
  states: ANY_STATE,
  parse() {},
  run: () => ok('NOOP completed'),
})
