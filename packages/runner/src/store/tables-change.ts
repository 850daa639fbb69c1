/** A change of mailboxes: their edits are put at its end, with the judgements that came of it. */
import type { FilingPolicy } from '@postern/core/store'
import { AccountTables } from './account-tables.ts'
import type { AccountWriter } from './account-writer.ts'
import { enterJudgements, judgementSlices } from './judgement-edits.ts'
import type { AccountKeys } from './account-keys.ts'

export interface TablesSource {
  readonly writer: AccountWriter
  readonly keys: AccountKeys
  /** What the account's owner wants done with messages that get a place. */
  readonly policy: () => FilingPolicy | undefined
  /** Told after a commit that left something to be learned. */
  readonly left: () => void
}

/**
 * Runs a change and what is left of its judgements: those of a COPY of 100,000 messages are too many for the change
 * that copies. What a crash cuts off of them is lost: they are advice, not mail.
 * @param octets about what the change puts
 */
export async function changeTables<T>({ writer, keys, policy, left: tellLeft }: TablesSource, run: (tables: AccountTables) => Promise<T>, octets = 0): Promise<T> {
  const { result, left, hasLeft } = await writer.change(async (tx) => {
    const tables = new AccountTables(tx, keys, policy())
    const value = await run(tables)
    return { result: value, left: await tables.finish(), hasLeft: tables.judgements.hasAny }
  }, octets)
  if (hasLeft) tellLeft()
  for (const slice of judgementSlices(left)) {
    await writer.change(async (tx) => {
      const tables = new AccountTables(tx, keys, policy())
      await enterJudgements(tx, keys, slice, async (name) => (await tables.nameRecord(name))?.mailbox)
    })
  }
  return result
}
