/**
 * The conformance suite of `MailStore`: what a store must do to be handed to `createMailServer({ store })`, as cases
 * any test runner can run. Each case gets a store of its own. Not here: durability under power loss, which only the
 * store's own tests can show.
 */
import type { MailStore } from '../src/store/index.ts'
import { reportCases } from './report-store.ts'
import { accountCases } from './store-accounts.ts'
import { changeCases } from './store-changes.ts'
import { mailboxCases } from './store-mailboxes.ts'
import { messageCases } from './store-messages.ts'
import { modelCases } from './store-model.ts'
import { receptionCases } from './store-reception.ts'
import { trainingCases } from './store-training.ts'

/** A store under test. */
export interface StoreUnderTest {
  readonly store: MailStore
  /** Closes the store and opens the same data again; absent when it keeps nothing. */
  reopen?(): Promise<MailStore>
  /** Closes what is open and removes the data. */
  close(): Promise<void>
}

/** One case of a suite; `run` rejects when it fails. */
export interface ConformanceCase {
  readonly name: string
  run(): Promise<void>
}

/** A case before it has a store. */
export type StoreCase = readonly [
  name: string,
  run: (store: MailStore, reopen?: () => Promise<MailStore>) => Promise<void>,
]

/** All cases. @param make an empty store, a new one each time */
export function mailStoreCases(make: () => Promise<StoreUnderTest>): readonly ConformanceCase[] {
  const cases: readonly StoreCase[] = [
    ...accountCases,
    ...mailboxCases,
    ...messageCases,
    ...changeCases,
    ...receptionCases,
    ...reportCases,
    ...trainingCases,
    ...modelCases,
  ]
  return cases.map(([name, run]) => ({
    name,
    async run() {
      const made = await make()
      try {
        await run(made.store, made.reopen?.bind(made))
      } finally {
        await made.close()
      }
    },
  }))
}
