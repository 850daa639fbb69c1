/** STARTTLS. RFC 3207 §4. The engine sees to it that nothing is buffered behind it, and starts anew afterwards. */
import { alreadyTls, badSequence, readyForTls, tlsUnavailable } from '../../syntax/reply-codes.ts'
import { type BoundCommand, command } from '../session/command.ts'

// "STARTTLS", no parameters
export const starttls: BoundCommand = command<undefined>({
  verb: 'STARTTLS',
  parse: () => undefined,
  run(_, session) {
    if (session.isSecure) return { reply: alreadyTls }
    if (session.settings.tls === 'none') return { reply: tlsUnavailable }
    if (session.isAuthenticated) return { reply: badSequence }
    return { reply: readyForTls(session.settings.id), moves: true, upgrade: 'tls' }
  },
})
