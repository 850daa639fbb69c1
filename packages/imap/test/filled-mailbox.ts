/** A mailbox of the memory double with given messages, opened by one session. */
import { createMemoryStore } from '@postern/core/conformance'
import type { AccountStore, InternalDate, OpenMailbox } from '@postern/core/store'
import { View } from '../src/session/view.ts'
import { flagSetOf } from '../src/syntax/flag.ts'

export interface GivenMessage {
  readonly octets: Uint8Array | string
  readonly flags?: readonly string[]
  readonly internalDate?: InternalDate
}

export interface FilledMailbox {
  readonly account: AccountStore
  readonly mailbox: OpenMailbox
  readonly view: View
}

export async function fillMailbox(messages: readonly GivenMessage[]): Promise<FilledMailbox> {
  const account = await createMemoryStore().createAccount('ann')
  for (const { octets, flags = [], internalDate = { seconds: 1_694_347_200, zoneMinutes: 0 } } of messages) {
    const spool = account.spool()
    await spool.write(Buffer.from(octets))
    await account.append('INBOX', [{ message: await spool.end(), ...flagSetOf(flags), internalDate }])
  }
  const mailbox = await account.open('INBOX', 'read-only')
  if (mailbox === undefined) throw new Error('The inbox is missing')
  return { account, mailbox, view: new View(mailbox, false) }
}

/** The mailbox with some of its methods replaced. */
export function withMethods(mailbox: OpenMailbox, methods: Partial<OpenMailbox>): OpenMailbox {
  return new Proxy(mailbox, {
    get(target, property) {
      const own = Reflect.get(methods, property) as unknown
      if (own !== undefined) return own
      const value = Reflect.get(target, property, target) as unknown
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}
