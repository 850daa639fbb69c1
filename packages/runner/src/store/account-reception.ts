/** What an account remembers of senders, and the rejects it keeps: core's contract over the tables of the store. */
import type { Clock } from '@postern/core/host'
import type { ArrivalCount, Correspondent, Judgement, KeepRejectResult, NewMessage, RejectLimits, SenderIdentity } from '@postern/core/store'
import { ARRIVALS_KEPT_SECONDS, MAX_UID } from '@postern/core/store'
import type { AccountTables } from './account-tables.ts'
import { countsOf, decodeArrivals } from './arrivals-record.ts'
import { correspondentKey, enterWritten, lastWritten } from './correspondence.ts'
import type { AccountKeys } from './account-keys.ts'
import { PAGE_UIDS } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import type { MailboxEdit } from './mailbox-edit.ts'
import { appendMessages } from './message-append.ts'
import type { PreparedMessage } from './message-writer.ts'
import { encodeBucket, withNamed } from './named-records.ts'
import type { OrderedStore, Reader } from './ordered-store.ts'
import { IDENTITY_KINDS } from './reception-record.ts'
import { decodeReject, encodeReject } from './reject-record.ts'
import { readRing } from './ring-record.ts'
import type { TablesSource } from './tables-change.ts'
import { changeTables } from './tables-change.ts'
import type { TombRow } from './tomb-record.ts'
import { RangesWalk } from './uid-ranges.ts'

const READ_ARRIVALS = 256
const NOTHING = new Uint8Array(0)
/** LIMIT: old rejects expunged at a call. */
const MAX_TIDIED = 1_000

/** @param mailbox id; undefined: there is none, so no judgements */
export function readJudgements(reader: Reader, keys: AccountKeys, mailbox: number | undefined, identities: readonly SenderIdentity[]): readonly (readonly Judgement[])[] {
  if (mailbox === undefined) return identities.map(() => [])
  return identities.map(({ kind, value }) => {
    const key = keys.ring(mailbox, IDENTITY_KINDS.indexOf(kind), value)
    return reader.look(key, (octets) => readRing(octets, value))
  })
}

export class AccountReception {
  readonly #store: OrderedStore
  readonly #source: TablesSource
  readonly #clock: Clock

  constructor(store: OrderedStore, source: TablesSource, clock: Clock) {
    this.#store = store
    this.#source = source
    this.#clock = clock
  }

  async lastWroteTo(correspondents: readonly Correspondent[]): Promise<readonly (number | undefined)[]> {
    const { keys } = this.#source
    const found = await this.#store.getMany(correspondents.map((correspondent) => correspondentKey(keys, correspondent)))
    return correspondents.map(({ value }, n) => lastWritten(found[n], value))
  }

  async wroteTo(correspondents: readonly Correspondent[], seconds: number): Promise<void> {
    const { writer, keys } = this.#source
    await writer.change((tx) => enterWritten(tx, keys, correspondents, seconds))
  }

  async arrivals(sinceSeconds: number): Promise<readonly ArrivalCount[]> {
    const { keys } = this.#source
    const nowSeconds = Math.floor(this.#clock.now() / 1_000)
    const first = Math.ceil(Math.max(0, sinceSeconds, nowSeconds - ARRIVALS_KEPT_SECONDS) / 60)
    const counts: ArrivalCount[] = []
    const { to } = keys.arrivalsBetween(first, 0xffff_ffff)
    for (let { from } = keys.arrivalsBetween(first, 0xffff_ffff); ; ) {
      const rows = await this.#store.range({ from, to, limit: READ_ARRIVALS })
      for (const { value } of rows) counts.push(...countsOf(decodeArrivals(value)))
      const last = rows.at(-1)
      if (last === undefined || rows.length < READ_ARRIVALS) break
      from = keyAfter(last.key)
    }
    const [newest] = await this.#store.getMany([keys.arrivalsNow()])
    const record = newest === undefined ? undefined : decodeArrivals(newest)
    if (record !== undefined && record.minute >= first) counts.push(...countsOf(record))
    return counts
  }

  /** @param mailbox parsed name */
  async keepReject(
    mailbox: string,
    message: NewMessage,
    prepared: readonly PreparedMessage[],
    digest: Uint8Array,
    limits: RejectLimits,
  ): Promise<KeepRejectResult> {
    return changeTables(
      this.#source,
      async (tables): Promise<KeepRejectResult> => {
        const { tx, keys } = tables
        const edit = (await tables.find(mailbox)) ?? (await createSubscribed(tables, mailbox))
        await expungeWhere(edit, MAX_TIDIED, ({ row }) => row.savedSeconds < tx.nowSeconds - limits.maxAgeSeconds)
        const messageId = prepared[0]?.messageId
        const ids = [digest, ...(messageId === undefined ? [] : [messageId])]
        for (const id of ids) if ((await findReject(tables, edit, id)) !== undefined) return { kind: 'duplicate' }
        if (edit.counters.total >= limits.maxMessages) return { kind: 'full' }
        const { uids, mailbox: kept } = await appendMessages(tables, edit, [message], prepared, digest)
        for (const id of ids) tx.add(keys.reject(id), encodeReject({ mailbox: edit.id, uid: uids.first }))
        return { kind: 'kept', mailbox: kept, uid: uids.first }
      },
      prepared.reduce((sum, { octets }) => sum + octets, 0),
    )
  }

  /** @param mailbox parsed name */
  async forgetReject(mailbox: string, messageId: string): Promise<number> {
    const { keys } = this.#source
    // Nearly always there is none: no change is made to find that out.
    const [known] = await this.#store.getMany([keys.reject(messageId)])
    if (known === undefined) return 0
    return changeTables(this.#source, async (tables) => {
      const edit = await tables.find(mailbox)
      const uid = edit === undefined ? undefined : await findReject(tables, edit, messageId)
      tables.tx.delete(keys.reject(messageId))
      if (edit === undefined || uid === undefined) return 0
      return expungeWhere(edit, 1, (place) => place.uid === uid, uid)
    })
  }
}

async function createSubscribed(tables: AccountTables, name: string): Promise<MailboxEdit> {
  const { tx, keys } = tables
  await tables.createParents(name)
  const edit = await tables.create(name)
  const key = keys.subscription(name)
  tx.putOrDelete(key, encodeBucket(withNamed([], name, NOTHING)))
  return edit
}

/** UID of a reject that is still where it was put. */
async function findReject(tables: AccountTables, edit: MailboxEdit, id: string | Uint8Array): Promise<number | undefined> {
  const octets = (await tables.tx.getMany([tables.keys.reject(id)]))[0]
  const kept = octets === undefined ? undefined : decodeReject(octets)
  if (kept?.mailbox !== edit.id) return undefined
  for await (const [number, page] of edit.pages([{ first: kept.uid, last: kept.uid } as never])) {
    if (page.find(kept.uid - number * PAGE_UIDS) >= 0) return kept.uid
  }
  return undefined
}

/** Expunges the first messages of a mailbox that fit, up to the first that doesn't. @returns how many */
async function expungeWhere(edit: MailboxEdit, limit: number, fits: (place: TombRow) => boolean, first = 1): Promise<number> {
  const range = [{ first, last: MAX_UID } as never]
  const walk = new RangesWalk(range)
  let count = 0
  for await (const [number, page] of edit.pages(range)) {
    for (const place of edit.rows(number, page, walk)) {
      if (!fits(place) || count === limit) return count
      edit.expunge(page, place)
      count += 1
    }
  }
  return count
}
