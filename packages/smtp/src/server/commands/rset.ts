/** RSET. RFC 5321 §4.1.1.5 */
import { ok } from '../../syntax/reply-codes.ts'
import { type BoundCommand, command } from '../session/command.ts'

// rset = "RSET" CRLF
export const rset: BoundCommand = command<undefined>({
  verb: 'RSET',
  parse: () => undefined,
  run: () => ({ reply: ok, moves: true }),
})
