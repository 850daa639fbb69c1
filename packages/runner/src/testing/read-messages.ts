/** Reads stored messages whole, for a test to look at. */
import type { AccountStore, MessageRow, OpenMailbox, Uid } from '@postern/core/store'
import { parseMessage, type ParsedMessage } from './parsed-message.ts'

/** All messages of a mailbox, oldest first. */
export async function readMailbox(account: AccountStore, name: string): Promise<readonly ParsedMessage[]> {
  return readRange(account, name, 1, 0xffff_ffff)
}

/** One message, or undefined when it is gone. */
export async function readMessage(account: AccountStore, mailbox: string, uid: number): Promise<ParsedMessage | undefined> {
  return (await readRange(account, mailbox, uid, uid))[0]
}

async function readRange(account: AccountStore, name: string, first: number, last: number): Promise<readonly ParsedMessage[]> {
  const mailbox = await account.open(name, 'read-only')
  if (mailbox === undefined) return []
  try {
    const messages: ParsedMessage[] = []
    for await (const rows of mailbox.fetch([{ first: first as Uid, last: last as Uid }], {})) {
      for (const row of rows) messages.push(await parseMessage(await octetsOf(mailbox, row), { uid: row.uid, mailbox: name }))
    }
    return messages
  } finally {
    mailbox.close()
  }
}

async function octetsOf(mailbox: OpenMailbox, row: MessageRow): Promise<Uint8Array> {
  const whole = new Uint8Array(row.sizeOctets)
  let at = 0
  for await (const octets of mailbox.read(row.emailId, 0, row.sizeOctets)) {
    whole.set(octets, at)
    at += octets.length
  }
  return whole.subarray(0, at)
}
