/** How much nonsense a peer may talk: refused and idle commands are counted, slowed down, and at last end the conversation. */
import type { Reply } from '../../syntax/reply.ts'
import type { SmtpLimits } from './limits.ts'
import type { Verb } from './states.ts'

/** What gets a message on its way, or ends it all; of the other verbs a peer may send only so many. */
const PURPOSEFUL: ReadonlySet<string> = new Set<Verb>(['MAIL', 'RCPT', 'DATA', 'AUTH', 'STARTTLS', 'QUIT'])

export class Patience {
  readonly #limits: SmtpLimits
  #errors = 0
  #idle = 0

  constructor(limits: SmtpLimits) {
    this.#limits = limits
  }

  /**
   * A reply is about to be given. A message or a login accepted makes good all that went before.
   * @param verb of the command, undefined for what is none
   * @returns how long to wait before
   */
  judge(reply: Reply, verb: Verb | undefined): number {
    if (reply.code >= 500) return this.#refused()
    if (reply.code >= 300) return 0
    if (verb === 'DATA' || verb === 'AUTH') {
      this.#errors = 0
      this.#idle = 0
      return 0
    }
    if (verb === undefined || PURPOSEFUL.has(verb)) return 0
    this.#idle += 1
    return this.#idle > this.#limits.maxIdleCommands ? this.#refused() : 0
  }

  get isExhausted(): boolean {
    return this.#errors >= this.#limits.errorsBeforeClose
  }

  #refused(): number {
    this.#errors += 1
    return this.#errors > this.#limits.errorsBeforeDelay ? this.#limits.errorDelayMs : 0
  }
}
