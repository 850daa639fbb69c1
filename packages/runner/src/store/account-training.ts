/**
 * What an account has learned of words, and what it is yet to learn: fulfils core's `AccountTraining` over the tables of
 * the store. Merging what was learned into the counts goes on by itself, in the background.
 */
import type { Logger } from '@postern/core/host'
import type {
  AccountTraining,
  CorpusRebuild,
  CountedMessage,
  EmailId,
  SettleResult,
  TrainingState,
  WaitingTraining,
  WordCorpus,
  WordCounts,
  WordDelta,
} from '@postern/core/store'
import { dropCorpus } from './corpus-drop.ts'
import { FOLD_OCTETS, foldCorpus } from './corpus-fold.ts'
import { StoredRebuild } from './corpus-rebuild.ts'
import type { CorporaRecord, CorpusRecord } from './corpus-record.ts'
import { decodeCorpora, decodeCorpus, encodeCorpora } from './corpus-record.ts'
import type { CorpusSource } from './corpus-words.ts'
import { StoredCorpus } from './corpus-words.ts'
import type { BlobPlace } from './message-writer.ts'
import { readOctets } from './message-reader.ts'
import { deltasOf } from './train-count.ts'
import { readLeft, removeLeft } from './train-left.ts'
import { verdictOf } from './train-record.ts'
import { TrainingStates } from './train-states.ts'

export interface TrainingSource extends CorpusSource {
  readonly blobs: BlobPlace
  readonly logger: Logger
  /** Octets of deltas from which on they are merged. Default: as measured best. */
  readonly foldOctets?: number
}

export class StoredTraining implements AccountTraining {
  readonly #source: TrainingSource
  /** Of the number asked for last. */
  #stored: StoredCorpus | undefined
  #folding: Promise<void> | undefined
  #isClosed = false
  /** Messages whose erasure waits for their being unlearned, as far as this process left them to be. */
  readonly doomed = new Set<number>()
  readonly corpus: WordCorpus = {
    read: (keys) => this.#read(keys),
    apply: (deltas) => this.#apply(deltas),
  }

  constructor(source: TrainingSource) {
    this.#source = source
  }

  async state(): Promise<TrainingState> {
    const { corpora, record } = await this.#inUse()
    if (record === undefined) return { totals: { ham: 0, spam: 0 }, reading: undefined }
    return { totals: { ham: record.ham, spam: record.spam }, reading: corpora.reading === 0 ? undefined : corpora.reading }
  }

  async waiting(most: number): Promise<WaitingTraining> {
    const { store, keys } = this.#source
    const { judged, upTo } = await readLeft(store, keys, most)
    if (judged.size === 0) return { messages: [], upTo }
    const { current } = await this.#corpora()
    const states = await TrainingStates.open(store, keys, current, [...judged.keys()])
    const messages = Array.from(judged, ([emailId, verdict]) => ({ emailId, judged: verdict, counted: verdictOf(states.get(emailId)) }))
    return { messages, upTo }
  }

  async octets(emailId: EmailId, most: number): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = []
    for await (const piece of readOctets(this.#source, undefined, emailId, 0, most)) pieces.push(piece)
    return pieces.length === 0 ? undefined : pieces.length === 1 ? pieces[0] : new Uint8Array(Buffer.concat(pieces))
  }

  async settle(upTo: string, messages: readonly CountedMessage[], reading: number): Promise<SettleResult> {
    const { keys, writer } = this.#source
    let isDropping = false
    const result = await writer.change(async (tx): Promise<SettleResult | CorpusRecord> => {
      const corpora = decodeCorpora(await tx.get(keys.corpora()))
      isDropping = corpora.dropping !== 0
      if (corpora.building !== 0) return 'stale'
      const isCounting = messages.some(({ before, counted }) => before !== verdictOf(counted))
      if (isCounting && corpora.reading !== 0 && corpora.reading !== reading) return 'other-reading'
      const current = corpora.current === 0 ? corpora.last + 1 : corpora.current
      const states = await TrainingStates.open(tx, keys, current, messages.map(({ emailId }) => emailId))
      if (messages.some(({ emailId, before }) => verdictOf(states.get(emailId)) !== before)) return 'stale'
      if (!(await removeLeft(tx, keys, upTo))) return 'stale'
      const deltas = await deltasOf(tx, keys, messages, states)
      if (!states.isChanged) return 'settled'
      states.finish(tx)
      const begun = { ...corpora, current, last: Math.max(current, corpora.last), reading: deltas.length > 0 ? reading : corpora.reading }
      if (begun.current !== corpora.current || begun.reading !== corpora.reading) tx.put(keys.corpora(), encodeCorpora(begun))
      return deltas.length === 0 ? 'settled' : this.#corpusOf(current).append(tx, deltas)
    })
    if (result !== 'stale' && result !== 'other-reading') for (const { emailId } of messages) this.doomed.delete(emailId)
    if (typeof result === 'string') return result
    this.#grown(result)
    if (isDropping) await this.tidy()
    return 'settled'
  }

  async rebuild(reading: number): Promise<CorpusRebuild> {
    const { keys, writer } = this.#source
    await this.tidy()
    const corpora = await writer.change(async (tx): Promise<CorporaRecord> => {
      const before = decodeCorpora(await tx.get(keys.corpora()))
      const begun = { ...before, building: before.last + 1, buildingReading: reading, last: before.last + 1 }
      tx.put(keys.corpora(), encodeCorpora(begun))
      return begun
    })
    return new StoredRebuild(this.#source, corpora, () => this.tidy())
  }

  /** Deletes what is left of corpora no longer in use, and of one half-made. */
  async tidy(): Promise<void> {
    const { keys, writer } = this.#source
    const { building, dropping } = await this.#corpora()
    for (const number of [building, dropping]) {
      if (number === 0) continue
      await dropCorpus(this.#source, number)
      await writer.change(async (tx) => {
        const corpora = decodeCorpora(await tx.get(keys.corpora()))
        const left = { ...corpora, building: corpora.building === number ? 0 : corpora.building, dropping: corpora.dropping === number ? 0 : corpora.dropping }
        tx.put(keys.corpora(), encodeCorpora(left))
      })
    }
  }

  /** Resolves when nothing is being merged. */
  async folded(): Promise<void> {
    await this.#folding
  }

  /** Ends what goes on in the background. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#folding
  }

  async #read(words: Uint32Array): Promise<WordCounts> {
    const { corpora, record } = await this.#inUse()
    if (record === undefined) return { totals: { ham: 0, spam: 0 }, counts: new Int32Array(words.length) }
    return this.#corpusOf(corpora.current).read(words, record)
  }

  async #apply(deltas: readonly WordDelta[]): Promise<void> {
    const { keys, writer } = this.#source
    let { current } = await this.#corpora()
    if (current === 0) {
      current = await writer.change(async (tx) => {
        const corpora = decodeCorpora(await tx.get(keys.corpora()))
        if (corpora.current !== 0) return corpora.current
        const number = corpora.last + 1
        tx.put(keys.corpora(), encodeCorpora({ ...corpora, current: number, last: number }))
        return number
      })
    }
    await this.#corpusOf(current).apply(deltas)
  }

  /** The corpus that is in use; no record: there is none. One read, as it nearly always is the one that was asked for last. */
  async #inUse(): Promise<{ readonly corpora: CorporaRecord; readonly record: CorpusRecord | undefined }> {
    const { store, keys } = this.#source
    const last = this.#stored?.number ?? 1
    const [octets, record] = await store.getMany([keys.corpora(), keys.corpus(last)])
    const corpora = decodeCorpora(octets)
    if (corpora.current === 0) return { corpora, record: undefined }
    return { corpora, record: corpora.current === last ? decodeCorpus(record) : await this.#corpusOf(corpora.current).record() }
  }

  async #corpora(): Promise<CorporaRecord> {
    const { store, keys } = this.#source
    return decodeCorpora((await store.getMany([keys.corpora()]))[0])
  }

  #corpusOf(number: number): StoredCorpus {
    if (this.#stored?.number !== number) this.#stored = new StoredCorpus(this.#source, number, (record) => this.#grown(record))
    return this.#stored
  }

  /** Begins to merge when it is worth it. */
  #grown({ deltaOctets, foldEnd }: CorpusRecord): void {
    const { logger, keys, foldOctets = FOLD_OCTETS } = this.#source
    const corpus = this.#stored?.number
    if (corpus === undefined || this.#isClosed || this.#folding !== undefined || (foldEnd === 0 && deltaOctets < foldOctets)) return
    this.#folding = foldCorpus(this.#source, corpus, { fromOctets: foldOctets, isOver: () => this.#isClosed || this.#stored?.number !== corpus, unhurried: true })
      .catch((cause: unknown) => {
        if ((cause as { code?: unknown }).code !== 'STORE_CLOSED') logger.error({ err: cause, account: keys.account }, 'Words learned could not be merged')
      })
      .finally(() => {
        this.#folding = undefined
      })
  }
}
