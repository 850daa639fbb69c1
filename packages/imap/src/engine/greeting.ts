/** The first line of a conversation. RFC 3501 §7.1.1 */
import { statusLine } from '../responses/completion.ts'
import type { Session } from '../session/session.ts'

export function greetingLine(session: Session): Uint8Array {
  return statusLine('OK', `${session.services.hostname} ready`, `CAPABILITY ${session.capabilities.join(' ')}`)
}
