/** LIMITS: how many recipients one transaction takes. RFC 9422 §4.2. There is no limit on transactions, so no MAILMAX. */
import type { Extension } from './extension.ts'

export const limits: Extension = {
  announce: (session) => `LIMITS RCPTMAX=${session.settings.limits.maxRecipients}`,
}
