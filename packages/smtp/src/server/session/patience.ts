/** How much nonsense a peer may talk: refused and idle commands are counted, slowed down, and at last end the conversation. */
import type { Reply } from '../../syntax/reply.ts'
import type { SmtpLimits } from './limits.ts'
import type { Move } from './states.ts'

/** What gets a message on its way, or ends it all; of the other verbs a peer may send only so many. */
const PURPOSEFUL: ReadonlySet<string> = new Set<Move>(['MAIL', 'RCPT', 'DATA', 'BDAT', 'BDAT LAST', 'AUTH', 'STARTTLS', 'QUIT'])
/** What wipes the slate clean. */
const ACHIEVED: ReadonlySet<string> = new Set<Move>(['DATA', 'BDAT LAST', 'AUTH'])

export class Patience {
  readonly #limits: SmtpLimits
  #errors = 0
  #idle = 0

  constructor(limits: SmtpLimits) {
    this.#limits = limits
  }

  /**
   * A reply is about to be given. A message or a login accepted makes good all that went before.
   * @param move the command, undefined for what is none; `idle` for one that is purposeful by name only
   * @returns how long to wait before
   */
  judge(reply: Reply, move: Move | 'idle' | undefined): number {
    if (reply.code >= 500) return this.#refused()
    if (reply.code >= 300) return 0
    if (move === undefined) return 0
    if (ACHIEVED.has(move)) {
      this.#errors = 0
      this.#idle = 0
      return 0
    }
    if (PURPOSEFUL.has(move)) return 0
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
