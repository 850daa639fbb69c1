/** RCPT. RFC 5321 §4.1.1.3 */
import type { ForwardPath } from '@postern/core/address'
import type { EsmtpParameter } from '../../syntax/parameters.ts'
import { readForwardPath } from '../../syntax/path.ts'
import {
  badRecipient,
  badSequence,
  recipientNeedsUtf8,
  recipientOk,
  tooManyRecipients,
  unknownParameter,
} from '../../syntax/reply-codes.ts'
import { whenAnswered } from '../session/answer.ts'
import type { Verdict } from '../session/backend.ts'
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
    // No extension here brings parameters to RCPT.
    if (parameters.length > 0) return { reply: unknownParameter }
    const recipient = readForwardPath(path, { utf8: transaction.mail.smtputf8 })
    if (recipient.kind === 'needs-smtputf8') return { reply: recipientNeedsUtf8 }
    if (recipient.kind === 'malformed') return { reply: badRecipient(recipient.expected) }
    if (transaction.recipientCount >= session.settings.limits.maxRecipients) return { reply: tooManyRecipients }
    const verdict = session.settings.backend.rcptTo(session.peer, transaction.mail, recipient.path)
    return whenAnswered<Verdict, Step>(verdict, (settled) => add(settled, recipient.path, transaction))
  },
})

function add(verdict: Verdict, recipient: ForwardPath, transaction: Transaction): Step {
  if (verdict.kind === 'refuse') return refused(verdict)
  transaction.add(recipient)
  return { reply: recipientOk, moves: true }
}
