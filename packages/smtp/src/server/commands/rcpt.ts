/** RCPT. RFC 5321 §4.1.1.3; parameters are the extensions'. */
import type { ForwardPath } from '@postern/core/address'
import type { EsmtpParameter } from '../../syntax/parameters.ts'
import { readForwardPath } from '../../syntax/path.ts'
import { badRecipient, badSequence, recipientNeedsUtf8, recipientOk, tooManyRecipients } from '../../syntax/reply-codes.ts'
import { readRcptParameters } from '../extensions/index.ts'
import { whenAnswered } from '../session/answer.ts'
import type { RecipientOptions, Verdict } from '../session/backend.ts'
import { type BoundCommand, command, refused, type Step } from '../session/command.ts'
import type { Transaction } from '../session/transaction.ts'

interface RcptArguments {
  readonly path: Uint8Array
  readonly parameters: readonly EsmtpParameter[]
}

// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
export const rcpt: BoundCommand = command<RcptArguments>({
  verb: 'RCPT',
  parse(reader) {
    reader.space()
    reader.keyword('TO:')
    return { path: reader.path(), parameters: reader.parameters() }
  },
  run({ path, parameters }, session) {
    const { transaction } = session
    if (transaction === undefined) return { reply: badSequence }
    const { limits, backend, pedantic } = session.settings
    const read = readRcptParameters(parameters, session)
    if (read.kind === 'refuse') return { reply: read.reply }
    const recipient = readForwardPath(path, { utf8: transaction.mail.smtputf8, pedantic })
    if (recipient.kind === 'needs-smtputf8') return { reply: recipientNeedsUtf8 }
    if (recipient.kind === 'malformed') return { reply: badRecipient(recipient.expected) }
    if (transaction.recipientCount >= limits.maxRecipients) return { reply: tooManyRecipients }
    const verdict = backend.rcptTo(session.peer, transaction.mail, recipient.path)
    return whenAnswered<Verdict, Step>(verdict, (settled) => add(settled, recipient.path, read.said, transaction))
  },
})

function add(verdict: Verdict, recipient: ForwardPath, options: RecipientOptions, transaction: Transaction): Step {
  if (verdict.kind === 'refuse') return refused(verdict)
  transaction.add(recipient, options)
  return { reply: recipientOk, moves: true }
}
