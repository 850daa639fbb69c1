/** A store that has lived: filled with messages of many sizes, of which half go at random and are erased. */
import type { AccountStore, MailStore, ModSeq, NewMessage, SpooledMessage, UidRanges } from '@postern/core/store'
import type { MovedClock } from './moved-clock.ts'

/** Messages stored by one change. */
const APPENDED = 500
const ERASE_MS = 3_600_000
const DELETED = 8

/** A store with the eraser of its own. */
export interface ErasingStore extends MailStore {
  erase(): Promise<void>
}

/** Of every ten messages: most about 5 KB, some small, one larger. */
const SIZES = [1_500, 3_000, 4_000, 5_000, 5_000, 5_000, 6_000, 7_000, 9_000, 20_000] as const

let number = 0

/** A message that no other equals, of about so many octets. */
export async function spoolMessage(store: MailStore, octets: number): Promise<SpooledMessage> {
  const spool = store.spool()
  number += 1
  const header =
    `Message-ID: <${number}.${process.pid}@example.com>\r\nFrom: Ada Lovelace <ada@example.com>\r\nTo: Bob <bob@example.org>\r\n` +
    `Subject: Message ${number} of many\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`
  await spool.write(Buffer.from(header + LINE.repeat(Math.max(1, Math.ceil((octets - header.length) / LINE.length))), 'latin1'))
  return await spool.end()
}

const LINE = `${'Lines of a message are seventy-odd octets long, as people write them.'.padEnd(72, '.')}\r\n`

/** Stores `count` messages in an existing mailbox, many at a time. @returns milliseconds */
export async function fill(store: MailStore, account: AccountStore, mailbox: string, count: number): Promise<number> {
  const started = performance.now()
  for (let done = 0; done < count; done += APPENDED) {
    const messages: NewMessage[] = []
    for (let n = 0; n < Math.min(APPENDED, count - done); n += 1) {
      messages.push({ message: await spoolMessage(store, SIZES[n % SIZES.length] as number), flags: 0, keywords: [] })
    }
    await account.append(mailbox, messages)
    for (const { message } of messages) message.release()
  }
  return performance.now() - started
}

/** Removes half of a mailbox, chosen at random, and erases it. @returns how many, and milliseconds */
export async function age(store: ErasingStore, account: AccountStore, mailbox: string, clock: MovedClock): Promise<{ readonly messages: number; readonly ms: number }> {
  const started = performance.now()
  const open = await account.open(mailbox, 'read-write')
  if (open === undefined) throw new Error(`No mailbox ${mailbox}`)
  const half = [...open.snapshot.uids].filter(() => Math.random() < 0.5)
  for (let at = 0; at < half.length; at += 20_000) {
    const uids = half.slice(at, at + 20_000).map((uid) => ({ first: uid, last: uid })) as unknown as UidRanges
    await open.storeFlags(uids, { mode: 'add', flags: DELETED, keywords: [] })
  }
  await open.expunge()
  open.told(Number.MAX_SAFE_INTEGER as ModSeq)
  open.close()
  clock.advance(ERASE_MS)
  await store.erase()
  return { messages: half.length, ms: performance.now() - started }
}
