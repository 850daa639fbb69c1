/** AUTH. RFC 4954 §4. Not here: the mechanisms (core/sasl), and how often a peer may try (the host). */
import type { FailureReason, ServerExchange, Step as SaslStep } from '@postern/core/sasl'
import { decodeBase64, encodeBase64 } from '../../syntax/base64.ts'
import {
  alreadyAuthenticated,
  authCancelled,
  authenticated,
  authNeedsTls,
  authUnavailable,
  badBase64,
  badCredentials,
  challenge,
  malformedAuth,
  noAuthHere,
  tooManyAuthFailures,
  unknownMechanism,
} from '../../syntax/reply-codes.ts'
import type { Reply } from '../../syntax/reply.ts'
import { offeredMechanisms } from '../extensions/auth.ts'
import { whenAnswered } from '../session/answer.ts'
import { type BoundCommand, command, type Step } from '../session/command.ts'
import { selectTlsRefusal } from '../session/requirements.ts'
import type { Session } from '../session/session.ts'

interface AuthArguments {
  /** Upper case. */
  readonly mechanism: string
  /** As sent: base64 or "=". */
  readonly initialResponse: string | undefined
}

/** One exchange under way. */
interface Exchange {
  readonly mechanism: string
  readonly sasl: ServerExchange
  readonly session: Session
}

// auth-command = "AUTH" SP sasl-mech [SP initial-response]
export const auth: BoundCommand = command<AuthArguments>({
  verb: 'AUTH',
  parse(reader) {
    reader.space()
    const mechanism = reader.word('mechanism').toUpperCase()
    if (reader.isAtEnd) return { mechanism, initialResponse: undefined }
    reader.space()
    return { mechanism, initialResponse: reader.word('initial response') }
  },
  run({ mechanism, initialResponse }, session) {
    const { mode, backend, plainAllowed } = session.settings
    if (mode !== 'submission' || backend.authenticator === undefined) return { reply: noAuthHere }
    if (session.isAuthenticated) return { reply: alreadyAuthenticated }
    const tlsRefusal = selectTlsRefusal(session)
    if (tlsRefusal !== undefined) return { reply: tlsRefusal }
    if (!session.isSecure && !plainAllowed) return { reply: authNeedsTls }
    const isOffered = offeredMechanisms(session).some((offered) => offered === mechanism)
    const sasl = isOffered ? backend.authenticator.start(mechanism) : undefined
    if (sasl === undefined) return { reply: unknownMechanism }
    const exchange: Exchange = { mechanism, sasl, session }
    if (initialResponse === undefined) return respond(exchange, undefined)
    return respondBase64(exchange, initialResponse === '=' ? '' : initialResponse)
  },
})

function respondBase64(exchange: Exchange, text: string): Step | Promise<Step> {
  const message = decodeBase64(text)
  return message === undefined ? refuse(exchange, badBase64, '') : respond(exchange, message)
}

function respond(exchange: Exchange, message: Uint8Array | undefined): Step | Promise<Step> {
  return whenAnswered<SaslStep, Step>(exchange.sasl.respond(message), (step) => goOn(exchange, step))
}

function goOn(exchange: Exchange, step: SaslStep): Step {
  const { mechanism, session } = exchange
  switch (step.kind) {
    case 'challenge':
      return {
        reply: challenge(encodeBase64(step.message)),
        line: { maxOctets: session.settings.limits.maxAuthLineOctets, take: (line) => takeLine(exchange, line) },
      }
    case 'authenticated':
      session.authenticate(step.account, step.login)
      session.settings.backend.loggedIn?.(session.peer, { result: 'ok', login: step.login, mechanism })
      return { reply: authenticated, moves: true }
    case 'failed':
      return refuse(exchange, failureReply(step.reason), step.login ?? '')
  }
}

/** A line of the exchange: base64, or "*" to cancel. */
function takeLine(exchange: Exchange, line: Uint8Array): Step | Promise<Step> {
  const text = Buffer.from(line).toString('latin1')
  return text === '*' ? refuse(exchange, authCancelled, '') : respondBase64(exchange, text)
}

function failureReply(reason: FailureReason): Reply {
  switch (reason) {
    case 'credentials':
    case 'authorization':
      return badCredentials
    case 'malformed':
      return malformedAuth
    case 'busy':
    case 'unavailable':
      return authUnavailable
  }
}

/** Ends an exchange without a login. Each counts, cancelled and malformed ones too, but for those we could not check. */
function refuse(exchange: Exchange, reply: Reply, login: string): Step {
  const { mechanism, session } = exchange
  const { limits, backend } = session.settings
  const result = reply === authUnavailable ? 'limited' : 'bad'
  backend.loggedIn?.(session.peer, { result, login, mechanism })
  if (result === 'limited') return { reply }
  session.authFailures += 1
  const late = session.authFailures - limits.authFailuresBeforeDelay
  const pause = late > 0 ? { pauseMs: late * limits.authDelayMs } : {}
  if (session.authFailures < limits.maxAuthFailures) return { reply, ...pause }
  return { reply: tooManyAuthFailures, ...pause, close: 'limit' }
}
