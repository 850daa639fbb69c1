/** From an accepted message to mailboxes: one commit per account. */
import type { MailStore, SpooledMessage } from '../store/index.ts'
import type { ModSeq, Uid } from '../store/index.ts'

/** One account's share of a message. */
export interface Destination {
  readonly account: string
  readonly mailbox: string
  /** Header lines put before the message. */
  readonly prefix: Uint8Array
}

/** What became of one account's share. */
export type Delivery =
  | { readonly kind: 'stored'; readonly account: string; readonly mailbox: string; readonly uid: Uid; readonly modseq: ModSeq }
  /** The account is gone, or its inbox can't be found. */
  | { readonly kind: 'no-such-account'; readonly account: string }

/**
 * Stores a message for each destination, each in a commit of its own, in the order given. Stops and rejects with the
 * store's error at the first that can't be stored now; those before it stay stored, so that a sender who tries again
 * sends them a second copy, never none.
 */
export async function deliver(message: SpooledMessage, destinations: readonly Destination[], store: MailStore): Promise<readonly Delivery[]> {
  const deliveries: Delivery[] = []
  for (const { account, mailbox, prefix } of destinations) {
    const owner = await store.account(account)
    if (owner === undefined) {
      deliveries.push({ kind: 'no-such-account', account })
      continue
    }
    const mail = { message, prefix, flags: 0, keywords: [] }
    let result = await owner.append(mailbox, [mail])
    if (result.kind === 'no-such-mailbox' && mailbox !== 'INBOX') result = await owner.append('INBOX', [mail])
    if (result.kind === 'no-such-mailbox') deliveries.push({ kind: 'no-such-account', account })
    else deliveries.push({ kind: 'stored', account, mailbox: result.mailbox.name, uid: result.uids.first, modseq: result.modseq })
  }
  return deliveries
}
