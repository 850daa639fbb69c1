/** Extensions of the server, in the order EHLO tells of them, and the parameters of MAIL and RCPT that come from them. */
import type { EsmtpParameter } from '../../syntax/parameters.ts'
import { unknownParameter } from '../../syntax/reply-codes.ts'
import type { MailParameters, RecipientOptions } from '../session/backend.ts'
import type { Session } from '../session/session.ts'
import { auth } from './auth.ts'
import { chunking } from './chunking.ts'
import { dsn } from './dsn.ts'
import { eightBitMime } from './eight-bit-mime.ts'
import { enhancedStatusCodes } from './enhanced-status-codes.ts'
import type { Extension, Parameter, ParameterReading } from './extension.ts'
import { limits } from './limits.ts'
import { pipelining } from './pipelining.ts'
import { size } from './size.ts'
import { smtputf8 } from './smtputf8.ts'
import { starttls } from './starttls.ts'

const extensions: readonly Extension[] = [
  pipelining,
  size,
  starttls,
  auth,
  enhancedStatusCodes,
  eightBitMime,
  dsn,
  chunking,
  limits,
  smtputf8,
]

/** Parameters by keyword, each with the extension it belongs to. */
type ParameterTable<T> = ReadonlyMap<string, { readonly parameter: Parameter<T>; readonly extension: Extension }>

const mailParameters = tableOf((extension) => extension.mailParameters)
const rcptParameters = tableOf((extension) => extension.rcptParameters)

function tableOf<T>(select: (extension: Extension) => readonly Parameter<T>[] | undefined): ParameterTable<T> {
  return new Map(
    extensions.flatMap((extension) => (select(extension) ?? []).map((parameter) => [parameter.keyword, { parameter, extension }] as const)),
  )
}

/** Lines of the reply to EHLO after the first. */
export function announceExtensions(session: Session): readonly string[] {
  return extensions.flatMap((extension) => (isOffered(extension, session) ? (extension.announce(session) ?? []) : []))
}

export function readMailParameters(parameters: readonly EsmtpParameter[], session: Session): ParameterReading<MailParameters> {
  return readParameters(mailParameters, parameters, session)
}

export function readRcptParameters(parameters: readonly EsmtpParameter[], session: Session): ParameterReading<RecipientOptions> {
  return readParameters(rcptParameters, parameters, session)
}

/** Parameters belong to EHLO: after HELO none is known. RFC 5321 §4.1.1.11 */
function readParameters<T>(table: ParameterTable<T>, parameters: readonly EsmtpParameter[], session: Session): ParameterReading<T> {
  let said: Partial<T> = {}
  for (const { keyword, value } of parameters) {
    const known = session.peer.extended ? table.get(keyword) : undefined
    if (known === undefined || !isOffered(known.extension, session)) return { kind: 'refuse', reply: unknownParameter }
    const reading = known.parameter.read(value, session, said)
    if (reading.kind === 'refuse') return reading
    said = { ...said, ...reading.said }
  }
  return { kind: 'said', said }
}

function isOffered(extension: Extension, session: Session): boolean {
  return extension.isOffered?.(session) ?? true
}
