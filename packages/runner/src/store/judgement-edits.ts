/**
 * Judgements as one change makes, changes and withdraws them: noted while flags change, entered into the rings of the
 * senders at its end, and left to be learned by the filter of content. A message without reception facts has no sender
 * to count for.
 */
import { judgedJunk } from '@postern/core/store'
import type { AccountKeys } from './account-keys.ts'
import { MessagePart } from './account-keys.ts'
import { decodeReception, encodeReception, IDENTITY_KINDS, type ReceptionRecord } from './reception-record.ts'
import { RingEdit } from './ring-record.ts'
import { keyText } from './sorted-map.ts'
import { leaveJudgements } from './train-left.ts'
import type { Transaction } from './transaction.ts'

/** LIMIT: of one change; each message writes about ten rings. The rest goes into changes of their own. */
const MAX_MESSAGES = 128

/** What is to be entered of a message. */
export interface NotedJudgement {
  readonly emailId: number
  /** Undefined: not judged any more. */
  readonly junk: boolean | undefined
  /** It left the mailbox it was kept in as a reject. */
  readonly released: boolean
}

export class JudgementEdits {
  readonly #noted = new Map<number, NotedJudgement>()

  /** Whether the change should come to its end. */
  get isFull(): boolean {
    return this.#noted.size >= MAX_MESSAGES
  }

  /** A place of a message has other flags than before; a new one had 0. */
  note(emailId: number, before: number, after: number): void {
    const junk = judgedJunk(after)
    if (judgedJunk(before) === junk) return
    this.#noted.set(emailId, { emailId, junk, released: this.#noted.get(emailId)?.released ?? false })
  }

  /** @param flags of its place outside */
  release(emailId: number, flags: number): void {
    this.#noted.set(emailId, { emailId, junk: judgedJunk(flags), released: true })
  }

  /** Something is left to be learned. */
  get hasAny(): boolean {
    return this.#noted.size > 0
  }

  /** Enters what was noted, and leaves all of it to be learned. @param mailboxOf id of a mailbox by its name @returns what was too much for one change */
  async settle(tx: Transaction, keys: AccountKeys, mailboxOf: (name: string) => Promise<number | undefined>): Promise<readonly NotedJudgement[]> {
    if (this.#noted.size === 0) return []
    const all = [...this.#noted.values()]
    leaveJudgements(tx, keys, all.map(({ emailId, junk }) => ({ emailId, judged: junk === undefined ? undefined : junk ? 'spam' : 'ham' })))
    await enterJudgements(tx, keys, all.slice(0, MAX_MESSAGES), mailboxOf)
    return all.slice(MAX_MESSAGES)
  }
}

/** Groups of a size one change can take. */
export function judgementSlices(noted: readonly NotedJudgement[]): readonly (readonly NotedJudgement[])[] {
  const slices: NotedJudgement[][] = []
  for (let at = 0; at < noted.length; at += MAX_MESSAGES) slices.push(noted.slice(at, at + MAX_MESSAGES))
  return slices
}

/** @param noted at most a slice */
export async function enterJudgements(
  tx: Transaction,
  keys: AccountKeys,
  noted: readonly NotedJudgement[],
  mailboxOf: (name: string) => Promise<number | undefined>,
): Promise<void> {
  const rings = new Map<string, { readonly key: Uint8Array; readonly edit: RingEdit }>()
  const open = async (mailbox: number, kind: number, value: string): Promise<RingEdit> => {
    const key = keys.ring(mailbox, kind, value)
    const text = `${keyText(key)}\0${value}`
    const known = rings.get(text)
    if (known !== undefined) return known.edit
    const edit = new RingEdit((await tx.getMany([key]))[0], value)
    rings.set(text, { key, edit })
    return edit
  }
  const enter = async (emailId: number, record: ReceptionRecord, junk: boolean | undefined): Promise<void> => {
    const { receivedSeconds, validated, localpart, origin } = record
    for (const { kind, value } of record.identities) {
      const ring = await open(origin, IDENTITY_KINDS.indexOf(kind), value)
      ring.remove(emailId)
      if (junk !== undefined) ring.insert({ receivedSeconds, emailId, junk, validated, localpart })
    }
  }
  const records = await tx.getMany(noted.map(({ emailId }) => keys.message(emailId, MessagePart.reception)))
  for (const [n, { emailId, junk, released }] of noted.entries()) {
    const octets = records[n]
    if (octets === undefined) continue
    let record = decodeReception(octets)
    if (released && record.reject !== undefined) {
      await enter(emailId, record, undefined)
      tx.delete(keys.reject(record.reject.digest))
      record = { ...record, origin: (await mailboxOf(record.reject.intendedMailbox)) ?? record.origin, reject: undefined }
      tx.add(keys.message(emailId, MessagePart.reception), encodeReception(record))
    }
    await enter(emailId, record, junk)
  }
  for (const { key, edit } of rings.values()) {
    const octets = edit.encode()
    if (octets === undefined) tx.delete(key)
    else tx.add(key, octets)
  }
}
