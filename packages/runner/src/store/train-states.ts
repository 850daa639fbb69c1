/** As what messages are counted, by email id, as one change works on it: pages of 128 are read once and put at its end. */
import type { AccountKeys } from './account-keys.ts'
import { PAGE_UIDS } from './account-keys.ts'
import type { Counted } from './train-record.ts'
import { StatePage } from './train-record.ts'

/** Whoever reads records: a change, or the store. */
export interface RecordSource {
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
}

export class TrainingStates {
  readonly #keys: AccountKeys
  readonly #corpus: number
  readonly #pages = new Map<number, StatePage>()
  readonly #changed = new Set<number>()

  private constructor(keys: AccountKeys, corpus: number) {
    this.#keys = keys
    this.#corpus = corpus
  }

  /** Reads what is known of these messages. @param corpus 0: there is none */
  static async open(source: RecordSource, keys: AccountKeys, corpus: number, emailIds: readonly number[]): Promise<TrainingStates> {
    const states = new TrainingStates(keys, corpus)
    const groups = [...new Set(emailIds.map((emailId) => Math.floor(emailId / PAGE_UIDS)))]
    const records = corpus === 0 ? [] : await source.getMany(groups.map((group) => keys.trainingState(corpus, group * PAGE_UIDS)))
    for (const [n, group] of groups.entries()) states.#pages.set(group, new StatePage(records[n]))
    return states
  }

  get(emailId: number): Counted {
    return this.#page(emailId).get(emailId)
  }

  set(emailId: number, counted: Counted): void {
    this.#page(emailId).set(emailId, counted)
    this.#changed.add(Math.floor(emailId / PAGE_UIDS))
  }

  get isChanged(): boolean {
    return this.#changed.size > 0
  }

  /** Puts what was changed. */
  finish(tx: { putOrDelete(key: Uint8Array, value: Uint8Array | undefined): void }): void {
    for (const group of this.#changed) {
      tx.putOrDelete(this.#keys.trainingState(this.#corpus, group * PAGE_UIDS), this.#pages.get(group)?.encode())
    }
  }

  #page(emailId: number): StatePage {
    const page = this.#pages.get(Math.floor(emailId / PAGE_UIDS))
    if (page === undefined) throw new Error('The state of this message was not read')
    return page
  }
}
