/** The mailbox of rejects: copies of what was turned away, for the owner to find what should not have been. */
import type { AccountStore, NewMessage } from '../store/index.ts'
import type { ReceiveHost } from './receive-host.ts'

const LIMITS = { maxMessages: 1_000, maxAgeSeconds: 14 * 86_400 }

/** Keeps a copy, unless it is there already or the mailbox is full. What goes wrong is only logged: the sender is refused in any case. */
export async function keepReject(account: AccountStore, mailbox: string, message: NewMessage, host: Pick<ReceiveHost, 'logger'>): Promise<void> {
  try {
    const kept = await account.keepReject(mailbox, message, message.message.sha256, LIMITS)
    if (kept.kind === 'full') host.logger.info({ account: account.name, mailbox }, 'Mailbox of rejects is full')
  } catch (error) {
    host.logger.warn({ err: error, account: account.name }, 'Reject could not be kept')
  }
}
