/** What is told of a message when no more of it comes, and what it counts for. RFC 5321 §4.2.5, §6.1 */
import type { ReceiveOutcome } from '@postern/core/conversation'
import { bareNewline, messageTooLarge } from '../../syntax/reply-codes.ts'
import type { MessageReply } from './backend.ts'
import { faulted, type ReplyStep } from './command.ts'
import type { Session } from './session.ts'

/** @param outcome of the last octets, its result a `MessageReply` */
export function concludeMessage(outcome: ReceiveOutcome, session: Session): ReplyStep {
  switch (outcome.kind) {
    case 'complete': {
      const reply = outcome.result as MessageReply | undefined
      if (typeof reply?.code !== 'number') return faulted(new TypeError('Expected a reply for the message'))
      if (reply.code < 400) session.acceptedTransactions += 1
      else session.failedTransactions += 1
      return { reply, ...(reply.slow === true ? { slow: true } : {}), ...(reply.close === true ? { close: 'limit' } : {}) }
    }
    case 'too-large':
      session.failedTransactions += 1
      return { reply: messageTooLarge }
    // Where the data broke, nothing behind it is taken for a command: close. Threat 2.
    case 'bare-newline':
      return { reply: bareNewline, close: 'protocol' }
    case 'sink-failed':
      return faulted(outcome.error)
    case 'no-end':
      return { close: 'limit', ...concludeMessage(outcome.broke, session) }
  }
}
