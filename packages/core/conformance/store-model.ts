/**
 * Randomized cases of the store suite: seeded operations of several sessions, applied to the store and to a plain
 * model of it. Whatever happened, each session's view plus `changesSince` is the mailbox, counts are recounts, and
 * what a session was not told is still readable.
 */
import assert from 'node:assert/strict'
import type {
  AccountStore,
  FlagChange,
  MailStore,
  MessageRow,
  ModSeq,
  OpenMailbox,
  UidRanges,
} from '../src/store/index.ts'
import { Flag } from '../src/store/index.ts'
import type { StoreCase } from './mail-store.ts'
import { ALL, append, letter, listed, newAccount, only, opened, rows, status, text, uidsOf } from './store-steps.ts'

/** One message as the model knows it. */
interface Known {
  readonly flags: number
  /** Lower case, sorted, joined. */
  readonly keywords: string
  readonly octets: string
}

/** A mailbox of the model. */
interface ModelMailbox {
  uidNext: number
  readonly messages: Map<number, Known>
}

/** A session and what its client was told. */
interface Client {
  mailbox: string
  open: OpenMailbox
  at: ModSeq
  readonly view: Map<number, { readonly flags: number; readonly keywords: string; readonly octets?: string }>
}

const KEYWORDS = ['Blue', 'red', 'GREEN', 'project-x']
const FLAGS = [Flag.seen, Flag.answered, Flag.flagged, Flag.deleted, Flag.draft, Flag.junk]
const NAMES = ['INBOX', 'a', 'a/b', 'c']
const CLIENTS = 4

/** Small, fast, seeded; the same run for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function keywordsOf(row: MessageRow, names: readonly string[]): string {
  const found = names.filter((_, n) => n < 32 && Math.floor(row.keywordBits / 2 ** n) % 2 === 1)
  return folded([...found, ...(row.wideKeywords ?? [])])
}

function folded(keywords: Iterable<string>): string {
  return [...new Set([...keywords].map((keyword) => keyword.toLowerCase()))].sort().join(' ')
}

function changedFlags(before: Known, change: FlagChange): Known {
  const had = new Set(before.keywords === '' ? [] : before.keywords.split(' '))
  const given = new Set(change.keywords.map((keyword) => keyword.toLowerCase()))
  if (change.mode === 'replace') return { ...before, flags: change.flags, keywords: folded(given) }
  if (change.mode === 'add') {
    return { ...before, flags: before.flags | change.flags, keywords: folded([...had, ...given]) }
  }
  const kept = [...had].filter((keyword) => !given.has(keyword))
  return { ...before, flags: before.flags & ~change.flags, keywords: folded(kept) }
}

/** One random run. */
class Run {
  readonly #random: (below: number) => number
  readonly #model = new Map<string, ModelMailbox>()
  readonly #clients: Client[] = []
  #account: AccountStore
  #letters = 0

  private constructor(account: AccountStore, seed: number) {
    this.#account = account
    this.#random = createRandom(seed)
  }

  static async start(store: MailStore, seed: number): Promise<Run> {
    const run = new Run(await newAccount(store, 'a/b', 'c'), seed)
    for (const name of NAMES) run.#model.set(name, { uidNext: 1, messages: new Map() })
    for (let n = 0; n < CLIENTS; n += 1) run.#clients.push(await run.#connect())
    return run
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random(from.length)] as T
  }

  #box(name: string): ModelMailbox {
    const box = this.#model.get(name)
    assert(box !== undefined)
    return box
  }

  async #connect(): Promise<Client> {
    const mailbox = this.#pick([...this.#model.keys()])
    const open = await opened(this.#account, mailbox, this.#pick(['read-write', 'read-only']))
    const box = this.#box(mailbox)
    assert.deepEqual([...open.snapshot.uids], [...box.messages.keys()])
    assert.equal(open.snapshot.status.uidNext, box.uidNext)
    const unseen = [...box.messages].find(([, known]) => (known.flags & Flag.seen) === 0)
    assert.equal(open.snapshot.firstUnseen, unseen?.[0])
    return { mailbox, open, at: open.snapshot.modseq, view: new Map(box.messages) }
  }

  /** UIDs a client may name: of its view, unknown ones, ranges that span gaps. */
  #someUids(client: Client): UidRanges {
    const known = [...client.view.keys(), this.#box(client.mailbox).uidNext + 5]
    if (this.#random(4) === 0) return ALL
    return only(...known.filter(() => this.#random(3) === 0))
  }

  #live(client: Client, uids: UidRanges): readonly (readonly [number, Known])[] {
    const inSet = (uid: number): boolean => uids.some((range) => range.first <= uid && uid <= range.last)
    return [...this.#box(client.mailbox).messages].filter(([uid]) => inSet(uid))
  }

  async step(): Promise<void> {
    const client = this.#pick(this.#clients)
    const kind = this.#random(100)
    if (kind < 22) await this.#append()
    else if (kind < 40) await this.#store(client)
    else if (kind < 48) await this.#expunge(client)
    else if (kind < 58) await this.#transfer(client, 'copy')
    else if (kind < 68) await this.#transfer(client, 'move')
    else if (kind < 86) await this.sync(client)
    else if (kind < 92) await this.#readOn(client)
    else if (kind < 96) await this.#reconnect(client)
    else if (kind < 98) await this.#recreate()
    else await this.#rename()
  }

  async #append(): Promise<void> {
    const mailbox = this.#pick([...this.#model.keys()])
    const box = this.#box(mailbox)
    this.#letters += 1
    const long = this.#random(20) === 0 ? 20_000 : this.#random(300)
    const octets = letter(`number ${this.#letters}`, 'x'.repeat(long))
    const flags = this.#random(2) * this.#pick(FLAGS)
    const keywords = this.#random(3) === 0 ? [this.#pick(KEYWORDS)] : []
    assert.equal(await append(this.#account, mailbox, octets, { flags, keywords }), box.uidNext)
    box.messages.set(box.uidNext, { flags, keywords: folded(keywords), octets })
    box.uidNext += 1
  }

  async #store(client: Client): Promise<void> {
    const change: FlagChange = {
      mode: this.#pick(['replace', 'add', 'remove']),
      flags: this.#pick(FLAGS) | (this.#random(3) === 0 ? Flag.deleted : 0),
      keywords: this.#random(2) === 0 ? [this.#pick(KEYWORDS), this.#pick(KEYWORDS)] : [],
    }
    const uids = this.#someUids(client)
    const live = this.#live(client, uids)
    const result = await client.open.storeFlags(uids, change)
    assert.deepEqual(
      uidsOf(result.rows),
      live.map(([uid]) => uid),
    )
    for (const [n, [uid, known]] of live.entries()) {
      const now = changedFlags(known, change)
      this.#box(client.mailbox).messages.set(uid, now)
      const row = result.rows[n] as MessageRow
      assert.deepEqual([row.flags, keywordsOf(row, result.keywords)], [now.flags, now.keywords])
    }
  }

  async #expunge(client: Client): Promise<void> {
    const uids = this.#random(2) === 0 ? undefined : this.#someUids(client)
    const doomed = this.#live(client, uids ?? ALL).filter(([, known]) => (known.flags & Flag.deleted) !== 0)
    assert.deepEqual(
      listed(await client.open.expunge(uids)),
      doomed.map(([uid]) => uid),
    )
    for (const [uid] of doomed) this.#box(client.mailbox).messages.delete(uid)
  }

  async #transfer(client: Client, how: 'copy' | 'move'): Promise<void> {
    const destination = this.#pick([...this.#model.keys()])
    const uids = this.#someUids(client)
    const live = this.#live(client, uids)
    const target = this.#box(destination)
    const result = await client.open[how](uids, destination)
    if (live.length === 0) return assert.equal(result.kind, 'nothing')
    assert(result.kind === 'copied')
    assert.deepEqual(
      listed(result.source),
      live.map(([uid]) => uid),
    )
    assert.deepEqual(
      listed(result.destination),
      live.map((_, n) => target.uidNext + n),
    )
    for (const [uid, known] of live) {
      target.messages.set(target.uidNext, known)
      target.uidNext += 1
      if (how === 'move') this.#box(client.mailbox).messages.delete(uid)
    }
  }

  /** Brings a client's view up to date and compares it with the model. */
  async sync(client: Client): Promise<void> {
    const changes = await client.open.changesSince(client.at)
    assert(changes.exists)
    const before = new Set(client.view.keys())
    for (const uid of listed(changes.vanished)) assert(client.view.delete(uid), `${uid} vanished, but was never there`)
    for (const row of changes.changed) assert(before.has(row.uid), `${row.uid} changed, but was never there`)
    for (const row of changes.arrived) assert(!before.has(row.uid), `${row.uid} arrived twice`)
    for (const row of [...changes.changed, ...changes.arrived]) {
      client.view.set(row.uid, { flags: row.flags, keywords: keywordsOf(row, changes.keywords) })
    }
    const box = this.#box(client.mailbox)
    assert.equal(changes.uidNext, box.uidNext)
    const viewed = [...client.view].map(([uid, { flags, keywords }]) => ({ uid, flags, keywords }))
    const real = [...box.messages].map(([uid, { flags, keywords }]) => ({ uid, flags, keywords }))
    assert.deepEqual(viewed, real)
    for (const [uid, known] of box.messages) client.view.set(uid, known)
    client.at = changes.upTo
    if (this.#random(3) > 0) client.open.told(changes.upTo)
  }

  /** Reads by a view that may be behind. */
  async #readOn(client: Client): Promise<void> {
    const found = new Map((await rows(client.open)).map((row) => [row.uid as number, row]))
    for (const [uid, { octets }] of client.view) {
      const row = found.get(uid)
      assert(row !== undefined, `Message ${uid} can't be read any more`)
      assert.equal(row.sizeOctets, octets?.length)
      if (this.#random(4) === 0) assert.equal(await text(client.open, row.emailId), octets)
    }
  }

  async #reconnect(client: Client): Promise<void> {
    client.open.close()
    this.#clients[this.#clients.indexOf(client)] = await this.#connect()
  }

  async #recreate(): Promise<void> {
    const name = this.#pick([...this.#model.keys()].filter((each) => each !== 'INBOX' && !this.#hasChildren(each)))
    const former = await this.#account.mailbox(name)
    assert.equal((await this.#account.delete(name)).kind, 'deleted')
    assert.equal((await this.#account.create(name)).kind, 'created')
    const now = await this.#account.mailbox(name)
    assert((now?.uidValidity ?? 0) > (former?.uidValidity ?? 0))
    this.#model.set(name, { uidNext: 1, messages: new Map() })
    for (const client of this.#clients.filter((each) => each.mailbox === name)) {
      assert.equal((await client.open.changesSince(client.at)).exists, false)
      assert.deepEqual(await rows(client.open), [])
      await this.#reconnect(client)
    }
  }

  #hasChildren(name: string): boolean {
    return [...this.#model.keys()].some((each) => each.startsWith(`${name}/`))
  }

  async #rename(): Promise<void> {
    const from = this.#pick([...this.#model.keys()].filter((each) => each !== 'INBOX' && !this.#hasChildren(each)))
    const to = this.#pick(['c', 'd', 'e/f', 'a/b'])
    const result = await this.#account.rename(from, to)
    if (this.#model.has(to)) return assert.equal(result.kind, 'exists')
    assert(result.kind === 'renamed')
    const box = this.#box(from)
    this.#model.delete(from)
    this.#model.set(to, box)
    for (const { name } of await this.#account.mailboxes()) {
      if (!this.#model.has(name)) this.#model.set(name, { uidNext: 1, messages: new Map() })
    }
    for (const client of this.#clients) if (client.mailbox === from) client.mailbox = to
  }

  /** Everything is as the model has it. */
  async check(): Promise<void> {
    for (const client of this.#clients) await this.sync(client)
    for (const [name, box] of this.#model) {
      const now = await status(this.#account, name)
      const all = [...box.messages.values()]
      assert.deepEqual(
        [now.messages, now.unseen, now.deleted, now.sizeOctets, now.uidNext],
        [
          all.length,
          all.filter((known) => (known.flags & Flag.seen) === 0).length,
          all.filter((known) => (known.flags & Flag.deleted) !== 0).length,
          all.reduce((sum, known) => sum + known.octets.length, 0),
          box.uidNext,
        ],
        name,
      )
      const open = await opened(this.#account, name, 'read-only')
      for (const row of await rows(open)) {
        assert.equal(await text(open, row.emailId), box.messages.get(row.uid)?.octets)
        assert(row.modseq <= now.highestModseq)
      }
      open.close()
    }
  }

  async restart(reopen: () => Promise<MailStore>): Promise<void> {
    const account = await (await reopen()).account('ann')
    assert(account !== undefined)
    this.#account = account
    this.#clients.length = 0
    for (let n = 0; n < CLIENTS; n += 1) this.#clients.push(await this.#connect())
  }
}

/** Everybody at once: the order is the store's affair, the end must add up. */
async function runTogether(store: MailStore, seed: number): Promise<void> {
  const random = createRandom(seed)
  const account = await newAccount(store, 'a', 'c')
  const names = ['INBOX', 'a', 'c']
  const clients: Client[] = []
  for (let n = 0; n < 6; n += 1) {
    const open = await opened(account, names[n % 3])
    clients.push({ mailbox: names[n % 3] as string, open, at: open.snapshot.modseq, view: new Map() })
  }
  for (let round = 0; round < 12; round += 1) {
    await Promise.all(
      clients.flatMap((client, n) => {
        const uids = random(2) === 0 ? ALL : only(1 + random(8), 10 + random(8), 20 + random(20))
        const flags = random(2) === 0 ? Flag.deleted : Flag.seen
        return [
          append(account, client.mailbox, letter(`round ${round} client ${n}`)),
          client.open.storeFlags(uids, { mode: random(2) === 0 ? 'add' : 'remove', flags, keywords: [] }),
          random(3) === 0 ? client.open.copy(only(1 + random(30)), names[random(3)] as string) : undefined,
          random(3) === 0 ? client.open.move(only(1 + random(30)), names[random(3)] as string) : undefined,
          random(4) === 0 ? client.open.expunge() : undefined,
          catchUp(client),
        ]
      }),
    )
    for (const client of clients) {
      await catchUp(client)
      const now = await rows(client.open)
      const viewed = [...client.view].sort(([a], [b]) => a - b).map(([uid, { flags }]) => [uid, flags])
      client.open.told(client.at)
      assert.deepEqual(
        viewed,
        (await rows(client.open)).map((row) => [row.uid, row.flags]),
      )
      assert(now.length >= viewed.length)
      const counted = await status(account, client.mailbox)
      assert.deepEqual(
        [counted.messages, counted.unseen, counted.deleted],
        [
          viewed.length,
          viewed.filter(([, flags]) => ((flags as number) & Flag.seen) === 0).length,
          viewed.filter(([, flags]) => ((flags as number) & Flag.deleted) !== 0).length,
        ],
      )
    }
  }
}

async function catchUp(client: Client): Promise<void> {
  const since = client.at
  const changes = await client.open.changesSince(since)
  if (client.at !== since) return
  for (const uid of listed(changes.vanished)) assert(client.view.delete(uid), `${uid} vanished, but was never there`)
  for (const row of changes.changed) assert(client.view.has(row.uid), `${row.uid} changed, but was never there`)
  for (const row of changes.arrived) assert(!client.view.has(row.uid), `${row.uid} arrived twice`)
  for (const { uid, flags } of [...changes.changed, ...changes.arrived]) client.view.set(uid, { flags, keywords: '' })
  client.at = changes.upTo
}

const seeds = [1, 2, 3, 4, 5, 6]

export const modelCases: readonly StoreCase[] = [
  ...seeds.map(
    (seed): StoreCase => [
      `random operations agree with a plain model (seed ${seed})`,
      async (store) => {
        const run = await Run.start(store, seed)
        for (let n = 0; n < 150; n += 1) await run.step()
        await run.check()
      },
    ],
  ),
  ...seeds.slice(0, 3).map(
    (seed): StoreCase => [
      `random operations agree with a plain model across reopening (seed ${seed})`,
      async (store, reopen) => {
        if (reopen === undefined) return
        const run = await Run.start(store, 100 + seed)
        for (let n = 0; n < 90; n += 1) {
          await run.step()
          if (n % 15 === 14) await run.restart(reopen)
        }
        await run.check()
      },
    ],
  ),
  ...seeds.slice(0, 2).map(
    (seed): StoreCase => [
      `operations at once add up (seed ${seed})`,
      async (store) => {
        await runTogether(store, seed)
      },
    ],
  ),
]
