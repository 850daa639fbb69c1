/**
 * LOGIN: PLAIN in two messages, never standardised (draft-murchison-sasl-login); mail clients of one maker know no
 * other.
 * Not here: IMAP's LOGIN command.
 */
import type { ClientExchange, ServerExchange } from './mechanism.ts'
import { failed } from './mechanism.ts'
import type { PasswordCheck } from './password-check.ts'

// QUIRK(outlook): waits for exactly these words.
const USERNAME = new TextEncoder().encode('Username:')
const PASSWORD = new TextEncoder().encode('Password:')

/** Server half; an initial response is the user name. @param check decides; asked once */
export function createLoginServer(check: PasswordCheck): ServerExchange {
  let login: Uint8Array | undefined
  return {
    respond(message) {
      if (message === undefined) return { kind: 'challenge', message: USERNAME }
      if (message.length === 0) return failed('malformed')
      if (login === undefined) {
        login = Uint8Array.from(message)
        return { kind: 'challenge', message: PASSWORD }
      }
      return check(login, message)
    },
  }
}

/**
 * Client half. Answers the first challenge with the name and the second with the password, whatever they say: servers
 * word them as they like.
 */
export function createLoginClient(login: string, password: string): ClientExchange {
  let sent = 0
  return {
    clientFirst: false,
    get complete() {
      return sent === 2
    },
    respond() {
      if (sent === 2) return { kind: 'failed', reason: 'malformed' }
      const text = sent === 0 ? login : password
      sent += 1
      if (text === '') return { kind: 'failed', reason: 'unsendable' }
      return { kind: 'response', message: new TextEncoder().encode(text) }
    },
  }
}
