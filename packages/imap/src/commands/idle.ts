/** IDLE. RFC 2177 §3 */
import { bad, ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'

/** LIMIT: the longest line that can end it is DONE. */
const MAX_LINE_OCTETS = 64

/** Changes are told as they come, until DONE. */
export const idle: BoundCommand = command({
  verb: 'IDLE',
  states: AUTHENTICATED,
  parse() {},
  run: () => ({
    status: '+',
    text: 'idling',
    maxLineOctets: MAX_LINE_OCTETS,
    tellsUpdates: true,
    line(octets) {
      const done = Buffer.from(octets).toString('latin1').toUpperCase() === 'DONE'
      return done ? ok('IDLE completed') : bad('Expected DONE')
    },
  }),
})
