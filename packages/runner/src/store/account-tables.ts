/**
 * An account's mailboxes as one change works on them: found by name, created with their parents, renamed, deleted.
 * Names that are no longer in use stay as records, so that UIDVALIDITY rises when one is used again. RFC 9051 §2.3.1.1
 */
import type { EnvelopeFields } from '@postern/core/message'
import type { Correspondent, FilingPolicy, Mailbox, SpecialUse } from '@postern/core/store'
import { parentNames } from '@postern/core/store'
import type { NotedJudgement } from './judgement-edits.ts'
import { JudgementEdits } from './judgement-edits.ts'
import type { AccountKeys } from './account-keys.ts'
import { parseMailboxKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { MailboxEdit } from './mailbox-edit.ts'
import type { MailboxRecord } from './mailbox-records.ts'
import { decodeMailbox } from './mailbox-records.ts'
import type { NameRecord } from './named-records.ts'
import { decodeBucket, decodeName, encodeBucket, encodeName, lookUpNamed, withNamed } from './named-records.ts'
import { encodeErase } from './tomb-record.ts'
import type { Transaction } from './transaction.ts'

const READ_MAILBOXES = 128

export class AccountTables {
  readonly tx: Transaction
  readonly keys: AccountKeys
  readonly judgements = new JudgementEdits()
  readonly #policy: FilingPolicy | undefined
  readonly #edits = new Map<number, MailboxEdit>()

  constructor(tx: Transaction, keys: AccountKeys, policy?: FilingPolicy) {
    this.tx = tx
    this.keys = keys
    this.#policy = policy
  }

  /** Flags of a message that gets a place in a mailbox, as the owner wants them there. @param flags bits of `Flag` and others */
  flagsIn(mailbox: Mailbox, flags: number): number {
    const wanted = this.#policy?.flagsOnEntering(mailbox)
    return wanted === undefined ? flags : (flags | wanted.set) & ~wanted.clear
  }

  /** Whom a message appended to a mailbox shows that the account wrote to. */
  correspondentsOf(mailbox: Mailbox, envelope: EnvelopeFields): readonly Correspondent[] {
    return this.#policy?.correspondents(mailbox, envelope) ?? []
  }

  /** @param name as `parseMailboxName` gives it */
  async nameRecord(name: string): Promise<NameRecord | undefined> {
    const octets = lookUpNamed(await this.tx.get(this.keys.name(name)), name)
    return octets === undefined ? undefined : decodeName(octets)
  }

  async find(name: string): Promise<MailboxEdit | undefined> {
    const record = await this.nameRecord(name)
    return record?.mailbox === undefined ? undefined : await this.open(record.mailbox)
  }

  async open(id: number): Promise<MailboxEdit | undefined> {
    const open = this.#edits.get(id) ?? (await MailboxEdit.open(this.tx, this.keys, id, this.judgements))
    if (open !== undefined) this.#edits.set(id, open)
    return open
  }

  /** Every mailbox, in the order of their ids. */
  async all(): Promise<(MailboxRecord & { readonly id: number })[]> {
    const found: (MailboxRecord & { readonly id: number })[] = []
    let { from } = this.keys.mailboxes()
    const { to } = this.keys.mailboxes()
    for (;;) {
      const entries = await this.tx.range({ from, to }, READ_MAILBOXES)
      for (const { key, value } of entries) found.push({ ...decodeMailbox(value), id: parseMailboxKey(key).mailbox })
      const last = entries.at(-1)
      if (entries.length < READ_MAILBOXES || last === undefined) return found
      from = keyAfter(last.key)
    }
  }

  /** Creates a mailbox. The caller has checked that the name is free. */
  async create(name: string, specialUse: readonly SpecialUse[] = []): Promise<MailboxEdit> {
    const { tx, keys } = this
    const modseq = tx.takeModseq()
    const id = tx.head.nextMailboxId
    tx.head.nextMailboxId += 1
    const uidValidity = this.#takeUidValidity()
    const record = { name, uidValidity, specialUse, keywords: [], createdModseq: modseq, changedModseq: modseq }
    const edit = MailboxEdit.create(tx, keys, id, record, this.judgements)
    this.#edits.set(id, edit)
    await this.#setName(name, { mailbox: id, uidValidity, modseq })
    tx.log('created', id)
    return edit
  }

  /** Creates those mailboxes above a name that are missing. */
  async createParents(name: string): Promise<void> {
    for (const parent of parentNames(name)) {
      const record = await this.nameRecord(parent)
      if (record?.mailbox === undefined) await this.create(parent)
    }
  }

  /** Deletes a mailbox; its messages are left to the eraser. */
  async delete(edit: MailboxEdit): Promise<void> {
    const { tx, keys } = this
    const modseq = tx.takeModseq()
    const { name, uidValidity } = edit.record
    this.#edits.delete(edit.id)
    tx.delete(keys.mailbox(edit.id))
    tx.delete(keys.counters(edit.id))
    tx.head.octetsUsed -= edit.counters.sizeOctets
    await this.#setName(name, { mailbox: undefined, uidValidity, modseq })
    tx.add(keys.erase(tx.nowSeconds, modseq, edit.id), encodeErase({ kind: 'mailbox' }))
    tx.log('deleted', edit.id)
  }

  /** Gives mailboxes other names; all old names are given up before any new one is taken. */
  async rename(moves: readonly { readonly id: number; readonly to: string }[]): Promise<void> {
    const modseq = this.tx.takeModseq()
    const edits: { readonly edit: MailboxEdit; readonly to: string }[] = []
    for (const { id, to } of moves) {
      const edit = await this.open(id)
      if (edit === undefined) continue
      const { name, uidValidity } = edit.record
      await this.#setName(name, { mailbox: undefined, uidValidity, modseq })
      edits.push({ edit, to })
    }
    for (const { edit, to } of edits) {
      const former = (await this.nameRecord(to))?.uidValidity ?? 0
      const uidValidity = former > edit.record.uidValidity ? this.#takeUidValidity() : edit.record.uidValidity
      edit.setRecord({ ...edit.record, name: to, uidValidity, changedModseq: modseq })
      await this.#setName(to, { mailbox: edit.id, uidValidity, modseq })
      this.tx.log('renamed', edit.id)
    }
  }

  /** Puts what was changed in mailboxes. Once, at the end of the change. @returns judgements that were too many for it */
  async finish(): Promise<readonly NotedJudgement[]> {
    for (const edit of this.#edits.values()) edit.finish()
    return this.judgements.settle(this.tx, this.keys, async (name) => (await this.nameRecord(name))?.mailbox)
  }

  #takeUidValidity(): number {
    const { head, nowSeconds } = this.tx
    const taken = Math.max(head.nextUidValidity, nowSeconds)
    head.nextUidValidity = taken + 1
    return taken
  }

  async #setName(name: string, record: NameRecord): Promise<void> {
    const key = this.keys.name(name)
    const bucket = withNamed(decodeBucket(await this.tx.get(key)), name, encodeName(record))
    this.tx.putOrDelete(key, encodeBucket(bucket))
  }
}
