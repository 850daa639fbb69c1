/** The shape of a service extension: what EHLO says of it, and the parameters it brings to MAIL and RCPT. RFC 5321 §2.2 */
import type { Reply } from '../../syntax/reply.ts'
import type { MailParameters, RecipientOptions } from '../session/backend.ts'
import type { Session } from '../session/session.ts'

/** What a parameter says of the message or recipient, or why it can't be. */
export type ParameterReading<T> =
  | { readonly kind: 'said'; readonly said: Partial<T> }
  | { readonly kind: 'refuse'; readonly reply: Reply }

/** A parameter of MAIL (it says part of `MailParameters`) or of RCPT (of `RecipientOptions`). */
export interface Parameter<T> {
  /** Upper case. */
  readonly keyword: string
  /** @param value undefined without "=" @param before what parameters to its left have said */
  read(value: string | undefined, session: Session, before: Partial<T>): ParameterReading<T>
}

/** One extension. */
export interface Extension {
  /** Whether the service has it; where not, its parameters are unknown. Default: it has. */
  isOffered?(session: Session): boolean
  /** Its line in the reply to EHLO, keyword first; undefined when there is nothing to say to this session as it stands. */
  announce(session: Session): string | undefined
  readonly mailParameters?: readonly Parameter<MailParameters>[]
  readonly rcptParameters?: readonly Parameter<RecipientOptions>[]
}
