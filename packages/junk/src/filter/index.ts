export type { ClassifiedWord, JunkClassification, JunkFilter, JunkFilterSettings, Lesson } from './filter.ts'
export { createJunkFilter } from './filter.ts'
