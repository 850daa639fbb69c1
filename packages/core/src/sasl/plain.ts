/** PLAIN: name and password in one message, for use under TLS. RFC 4616. */
import type { ClientExchange, ServerExchange } from './mechanism.ts'
import { failed } from './mechanism.ts'
import type { PasswordCheck } from './password-check.ts'
import { preparedText, prepareLogin } from './prepare.ts'

/** Server half. @param check decides; asked once */
export function createPlainServer(check: PasswordCheck): ServerExchange {
  return {
    respond(message) {
      if (message === undefined) return { kind: 'challenge', message: new Uint8Array(0) }
      // message = [authzid] UTF8NUL authcid UTF8NUL passwd      RFC 4616 §2
      const first = message.indexOf(0)
      const second = first < 0 ? -1 : message.indexOf(0, first + 1)
      if (second < 0 || message.indexOf(0, second + 1) >= 0) return failed('malformed')
      const login = message.subarray(first + 1, second)
      const password = message.subarray(second + 1)
      if (login.length === 0 || password.length === 0) return failed('malformed')
      if (first > 0) {
        const actAs = preparedText(prepareLogin(message.subarray(0, first)))
        const name = preparedText(prepareLogin(login))
        if (actAs === undefined || actAs !== name) return failed('authorization', name)
      }
      return check(login, password)
    },
  }
}

/** Client half; asks for no other authorization identity. */
export function createPlainClient(login: string, password: string): ClientExchange {
  let sent = false
  return {
    clientFirst: true,
    get complete() {
      return sent
    },
    respond() {
      if (sent) return { kind: 'failed', reason: 'malformed' }
      sent = true
      if (login === '' || password === '' || login.includes('\0') || password.includes('\0')) {
        return { kind: 'failed', reason: 'unsendable' }
      }
      return { kind: 'response', message: new TextEncoder().encode(`\0${login}\0${password}`) }
    },
  }
}
