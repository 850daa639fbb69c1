export type { ConformanceCase, CorpusUnderTest } from './corpus.ts'
export { corpusCases } from './corpus.ts'
