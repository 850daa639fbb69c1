/**
 * Messages about to be erased that are still counted among what the filter of content has learned: they are left to be
 * unlearned first, as that needs their words. Counting and erasing are changes of one account, so of two that race the
 * later sees what the earlier did.
 */
import type { Account } from './account.ts'
import { decodeCorpora } from './corpus-record.ts'
import type { AccountKeys } from './account-keys.ts'
import { PAGE_UIDS } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { loopTurn } from './loop-turn.ts'
import { decodeRefs } from './message-records.ts'
import type { Entry, OrderedStore } from './ordered-store.ts'
import { Page } from './pages.ts'
import { decodeTomb } from './tomb-record.ts'
import { leaveDoomed } from './train-left.ts'
import { verdictOf } from './train-record.ts'
import { TrainingStates } from './train-states.ts'
import type { Transaction } from './transaction.ts'

const READ = 64

/** Thrown by a change that would erase a message still counted: it is tried again later. */
export class StillCounted extends Error {
  override readonly name = 'StillCounted'

  constructor() {
    super('A message to be erased is still counted')
  }
}

/**
 * Leaves to be unlearned what is counted and would lose its last place.
 * @param modseq of the tombstones to be erased; undefined: the whole mailbox @returns whether there is something to wait for
 */
export async function leaveCounted(store: OrderedStore, account: Account, mailbox: number, modseq: number | undefined): Promise<boolean> {
  const { keys, writer } = account
  const [octets] = await store.getMany([keys.corpora()])
  if (octets === undefined) return false
  const counted: number[] = []
  for await (const entry of doomedRecords(store, keys, mailbox, modseq)) counted.push(...(await countedIn(store, keys, entry)))
  if (counted.length === 0) return false
  const asked = account.training.doomed
  const left = counted.filter((emailId) => !asked.has(emailId))
  if (left.length > 0) {
    await writer.change((tx) => leaveDoomed(tx, keys, left))
    for (const emailId of left) asked.add(emailId)
  }
  account.noteLeft()
  return true
}

/** Forgets as what an erased message was counted. @throws StillCounted */
export async function forgetState(tx: Transaction, keys: AccountKeys, emailId: number): Promise<void> {
  const { current, building } = decodeCorpora(await tx.get(keys.corpora()))
  for (const corpus of [current, building]) {
    if (corpus === 0) continue
    const states = await TrainingStates.open(tx, keys, corpus, [emailId])
    const state = states.get(emailId)
    if (state === undefined) continue
    if (verdictOf(state) !== undefined) throw new StillCounted()
    states.set(emailId, undefined)
    states.finish(tx)
  }
}

/** Ids of the messages of a page or tombstone. */
interface Doomed {
  readonly emailIds: readonly number[]
}

async function* doomedRecords(store: OrderedStore, keys: AccountKeys, mailbox: number, modseq: number | undefined): AsyncGenerator<Doomed> {
  if (modseq === undefined) {
    for await (const { value } of entriesOf(store, keys.pages(mailbox))) {
      const page = Page.decode(value)
      yield { emailIds: Array.from({ length: page.count }, (_, index) => page.emailId(index)) }
    }
  }
  const span = modseq === undefined ? keys.tombsAfter(mailbox, -1) : keys.tombsAfter(mailbox, modseq - 1, modseq)
  for await (const { value } of entriesOf(store, span)) {
    const tomb = decodeTomb(value)
    if (tomb.kind === 'rows') yield { emailIds: tomb.rows.map(({ row }) => row.emailId) }
  }
}

/** Those that are counted and have no place elsewhere. */
async function countedIn(store: OrderedStore, keys: AccountKeys, { emailIds }: Doomed): Promise<readonly number[]> {
  const { current, building } = decodeCorpora((await store.getMany([keys.corpora()]))[0])
  const states = await Promise.all([current, building].map((corpus) => TrainingStates.open(store, keys, corpus, emailIds)))
  const here = new Map<number, number>()
  for (const emailId of emailIds) {
    if (states.some((each) => verdictOf(each.get(emailId)) !== undefined)) here.set(emailId, (here.get(emailId) ?? 0) + 1)
  }
  const counted = [...here]
  const refs = await store.getMany(counted.map(([emailId]) => keys.refs(emailId)))
  return counted.filter(([emailId, places], n) => (decodeRefs(refs[n]).get(emailId % PAGE_UIDS) ?? 1) <= places).map(([emailId]) => emailId)
}

async function* entriesOf(store: OrderedStore, { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array }): AsyncGenerator<Entry> {
  for (let at = from; ; ) {
    const entries = await store.range({ from: at, to, limit: READ })
    yield* entries
    const last = entries.at(-1)
    if (last === undefined || entries.length < READ) return
    at = keyAfter(last.key)
    const turn = loopTurn()
    if (turn !== undefined) await turn
  }
}
