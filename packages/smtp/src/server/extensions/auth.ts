/** AUTH as EHLO tells of it, and MAIL's parameter of that name. RFC 4954 §3, §5 */
import type { MechanismName } from '@postern/core/sasl'
import { WireSyntaxError } from '@postern/core/conversation'
import { badParameter } from '../../syntax/reply-codes.ts'
import { decodeXtext } from '../../syntax/xtext.ts'
import type { Session } from '../session/session.ts'
import type { Extension } from './extension.ts'

/** Mechanisms a session may use now: none on a service without logins, none without TLS unless the operator wants it so. */
export function offeredMechanisms(session: Session): readonly MechanismName[] {
  const { mode, backend, plainAllowed } = session.settings
  const secure = session.isSecure
  if (mode !== 'submission' || (!secure && !plainAllowed)) return []
  return backend.authenticator?.mechanisms({ secure, plainAllowed }) ?? []
}

export const auth: Extension = {
  announce(session) {
    const mechanisms = session.isAuthenticated ? [] : offeredMechanisms(session)
    return mechanisms.length === 0 ? undefined : `AUTH ${mechanisms.join(' ')}`
  },
  mailParameters: [
    {
      keyword: 'AUTH',
      // auth-param = "AUTH=" xtext      RFC 4954 §8
      // Nobody's word on who wrote a message is taken: read and dropped, which RFC 4954 §5 allows.
      read(value) {
        if (value === undefined) return { kind: 'refuse', reply: badParameter('AUTH=mailbox') }
        try {
          decodeXtext(value)
        } catch (error) {
          if (!(error instanceof WireSyntaxError)) throw error
          return { kind: 'refuse', reply: badParameter('AUTH=xtext') }
        }
        return { kind: 'said', said: {} }
      },
    },
  ],
}
