/**
 * The mail store as plain Maps and arrays: an independent, obviously correct implementation of the contracts of
 * core/store, to test engines against and to compare other stores with. Not a store to run a server on: it forgets
 * everything at exit, looks through everything at each call, and limits nothing.
 */
import type { Clock } from '../src/host/index.ts'
import type {
  AccountNotice,
  AccountStore,
  AppendResult,
  ArrivalCount,
  CopyResult,
  Correspondent,
  CreateResult,
  DeleteResult,
  EmailId,
  FilingPolicy,
  FlagSet,
  Judgement,
  KeepRejectResult,
  Mailbox,
  MailboxId,
  MailboxStatus,
  MailStore,
  ModSeq,
  NewMessage,
  OpenMailbox,
  RejectLimits,
  RenameResult,
  SenderIdentity,
  SpecialUse,
  Uid,
  UidRange,
} from '../src/store/index.ts'
import { layOutMessage, parentNames, parseMailboxName, StoreError } from '../src/store/index.ts'
import type { MemoryContent, MemoryPlace } from './memory-mailbox.ts'
import { MemoryMailbox, MemorySession, rangesOf } from './memory-mailbox.ts'
import { MemoryReception } from './memory-reception.ts'
import { createMemoryReportStore } from './memory-report-store.ts'
import { createMemorySpool } from './memory-spool.ts'
import { MemoryTraining } from './memory-training.ts'

const MAX_SECRET_OCTETS = 4000

/** One account of the memory double. */
export class MemoryAccount implements AccountStore {
  readonly name: string
  modseq = 0
  readonly contents = new Map<EmailId, MemoryContent>()
  readonly secrets = new Map<string, Uint8Array>()
  readonly #nowSeconds: () => number
  readonly #mailboxes = new Map<string, MemoryMailbox>()
  /** Highest UIDVALIDITY a name ever had. */
  readonly #formerUidValidity = new Map<string, number>()
  readonly #subscriptions = new Set<string>()
  readonly #listeners = new Set<(notice: AccountNotice) => void>()
  #nextMailboxId = 1
  #nextEmailId = 1
  nextUidValidity: number
  readonly reception = new MemoryReception()
  readonly training: MemoryTraining
  /** Kept rejects: by email id their digest and Message-ID. */
  readonly #rejects = new Map<EmailId, { readonly digest: string; readonly messageId: string | undefined }>()
  readonly #policy: () => FilingPolicy | undefined

  /** @param left told when something was left to be learned */
  constructor(name: string, nowSeconds: () => number, nextUidValidity: number, policy: () => FilingPolicy | undefined, left: () => void) {
    this.#policy = policy
    this.training = new MemoryTraining({ octetsOf: (emailId) => this.contents.get(emailId)?.octets, left })
    this.name = name
    this.#nowSeconds = nowSeconds
    this.nextUidValidity = nextUidValidity
    this.#add('INBOX', this.nextModseq(), [])
  }

  nextModseq(): number {
    this.modseq += 1
    return this.modseq
  }

  notify(): void {
    for (const listener of this.#listeners) listener({ modseq: this.modseq as ModSeq })
  }

  content(emailId: EmailId): MemoryContent {
    const content = this.contents.get(emailId)
    if (content === undefined) throw new StoreError('STORE_CORRUPT', 'Message without octets')
    return content
  }

  find(name: string): MemoryMailbox | undefined {
    const parsed = parseMailboxName(name)
    return parsed.kind === 'name' ? this.#mailboxes.get(parsed.name) : undefined
  }

  mailboxes(): Promise<readonly Mailbox[]> {
    const all = [...this.#mailboxes.values()].map((box) => box.mailbox)
    const rank = (mailbox: Mailbox): string => (mailbox.name === 'INBOX' ? '' : mailbox.name)
    return Promise.resolve(all.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)))
  }

  mailbox(name: string): Promise<Mailbox | undefined> {
    return Promise.resolve(this.find(name)?.mailbox)
  }

  status(ids: readonly MailboxId[]): Promise<readonly (MailboxStatus | undefined)[]> {
    const boxes = [...this.#mailboxes.values()]
    return Promise.resolve(ids.map((id) => boxes.find((box) => box.mailbox.id === id)?.status(this)))
  }

  create(name: string, options: { readonly specialUse?: readonly SpecialUse[] } = {}): Promise<CreateResult> {
    const parsed = parseMailboxName(name)
    if (parsed.kind === 'bad-name') return Promise.resolve(parsed)
    if (this.#mailboxes.has(parsed.name)) return Promise.resolve({ kind: 'exists' })
    const modseq = this.nextModseq()
    this.#addParents(parsed.name, modseq)
    const box = this.#add(parsed.name, modseq, options.specialUse ?? [])
    this.notify()
    return Promise.resolve({ kind: 'created', mailbox: box.mailbox })
  }

  delete(name: string): Promise<DeleteResult> {
    const box = this.find(name)
    if (box === undefined) return Promise.resolve({ kind: 'no-such-mailbox' })
    const own = box.mailbox.name
    if (own === 'INBOX') return Promise.resolve({ kind: 'inbox' })
    if ([...this.#mailboxes.keys()].some((other) => other.startsWith(`${own}/`))) {
      return Promise.resolve({ kind: 'has-children' })
    }
    this.nextModseq()
    box.exists = false
    this.#mailboxes.delete(own)
    this.forget()
    this.notify()
    return Promise.resolve({ kind: 'deleted' })
  }

  rename(from: string, to: string): Promise<RenameResult> {
    const parsed = parseMailboxName(to)
    if (parsed.kind === 'bad-name') return Promise.resolve(parsed)
    const box = this.find(from)
    if (box === undefined) return Promise.resolve({ kind: 'no-such-mailbox' })
    if (this.#mailboxes.has(parsed.name)) return Promise.resolve({ kind: 'exists' })
    const old = box.mailbox.name
    if (old === 'INBOX') {
      const modseq = this.nextModseq()
      this.#addParents(parsed.name, modseq)
      const target = this.#add(parsed.name, modseq, [])
      this.notify()
      this.transfer(box, [box.live], target, 'move')
      return Promise.resolve({ kind: 'renamed', mailbox: target.mailbox })
    }
    const tree = [...this.#mailboxes.values()].filter((each) => `${each.mailbox.name}/`.startsWith(`${old}/`))
    for (const each of tree) {
      const moved = parseMailboxName(parsed.name + each.mailbox.name.slice(old.length))
      if (moved.kind === 'bad-name') return Promise.resolve(moved)
    }
    const modseq = this.nextModseq()
    for (const each of tree) this.#mailboxes.delete(each.mailbox.name)
    for (const each of tree) {
      const name = parsed.name + each.mailbox.name.slice(old.length)
      const former = this.#formerUidValidity.get(name) ?? 0
      const uidValidity = former > each.mailbox.uidValidity ? this.#takeUidValidity() : each.mailbox.uidValidity
      each.mailbox = { ...each.mailbox, name, uidValidity }
      this.#mailboxes.set(name, each)
      this.#formerUidValidity.set(name, uidValidity)
    }
    this.#addParents(parsed.name, modseq)
    this.notify()
    return Promise.resolve({ kind: 'renamed', mailbox: box.mailbox })
  }

  subscriptions(): Promise<readonly string[]> {
    return Promise.resolve([...this.#subscriptions].sort())
  }

  setSubscribed(name: string, subscribed: boolean): Promise<void> {
    const parsed = parseMailboxName(name)
    if (parsed.kind === 'bad-name' || this.#subscriptions.has(parsed.name) === subscribed) return Promise.resolve()
    if (subscribed) this.#subscriptions.add(parsed.name)
    else this.#subscriptions.delete(parsed.name)
    this.nextModseq()
    this.notify()
    return Promise.resolve()
  }

  open(name: string, mode: 'read-write' | 'read-only'): Promise<OpenMailbox | undefined> {
    const box = this.find(name)
    return Promise.resolve(box === undefined ? undefined : new MemorySession(box, this, mode))
  }

  spool(): ReturnType<AccountStore['spool']> {
    return createMemorySpool()
  }

  async append(mailbox: string, messages: readonly NewMessage[]): Promise<AppendResult> {
    if (messages.length === 0) throw new RangeError('Nothing to append')
    if (this.find(mailbox) === undefined) return { kind: 'no-such-mailbox' }
    const contents = await Promise.all(messages.map((message) => this.#take(message)))
    const box = this.find(mailbox)
    if (box === undefined) return { kind: 'no-such-mailbox' }
    const modseq = this.nextModseq() as ModSeq
    const first = box.uidNext
    const nowSeconds = this.#nowSeconds()
    for (const [n, content] of contents.entries()) {
      const emailId = this.#nextEmailId as EmailId
      this.#nextEmailId += 1
      this.contents.set(emailId, content)
      const message = messages[n] as NewMessage
      if (message.reception !== undefined) this.reception.received(emailId, message.reception, box.mailbox.id, content.octets.length, nowSeconds)
      this.place(box, emailId, message, modseq)
      this.reception.wroteTo(this.#policy()?.correspondents(box.mailbox, content.structure.root.envelope ?? {}) ?? [], nowSeconds)
    }
    this.notify()
    return { kind: 'appended', mailbox: box.mailbox, uids: { first, last: box.uidNext - 1 } as UidRange, modseq }
  }

  /** Gives a message a place, with the flags the account wants there. @param before flags of the place it comes from */
  place(box: MemoryMailbox, emailId: EmailId, flagSet: FlagSet, modseq: number, before = 0): Uid {
    const wanted = this.#policy()?.flagsOnEntering(box.mailbox)
    const flags = wanted === undefined ? flagSet.flags : (flagSet.flags | wanted.set) & ~wanted.clear
    this.reception.judge(emailId, flags)
    this.training.judge(emailId, before, flags)
    return box.add(emailId, { flags, keywords: flagSet.keywords }, modseq, this.#nowSeconds())
  }

  judgements(mailbox: string, identities: readonly SenderIdentity[]): Promise<readonly (readonly Judgement[])[]> {
    const id = this.find(mailbox)?.mailbox.id
    return Promise.resolve(identities.map((identity) => (id === undefined ? [] : this.reception.judgements(id, identity))))
  }

  lastWroteTo(correspondents: readonly Correspondent[]): Promise<readonly (number | undefined)[]> {
    return Promise.resolve(correspondents.map((correspondent) => this.reception.lastWroteTo(correspondent)))
  }

  wroteTo(correspondents: readonly Correspondent[], seconds: number): Promise<void> {
    this.reception.wroteTo(correspondents, seconds)
    return Promise.resolve()
  }

  arrivals(sinceSeconds: number): Promise<readonly ArrivalCount[]> {
    return Promise.resolve(this.reception.arrivals(sinceSeconds, this.#nowSeconds()))
  }

  async keepReject(mailbox: string, message: NewMessage, digest: Uint8Array, limits: RejectLimits): Promise<KeepRejectResult> {
    if (this.find(mailbox) === undefined) {
      await this.create(mailbox)
      await this.setSubscribed(mailbox, true)
    }
    const box = this.find(mailbox)
    if (box === undefined) throw new RangeError('No mailbox for rejects can be made')
    const oldest = this.#nowSeconds() - limits.maxAgeSeconds
    this.#expunge(box, box.live.filter(({ saveDateSeconds }) => saveDateSeconds < oldest))
    const messageId = messageIdOf((await this.#take(message)).structure.root.envelope?.messageId)
    const text = Buffer.from(digest).toString('hex')
    const isThere = box.live.some(({ emailId }) => {
      const kept = this.#rejects.get(emailId)
      return kept !== undefined && (kept.digest === text || (messageId !== undefined && kept.messageId === messageId))
    })
    if (isThere) return { kind: 'duplicate' }
    if (box.live.length >= limits.maxMessages) return { kind: 'full' }
    const appended = await this.append(mailbox, [message])
    if (appended.kind === 'no-such-mailbox') throw new RangeError('The mailbox of rejects went')
    this.#rejects.set((this.#nextEmailId - 1) as EmailId, { digest: text, messageId })
    return { kind: 'kept', mailbox: appended.mailbox, uid: appended.uids.first }
  }

  forgetReject(mailbox: string, messageId: string): Promise<number> {
    const box = this.find(mailbox)
    const doomed = box?.live.filter(({ emailId }) => this.#rejects.get(emailId)?.messageId === messageId) ?? []
    if (box !== undefined) this.#expunge(box, doomed)
    return Promise.resolve(doomed.length)
  }

  #expunge(box: MemoryMailbox, doomed: readonly MemoryPlace[]): void {
    if (doomed.length === 0) return
    const modseq = this.nextModseq()
    for (const place of doomed) box.remove(place, modseq)
    this.notify()
    this.forget()
  }

  watch(listener: (notice: AccountNotice) => void): () => void {
    const own = (notice: AccountNotice): void => listener(notice)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Gives messages a place in `target`; each group at once. */
  transfer(
    from: MemoryMailbox,
    groups: readonly (readonly MemoryPlace[])[],
    target: MemoryMailbox,
    how: 'copy' | 'move',
  ): CopyResult {
    const source: number[] = []
    const destination: number[] = []
    for (const group of groups) {
      if (group.length === 0) continue
      const modseq = this.nextModseq()
      for (const place of group) {
        const flagSet = { flags: place.flags, keywords: from.keywordNames(place) }
        source.push(place.uid)
        if (target !== from) this.reception.released(place.emailId, (name) => this.find(name)?.mailbox.id)
        destination.push(this.place(target, place.emailId, flagSet, modseq, place.flags))
        if (how === 'move') from.remove(place, modseq)
      }
      this.notify()
    }
    this.forget()
    if (source.length === 0) return { kind: 'nothing' }
    const { uidValidity } = target.mailbox
    return { kind: 'copied', uidValidity, source: rangesOf(source), destination: rangesOf(destination) }
  }

  /** Drops the octets of messages that have no place, once every session was told that they went. */
  forget(): void {
    const needed = new Set<EmailId>()
    for (const box of this.#mailboxes.values()) {
      const told = Math.min(...[...box.sessions].map((session) => session.toldModseq))
      for (const place of box.places) {
        if (place.wentAt === undefined || place.wentAt > told) needed.add(place.emailId)
      }
    }
    for (const emailId of this.contents.keys()) if (!needed.has(emailId) && !this.training.doom(emailId)) this.contents.delete(emailId)
  }

  async #take(message: NewMessage): Promise<MemoryContent> {
    const layout = await layOutMessage(message)
    const rest = await message.message.read(layout.skipOctets, message.message.sizeOctets)
    const octets = new Uint8Array(Buffer.concat([layout.lead, rest]))
    const internalDate = message.internalDate ?? { seconds: this.#nowSeconds(), zoneMinutes: 0 }
    return { octets, structure: layout.structure, list: layout.list, internalDate }
  }

  #takeUidValidity(): number {
    const taken = Math.max(this.nextUidValidity, this.#nowSeconds())
    this.nextUidValidity = taken + 1
    return taken
  }

  #add(name: string, modseq: number, specialUse: readonly SpecialUse[]): MemoryMailbox {
    const uidValidity = this.#takeUidValidity()
    const id = this.#nextMailboxId as MailboxId
    this.#nextMailboxId += 1
    const box = new MemoryMailbox({ id, name, uidValidity, specialUse: [...specialUse] }, modseq)
    this.#mailboxes.set(name, box)
    this.#formerUidValidity.set(name, uidValidity)
    return box
  }

  #addParents(name: string, modseq: number): void {
    for (const parent of parentNames(name)) {
      if (!this.#mailboxes.has(parent)) this.#add(parent, modseq, [])
    }
  }
}

/** The first identifier of a Message-ID field, without brackets. */
function messageIdOf(field: Uint8Array | undefined): string | undefined {
  return field === undefined ? undefined : /<([^>]+)>/.exec(Buffer.from(field).toString('latin1'))?.[1]
}

/**
 * Creates an empty store in memory. @param options.clock time for internal dates and UIDVALIDITY; default: the
 * machine's
 */
export function createMemoryStore(options: { readonly clock?: Clock } = {}): MailStore {
  const accounts = new Map<string, MemoryAccount>()
  const formerNextUidValidity = new Map<string, number>()
  const nowSeconds = (): number => Math.floor((options.clock?.now() ?? Date.now()) / 1000)
  let policyOf: (account: string) => FilingPolicy | undefined = () => undefined
  const trainers = new Set<(account: string) => void>()
  let closed = false
  const checkOpen = (): void => {
    if (closed) throw new StoreError('STORE_CLOSED', 'The store is closed')
  }
  return {
    info: { engine: 'memory-double', shared: false, durable: 'never' },
    async accounts() {
      checkOpen()
      return [...accounts.keys()].sort()
    },
    async account(name) {
      checkOpen()
      return accounts.get(name)
    },
    async createAccount(name) {
      checkOpen()
      if (accounts.has(name)) throw new StoreError('STORE_EXISTS', 'There is an account of that name')
      const account = new MemoryAccount(name, nowSeconds, formerNextUidValidity.get(name) ?? 1, () => policyOf(name), () => {
        for (const listener of trainers) listener(name)
      })
      accounts.set(name, account)
      return account
    },
    async removeAccount(name) {
      checkOpen()
      const account = accounts.get(name)
      if (account === undefined) return false
      formerNextUidValidity.set(name, account.nextUidValidity)
      return accounts.delete(name)
    },
    async secret(account, kind) {
      checkOpen()
      return accounts.get(account)?.secrets.get(kind)?.slice()
    },
    async saveSecret(account, kind, octets) {
      checkOpen()
      const found = accounts.get(account)
      if (found === undefined) throw new RangeError('No such account')
      if (octets === undefined) return void found.secrets.delete(kind)
      if (octets.length > MAX_SECRET_OCTETS) throw new RangeError('A secret has at most 4,000 octets')
      found.secrets.set(kind, octets.slice())
    },
    usePolicy(given) {
      policyOf = given
    },
    reports: createMemoryReportStore({ assertOpen: checkOpen }),
    watchTraining(listener) {
      const own = (account: string): void => listener(account)
      trainers.add(own)
      return () => void trainers.delete(own)
    },
    spool: () => createMemorySpool(),
    get accepting() {
      return !closed
    },
    async close() {
      closed = true
    },
  }
}
