/** An account's mail: fulfils core's `AccountStore` over one writer and one reader. */
import type { Clock, Logger, Random } from '@postern/core/host'
import type {
  AccountNotice,
  AccountStore,
  AppendResult,
  ArrivalCount,
  Correspondent,
  CreateResult,
  DeleteResult,
  FilingPolicy,
  Judgement,
  KeepRejectResult,
  Mailbox,
  MailboxId,
  MailboxSnapshot,
  MailboxStatus,
  ModSeq,
  NewMessage,
  OpenMailbox,
  RejectLimits,
  RenameResult,
  SenderIdentity,
  SpecialUse,
  Spool,
  Uid,
  UidRange,
} from '@postern/core/store'
import { MAX_UID, StoreError, parseMailboxName } from '@postern/core/store'
import { AccountReception, readJudgements } from './account-reception.ts'
import type { AccountTables } from './account-tables.ts'
import { StoredTraining } from './account-training.ts'
import { AccountWriter } from './account-writer.ts'
import { AccountKeys, parseMailboxKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { mailboxOf } from './mailbox-edit.ts'
import type { CountersRecord, MailboxRecord } from './mailbox-records.ts'
import { decodeCounters, decodeMailbox } from './mailbox-records.ts'
import { MailboxSession, moveMessages } from './mailbox.ts'
import type { BlobPlace, PreparedMessage } from './message-writer.ts'
import { appendMessages } from './message-append.ts'
import { prepareMessages } from './message-writer.ts'
import { decodeBucket, decodeName, encodeBucket, findNamed, lookUpNamed, withNamed } from './named-records.ts'
import type { OrderedStore, Reader } from './ordered-store.ts'
import { SessionRegister } from './session-register.ts'
import type { TablesSource } from './tables-change.ts'
import { changeTables } from './tables-change.ts'
import { ViewCache } from './view-cache.ts'

const READ_MAILBOXES = 128
const READ_SUBSCRIPTIONS = 256
const NOTHING = new Uint8Array(0)

/** What accounts of a store share. */
export interface AccountHost {
  readonly store: OrderedStore
  readonly blobs: BlobPlace
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly spool: () => Spool
  /** Whether there is room for mail. Default: always. */
  readonly hasRoom?: () => boolean
  /** What owners want done with messages that get a place. */
  readonly policyOf: (account: string) => FilingPolicy | undefined
  /** Told after commits that left something to be learned. */
  readonly leftToLearn: (account: string) => void
}

export class Account implements AccountStore {
  readonly name: string
  readonly keys: AccountKeys
  readonly writer: AccountWriter
  readonly training: StoredTraining
  readonly sessions = new SessionRegister()
  readonly #host: AccountHost
  readonly #views: ViewCache
  readonly #reception: AccountReception
  readonly #listeners = new Set<(notice: AccountNotice) => void>()
  /** Told when there is something to erase. */
  readonly #expunged: () => void

  constructor(name: string, number: number, host: AccountHost, expunged: () => void) {
    this.name = name
    this.keys = new AccountKeys(number)
    this.#host = host
    this.#expunged = expunged
    const { store, clock, random, logger } = host
    this.writer = new AccountWriter({
      store,
      keys: this.keys,
      clock,
      random,
      logger,
      committed: (entries) => {
        for (const { kind, mailbox } of entries) if (kind === 'deleted') this.#views.forget(mailbox)
        if (entries.some(({ kind }) => kind === 'expunged' || kind === 'deleted')) this.#expunged()
      },
      notify: (modseq) => this.#notify(modseq),
    })
    this.#views = new ViewCache(store, this.keys, (run) => this.writer.change(run))
    this.training = new StoredTraining({ store, blobs: host.blobs, keys: this.keys, writer: this.writer, logger })
    this.#reception = new AccountReception(store, this.#tablesSource(), clock)
  }

  /** Someone watches it, or has a mailbox open: it must not be forgotten. */
  get isHeld(): boolean {
    return this.#listeners.size > 0 || this.sessions.size > 0
  }

  async mailboxes(): Promise<readonly Mailbox[]> {
    const found: Mailbox[] = []
    let { from } = this.keys.mailboxes()
    const { to } = this.keys.mailboxes()
    for (;;) {
      const entries = await this.#host.store.range({ from, to, limit: READ_MAILBOXES })
      for (const { key, value } of entries) found.push(mailboxOf(parseMailboxKey(key).mailbox, decodeMailbox(value)))
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ_MAILBOXES) break
      from = keyAfter(last.key)
    }
    const rank = (mailbox: Mailbox): string => (mailbox.name === 'INBOX' ? '' : mailbox.name)
    return found.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  }

  async mailbox(name: string): Promise<Mailbox | undefined> {
    const parsed = parseMailboxName(name)
    if (parsed.kind === 'bad-name') return undefined
    return await this.#read((reader) => {
      const found = this.#find(reader, parsed.name)
      return found === undefined ? undefined : mailboxOf(found.id, found.record)
    })
  }

  async status(ids: readonly MailboxId[]): Promise<readonly (MailboxStatus | undefined)[]> {
    return await this.#read((reader) =>
      ids.map((id) => {
        const [record, counters] = [reader.get(this.keys.mailbox(id)), reader.get(this.keys.counters(id))]
        if (record === undefined || counters === undefined) return undefined
        return statusOf(decodeMailbox(record), decodeCounters(counters))
      }),
    )
  }

  async create(name: string, options: { readonly specialUse?: readonly SpecialUse[] } = {}): Promise<CreateResult> {
    const parsed = parseMailboxName(name)
    if (parsed.kind === 'bad-name') return parsed
    return await this.#change(async (tables): Promise<CreateResult> => {
      if ((await tables.find(parsed.name)) !== undefined) return { kind: 'exists' }
      await tables.createParents(parsed.name)
      const { mailbox } = await tables.create(parsed.name, options.specialUse)
      return { kind: 'created', mailbox }
    })
  }

  async delete(name: string): Promise<DeleteResult> {
    const parsed = parseMailboxName(name)
    if (parsed.kind === 'bad-name') return { kind: 'no-such-mailbox' }
    if (parsed.name === 'INBOX') return { kind: 'inbox' }
    return await this.#change(async (tables): Promise<DeleteResult> => {
      const edit = await tables.find(parsed.name)
      if (edit === undefined) return { kind: 'no-such-mailbox' }
      const all = await tables.all()
      if (all.some((other) => other.name.startsWith(`${parsed.name}/`))) return { kind: 'has-children' }
      await tables.delete(edit)
      return { kind: 'deleted' }
    })
  }

  async rename(from: string, to: string): Promise<RenameResult> {
    const target = parseMailboxName(to)
    if (target.kind === 'bad-name') return target
    const source = parseMailboxName(from)
    if (source.kind === 'bad-name') return { kind: 'no-such-mailbox' }
    if (source.name === 'INBOX') return await this.#renameInbox(target.name)
    return await this.#change(async (tables): Promise<RenameResult> => {
      const edit = await tables.find(source.name)
      if (edit === undefined) return { kind: 'no-such-mailbox' }
      if ((await tables.find(target.name)) !== undefined) return { kind: 'exists' }
      const moves: { readonly id: number; readonly to: string }[] = []
      for (const { id, name } of await tables.all()) {
        if (name !== source.name && !name.startsWith(`${source.name}/`)) continue
        const moved = parseMailboxName(target.name + name.slice(source.name.length))
        if (moved.kind === 'bad-name') return moved
        moves.push({ id, to: moved.name })
      }
      await tables.rename(moves)
      await tables.createParents(target.name)
      return { kind: 'renamed', mailbox: edit.mailbox }
    })
  }

  /** The inbox's messages move to a new mailbox and it stays. RFC 9051 §6.3.6 */
  async #renameInbox(to: string): Promise<RenameResult> {
    const result = await this.#change(async (tables): Promise<RenameResult & { readonly inbox?: number }> => {
      const inbox = await tables.find('INBOX')
      if (inbox === undefined) return { kind: 'no-such-mailbox' }
      if ((await tables.find(to)) !== undefined) return { kind: 'exists' }
      await tables.createParents(to)
      const { mailbox } = await tables.create(to)
      return { kind: 'renamed', mailbox, inbox: inbox.id }
    })
    const { inbox, ...told } = result
    if (inbox !== undefined) await moveMessages(this.#tablesSource(), inbox, [{ first: 1 as Uid, last: MAX_UID }], to)
    return told
  }

  async subscriptions(): Promise<readonly string[]> {
    const names: string[] = []
    let { from } = this.keys.subscriptions()
    const { to } = this.keys.subscriptions()
    for (;;) {
      const entries = await this.#host.store.range({ from, to, limit: READ_SUBSCRIPTIONS })
      for (const { value } of entries) for (const { name } of decodeBucket(value)) names.push(name)
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ_SUBSCRIPTIONS) return names.sort()
      from = keyAfter(last.key)
    }
  }

  async setSubscribed(name: string, subscribed: boolean): Promise<void> {
    const parsed = parseMailboxName(name)
    if (parsed.kind === 'bad-name') return
    const key = this.keys.subscription(parsed.name)
    await this.writer.change(async (tx) => {
      const bucket = decodeBucket(await tx.get(key))
      if ((findNamed(bucket, parsed.name) !== undefined) === subscribed) return
      tx.takeModseq()
      tx.putOrDelete(key, encodeBucket(withNamed(bucket, parsed.name, subscribed ? NOTHING : undefined)))
    })
  }

  async open(name: string, mode: 'read-write' | 'read-only'): Promise<OpenMailbox | undefined> {
    const parsed = parseMailboxName(name)
    if (parsed.kind === 'bad-name') return undefined
    const found = await this.#read((reader) => {
      const box = this.#find(reader, parsed.name)
      const counters = box === undefined ? undefined : reader.get(this.keys.counters(box.id))
      if (box === undefined || counters === undefined) return undefined
      return { id: box.id, counters: decodeCounters(counters) }
    })
    if (found === undefined) return undefined
    const { recentFrom, uidNext } = found.counters
    const recent = mode === 'read-write' && recentFrom < uidNext ? await this.#claimRecent(found.id) : undefined
    const claim = this.sessions.claim(found.id)
    try {
      const view = await this.#views.open(found.id)
      if (view !== undefined) {
        const { head, record, counters, uids, firstUnseen } = view
        const snapshot: MailboxSnapshot = {
          mailbox: mailboxOf(found.id, record),
          status: statusOf(record, counters),
          uids,
          modseq: head.modseq as ModSeq,
          firstUnseen: firstUnseen as Uid | undefined,
          recent,
          keywords: record.keywords,
        }
        return new MailboxSession(this.#sessionSource(), snapshot, claim)
      }
    } catch (cause) {
      this.sessions.release(claim)
      throw cause
    }
    this.sessions.release(claim)
    return undefined
  }

  spool(): Spool {
    return this.#host.spool()
  }

  async append(mailbox: string, messages: readonly NewMessage[]): Promise<AppendResult> {
    if (messages.length === 0) throw new RangeError('Nothing to append')
    if (this.#host.hasRoom?.() === false) throw new StoreError('STORE_FULL', 'No room for mail is left on the disk')
    const parsed = parseMailboxName(mailbox)
    if (parsed.kind === 'bad-name') return { kind: 'no-such-mailbox' }
    const prepared = await this.#prepare(messages, async () => (await this.mailbox(parsed.name)) !== undefined)
    if (prepared === undefined) return { kind: 'no-such-mailbox' }
    const octets = prepared.reduce((sum, message) => sum + message.octets, 0)
    return await this.#change(async (tables): Promise<AppendResult> => {
      const edit = await tables.find(parsed.name)
      return edit === undefined ? { kind: 'no-such-mailbox' } : await appendMessages(tables, edit, messages, prepared)
    }, octets)
  }

  async judgements(mailbox: string, identities: readonly SenderIdentity[]): Promise<readonly (readonly Judgement[])[]> {
    const parsed = parseMailboxName(mailbox)
    return await this.#read((reader) => {
      const id = parsed.kind === 'name' ? this.#idOf(reader, parsed.name) : undefined
      return readJudgements(reader, this.keys, id, identities)
    })
  }

  lastWroteTo(correspondents: readonly Correspondent[]): Promise<readonly (number | undefined)[]> {
    return this.#reception.lastWroteTo(correspondents)
  }

  wroteTo(correspondents: readonly Correspondent[], seconds: number): Promise<void> {
    return this.#reception.wroteTo(correspondents, seconds)
  }

  arrivals(sinceSeconds: number): Promise<readonly ArrivalCount[]> {
    return this.#reception.arrivals(sinceSeconds)
  }

  async keepReject(mailbox: string, message: NewMessage, digest: Uint8Array, limits: RejectLimits): Promise<KeepRejectResult> {
    const parsed = parseMailboxName(mailbox)
    if (parsed.kind === 'bad-name') throw new RangeError(`No mailbox can be called ${JSON.stringify(mailbox)}`)
    if (this.#host.hasRoom?.() === false) return { kind: 'full' }
    const prepared = await this.#prepare([message], () => Promise.resolve(true))
    if (prepared === undefined) throw new RangeError('A message is always prepared')
    return await this.#reception.keepReject(parsed.name, message, prepared, digest, limits)
  }

  async forgetReject(mailbox: string, messageId: string): Promise<number> {
    const parsed = parseMailboxName(mailbox)
    return parsed.kind === 'bad-name' ? 0 : await this.#reception.forgetReject(parsed.name, messageId)
  }

  watch(listener: (notice: AccountNotice) => void): () => void {
    const own = (notice: AccountNotice): void => listener(notice)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Something is there to be learned. */
  noteLeft(): void {
    this.#host.leftToLearn(this.name)
  }

  /** Waits for what is under way; changes asked for later are refused. */
  async close(): Promise<void> {
    await this.training.close()
    await this.writer.close(new StoreError('STORE_CLOSED', 'The account is closed'))
  }

  /**
   * Whose recent messages they are is no reason to refuse reading when nothing can be written: then they stay
   * unclaimed.
   */
  async #claimRecent(id: number): Promise<UidRange | undefined> {
    try {
      const claimed = await this.#change(async (tables) => (await tables.open(id))?.claimRecent())
      return claimed === undefined ? undefined : ({ first: claimed.first, last: claimed.end - 1 } as UidRange)
    } catch (error) {
      if (error instanceof StoreError) return undefined
      throw error
    }
  }

  #prepare(messages: readonly NewMessage[], exists: () => Promise<boolean>): Promise<readonly PreparedMessage[] | undefined> {
    const { blobs } = this.#host
    return prepareMessages(messages, { blobs, account: this.keys.account, exists, takeEmailId: () => this.#takeEmailId() })
  }

  async #takeEmailId(): Promise<number> {
    return await this.writer.change(async (tx) => {
      const emailId = tx.head.nextEmailId
      tx.head.nextEmailId += 1
      return emailId
    })
  }

  /** A change of mailboxes, whose edits are put at its end. */
  #change<T>(run: (tables: AccountTables) => Promise<T>, octets = 0): Promise<T> {
    return changeTables(this.#tablesSource(), run, octets)
  }

  #tablesSource(): TablesSource {
    return { writer: this.writer, keys: this.keys, policy: () => this.#host.policyOf(this.name), left: () => this.noteLeft() }
  }

  #read<T>(run: (reader: Reader) => T): Promise<T> {
    return this.#host.store.read(this.keys.partition, run)
  }

  #find(reader: Reader, name: string): { readonly id: number; readonly record: MailboxRecord } | undefined {
    const id = this.#idOf(reader, name)
    const record = id === undefined ? undefined : reader.get(this.keys.mailbox(id))
    return id === undefined || record === undefined ? undefined : { id, record: decodeMailbox(record) }
  }

  #idOf(reader: Reader, name: string): number | undefined {
    return reader.look(this.keys.name(name), (octets) => {
      const record = lookUpNamed(octets, name)
      return record === undefined ? undefined : decodeName(record).mailbox
    })
  }

  #sessionSource(): ConstructorParameters<typeof MailboxSession>[0] {
    const { store, blobs } = this.#host
    return { store, blobs, sessions: this.sessions, ...this.#tablesSource() }
  }

  #notify(modseq: number): void {
    for (const listener of this.#listeners) {
      try {
        listener({ modseq: modseq as ModSeq })
      } catch (cause) {
        this.#host.logger.error({ err: cause, account: this.name }, 'Listener of an account failed')
      }
    }
  }
}

function statusOf({ uidValidity }: MailboxRecord, counters: CountersRecord): MailboxStatus {
  return {
    messages: counters.total,
    unseen: counters.unseen,
    deleted: counters.deleted,
    sizeOctets: counters.sizeOctets,
    uidNext: counters.uidNext as Uid,
    uidValidity,
    highestModseq: counters.highestModseq as ModSeq,
    recent: counters.recent,
  }
}
