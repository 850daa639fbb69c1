/** Puts a message into a mailbox of an account, which is made when it is missing. */
import { FLAG_NAMES, type AccountStore, type ModSeq, type NewMessage, type Uid } from '../store/index.ts'

/** Where a message was put. */
export interface Filed {
  readonly mailbox: string
  readonly uid: Uid
  readonly modseq: ModSeq
}

/** @param mailbox when a mailbox of that name can't be made, the inbox */
export async function fileMessage(account: AccountStore, mailbox: string, mail: NewMessage): Promise<Filed> {
  let result = await account.append(mailbox, [mail])
  if (result.kind === 'no-such-mailbox') {
    const created = await account.create(mailbox)
    if (created.kind === 'created') await account.setSubscribed(mailbox, true)
    result = await account.append(created.kind === 'bad-name' ? 'INBOX' : mailbox, [mail])
  }
  if (result.kind === 'no-such-mailbox') result = await account.append('INBOX', [mail])
  // The inbox goes only with its account: then this is a fault for the sender to try again.
  if (result.kind === 'no-such-mailbox') throw new Error(`Account ${account.name} has no inbox`)
  return { mailbox: result.mailbox.name, uid: result.uids.first, modseq: result.modseq }
}

/** @param names system flags by their names, other words as keywords */
export function flagSetOf(names: readonly string[]): Pick<NewMessage, 'flags' | 'keywords'> {
  let flags = 0
  const keywords: string[] = []
  for (const name of names) {
    const bit = FLAG_NAMES.findIndex((known) => known.toLowerCase() === name.toLowerCase())
    if (bit >= 0) flags |= 1 << bit
    else if (!keywords.some((known) => known.toLowerCase() === name.toLowerCase())) keywords.push(name)
  }
  return { flags, keywords }
}
