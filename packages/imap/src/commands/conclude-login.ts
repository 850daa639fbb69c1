/**
 * The end of an authentication, however it was made: into the account, or a refusal that tells no more than it must.
 */
import type { FinalStep } from '@postern/core/sasl'
import { bad, no, ok, type Completion } from '../responses/completion.ts'
import type { Session } from '../session/session.ts'

/**
 * Lets an authenticated client in, or counts and slows the failure. RFC 5530 §3 for the codes.
 * @param mechanism SASL mechanism, or `LOGIN` for the command
 */
export async function concludeLogin(session: Session, step: FinalStep, mechanism: string): Promise<Completion> {
  const { id, login, onEvent } = session.services
  const about = { kind: 'login', id, connection: session.connection, login: step.login, mechanism } as const
  if (step.kind === 'authenticated') {
    session.enter(await login(step.account))
    onEvent?.({ ...about, result: 'ok', account: step.account })
    return ok('Logged in', `CAPABILITY ${session.capabilities.join(' ')}`)
  }
  switch (step.reason) {
    case 'busy':
    case 'unavailable':
      return no('UNAVAILABLE', 'Logins cannot be checked now, try again')
    case 'malformed':
      onEvent?.({ ...about, result: 'bad' })
      return slowed(session, bad('Malformed authentication message'))
    case 'authorization':
      onEvent?.({ ...about, result: 'bad' })
      return slowed(session, no('AUTHORIZATIONFAILED', 'Acting for somebody else is not allowed'))
    case 'credentials':
      onEvent?.({ ...about, result: 'bad' })
      return slowed(session, no('AUTHENTICATIONFAILED', 'Wrong name or password'))
  }
}

/** Each failure on a connection waits longer than the one before; too many end it. */
function slowed(session: Session, completion: Completion): Completion {
  const { failedLogins, failedLoginDelayMs } = session.services.limits
  session.failedLogins += 1
  const paused = { ...completion, pauseMs: session.failedLogins * failedLoginDelayMs }
  return session.failedLogins < failedLogins ? paused : { ...paused, next: 'close' }
}
