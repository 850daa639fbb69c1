/** QUIT. RFC 5321 §4.1.1.10 */
import { goodbye } from '../../syntax/reply-codes.ts'
import { type BoundCommand, command } from '../session/command.ts'

// quit = "QUIT" CRLF
export const quit: BoundCommand = command<undefined>({
  verb: 'QUIT',
  parse: () => undefined,
  run: () => ({ reply: goodbye, close: 'quit' }),
})
