/** AUTHENTICATE, with the initial response of SASL-IR. RFC 3501 §6.2.2, RFC 4959 §3 */
import { MAX_MESSAGE_OCTETS, type ServerExchange, type Step } from '@postern/core/sasl'
import { bad, no } from '../responses/completion.ts'
import { command, type Answer, type BoundCommand, type Outcome } from '../session/command.ts'
import type { Session } from '../session/session.ts'
import { NOT_AUTHENTICATED } from '../session/states.ts'
import { concludeLogin } from './conclude-login.ts'

interface AuthenticateArguments {
  /** Upper case. */
  readonly mechanism: string
  /** As sent: base64, `=` for empty; undefined when there is none. */
  readonly initial: string | undefined
}

/** A SASL message in base64. */
const MAX_LINE_OCTETS = 4 * Math.ceil(MAX_MESSAGE_OCTETS / 3)

export const authenticate: BoundCommand = command<AuthenticateArguments>({
  verb: 'AUTHENTICATE',
  states: NOT_AUTHENTICATED,
  // authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] *(CRLF base64)      RFC 4959 §7
  parse(reader) {
    reader.space()
    const mechanism = reader.word()
    return { mechanism, initial: reader.acceptSpace() ? reader.atom() : undefined }
  },
  run({ mechanism, initial }, session) {
    if (!session.mechanisms.includes(mechanism)) {
      const withTls = session.services.authenticator.mechanisms({ secure: true, plainAllowed: false })
      if (withTls.some((name) => name === mechanism)) return no('PRIVACYREQUIRED', 'Start TLS first')
      return no('CANNOT', 'No such mechanism is offered')
    }
    const exchange = session.services.authenticator.start(mechanism)
    if (exchange === undefined) return no('CANNOT', 'No such mechanism is offered')
    if (initial === undefined) return follow(session, mechanism, exchange, undefined)
    const message = initial === '=' ? new Uint8Array(0) : decodeBase64(initial)
    return message === undefined ? bad('Malformed base64') : follow(session, mechanism, exchange, message)
  },
})

/** Hands the client's message to the exchange and turns its step into what the client hears. */
async function follow(
  session: Session,
  mechanism: string,
  exchange: ServerExchange,
  message: Uint8Array | undefined,
): Promise<Outcome> {
  const step: Step = await exchange.respond(message)
  if (step.kind !== 'challenge') return concludeLogin(session, step, mechanism)
  return {
    status: '+',
    text: Buffer.from(step.message).toString('base64'),
    maxLineOctets: MAX_LINE_OCTETS,
    line(octets): Answer {
      const text = Buffer.from(octets).toString('latin1')
      if (text === '*') return bad('AUTHENTICATE cancelled')
      const response = decodeBase64(text)
      return response === undefined ? bad('Malformed base64') : follow(session, mechanism, exchange, response)
    },
  }
}

// base64 = *(4base64-char) [base64-terminal]
function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}
