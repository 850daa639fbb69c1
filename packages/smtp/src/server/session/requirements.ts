/** What a conversation must have before mail is talked about: TLS and a login, where policy says so. */
import { authRequired, tlsRequired } from '../../syntax/reply-codes.ts'
import type { Reply } from '../../syntax/reply.ts'
import type { ReplyStep } from './command.ts'
import type { Session } from './session.ts'

/** @returns 530 when TLS is required and not there. RFC 3207 §4 */
export function selectTlsRefusal(session: Session): Reply | undefined {
  return session.settings.tls === 'required' && !session.isSecure ? tlsRequired : undefined
}

/** @returns 530 for what is not there yet, TLS first. RFC 3207 §4, RFC 4954 §6 */
export function selectRefusal(session: Session): Reply | undefined {
  const refusal = selectTlsRefusal(session)
  if (refusal !== undefined) return refusal
  return session.settings.mode === 'submission' && !session.isAuthenticated ? authRequired : undefined
}

/** Check of commands that need what policy asks for. */
export function refuseWithout(session: Session): ReplyStep | undefined {
  const reply = selectRefusal(session)
  return reply === undefined ? undefined : { reply }
}
