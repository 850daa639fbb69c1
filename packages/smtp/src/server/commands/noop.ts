/** NOOP. RFC 5321 §4.1.1.9 */
import { ok } from '../../syntax/reply-codes.ts'
import { type BoundCommand, command } from '../session/command.ts'

// noop = "NOOP" [ SP String ] CRLF; what the string is does not matter
export const noop: BoundCommand = command<undefined>({
  verb: 'NOOP',
  parse(reader) {
    reader.rest()
    return undefined
  },
  run: () => ({ reply: ok }),
})
