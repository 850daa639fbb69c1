/** SUBSCRIBE and UNSUBSCRIBE. RFC 3501 §6.3.6, §6.3.7 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'

export const subscribe: BoundCommand = subscriptionCommand('SUBSCRIBE', true)
export const unsubscribe: BoundCommand = subscriptionCommand('UNSUBSCRIBE', false)

function subscriptionCommand(verb: 'SUBSCRIBE' | 'UNSUBSCRIBE', subscribed: boolean): BoundCommand {
  return command<string>({
    verb,
    states: AUTHENTICATED,
    // subscribe = "SUBSCRIBE" SP mailbox
    parse(reader) {
      reader.space()
      return reader.mailbox()
    },
    async run(name, session) {
      // Subscriptions outlive mailboxes, so the name need not exist. RFC 3501 §6.3.9
      await session.account.setSubscribed(name, subscribed)
      return ok(`${verb} completed`)
    },
  })
}
