/** A corpus made anew beside the one in use, under a number of its own, and put in its place by one commit. */
import type { CorpusRebuild, EmailId, RebuiltMessage } from '@postern/core/store'
import { StoreError } from '@postern/core/store'
import { foldCorpus } from './corpus-fold.ts'
import type { CorporaRecord } from './corpus-record.ts'
import { decodeCorpora, encodeCorpora } from './corpus-record.ts'
import type { CorpusSource } from './corpus-words.ts'
import { StoredCorpus } from './corpus-words.ts'
import type { Counted } from './train-record.ts'
import { deltasOf } from './train-count.ts'
import { verdictOf } from './train-record.ts'
import { TrainingStates } from './train-states.ts'
import type { Transaction } from './transaction.ts'

export class StoredRebuild implements CorpusRebuild {
  readonly #source: CorpusSource
  readonly #corpora: CorporaRecord
  readonly #corpus: StoredCorpus
  /** Deletes what is no longer in use. */
  readonly #tidy: () => Promise<void>

  constructor(source: CorpusSource, corpora: CorporaRecord, tidy: () => Promise<void>) {
    this.#source = source
    this.#corpora = corpora
    this.#tidy = tidy
    this.#corpus = new StoredCorpus(source, corpora.building, () => undefined)
  }

  async known(emailIds: readonly EmailId[]): Promise<readonly Counted[]> {
    const { store, keys } = this.#source
    const states = await TrainingStates.open(store, keys, this.#corpora.current, emailIds)
    return emailIds.map((emailId) => states.get(emailId))
  }

  async count(messages: readonly RebuiltMessage[]): Promise<void> {
    await this.#source.writer.change(async (tx) => {
      await this.#mine(tx)
      const states = await TrainingStates.open(tx, this.#source.keys, this.#corpora.building, messages.map(({ emailId }) => emailId))
      const fresh = messages.filter(({ emailId }) => verdictOf(states.get(emailId)) === undefined)
      const deltas = await deltasOf(tx, this.#source.keys, fresh, states)
      states.finish(tx)
      if (deltas.length > 0) await this.#corpus.append(tx, deltas)
    })
    await foldCorpus(this.#source, this.#corpora.building)
  }

  async finish(): Promise<void> {
    const { keys, writer } = this.#source
    await writer.change(async (tx) => {
      const { building, buildingReading, current, last } = await this.#mine(tx)
      tx.put(keys.corpora(), encodeCorpora({ current: building, reading: buildingReading, building: 0, buildingReading: 0, dropping: current, last }))
    })
    await this.#tidy()
  }

  async abort(): Promise<void> {
    await this.#tidy()
  }

  /** @throws StoreError when another was begun since */
  async #mine(tx: Transaction): Promise<CorporaRecord> {
    const corpora = decodeCorpora(await tx.get(this.#source.keys.corpora()))
    if (corpora.building !== this.#corpora.building) throw new StoreError('STORE_BUSY', 'Another rebuild of this account was begun')
    return corpora
  }
}
