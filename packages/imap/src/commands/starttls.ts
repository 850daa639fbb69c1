/** STARTTLS. RFC 3501 §6.2.1 */
import { bad, ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { NOT_AUTHENTICATED } from '../session/states.ts'

export const starttls: BoundCommand = command({
  verb: 'STARTTLS',
  states: NOT_AUTHENTICATED,
  parse() {},
  run(_, session) {
    if (session.secure) return bad('TLS is active already')
    if (!session.canStartTls) return bad('TLS is not available')
    return { ...ok('Begin TLS negotiation now'), next: 'tls' }
  },
})
