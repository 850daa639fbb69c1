/** The shape of a service extension: what EHLO says of it, and the parameters it brings to MAIL. RFC 5321 §2.2 */
import type { Reply } from '../../syntax/reply.ts'
import type { MailParameters } from '../session/backend.ts'
import type { Session } from '../session/session.ts'

/** What a parameter says of the message, or why it can't be. */
export type ParameterReading =
  | { readonly kind: 'mail'; readonly mail: Partial<MailParameters> }
  | { readonly kind: 'refuse'; readonly reply: Reply }

/** One extension. */
export interface Extension {
  /** Its line in the reply to EHLO, keyword first; undefined when it is not offered to this session as it stands. */
  announce(session: Session): string | undefined
  /** The parameter of MAIL it defines, if any. @param value of the parameter; undefined without "=" */
  readonly mailParameter?: {
    /** Upper case. */
    readonly keyword: string
    read(value: string | undefined, session: Session): ParameterReading
  }
}
