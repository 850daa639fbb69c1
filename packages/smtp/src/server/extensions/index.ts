/** Extensions of the server, in the order EHLO tells of them, and the parameters of MAIL that come from them. */
import type { EsmtpParameter } from '../../syntax/parameters.ts'
import { unknownParameter } from '../../syntax/reply-codes.ts'
import type { Session } from '../session/session.ts'
import { auth } from './auth.ts'
import { eightBitMime } from './eight-bit-mime.ts'
import { enhancedStatusCodes } from './enhanced-status-codes.ts'
import type { Extension, ParameterReading } from './extension.ts'
import { pipelining } from './pipelining.ts'
import { size } from './size.ts'
import { smtputf8 } from './smtputf8.ts'
import { starttls } from './starttls.ts'

const extensions: readonly Extension[] = [pipelining, size, starttls, auth, enhancedStatusCodes, eightBitMime, smtputf8]

const mailParameters: ReadonlyMap<string, NonNullable<Extension['mailParameter']>> = new Map(
  extensions.flatMap(({ mailParameter }) => (mailParameter === undefined ? [] : [[mailParameter.keyword, mailParameter]])),
)

/** Lines of the reply to EHLO after the first. */
export function announceExtensions(session: Session): readonly string[] {
  return extensions.flatMap((extension) => extension.announce(session) ?? [])
}

/** Reads the parameters of MAIL. They belong to EHLO: after HELO none is known. RFC 5321 §4.1.1.11 */
export function readMailParameters(parameters: readonly EsmtpParameter[], session: Session): ParameterReading {
  let mail: Extract<ParameterReading, { kind: 'mail' }>['mail'] = {}
  for (const { keyword, value } of parameters) {
    const parameter = session.peer.extended ? mailParameters.get(keyword) : undefined
    if (parameter === undefined) return { kind: 'refuse', reply: unknownParameter }
    const reading = parameter.read(value, session)
    if (reading.kind === 'refuse') return reading
    mail = { ...mail, ...reading.mail }
  }
  return { kind: 'mail', mail }
}
