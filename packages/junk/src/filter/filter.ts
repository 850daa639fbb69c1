/**
 * The filter: what the words of a message say of it, given what a corpus has learned, and how it learns. Not here:
 * which messages to learn from, and what to do with junk.
 */
import { DEFAULT_SCORING, type Score, type ScoringName, SCORINGS } from '../scoring/index.ts'
import type { Corpus, CorpusCounts, CorpusDelta, CorpusTotals, Verdict } from '../corpus/index.ts'
import { type MessageWords, readMessageKeys, readMessageWords } from '../words/index.ts'

export interface JunkFilterSettings {
  /** Default: the one that measured best. */
  readonly scoring?: ScoringName
  /** From this probability on a message is spam, 0 to 1. Default: that of the scoring. */
  readonly threshold?: number
  /** Messages of ham and of spam that must have been learned for a probability to count. Default: 50 of either. */
  readonly significantFrom?: CorpusTotals
}

/** What a filter says of a message. */
export interface JunkClassification {
  /** That it is spam, 0 to 1; 0.5 when nothing is known. */
  readonly probability: number
  /** By the threshold. */
  readonly verdict: Verdict
  /** Enough was learned for this to count. */
  readonly significant: boolean
  /** The words it was made of, strongest first. */
  readonly words: readonly ClassifiedWord[]
  /** A cap on words, octets or parts was reached; what lies beyond took no part. */
  readonly truncated: boolean
  readonly learned: CorpusTotals
}

export interface ClassifiedWord {
  /** As it stands in the message, after the name of its field: `subject:free`; of a pair both words, with `…` for each between. */
  readonly word: string
  /** That a message with it is spam, by it alone. */
  readonly probability: number
  /** Messages learned with it. */
  readonly ham: number
  readonly spam: number
}

/** The words of a message as far as a verdict needs them: all but `nameOf` can be cloned. */
export type ReadWords = Omit<MessageWords, 'nameOf'> & Partial<Pick<MessageWords, 'nameOf'>>

/** A step of learning. `forget` undoes a `learn` of the same octets and verdict exactly. */
export interface Lesson {
  readonly message: Uint8Array
  readonly verdict: Verdict
  readonly kind: 'learn' | 'forget'
}

/** Messages are octets whole, with line ends of CR LF or LF; none is kept. No message makes a method reject, only a corpus does. */
export interface JunkFilter {
  classify(message: Uint8Array): Promise<JunkClassification>
  /** The same of words that were read before, perhaps in another thread; without their names none is told. */
  classifyWords(words: ReadWords): Promise<JunkClassification>
  train(message: Uint8Array, verdict: Verdict): Promise<void>
  /** @param verdict it was trained with */
  untrain(message: Uint8Array, verdict: Verdict): Promise<void>
  /** Moves a trained message to the other side, in one step. @param verdict the new one */
  retrain(message: Uint8Array, verdict: Verdict): Promise<void>
  /** Several steps at once: all are taken or none. */
  study(lessons: Iterable<Lesson>): Promise<void>
}

const SIGNIFICANT_FROM: CorpusTotals = { ham: 50, spam: 50 }
/** LIMIT: words told of one message; scorings that use all would tell thousands. */
const MAX_TOLD = 100

/** @throws RangeError when the threshold is no probability */
export function createJunkFilter(settings: JunkFilterSettings, corpus: Corpus): JunkFilter {
  const { score, threshold: usual } = SCORINGS[settings.scoring ?? DEFAULT_SCORING]
  const threshold = settings.threshold ?? usual
  if (!(threshold >= 0 && threshold <= 1)) throw new RangeError(`Expected a threshold from 0 to 1, got ${threshold}`)
  const significantFrom = settings.significantFrom ?? SIGNIFICANT_FROM
  const study = (lessons: Iterable<Lesson>): Promise<void> => corpus.apply(Array.from(lessons, deltaOf))
  const classifyWords = async (words: ReadWords): Promise<JunkClassification> => {
    const found = await corpus.read(words.keys)
    const { counts, totals } = found
    const { count, distances, sources, truncated } = words
    const scored = score({ count, counts, distances, sources, totals })
    return {
      probability: scored.probability,
      verdict: scored.probability >= threshold ? 'spam' : 'ham',
      significant: totals.ham >= significantFrom.ham && totals.spam >= significantFrom.spam,
      words: explain(scored, words, found),
      truncated,
      learned: totals,
    }
  }
  return {
    classify: async (message) => classifyWords(readMessageWords(message)),
    classifyWords,
    train: (message, verdict) => study([{ message, verdict, kind: 'learn' }]),
    untrain: (message, verdict) => study([{ message, verdict, kind: 'forget' }]),
    retrain(message, verdict) {
      const keys = readMessageKeys(message)
      const old = verdict === 'ham' ? 'spam' : 'ham'
      return corpus.apply([{ keys, verdict: old, sign: -1 }, { keys, verdict, sign: 1 }])
    },
    study,
  }
}

function deltaOf({ message, verdict, kind }: Lesson): CorpusDelta {
  return { keys: readMessageKeys(message), verdict, sign: kind === 'learn' ? 1 : -1 }
}

function explain({ evidence }: Score, { nameOf }: ReadWords, { counts }: CorpusCounts): readonly ClassifiedWord[] {
  if (nameOf === undefined) return []
  return [...evidence]
    .sort((a, b) => Math.abs(b.probability - 0.5) - Math.abs(a.probability - 0.5))
    .slice(0, MAX_TOLD)
    .map(({ index, probability }) => ({
      word: nameOf(index),
      probability,
      ham: counts[2 * index] as number,
      spam: counts[2 * index + 1] as number,
    }))
}
