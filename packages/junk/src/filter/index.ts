export type { ClassifiedWord, JunkClassification, JunkFilter, JunkFilterSettings, Lesson, ReadWords } from './filter.ts'
export { createJunkFilter } from './filter.ts'
