/** DATA. RFC 5321 §4.1.1.4, §4.5.2 */
import type { ReceiveOutcome } from '@postern/core/conversation'
import type { OctetSink } from '@postern/core/host'
import { badSequence, bareNewline, messageTooLarge, startData } from '../../syntax/reply-codes.ts'
import type { Reply } from '../../syntax/reply.ts'
import { whenAnswered } from '../session/answer.ts'
import type { SmtpBackend } from '../session/backend.ts'
import { type BoundCommand, command, faulted, refused, type Step } from '../session/command.ts'
import type { Session } from '../session/session.ts'

type Destination = Awaited<ReturnType<SmtpBackend['message']>>

// data = "DATA" CRLF
export const data: BoundCommand = command<undefined>({
  verb: 'DATA',
  parse: () => undefined,
  run(_, session) {
    const { transaction } = session
    if (transaction === undefined) return { reply: badSequence }
    const destination = session.settings.backend.message(session.peer, transaction.envelope())
    return whenAnswered<Destination, Step>(destination, (settled) =>
      settled.kind === 'refuse' ? { ...refused(settled), moves: true } : receive(settled.sink, session),
    )
  },
})

/** From here on the transaction is the sink's, and over for the conversation, whatever comes of it. */
function receive(sink: OctetSink<Reply>, session: Session): Step {
  const { maxMessageOctets, maxDiscardOctets } = session.settings.limits
  return {
    reply: startData,
    moves: true,
    receive: {
      how: { until: 'dot', maxOctets: maxMessageOctets, maxDiscardOctets, sink },
      take: (outcome) => finish(outcome, session),
    },
  }
}

/** Where the data broke, nothing behind it is taken for a command: close. */
function finish(outcome: ReceiveOutcome, session: Session): Step {
  switch (outcome.kind) {
    case 'complete': {
      const reply = outcome.result as Reply
      if (reply.code < 400) session.acceptedTransactions += 1
      else session.failedTransactions += 1
      return { reply }
    }
    case 'too-large':
      session.failedTransactions += 1
      return { reply: messageTooLarge }
    case 'bare-newline':
      return { reply: bareNewline, close: 'protocol' }
    case 'sink-failed':
      return faulted(outcome.error)
    case 'no-end':
      return { close: 'limit', ...finish(outcome.broke, session) }
  }
}
