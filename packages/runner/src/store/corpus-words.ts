/**
 * Counts of words of one account: fulfils the junk filter's `Corpus`. What is learned is appended as deltas; a fold
 * merges many of them into the counts later (corpus-fold.ts). A read sees both.
 */
import type { WordCorpus, WordCounts, WordDelta } from '@postern/core/store'
import { StoreError } from '@postern/core/store'
import type { AccountWriter } from './account-writer.ts'
import { CorpusOverlay } from './corpus-overlay.ts'
import type { CorpusRecord } from './corpus-record.ts'
import { decodeCorpus, decodeWord, encodeCorpus, encodeDeltas } from './corpus-record.ts'
import type { AccountKeys } from './account-keys.ts'
import { loopTurn } from './loop-turn.ts'
import type { OrderedStore } from './ordered-store.ts'
import type { Transaction } from './transaction.ts'

/** Words read at a time: about a millisecond. */
const READ_WORDS = 512
/** LIMIT: a read starts again when a merge begins or ends under it; merges take longer than reads. */
const MAX_TRIES = 20

/** Where the counts of an account lie. */
export interface CorpusSource {
  readonly store: OrderedStore
  readonly keys: AccountKeys
  readonly writer: AccountWriter
}

export class StoredCorpus implements WordCorpus {
  readonly #source: CorpusSource
  /** Told after deltas were appended. */
  readonly #grown: (record: CorpusRecord) => void
  readonly #overlay: CorpusOverlay
  readonly number: number

  /** @param number of the corpus among the account's */
  constructor(source: CorpusSource, number: number, grown: (record: CorpusRecord) => void) {
    this.#source = source
    this.number = number
    this.#grown = grown
    this.#overlay = new CorpusOverlay(source.store, source.keys, number)
  }

  async record(): Promise<CorpusRecord> {
    const { store, keys } = this.#source
    return decodeCorpus((await store.getMany([keys.corpus(this.number)]))[0])
  }

  /** @param known its record, when that was just read */
  async read(words: Uint32Array, known?: CorpusRecord): Promise<WordCounts> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const record = tries === 0 && known !== undefined ? known : await this.record()
      await this.#overlay.follow(record)
      const counts = await this.#countsOf(words, record)
      if (counts !== undefined) return { totals: { ham: record.ham, spam: record.spam }, counts }
    }
    throw new StoreError('STORE_BUSY', 'Words are being learned faster than they can be read')
  }

  async apply(deltas: readonly WordDelta[]): Promise<void> {
    const { writer } = this.#source
    const octets = deltas.reduce((sum, { keys }) => sum + keys.byteLength, 0)
    // Copied: the change runs later.
    const copies = deltas.map((delta) => ({ ...delta, keys: delta.keys.slice() }))
    this.#grown(await writer.change((tx) => this.append(tx, copies), octets))
  }

  /** Appends deltas within a change; `noteGrown` is to be called once that is committed. */
  async append(tx: Transaction, deltas: readonly WordDelta[]): Promise<CorpusRecord> {
    const { keys } = this.#source
    const key = keys.corpus(this.number)
    const before = decodeCorpus(await tx.get(key))
    let { ham, spam, next, deltaOctets } = before
    for (const { verdict, sign } of deltas) {
      if (verdict === 'ham') ham += sign
      else spam += sign
    }
    for (const octets of encodeDeltas(deltas)) {
      tx.add(keys.delta(this.number, next), octets)
      next += 1
      deltaOctets += octets.length
    }
    const record = { ...before, ham, spam, next, deltaOctets }
    tx.put(key, encodeCorpus(record))
    return record
  }

  noteGrown(record: CorpusRecord): void {
    this.#grown(record)
  }

  /** Counts as of a record. @returns undefined when deltas were added, or a merge began or ended meanwhile */
  async #countsOf(words: Uint32Array, record: CorpusRecord): Promise<Int32Array | undefined> {
    if (!this.#overlay.follows(record)) return undefined
    const counts = new Int32Array(words.length)
    const known = this.#overlay.recent(record)
    const missing: number[] = []
    for (let n = 0; n < words.length; n += 2) {
      if (known?.read(words[n] as number, words[n + 1] as number, counts, n) !== true) missing.push(n)
    }
    const fresh = await this.#overlay.fresh(words)
    for (let at = 0; at < missing.length; at += READ_WORDS) {
      if (!(await this.#readRows(words, missing.slice(at, at + READ_WORDS), counts, record))) return undefined
      const turn = loopTurn()
      if (turn !== undefined) await turn
    }
    if (fresh !== undefined) for (let n = 0; n < counts.length; n += 1) counts[n] = (counts[n] as number) + (fresh[n] as number)
    return counts
  }

  /**
   * Counts on disk of some words, with what is being merged whether it has got that far or not.
   * @param places of them in `words` and `counts` @returns false when a merge began or ended meanwhile
   */
  async #readRows(words: Uint32Array, places: readonly number[], counts: Int32Array, before: CorpusRecord): Promise<boolean> {
    const { store, keys } = this.#source
    const asked = new Uint32Array(2 * places.length)
    const wanted = [keys.corpus(this.number)]
    const keyOf = keys.wordKeys(this.number)
    for (const [row, n] of places.entries()) {
      const high = (asked[2 * row] = words[n] as number)
      const low = (asked[2 * row + 1] = words[n + 1] as number)
      wanted.push(keyOf(high, low))
    }
    const folding = await this.#overlay.folding(asked, before)
    if (folding === undefined) return false
    const [octets, ...rows] = await store.getMany(wanted)
    const merged = mergedOf(before, decodeCorpus(octets))
    if (merged === undefined) return false
    // Others may have read on meanwhile.
    const recent = this.#overlay.recent(before)
    for (const [row, n] of places.entries()) {
      const [high, low] = [words[n] as number, words[n + 1] as number]
      const found = rows[row]
      let { ham, spam } = found === undefined ? NEVER_SEEN : decodeWord(found)
      if (!merged(high, low)) {
        ham += folding[2 * row] as number
        spam += folding[2 * row + 1] as number
      }
      recent?.keep(high, low, ham, spam)
      counts[n] = ham
      counts[n + 1] = spam
    }
    return true
  }
}

const NEVER_SEEN = { ham: 0, spam: 0 }

/**
 * Whether a word's count on disk holds the deltas that were being merged when the read began: as the merge goes on it is
 * more and more of them. @returns undefined when another merge has begun since
 */
function mergedOf(before: CorpusRecord, now: CorpusRecord): ((high: number, low: number) => boolean) | undefined {
  if (now.foldEnd !== 0 && now.foldEnd !== before.foldEnd) return undefined
  if (now.foldEnd === 0) {
    const end = Math.max(before.first, before.foldEnd)
    return now.first === end ? () => true : undefined
  }
  const { folded } = now
  if (folded === undefined) return () => false
  const high = Number(folded >> 32n)
  const low = Number(folded & 0xffff_ffffn)
  return (wordHigh, wordLow) => wordHigh < high || (wordHigh === high && wordLow <= low)
}
