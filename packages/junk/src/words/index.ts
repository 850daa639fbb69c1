export { firstPlace } from './key-places.ts'
export { readMessageKeys, readMessageWords } from './message-words.ts'
export type { MessageWords, WordSource } from './word-collector.ts'
export { WORD_SOURCES } from './word-collector.ts'
