/** The scorings there are, each with the threshold that belongs to it. Which is the default is measured: `pnpm bench junk-choice`. */
import { scoreByExponentialWeights, scoreByFisher } from './all-words.ts'
import type { Scoring } from './evidence.ts'
import { scoreAsReference } from './reference.ts'
import { scoreByChiSquare, scoreByOdds } from './three-voices.ts'

export type ScoringName = 'odds' | 'chi-square' | 'fisher' | 'exponential' | 'reference'

export interface NamedScoring {
  readonly score: Scoring
  /** From this probability on a message is junk, unless settings say another. */
  readonly threshold: number
}

/** Chosen by cross-validation: docs/decisions/0012-junk-scoring.md */
export const DEFAULT_SCORING: ScoringName = 'odds'

export const SCORINGS: Readonly<Record<ScoringName, NamedScoring>> = {
  odds: { score: scoreByOdds, threshold: 0.84 },
  'chi-square': { score: scoreByChiSquare, threshold: 0.61 },
  fisher: { score: scoreByFisher, threshold: 0.99 },
  exponential: { score: scoreByExponentialWeights, threshold: 0.99 },
  reference: { score: scoreAsReference, threshold: 0.95 },
}
