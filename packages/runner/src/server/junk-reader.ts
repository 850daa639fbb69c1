/**
 * Reads the words of messages in the thread for messages, so that none holds up the others' conversations. Small ones
 * don't wait for it: while it isn't there they are read at once.
 * Not here: what is learned, and where counts are kept.
 */
import { StoreError } from '@postern/core/store'
import type { Corpus } from '@postern/junk/corpus'
import { createJunkFilter, type JunkClassification, type JunkFilterSettings } from '@postern/junk/filter'
import { readMessageKeys } from '@postern/junk/words'
import { isUnanswered, type MessageThread, type Unanswered } from './message-thread.ts'

/**
 * LIMIT: the first octets of a message that are read. The filter itself stops after half a MiB of text; what comes
 * before that in a message of this size is attachments.
 */
export const MAX_READ_OCTETS = 4 * 1_048_576
/** LIMIT: a message of this size takes some milliseconds; larger ones wait for the thread. */
const AT_ONCE_OCTETS = 262_144

export interface JunkReader {
  /** Keys of a message's words, which is what learning needs. Octets are copied where they are needed longer. */
  keys(message: Uint8Array): Promise<Uint32Array>
  /** Rejects with `StoreError` STORE_BUSY when too much waits, and as the corpus does. */
  classify(message: Uint8Array, settings: JunkFilterSettings, corpus: Corpus): Promise<JunkClassification>
}

/** A message that is being classified in the thread. */
interface Job {
  readonly corpus: Corpus
  /** What the corpus rejected with. */
  cause?: unknown
}

export function createJunkReader(thread: MessageThread): JunkReader {
  const jobs = new Map<number, Job>()
  let lastJob = 0
  thread.serve('counts', async ({ job: number, keys }) => {
    const job = jobs.get(number)
    if (job === undefined) throw new Error('Nobody waits for it any more')
    try {
      return await job.corpus.read(keys)
    } catch (error) {
      job.cause = error
      throw error
    }
  })
  return {
    async keys(message) {
      if (!thread.isReady && message.length <= AT_ONCE_OCTETS) return readMessageKeys(message)
      const answer = await thread.ask('keys', message, (copy) => copy)
      return isUnanswered(answer) ? readHere(answer, () => readMessageKeys(message)) : answer
    },
    async classify(message, settings, corpus) {
      const here = (): Promise<JunkClassification> => createJunkFilter(settings, corpus).classify(message)
      if (!thread.isReady && message.length <= AT_ONCE_OCTETS) return here()
      const number = (lastJob += 1)
      const job: Job = { corpus }
      jobs.set(number, job)
      try {
        const answer = await thread.ask('classify', message, (copy) => ({ job: number, message: copy, settings }))
        return isUnanswered(answer) ? await readHere(answer, here) : answer
      } catch (error) {
        throw job.cause ?? error
      } finally {
        jobs.delete(number)
      }
    },
  }
}

/** Without a thread there is no other way; that too much waits for it is to be told. */
function readHere<T>({ unanswered }: Unanswered, read: () => T): T {
  if (unanswered === 'busy') throw new StoreError('STORE_BUSY', 'Too many large messages wait to be read')
  return read()
}
