/**
 * Reads the words of messages in the thread for messages, so that none holds up the others' conversations. Small ones
 * don't wait for it: while it isn't there they are read at once.
 * Not here: what is learned, and where counts are kept.
 */
import { StoreError } from '@postern/core/store'
import type { ReadWords } from '@postern/junk/filter'
import { readMessageKeys, readMessageWords } from '@postern/junk/words'
import { isUnanswered, type MessageThread } from './message-thread.ts'

/**
 * LIMIT: the first octets of a message that are read. The filter itself stops after half a MiB of text; what comes
 * before that in a message of this size is attachments.
 */
export const MAX_READ_OCTETS = 4 * 1_048_576
/** LIMIT: a message of this size takes some milliseconds; larger ones wait for the thread. */
const AT_ONCE_OCTETS = 262_144

/** Octets are copied where they are needed longer. Rejects with `StoreError` STORE_BUSY when too much waits. */
export interface JunkReader {
  /** Keys of a message's words, which is what learning needs. */
  keys(message: Uint8Array): Promise<Uint32Array>
  /** What a verdict needs. */
  words(message: Uint8Array): Promise<ReadWords>
}

export function createJunkReader(thread: MessageThread): JunkReader {
  async function read<K extends 'keys' | 'words', T>(what: K, message: Uint8Array, here: () => T): Promise<T> {
    if (!thread.isReady && message.length <= AT_ONCE_OCTETS) return here()
    const answer = await thread.ask(what, message, (copy) => copy)
    if (!isUnanswered(answer)) return answer as T
    if (answer.unanswered === 'busy') throw new StoreError('STORE_BUSY', 'Too many large messages wait to be read')
    // Without a thread there is no other way.
    return here()
  }
  return {
    keys: (message) => read('keys', message, () => readMessageKeys(message)),
    words: (message) => read('words', message, (): ReadWords => readMessageWords(message)),
  }
}
