/**
 * Takes away what was expunged or deleted: the octets of messages without a place, pages and tombstones of deleted
 * mailboxes, the old end of the change log. In small changes, in key order, each complete in itself: a crash loses
 * nothing of it but time. Not here: when it runs.
 */
import type { Logger } from '@postern/core/host'
import type { UidRange } from '@postern/core/store'
import type { Account } from './account.ts'
import { countChunks } from './body-chunks.ts'
import { decodeHead } from './head-record.ts'
import type { AccountKeys } from './account-keys.ts'
import { MessagePart, PAGE_UIDS, parseEraseKey, parsePageKey, parseTombKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { continuationsOf } from './long-record.ts'
import { LOG_MODSEQS } from './mailbox-log.ts'
import { decodeMessageIds, decodeRefs, encodeMessageIds, encodeRefs } from './message-records.ts'
import { firstMessageId } from './message-writer.ts'
import type { OrderedStore } from './ordered-store.ts'
import type { PageRow } from './pages.ts'
import { Page, RowFlag } from './pages.ts'
import { decodeReception } from './reception-record.ts'
import type { StoredBlobs } from './stored-blobs.ts'
import { decodeStructure } from './structure-codec.ts'
import type { TombRow } from './tomb-record.ts'
import { decodeErase, decodeTomb, encodeTombRanges, encodeTombRows } from './tomb-record.ts'
import { forgetState, leaveCounted, StillCounted } from './train-doomed.ts'
import type { Transaction } from './transaction.ts'
import { uniteRanges } from './uid-ranges.ts'

/** How long what was expunged stays, whoever was told: other processes' sessions, and people who err. */
export const KEEP_SECONDS = 600
/** LIMIT: records taken away by one change, so that no delivery waits long for it. */
const MAX_DELETES = 256
const READ_JOBS = 64
/** Tombstone parts from here on hold UIDs of what was erased of the part 0x4000 lower. */
const ERASED_PART = 0x4000

/** What erasing needs beside the account. */
export interface EraserHost {
  readonly store: OrderedStore
  readonly blobs: Pick<StoredBlobs, 'forget'>
  readonly logger: Logger
}

/** What one change has erased so far. */
interface Erased {
  /** Records it may still delete. */
  budget: number
  /** Blobs nobody of this account refers to any more. */
  readonly blobs: { readonly id: Uint8Array; readonly emailId: number }[]
}

/** Does what is due in an account. @returns whether something is left, to be done later */
export async function eraseDue(host: EraserHost, account: Account, nowSeconds: number): Promise<boolean> {
  const { store } = host
  const { keys, sessions } = account
  let { from } = keys.eraseBefore(Math.max(0, nowSeconds - KEEP_SECONDS))
  const { to } = keys.eraseBefore(Math.max(0, nowSeconds - KEEP_SECONDS))
  for (;;) {
    const jobs = await store.range({ from, to, limit: READ_JOBS })
    for (const { key, value } of jobs) {
      const { modseq, mailbox } = parseEraseKey(key)
      try {
        const isMailbox = decodeErase(value).kind === 'mailbox'
        if (!isMailbox && sessions.lowestTold(mailbox) < modseq) continue
        // What the filter of content learned of a message is taken out before its words are gone.
        if (await leaveCounted(store, account, mailbox, isMailbox ? undefined : modseq)) continue
        if (isMailbox) await eraseMailbox(host, account, mailbox, key)
        else await eraseTombs(host, account, mailbox, modseq, key)
      } catch (cause) {
        if (cause instanceof StillCounted) continue
        if ((cause as { code?: unknown }).code !== 'STORE_CORRUPT') throw cause
        host.logger.error({ err: cause, account: account.name, mailbox, modseq }, 'What was expunged cannot be erased')
      }
    }
    const last = jobs.at(-1)
    if (last === undefined || jobs.length < READ_JOBS) break
    from = keyAfter(last.key)
  }
  await trimLog(host.store, account)
  const [later] = await store.range({ ...keys.eraseBefore(2 ** 40 - 1), limit: 1 })
  return later !== undefined
}

/** Erases what one change expunged; its UIDs stay known. */
async function eraseTombs(
  host: EraserHost,
  account: Account,
  mailbox: number,
  modseq: number,
  job: Uint8Array,
): Promise<void> {
  const { keys } = account
  await inSlices(host, account, async (tx, erased) => {
    const parts = await tx.range(keys.tombsAfter(mailbox, modseq - 1, modseq), READ_JOBS)
    for (const { key, value } of parts) {
      const tomb = decodeTomb(value)
      if (tomb.kind === 'ranges') continue
      const left = await eraseRows(tx, keys, mailbox, tomb.rows, erased)
      const gone = tomb.rows.slice(0, tomb.rows.length - left.length)
      const { part } = parseTombKey(key)
      const known = keys.tomb(mailbox, modseq, part + ERASED_PART)
      const before = await tx.get(known)
      const already = before === undefined ? undefined : decodeTomb(before)
      const uids = gone.map(({ uid }): UidRange => ({ first: uid, last: uid }) as UidRange)
      const united = uniteRanges([...(already?.kind === 'ranges' ? already.uids : []), ...uids])
      if (united.length > 0) tx.add(known, encodeTombRanges(united))
      tx.putOrDelete(key, left.length === 0 ? undefined : encodeTombRows(left))
      if (left.length > 0) return false
    }
    tx.delete(job)
    return true
  })
}

/** Erases all of a deleted mailbox. */
async function eraseMailbox(host: EraserHost, account: Account, mailbox: number, job: Uint8Array): Promise<void> {
  const { keys } = account
  await inSlices(host, account, async (tx, erased) => {
    const [page] = await tx.range(keys.pages(mailbox), 1)
    if (page !== undefined) {
      await erasePage(tx, keys, mailbox, page.key, Page.decode(page.value), erased)
      return false
    }
    const [tomb] = await tx.range(keys.tombsAfter(mailbox, -1), 1)
    if (tomb !== undefined) {
      const decoded = decodeTomb(tomb.value)
      const left = decoded.kind === 'rows' ? await eraseRows(tx, keys, mailbox, decoded.rows, erased) : []
      tx.putOrDelete(tomb.key, left.length === 0 ? undefined : encodeTombRows(left))
      return false
    }
    tx.delete(job)
    return true
  })
}

/** Runs changes until one says that it was the last. */
async function inSlices(
  { blobs }: EraserHost,
  { keys, writer }: Account,
  slice: (tx: Transaction, erased: Erased) => Promise<boolean>,
): Promise<void> {
  for (let isDone = false; !isDone; ) {
    const done = await writer.change(async (tx) => {
      const erased: Erased = { budget: MAX_DELETES, blobs: [] }
      return { isDone: await slice(tx, erased), erased }
    })
    for (const { id, emailId } of done.erased.blobs) {
      await blobs.forget(id, { kind: 'message', account: keys.account, emailId })
    }
    isDone = done.isDone
  }
}

async function erasePage(
  tx: Transaction,
  keys: AccountKeys,
  mailbox: number,
  key: Uint8Array,
  page: Page,
  erased: Erased,
): Promise<void> {
  const base = parsePageKey(key).page * PAGE_UIDS
  const rows: TombRow[] = []
  for (let index = 0; index < page.count; index += 1) rows.push({ uid: base + page.slot(index), row: page.row(index) })
  const left = await eraseRows(tx, keys, mailbox, rows, erased)
  const editor = page.edit()
  for (const { row } of rows.slice(0, rows.length - left.length)) editor.remove(row.slot)
  tx.putOrDelete(key, left.length === 0 ? undefined : editor.finish().octets)
}

/**
 * Takes places from messages, and their octets from those without one. @returns the rows for which the budget was too
 * small
 */
async function eraseRows(
  tx: Transaction,
  keys: AccountKeys,
  mailbox: number,
  rows: readonly TombRow[],
  erased: Erased,
): Promise<readonly TombRow[]> {
  for (const [n, { uid, row }] of rows.entries()) {
    if (erased.budget <= 0) return rows.slice(n)
    if ((row.flags & RowFlag.wideKeywords) !== 0) tx.delete(keys.keywords(mailbox, uid))
    erased.budget -= 1 + (await takePlace(tx, keys, row, erased))
  }
  return []
}

/** @returns how many records were deleted */
async function takePlace(
  tx: Transaction,
  keys: AccountKeys,
  { emailId }: PageRow,
  erased: Erased,
): Promise<number> {
  const refsKey = keys.refs(emailId)
  const octets = await tx.get(refsKey)
  const refs = decodeRefs(octets)
  const slot = emailId % PAGE_UIDS
  const places = refs.get(slot) ?? 1
  if (places > 1) {
    refs.set(slot, places - 1)
    tx.putOrDelete(refsKey, encodeRefs(refs))
    return 0
  }
  return await eraseMessage(tx, keys, emailId, erased)
}

async function eraseMessage(
  tx: Transaction,
  keys: AccountKeys,
  emailId: number,
  erased: Erased,
): Promise<number> {
  await forgetState(tx, keys, emailId)
  const listKey = keys.message(emailId, MessagePart.list)
  const structureKey = keys.message(emailId, MessagePart.structure)
  const [list, structure] = await tx.getMany([listKey, structureKey])
  const reception = await receptionRecords(tx, keys, emailId)
  const doomed: Uint8Array[] = [...reception.keys]
  if (list !== undefined) {
    doomed.push(listKey)
    const more = continuationsOf(list, 'message list')
    for (let n = 0; n < more; n += 1) doomed.push(keys.message(emailId, MessagePart.listMore + n))
  }
  if (structure !== undefined) {
    doomed.push(structureKey)
    const more: Uint8Array[] = []
    for (let n = 0, left = continuationsOf(structure, 'message structure'); n < left; n += 1) {
      more.push(keys.message(emailId, MessagePart.structureMore + n))
    }
    doomed.push(...more)
    const stored = decodeStructure([structure, ...(await tx.getMany(more))])
    if (stored.body.kind === 'blob') {
      erased.blobs.push({ id: stored.body.id, emailId })
    } else {
      for (let n = 0; n < countChunks(stored.sizeOctets, stored.body.firstOctets); n += 1) {
        doomed.push(keys.message(emailId, MessagePart.body + n))
      }
    }
    const messageId = firstMessageId(stored.structure.root.envelope?.messageId)
    if (reception.isReject && messageId !== undefined) doomed.push(keys.reject(messageId))
    await leaveThread(tx, keys, emailId, messageId)
  }
  for (const key of doomed) tx.delete(key)
  return doomed.length
}

/** What the reception of a message left, and by what it is found while it is a reject. Judgements stay. */
async function receptionRecords(
  tx: Transaction,
  keys: AccountKeys,
  emailId: number,
): Promise<{ readonly keys: readonly Uint8Array[]; readonly isReject: boolean }> {
  const key = keys.message(emailId, MessagePart.reception)
  const [octets] = await tx.getMany([key])
  if (octets === undefined) return { keys: [], isReject: false }
  const { reject } = decodeReception(octets)
  return { keys: reject === undefined ? [key] : [key, keys.reject(reject.digest)], isReject: reject !== undefined }
}

async function leaveThread(
  tx: Transaction,
  keys: AccountKeys,
  emailId: number,
  messageId: string | undefined,
): Promise<void> {
  if (messageId === undefined) return
  const key = keys.msgid(messageId)
  const entries = decodeMessageIds((await tx.getMany([key]))[0])
  const kept = entries.filter((entry) => entry.emailId !== emailId)
  if (kept.length === entries.length) return
  if (kept.length === 0) tx.delete(key)
  else tx.add(key, encodeMessageIds(kept))
}

/** Drops log records that no session needs any more: who is further behind compares pages. */
async function trimLog(store: OrderedStore, account: Account): Promise<void> {
  const { keys, writer } = account
  const [head] = await store.getMany([keys.head()])
  if (head === undefined) return
  const oldest = decodeHead(head).modseq - LOG_MODSEQS
  if (oldest <= 0) return
  for (;;) {
    const old = await store.range({ from: keys.log(0), to: keys.log(oldest), limit: MAX_DELETES })
    if (old.length === 0) return
    await writer.change(async (tx) => {
      for (const { key } of old) tx.delete(key)
    })
  }
}

/** Erases everything under an account's number, in slices; for an account that was removed. */
export async function eraseAccount(store: OrderedStore, keys: AccountKeys): Promise<void> {
  for (;;) {
    const entries = await store.range({ ...keys.all(), limit: MAX_DELETES })
    if (entries.length === 0) return
    await store.commit({ partition: keys.partition, delete: entries.map(({ key }) => key) })
  }
}
