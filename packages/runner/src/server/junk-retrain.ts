/** Makes an account's corpus anew from all messages that say what they are, beside the one in use. */
import type { AccountStore, EmailId, RebuiltMessage, Uid, WordVerdict } from '@postern/core/store'
import { judgedJunk, MAX_UID } from '@postern/core/store'
import { MAX_READ_OCTETS, type JunkReader } from './junk-reader.ts'
import { READING } from './junk-reading.ts'

/** LIMIT: messages and words counted by one commit. */
const BATCH_MESSAGES = 64
const BATCH_WORDS = 50_000
const ALL = [{ first: 1 as Uid, last: MAX_UID }]
const NO_WORDS = new Uint32Array(0)

export interface RetrainReport {
  /** Messages looked at, each once however many places it has. */
  readonly messages: number
  readonly ham: number
  readonly spam: number
}

export interface RetrainOptions {
  readonly onProgress?: (progress: RetrainReport) => void
  /** Asked between messages: rejects then, and the corpus in use stays. What was made is left to be cleared away at the next start. */
  readonly isOver?: () => boolean
  readonly signal?: AbortSignal
}

/**
 * A message counts as its newest judgement says, as far as that was ever learned; else as the flags of a place that has
 * exactly one of $Junk and $NotJunk. What changes meanwhile is learned after it, as always.
 * Rejects with the signal's reason when it is aborted; then nothing has changed.
 */
export async function rebuildCorpus(account: AccountStore, reader: JunkReader, { onProgress, isOver, signal }: RetrainOptions = {}): Promise<RetrainReport> {
  const judged = await judgedMessages(account)
  const rebuild = await account.training.rebuild(READING)
  const report = { messages: 0, ham: 0, spam: 0 }
  try {
    const emailIds = [...judged.keys()]
    for (let at = 0; at < emailIds.length; ) {
      const known = await rebuild.known(emailIds.slice(at, at + BATCH_MESSAGES))
      const batch: RebuiltMessage[] = []
      let words = 0
      for (const [n, recorded] of known.entries()) {
        signal?.throwIfAborted()
        if (isOver?.() === true) throw new Error('Learning anew was ended')
        if (words >= BATCH_WORDS) break
        const emailId = emailIds[at + n] as EmailId
        const counted = recorded ?? judged.get(emailId) ?? undefined
        report.messages += 1
        if (counted === undefined) continue
        const octets = counted === 'none' ? undefined : await account.training.octets(emailId, MAX_READ_OCTETS)
        if (counted !== 'none' && octets === undefined) continue
        const keys = octets === undefined ? NO_WORDS : await reader.keys(octets)
        words += keys.length / 2
        batch.push({ emailId, counted, keys })
        if (counted !== 'none') report[counted] += 1
        await new Promise((resolve) => setImmediate(resolve))
      }
      at = report.messages
      if (batch.length > 0) await rebuild.count(batch)
      onProgress?.({ ...report })
    }
    await rebuild.finish()
    return report
  } catch (error) {
    if (isOver?.() !== true) await rebuild.abort().catch(() => undefined)
    throw error
  }
}

/** All messages with a place, and what the flags of any place say. */
async function judgedMessages(account: AccountStore): Promise<ReadonlyMap<EmailId, WordVerdict | undefined>> {
  const found = new Map<EmailId, WordVerdict | undefined>()
  for (const { name } of await account.mailboxes()) {
    const mailbox = await account.open(name, 'read-only')
    if (mailbox === undefined) continue
    try {
      for await (const rows of mailbox.fetch(ALL, {})) {
        for (const { emailId, flags } of rows) {
          const junk = judgedJunk(flags)
          if (junk !== undefined) found.set(emailId, junk ? 'spam' : 'ham')
          else if (!found.has(emailId)) found.set(emailId, undefined)
        }
      }
    } finally {
      mailbox.close()
    }
  }
  return found
}
