/**
 * The strongest words of each of three voices: of the way a message took, of the rest of its header, and of what it
 * says. Each voice has as many words as the others, so that a long one can't drown the others: a header full of a
 * mailing list's own words doesn't excuse what is sent over it, and a page of borrowed prose doesn't excuse its header.
 *
 * Choosing the strongest words is Graham's, smoothing Robinson's; three voices are ours. Sources: `evidence.ts`.
 */
import { type CountedWords, logistic, type Score, smoothShare, spamShare, timesSeen, type WordEvidence } from './evidence.ts'
import { logChiSquareTail } from './chi-square.ts'
import { Strongest } from './strongest.ts'

const VOICES = 3
/** Words and pairs of each voice, and how many times unseen each is: both chosen by cross-validation. */
const WORDS_PER_VOICE = 8
const STRENGTH = 0.02
/** The words of a message are far from independent: their odds count for so much, which makes probabilities that hold. */
const ODDS_SCALE = 1 / 23
const CHI_SCALE = 1 / 15

/** Sums the odds of the words: Bayes' rule as if they were independent, then scaled. */
export function scoreByOdds(words: CountedWords): Score {
  const evidence = strongestOfVoices(words)
  let odds = 0
  for (const { probability } of evidence) odds += Math.log(probability / (1 - probability))
  return { probability: logistic(odds * ODDS_SCALE), evidence }
}

/** Compares how unlikely the words would be by chance, as ham and as spam: Fisher's method, as Robinson proposed. */
export function scoreByChiSquare(words: CountedWords): Score {
  const evidence = strongestOfVoices(words)
  let spam = 0
  let ham = 0
  for (const { probability } of evidence) {
    spam += Math.log(probability)
    ham += Math.log(1 - probability)
  }
  const degrees = 2 * evidence.length
  const odds = evidence.length === 0 ? 0 : logChiSquareTail(-2 * spam, degrees) - logChiSquareTail(-2 * ham, degrees)
  return { probability: logistic(odds * CHI_SCALE), evidence }
}

function strongestOfVoices(words: CountedWords): readonly WordEvidence[] {
  const voices = Array.from({ length: VOICES }, () => new Strongest(WORDS_PER_VOICE))
  for (let index = 0; index < words.count; index += 1) {
    const seen = timesSeen(words, index)
    if (seen === 0) continue
    const voice = voices[words.sources[index] as number] as Strongest
    voice.offer(index, smoothShare(spamShare(words, index), seen, STRENGTH))
  }
  return voices.flatMap((voice) => voice.words)
}
