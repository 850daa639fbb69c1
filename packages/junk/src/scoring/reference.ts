/**
 * The combination mox uses (mjl-/mox, junk/filter.go), for comparison: of single words the ten strongest of ham and the
 * ten strongest of spam, each held within 1 % and 99 %, put together by Bayes' rule as if they were independent; after
 * Graham, "A Plan for Spam" (2002).
 */
import { type CountedWords, logistic, type Score, spamShare, timesSeen } from './evidence.ts'
import { Strongest } from './strongest.ts'

const TOP_WORDS = 10
const MAX_POWER = 0.01
const RARE = 2
const IGNORED = 0.1

export function scoreAsReference(words: CountedWords): Score {
  const ham = new Strongest(TOP_WORDS)
  const spam = new Strongest(TOP_WORDS)
  for (let index = 0; index < words.count; index += 1) {
    const seen = timesSeen(words, index)
    if (seen === 0 || words.distances[index] !== 0) continue
    let share = Math.min(1 - MAX_POWER, Math.max(MAX_POWER, spamShare(words, index)))
    if (seen <= RARE) share += ((0.5 - share) * (1 + RARE - seen)) / 10
    if (Math.abs(share - 0.5) < IGNORED) continue
    if (share < 0.5) ham.offer(index, share)
    else spam.offer(index, share)
  }
  const evidence = [...ham.words, ...spam.words]
  let odds = 0
  for (const { probability } of evidence) odds += Math.log(probability / (1 - probability))
  return { probability: logistic(odds), evidence }
}
