/** How a message came. */
import type { ForwardPath, ReversePath } from '../address/index.ts'
import type { ConnectionInfo } from '../host/index.ts'

export interface Reception {
  readonly reversePath: ReversePath
  /** Accepted recipients, at least one. */
  readonly recipients: readonly ForwardPath[]
  readonly smtputf8: boolean
  readonly helo: string
  readonly extended: boolean
  readonly connection: ConnectionInfo
  /** Id of the reception, for trace fields, logs and replies. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly receivedAt: number
}
