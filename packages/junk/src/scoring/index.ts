export type { CountedWords, Score, Scoring, WordEvidence } from './evidence.ts'
export type { NamedScoring, ScoringName } from './scorings.ts'
export { DEFAULT_SCORING, SCORINGS } from './scorings.ts'
