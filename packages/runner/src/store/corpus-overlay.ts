/**
 * Words learned and not yet merged into the counts on disk, merged in memory instead: what a read adds to those. Made of
 * the deltas when first asked for, kept up to date while the account is in use; and with them the counts on disk that
 * were read lately. Not here: the merging on disk.
 */
import { createMemoryCorpus, type MemoryCorpus } from '@postern/junk/corpus'
import type { CorpusRecord } from './corpus-record.ts'
import { decodeDeltas } from './corpus-record.ts'
import type { AccountKeys } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { loopTurn } from './loop-turn.ts'
import type { OrderedStore } from './ordered-store.ts'
import { RecentWords } from './recent-words.ts'

const READ_DELTAS = 16
/** LIMIT: overlays this process keeps, of about 6 MiB each when full; the one used least recently goes. */
const MAX_OVERLAYS = 16
const kept = new Set<CorpusOverlay>()

/** Merges deltas `first` to, not including, `end` into a corpus in memory. */
export async function loadDeltas(store: OrderedStore, keys: AccountKeys, corpus: number, first: number, end: number, into: MemoryCorpus): Promise<void> {
  let { from } = keys.deltas(corpus, first, end)
  const { to } = keys.deltas(corpus, first, end)
  for (;;) {
    const rows = await store.range({ from, to, limit: READ_DELTAS })
    for (const { value } of rows) await into.apply(decodeDeltas(value))
    const last = rows.at(-1)
    if (last === undefined || rows.length < READ_DELTAS) return
    from = keyAfter(last.key)
    await loopTurn()
  }
}

/** Deltas from here on are not being merged. */
function endOf({ first, foldEnd }: Pick<CorpusRecord, 'first' | 'foldEnd'>): number {
  return Math.max(first, foldEnd)
}

export class CorpusOverlay {
  readonly #store: OrderedStore
  readonly #keys: AccountKeys
  readonly #corpus: number
  readonly #recent = new RecentWords()
  /** Deltas `#first` to `#foldEnd` are in `#folding`, those up to `#next` in `#fresh`. */
  #first = 0
  #foldEnd = 0
  #next = 0
  #folding = createMemoryCorpus()
  #fresh = createMemoryCorpus()
  #turn: Promise<void> = Promise.resolve()
  /** Calls of `follow` that are not done. */
  #moving = 0

  constructor(store: OrderedStore, keys: AccountKeys, corpus: number) {
    this.#store = store
    this.#keys = keys
    this.#corpus = corpus
  }

  /** Brings it to what a record says; calls wait for each other. @returns undefined when it is there */
  follow(record: CorpusRecord): Promise<void> | undefined {
    if (this.#moving === 0 && this.follows(record)) {
      this.#use()
      return undefined
    }
    this.#moving += 1
    const done = this.#turn.then(() => this.#follow(record))
    this.#turn = done
      .catch(() => this.#empty())
      .finally(() => {
        this.#moving -= 1
      })
    return done
  }

  /** Whether it is what a record says, and no more. */
  follows(record: CorpusRecord): boolean {
    return this.#first === record.first && this.#foldEnd === endOf(record) && this.#next === record.next
  }

  /** What deltas that are being merged add to counts on disk, where the merge has not got to yet; undefined when it has gone on since a record. */
  async folding(keys: Uint32Array, record: CorpusRecord): Promise<Int32Array | undefined> {
    return this.#first === record.first && this.#foldEnd === endOf(record) ? (await this.#folding.read(keys)).counts : undefined
  }

  /** What later deltas add; undefined when there are none. */
  async fresh(keys: Uint32Array): Promise<Int32Array | undefined> {
    return this.#next === this.#foldEnd ? undefined : (await this.#fresh.read(keys)).counts
  }

  /** Counts of words read lately with all deltas but the later ones; undefined when it has gone on since a record. */
  recent(record: CorpusRecord): RecentWords | undefined {
    return this.#foldEnd === endOf(record) ? this.#recent : undefined
  }

  async #follow({ first, foldEnd, next }: CorpusRecord): Promise<void> {
    this.#use()
    const end = endOf({ first, foldEnd })
    // A merge that has ended took all that was being merged.
    if (first === this.#foldEnd && first > this.#first) {
      this.#folding = createMemoryCorpus()
      this.#first = first
    }
    // One that begins takes all there is, or, when more than it takes was there at once, the two are told apart anew.
    if (first === this.#first && this.#foldEnd === first && end > first && end === this.#next) {
      this.#folding = this.#fresh
      this.#fresh = createMemoryCorpus()
      this.#foldEnd = end
      this.#recent.add(this.#folding.rows())
    }
    if (first !== this.#first || end !== this.#foldEnd || next < this.#next) {
      this.#empty()
      await loadDeltas(this.#store, this.#keys, this.#corpus, first, end, this.#folding)
      this.#first = first
      this.#foldEnd = end
      this.#next = end
    }
    if (this.#next < next) {
      await loadDeltas(this.#store, this.#keys, this.#corpus, this.#next, next, this.#fresh)
      this.#next = next
    }
  }

  /** Puts it last of those that may go. */
  #use(): void {
    kept.delete(this)
    kept.add(this)
    for (const oldest of kept) {
      if (kept.size <= MAX_OVERLAYS) break
      kept.delete(oldest)
      if (oldest !== this) oldest.#empty()
    }
  }

  #empty(): void {
    this.#recent.clear()
    this.#folding = createMemoryCorpus()
    this.#fresh = createMemoryCorpus()
    this.#first = 0
    this.#foldEnd = 0
    this.#next = 0
  }
}
