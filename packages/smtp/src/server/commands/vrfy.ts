/** VRFY and EXPN: neither tells who has a mailbox here. RFC 5321 §3.5.3, §4.1.1.6, §4.1.1.7, §7.3 */
import { notImplemented, notVerified } from '../../syntax/reply-codes.ts'
import type { CommandReader } from '../../syntax/command-line.ts'
import { type BoundCommand, command } from '../session/command.ts'
import { refuseWithout } from '../session/requirements.ts'

// vrfy = "VRFY" SP String [ SP "SMTPUTF8" ] CRLF      RFC 6531 §3.7.4.2
export const vrfy: BoundCommand = command<undefined>({
  verb: 'VRFY',
  check: refuseWithout,
  parse: readString,
  run: () => ({ reply: notVerified }),
})

// expn = "EXPN" SP String [ SP "SMTPUTF8" ] CRLF
export const expn: BoundCommand = command<undefined>({
  verb: 'EXPN',
  check: refuseWithout,
  parse: readString,
  run: () => ({ reply: notImplemented }),
})

/** The argument is not looked at: the answer is the same for every one. */
function readString(reader: CommandReader): undefined {
  reader.space()
  reader.rest()
}
