/** LOGIN. RFC 3501 §6.2.3 */
import { no } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { NOT_AUTHENTICATED } from '../session/states.ts'
import { concludeLogin } from './conclude-login.ts'

interface LoginArguments {
  readonly user: Uint8Array
  readonly password: Uint8Array
}

export const login: BoundCommand = command<LoginArguments>({
  verb: 'LOGIN',
  states: NOT_AUTHENTICATED,
  // login = "LOGIN" SP userid SP password
  parse(reader) {
    reader.space()
    const user = reader.astringOctets()
    reader.space()
    return { user, password: reader.astringOctets() }
  },
  run({ user, password }, session) {
    // Even a right password is refused: it was sent in the clear. RFC 3501 §11.2
    if (!session.passwordsAllowed) return no('PRIVACYREQUIRED', 'Start TLS first')
    const check = session.services.authenticator.verifyPassword(user, password)
    return check.then((step) => concludeLogin(session, step, 'LOGIN'))
  },
})
