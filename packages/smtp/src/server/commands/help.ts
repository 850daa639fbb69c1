/** HELP. RFC 5321 §4.1.1.8 */
import { helpText } from '../../syntax/reply-codes.ts'
import { type BoundCommand, command } from '../session/command.ts'

// help = "HELP" [ SP String ] CRLF
export const help: BoundCommand = command<undefined>({
  verb: 'HELP',
  parse(reader) {
    reader.rest()
    return undefined
  },
  run: () => ({ reply: helpText }),
})
