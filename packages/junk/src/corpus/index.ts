export type { Corpus, CorpusCounts, CorpusDelta, CorpusTotals, Verdict } from './corpus.ts'
export type { MemoryCorpus } from './memory-corpus.ts'
export { createMemoryCorpus } from './memory-corpus.ts'
