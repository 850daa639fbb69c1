/** DATA. RFC 5321 §4.1.1.4, §4.5.2 */
import type { OctetSink } from '@postern/core/host'
import { badSequence, startData } from '../../syntax/reply-codes.ts'
import { whenAnswered } from '../session/answer.ts'
import type { Destination, MailParameters, MessageReply } from '../session/backend.ts'
import { type BoundCommand, command, refused, type Step } from '../session/command.ts'
import { concludeMessage } from '../session/conclude-message.ts'
import { IncomingMessage } from '../session/incoming-message.ts'
import { selectChecks } from '../session/octet-checks.ts'
import type { Session } from '../session/session.ts'

// data = "DATA" CRLF
export const data: BoundCommand = command<undefined>({
  verb: 'DATA',
  parse: () => undefined,
  run(_, session) {
    const { transaction } = session
    if (transaction === undefined) return { reply: badSequence }
    const destination = session.settings.backend.message(session.peer, transaction.envelope())
    return whenAnswered<Destination, Step>(destination, (settled) =>
      settled.kind === 'refuse' ? { ...refused(settled), moves: true } : receive(settled.sink, transaction.mail, session),
    )
  },
})

/** From here on the transaction is the sink's, and over for the conversation, whatever comes of it. */
function receive(sink: OctetSink<MessageReply>, mail: MailParameters, session: Session): Step {
  const { maxMessageOctets, maxDiscardOctets } = session.settings.limits
  const message = new IncomingMessage(sink, selectChecks(mail, session.settings))
  return {
    reply: startData,
    moves: true,
    receive: {
      how: { until: 'dot', maxOctets: maxMessageOctets, maxDiscardOctets, sink: message },
      take: (outcome) => concludeMessage(outcome, session),
    },
  }
}
