/** What is to be changed in counts so that messages are counted as wanted: within one change, which also remembers it. */
import type { CountedMessage, WordDelta } from '@postern/core/store'
import type { AccountKeys } from './account-keys.ts'
import { MessagePart } from './account-keys.ts'
import { verdictOf } from './train-record.ts'
import type { TrainingStates } from './train-states.ts'
import type { Transaction } from './transaction.ts'

/** Changes of counts, for the messages that are still there; what they are counted as is set. */
export async function deltasOf(
  tx: Transaction,
  keys: AccountKeys,
  messages: readonly Omit<CountedMessage, 'before'>[],
  states: TrainingStates,
): Promise<readonly WordDelta[]> {
  const found = await tx.getMany(messages.map(({ emailId }) => keys.message(emailId, MessagePart.list)))
  const deltas: WordDelta[] = []
  for (const [n, { emailId, counted, keys: words }] of messages.entries()) {
    const state = states.get(emailId)
    const next = found[n] === undefined ? undefined : counted
    if (state === next) continue
    states.set(emailId, next)
    const [before, now] = [verdictOf(state), verdictOf(next)]
    if (before === now) continue
    if (before !== undefined) deltas.push({ keys: words, verdict: before, sign: -1 })
    if (now !== undefined) deltas.push({ keys: words, verdict: now, sign: 1 })
  }
  return deltas
}
