/** The receive flow: message → deliver. What a message is judged by comes between the two with the analysis room. */
import type { ForwardPath, ReversePath } from '../address/index.ts'
import type { Directory } from '../directory/index.ts'
import type { ConnectionInfo } from '../host/index.ts'
import type { MailStore, SpooledMessage } from '../store/index.ts'
import { deliver, type Delivery, type Destination } from './deliver.ts'
import { formatTraceFields } from './trace-fields.ts'

/** How a message came. */
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

export interface ReceiveHost {
  readonly store: MailStore
  readonly directory: Directory
  readonly hostname: string
}

/** Takes a message in for all its recipients. Resolves when it is durable for each; rejects with `StoreError` when it can't be now. */
export function receive(message: SpooledMessage, reception: Reception, host: ReceiveHost): Promise<readonly Delivery[]> {
  return deliver(message, destinationsOf(reception, host), host.store)
}

/** Recipients by account: an account gets one copy however many of its addresses were named. */
function destinationsOf(reception: Reception, host: ReceiveHost): readonly Destination[] {
  const byAccount = new Map<string, { mailbox: string; recipients: ForwardPath[] }>()
  for (const recipient of reception.recipients) {
    const found = host.directory.findRecipient(recipient)
    if (found.kind !== 'account') continue
    const share = byAccount.get(found.account)
    if (share === undefined) byAccount.set(found.account, { mailbox: found.mailbox, recipients: [recipient] })
    else share.recipients.push(recipient)
  }
  return Array.from(byAccount, ([account, { mailbox, recipients }]) => ({
    account,
    mailbox,
    prefix: formatTraceFields({
      ...reception,
      hostname: host.hostname,
      recipient: recipients.length === 1 ? recipients[0] : undefined,
    }),
  }))
}
