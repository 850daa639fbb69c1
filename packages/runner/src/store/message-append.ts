/** Gives prepared messages their first place, with what their reception left. */
import type { AppendResult, ModSeq, NewMessage, UidRange } from '@postern/core/store'
import { ARRIVALS_KEPT_SECONDS } from '@postern/core/store'
import type { AccountTables } from './account-tables.ts'
import { decodeArrivals, encodeArrivals, withArrival } from './arrivals-record.ts'
import { enterWritten } from './correspondence.ts'
import { MessagePart } from './account-keys.ts'
import type { MailboxEdit } from './mailbox-edit.ts'
import type { PreparedMessage } from './message-writer.ts'
import { dateAt, putMessage } from './message-writer.ts'
import { RowFlag } from './pages.ts'
import { encodeReception, receptionRecord } from './reception-record.ts'

/** LIMIT: old rows deleted when a new minute begins: more than begin in it. */
const MAX_FORGOTTEN = 4

/** @param digest of a kept reject: the first message's */
export async function appendMessages(
  tables: AccountTables,
  edit: MailboxEdit,
  messages: readonly NewMessage[],
  prepared: readonly PreparedMessage[],
  digest?: Uint8Array,
): Promise<Extract<AppendResult, { kind: 'appended' }>> {
  const { tx, keys } = tables
  await edit.openTail()
  const first = edit.counters.uidNext
  for (const [n, ready] of prepared.entries()) {
    const { flags, keywords, internalDate = dateAt(tx.nowSeconds), reception } = messages[n] as NewMessage
    const emailId = await putMessage(tx, keys, ready, { mailbox: edit.id, uid: edit.counters.uidNext })
    const { sizeOctets, zoneQuarters } = ready
    const isReject = reception?.intendedMailbox !== undefined
    if (reception !== undefined) {
      tx.add(keys.message(emailId, MessagePart.reception), encodeReception(receptionRecord(reception, edit.id, digest)))
      if (reception.network !== undefined) await countArrival(tables, reception.network, sizeOctets)
    }
    const place = {
      flags: tables.flagsIn(edit.mailbox, flags) | (isReject ? RowFlag.reject : 0),
      emailId,
      sizeOctets,
      dateSeconds: internalDate.seconds,
      zoneQuarters,
      savedSeconds: tx.nowSeconds,
    }
    edit.place(place, edit.takeKeywords(keywords), 0)
    const written = tables.correspondentsOf(edit.mailbox, ready.envelope)
    if (written.length > 0) await enterWritten(tx, keys, written, tx.nowSeconds)
  }
  const uids = { first, last: edit.counters.uidNext - 1 } as UidRange
  return { kind: 'appended', mailbox: edit.mailbox, uids, modseq: tx.takeModseq() as ModSeq }
}

/** Counts a message for the minute that runs; an earlier one gets a row of its own when the next begins. */
async function countArrival({ tx, keys }: AccountTables, network: string, octets: number): Promise<void> {
  const minute = Math.floor(tx.nowSeconds / 60)
  const stored = await tx.get(keys.arrivalsNow())
  let record = stored === undefined ? { minute, counts: new Map() } : decodeArrivals(stored)
  // A clock that was set back counts on in the minute that was.
  if (stored !== undefined && record.minute < minute) {
    tx.add(keys.arrivals(record.minute), stored)
    const old = keys.arrivalsBetween(0, minute - ARRIVALS_KEPT_SECONDS / 60)
    for (const { key } of await tx.range(old, MAX_FORGOTTEN)) tx.delete(key)
    record = { minute, counts: new Map() }
  }
  tx.put(keys.arrivalsNow(), encodeArrivals(withArrival(record, network, octets)))
}
