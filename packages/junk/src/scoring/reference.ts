/**
 * The combination mox uses (mjl-/mox, junk/filter.go), for comparison: of single words the ten strongest of ham and the
 * ten strongest of spam, each held within 1 % and 99 %, put together by Bayes' rule as if they were independent; after
 * Graham, "A Plan for Spam" (2002). Among equally strong words mox prefers longer ones; that changes which are told, not
 * the probability.
 */
import { type CountedWords, logistic, type Score, spamShare, timesSeen, type WordEvidence } from './evidence.ts'
import { Strongest } from './strongest.ts'

const TOP_WORDS = 10
const MAX_POWER = 0.01
const RARE = 2
const IGNORED = 0.1

export function scoreAsReference(words: CountedWords): Score {
  const ham = new Strongest(TOP_WORDS)
  const spam = new Strongest(TOP_WORDS)
  for (let index = 0; index < words.count; index += 1) {
    if (words.distances[index] !== 0) continue
    const share = shareOf(words, index)
    if (Number.isNaN(share) || Math.abs(0.5 - share) < IGNORED) continue
    const side = share < 0.5 ? ham : spam
    side.offer(index, share / (1 - share))
  }
  const evidence = [...ham.indexes, ...spam.indexes].map((index): WordEvidence => ({ index, probability: shareOf(words, index) }))
  return { probability: logistic(ham.logOdds + spam.logOdds), evidence }
}

/** NaN when never seen. */
function shareOf(words: CountedWords, index: number): number {
  const share = Math.min(1 - MAX_POWER, Math.max(MAX_POWER, spamShare(words, index)))
  const seen = timesSeen(words, index)
  return seen <= RARE ? share + ((0.5 - share) * (1 + RARE - seen)) / 10 : share
}
