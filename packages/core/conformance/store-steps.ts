/** Steps the cases of the store suite are made of. */
import assert from 'node:assert/strict'
import type {
  AccountStore,
  EmailId,
  MailboxStatus,
  MailStore,
  MessageRow,
  ModSeq,
  NewMessage,
  OpenMailbox,
  RowParts,
  Spool,
  SpooledMessage,
  StoreErrorCode,
  Uid,
  UidRange,
  UidRanges,
} from '../src/store/index.ts'
import { MAX_UID, UidList } from '../src/store/index.ts'

/** Every UID there can be. */
export const ALL: UidRanges = [{ first: 1 as Uid, last: MAX_UID }]

/** A small message with its own subject. */
export function letter(subject: string, body = 'Hello\r\n'): string {
  return [
    'From: Ann <ann@example.com>',
    'To: Bob <bob@example.org>',
    `Subject: ${subject}`,
    `Message-ID: <${subject.replaceAll(' ', '.')}@example.com>`,
    '',
    body,
  ].join('\r\n')
}

/** Spools octets, cut in pieces. */
export async function spooled(from: { spool(): Spool }, text: string | Uint8Array): Promise<SpooledMessage> {
  const octets = typeof text === 'string' ? Buffer.from(text) : text
  const sink = from.spool()
  for (let at = 0; at < octets.length; at += 10_000) await sink.write(octets.subarray(at, at + 10_000))
  return await sink.end()
}

/** Appends one message and gives its UID. */
export async function append(
  account: AccountStore,
  mailbox: string,
  text: string | Uint8Array,
  more: Partial<Omit<NewMessage, 'message'>> = {},
): Promise<Uid> {
  const message = await spooled(account, text)
  try {
    const result = await account.append(mailbox, [{ flags: 0, keywords: [], ...more, message }])
    assert(result.kind === 'appended', `Expected appended, found ${result.kind}`)
    return result.uids.first
  } finally {
    message.release()
  }
}

/** Appends messages of these subjects. */
export async function appendLetters(account: AccountStore, mailbox: string, ...subjects: string[]): Promise<void> {
  for (const subject of subjects) await append(account, mailbox, letter(subject))
}

export async function newAccount(store: MailStore, ...mailboxes: string[]): Promise<AccountStore> {
  const account = await store.createAccount('ann')
  for (const name of mailboxes) assert.equal((await account.create(name)).kind, 'created')
  return account
}

export async function opened(
  account: AccountStore,
  name = 'INBOX',
  mode: 'read-write' | 'read-only' = 'read-write',
): Promise<OpenMailbox> {
  const open = await account.open(name, mode)
  assert(open !== undefined, `No mailbox ${name}`)
  return open
}

/** All rows of a fetch; checks the order and the size of its batches. */
export async function rows(open: OpenMailbox, uids: UidRanges = ALL, parts: RowParts = {}): Promise<MessageRow[]> {
  const found: MessageRow[] = []
  for await (const batch of open.fetch(uids, parts)) {
    assert(batch.length > 0 && batch.length <= 256, `Batch of ${batch.length} rows`)
    for (const row of batch) found.push(row.body === undefined ? row : { ...row, body: row.body.slice() })
  }
  const order = found.map((row) => row.uid)
  assert.deepEqual(
    order,
    [...new Set(order)].sort((a, b) => a - b),
    'Rows ascend by UID',
  )
  return found
}

export async function row(open: OpenMailbox, uid: number, parts: RowParts = {}): Promise<MessageRow> {
  const [found] = await rows(open, only(uid), parts)
  assert(found !== undefined, `No message ${uid}`)
  return found
}

/** Octets `[from, to)` of a message as text; checks the size of the pieces. */
export async function text(open: OpenMailbox, emailId: EmailId, from = 0, to = 2 ** 40): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of open.read(emailId, from, to)) {
    assert(piece.length > 0 && piece.length <= 65_536, `Piece of ${piece.length} octets`)
    pieces.push(piece.slice())
  }
  return Buffer.concat(pieces).toString('latin1')
}

export async function status(account: AccountStore, name = 'INBOX'): Promise<MailboxStatus> {
  const mailbox = await account.mailbox(name)
  assert(mailbox !== undefined, `No mailbox ${name}`)
  const [found] = await account.status([mailbox.id])
  assert(found !== undefined)
  return found
}

/** The ranges that hold just these UIDs. @param uids ascending */
export function only(...uids: number[]): UidRanges {
  return UidList.of(uids).slice(1, uids.length)
}

export function range(first: number, last: number): UidRange {
  return { first: first as Uid, last: last as Uid }
}

export function uidsOf(found: Iterable<{ readonly uid: Uid }>): number[] {
  return [...found].map((each) => each.uid)
}

/** UIDs of ranges, one by one; checks that they ascend and neither overlap nor touch. */
export function listed(ranges: UidRanges): number[] {
  const uids: number[] = []
  let last = -1
  for (const each of ranges) {
    assert(each.first > last + 1 || last === -1, 'Ranges ascend with a gap between them')
    assert(each.first <= each.last, 'A range is not reversed')
    for (let uid: number = each.first; uid <= each.last; uid += 1) uids.push(uid)
    last = each.last
  }
  return uids
}

export async function namesOf(account: AccountStore): Promise<string[]> {
  return (await account.mailboxes()).map((mailbox) => mailbox.name)
}

/** Asserts that something is refused with this `StoreError`. */
export async function refused(what: Promise<unknown>, code: StoreErrorCode): Promise<void> {
  await assert.rejects(what, (error: { code?: unknown }) => {
    assert.equal(error.code, code)
    return true
  })
}

export const modSeq = (value: number): ModSeq => value as ModSeq
