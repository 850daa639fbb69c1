/** How replies leave: with the id, late for those who try our patience, octet by octet for those who are served slowly. */
import type { Logger } from '@postern/core/host'
import type { Reply } from '../../syntax/reply.ts'
import { moveOf, type Step } from './command.ts'
import { isExpectedFault } from './fault-reply.ts'
import type { Outbox } from './outbox.ts'
import { Patience } from './patience.ts'
import { encodeReply } from '../../syntax/reply-octets.ts'
import type { Session } from './session.ts'
import type { SmtpServerEngineOptions } from './settings.ts'
import type { Verb } from './states.ts'

export class ReplyWriter {
  readonly #session: Session
  readonly #outbox: Outbox
  readonly #logger: Logger
  readonly #patience: Patience

  readonly #onReply: SmtpServerEngineOptions['onReply']

  constructor(session: Session, outbox: Outbox, logger: Logger, onReply?: SmtpServerEngineOptions['onReply']) {
    this.#session = session
    this.#outbox = outbox
    this.#logger = logger
    this.#onReply = onReply
    this.#patience = new Patience(session.settings.limits)
  }

  /** Whether the peer has talked enough nonsense. */
  get isExhausted(): boolean {
    return this.#patience.isExhausted
  }

  /** Answers a command. @param verb undefined for what is no command */
  answer(reply: Reply, step: Step, verb: Verb | undefined): void {
    if (step.slow === true) this.#session.slowDown()
    const patienceMs = this.#patience.judge(reply, step.idle === true ? 'idle' : moveOf(verb, step))
    const slowMs = this.#session.isSlow ? this.#session.settings.limits.slowPauseMs : 0
    const pauseMs = Math.max(step.pauseMs ?? 0, patienceMs, slowMs)
    if (pauseMs > 0) {
      // Until the reply has left nobody waits for a command; the engine sets the timer anew when it does.
      this.#outbox.push({ kind: 'timer', name: 'command', ms: undefined })
      this.#outbox.push({ kind: 'pause', ms: pauseMs })
    }
    this.write(reply, verb)
  }

  /** The one place replies leave by. */
  write(reply: Reply, verb: Verb | undefined): void {
    const { id, limits } = this.#session.settings
    this.#logger.debug({ id, verb, code: reply.code, enhanced: reply.enhanced }, 'SMTP reply')
    this.#onReply?.({ verb, code: reply.code })
    const octets = encodeReply(reply, id, (error) => this.report(error, verb))
    if (!this.#session.isSlow) return this.#outbox.write(octets)
    const { slowPauseMs, slowReplyMs, slowTailMs } = limits
    this.#outbox.writeSlowly(octets, slowPauseMs, Math.floor((slowReplyMs - slowTailMs) / slowPauseMs))
  }

  /** Logs a fault of ours. */
  report(error: unknown, verb: Verb | undefined): void {
    const fields = { id: this.#session.settings.id, verb, err: error }
    if (isExpectedFault(error)) this.#logger.warn(fields, 'Store could not take what SMTP asked')
    else this.#logger.error(fields, 'Fault in an SMTP command')
  }
}
