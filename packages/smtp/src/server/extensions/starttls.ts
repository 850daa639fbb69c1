/** STARTTLS as EHLO tells of it: not after TLS has begun. RFC 3207 §4.2 */
import type { Extension } from './extension.ts'

export const starttls: Extension = {
  announce: (session) => (session.isSecure || session.settings.tls === 'none' ? undefined : 'STARTTLS'),
}
