/** The list of what changes left to be learned: read from its beginning, shortened as it is learned. */
import type { EmailId, WaitingTraining, WordVerdict } from '@postern/core/store'
import type { AccountKeys } from './account-keys.ts'
import { parseTrainingLeftKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import type { OrderedStore } from './ordered-store.ts'
import type { LeftJudgement } from './train-record.ts'
import { decodeLeft, encodeLeft } from './train-record.ts'
import type { Transaction } from './transaction.ts'

const READ_RECORDS = 8
/** Part under which the eraser leaves what it waits for: behind those of the change with the same modseq. */
const ERASER_PART = 0x8000

/** How far a reader of the list has come: a record, and how many of its entries. */
interface Place {
  readonly modseq: number
  readonly part: number
  readonly entries: number
}

/** Writes what a change left. */
export function leaveJudgements(tx: Transaction, keys: AccountKeys, left: readonly LeftJudgement[]): void {
  for (const [part, octets] of encodeLeft(left).entries()) tx.add(keys.trainingLeft(tx.takeModseq(), part), octets)
}

/** Writes that messages are to be erased, in a change that no client sees. */
export async function leaveDoomed(tx: Transaction, keys: AccountKeys, emailIds: readonly number[]): Promise<void> {
  const { modseq } = tx.head
  const earlier = await tx.range({ from: keys.trainingLeft(modseq, ERASER_PART), to: keys.trainingLeft(modseq + 1, 0) }, READ_RECORDS)
  const last = earlier.at(-1)
  const first = last === undefined ? ERASER_PART : parseTrainingLeftKey(last.key).part + 1
  const records = encodeLeft(emailIds.map((emailId) => ({ emailId, judged: undefined })))
  for (const [n, octets] of records.entries()) tx.add(keys.trainingLeft(modseq, first + n), octets)
}

/** The first messages of the list, each with its newest judgement so far. */
export async function readLeft(store: OrderedStore, keys: AccountKeys, most: number): Promise<{ readonly judged: ReadonlyMap<EmailId, WordVerdict | undefined>; readonly upTo: string }> {
  const judged = new Map<EmailId, WordVerdict | undefined>()
  let place: Place | undefined
  let { from } = keys.allTrainingLeft()
  const { to } = keys.allTrainingLeft()
  for (;;) {
    const records = await store.range({ from, to, limit: READ_RECORDS })
    for (const { key, value } of records) {
      const at = parseTrainingLeftKey(key)
      for (const [n, left] of decodeLeft(value).entries()) {
        const emailId = left.emailId as EmailId
        if (judged.size >= most && !judged.has(emailId)) return { judged, upTo: formatPlace(place) }
        judged.set(emailId, left.judged)
        place = { ...at, entries: n + 1 }
      }
    }
    const last = records.at(-1)
    if (last === undefined || records.length < READ_RECORDS) return { judged, upTo: formatPlace(place) }
    from = keyAfter(last.key)
  }
}

/** Takes the beginning of the list off. @param upTo as `readLeft` gave it @returns whether that was still there */
export async function removeLeft(tx: Transaction, keys: AccountKeys, upTo: WaitingTraining['upTo']): Promise<boolean> {
  const place = parsePlace(upTo)
  if (place === undefined) return true
  const key = keys.trainingLeft(place.modseq, place.part)
  const [octets] = await tx.getMany([key])
  if (octets === undefined) return false
  let { from } = keys.allTrainingLeft()
  for (;;) {
    const records = await tx.range({ from, to: key }, READ_RECORDS)
    for (const record of records) tx.delete(record.key)
    const last = records.at(-1)
    if (last === undefined || records.length < READ_RECORDS) break
    from = keyAfter(last.key)
  }
  const rest = decodeLeft(octets).slice(place.entries)
  tx.putOrDelete(key, encodeLeft(rest)[0])
  return true
}

function formatPlace(place: Place | undefined): string {
  return place === undefined ? '' : `${place.modseq} ${place.part} ${place.entries}`
}

function parsePlace(text: string): Place | undefined {
  const [modseq, part, entries] = text.split(' ').map(Number)
  return modseq === undefined || part === undefined || entries === undefined ? undefined : { modseq, part, entries }
}
