/** Scorings in which every word and pair takes part, for comparison with those that choose. */
import { oddsByFisher } from './chi-square.ts'
import { type CountedWords, logistic, type Score, smoothShare, spamShare, timesSeen, type WordEvidence } from './evidence.ts'

/** Words nearer to 0.5 say nothing; and how many times unseen each is. Of bogofilter and SpamBayes, rounded. */
const LEAST_DEVIATION = 0.1
const STRENGTH = 0.1
const STRONGEST = 150

/** Words alone and Fisher's method: Robinson, "A Statistical Approach to the Spam Problem" (Linux Journal 107, 2003). */
export function scoreByFisher(words: CountedWords): Score {
  const found: WordEvidence[] = []
  for (let index = 0; index < words.count; index += 1) {
    const seen = timesSeen(words, index)
    if (seen === 0 || words.distances[index] !== 0) continue
    const probability = smoothShare(spamShare(words, index), seen, STRENGTH)
    if (Math.abs(probability - 0.5) >= LEAST_DEVIATION) found.push({ index, probability })
  }
  const evidence = found.sort((a, b) => Math.abs(b.probability - 0.5) - Math.abs(a.probability - 0.5)).slice(0, STRONGEST)
  return { probability: logistic(oddsByFisher(evidence)), evidence }
}

/** Weights by distance of words in a pair. */
const EXPONENTIAL = [3125, 256, 27, 4, 1]

/**
 * Pairs that skip words, each with a weight that falls exponentially with their distance and a confidence that grows
 * with what was seen: Assis, Yerazunis, Siefkes, Chhabra, "Exponential Differential Document Count" (Notre Dame Spam
 * Conference 2006).
 */
export function scoreByExponentialWeights(words: CountedWords): Score {
  const evidence: WordEvidence[] = []
  let odds = 0
  for (let index = 0; index < words.count; index += 1) {
    const seen = timesSeen(words, index)
    if (seen === 0) continue
    const share = spamShare(words, index)
    const weight = (EXPONENTIAL[words.distances[index] as number] as number) / 3125
    const confidence = (2 * share - 1) ** 2 * (seen / (seen + 0.5 / weight))
    const probability = Math.min(1 - 1e-6, Math.max(1e-6, 0.5 + confidence * (share - 0.5)))
    odds += Math.log(probability / (1 - probability))
    evidence.push({ index, probability })
  }
  return { probability: logistic(odds), evidence }
}
