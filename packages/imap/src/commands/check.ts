/** CHECK. RFC 3501 §6.4.1 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { SELECTED } from '../session/states.ts'

/** Every change is durable when it is answered, so there is nothing to bring about. */
export const check: BoundCommand = command({
  verb: 'CHECK',
  states: SELECTED,
  parse() {},
  run: () => ok('CHECK completed'),
})
