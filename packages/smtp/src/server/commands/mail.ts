/** MAIL. RFC 5321 §4.1.1.2; parameters are the extensions'. */
import type { EsmtpParameter } from '../../syntax/parameters.ts'
import { readReversePath } from '../../syntax/path.ts'
import { badSender, senderNeedsUtf8, senderOk, tooManyFailures } from '../../syntax/reply-codes.ts'
import { readMailParameters } from '../extensions/index.ts'
import { whenAnswered } from '../session/answer.ts'
import type { MailParameters, Verdict } from '../session/backend.ts'
import { accepted, type BoundCommand, command, refused, type Step } from '../session/command.ts'
import { refuseWithout } from '../session/requirements.ts'
import type { Session } from '../session/session.ts'

interface MailArguments {
  /** With brackets, unread: SMTPUTF8 among the parameters decides what it may hold. */
  readonly path: Uint8Array
  readonly parameters: readonly EsmtpParameter[]
}

// mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
export const mail: BoundCommand = command<MailArguments>({
  verb: 'MAIL',
  check(session) {
    const { acceptedTransactions, failedTransactions } = session
    if (acceptedTransactions === 0 && failedTransactions > session.settings.limits.maxFailedTransactions) {
      return { reply: tooManyFailures, close: 'limit' }
    }
    return refuseWithout(session)
  },
  parse(reader) {
    reader.space()
    reader.keyword('FROM:')
    return { path: reader.path(), parameters: reader.parameters() }
  },
  run({ path, parameters }, session) {
    const { backend, pedantic } = session.settings
    const read = readMailParameters(parameters, session)
    if (read.kind === 'refuse') return { reply: read.reply }
    const { sizeOctets, body = '7BIT', smtputf8 = false, dsn } = read.said
    const sender = readReversePath(path, { utf8: smtputf8, pedantic })
    if (sender.kind === 'needs-smtputf8') return { reply: senderNeedsUtf8 }
    if (sender.kind === 'malformed') return { reply: badSender(sender.expected) }
    const mail: MailParameters = { reversePath: sender.path, sizeOctets, body, smtputf8, ...(dsn === undefined ? {} : { dsn }) }
    const verdict = backend.mailFrom === undefined ? accepted : backend.mailFrom(session.peer, mail)
    return whenAnswered<Verdict, Step>(verdict, (settled) => begin(settled, mail, session))
  },
})

function begin(verdict: Verdict, mail: MailParameters, session: Session): Step {
  if (verdict.kind === 'refuse') return refused(verdict)
  session.begin(mail)
  return { reply: senderOk, moves: true }
}
