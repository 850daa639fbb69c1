/**
 * The strongest words of each of three voices: of the way a message took, of the rest of its header, and of what it
 * says. Each voice has as many words as the others, so that a long one can't drown the others: a header full of a
 * mailing list's own words doesn't excuse what is sent over it, and a page of borrowed prose doesn't excuse its header.
 *
 * Choosing the strongest words is Graham's, smoothing Robinson's; three voices, two estimates and few words alike are ours.
 * Sources: `evidence.ts`; how the numbers were chosen: docs/decisions/0012-junk-scoring.md
 */
import { type CountedWords, logistic, type Score, timesSeen, type WordEvidence } from './evidence.ts'
import { oddsByFisher } from './chi-square.ts'
import { Strongest } from './strongest.ts'

const VOICES = 3
/** Words and pairs of each voice by either estimate. */
const WORDS_BY_SHARE = 6
const WORDS_BY_CHANCE = 8
/**
 * Words of a voice that may have the same odds. Words seen in exactly as many messages of ham and as many of spam tend to
 * be the same messages' words, of one list, one sender or one text: they are one piece of evidence said many times.
 */
const WORDS_ALIKE = 3
/** Words of each voice where only shares are used. */
const WORDS_ALONE = 8
/** How many times unseen each word is. Small: what was never seen on one side is told apart by how often it was on the other. */
const STRENGTH = 0.002
/** The words of a message are far from independent: their odds count for so much, which makes probabilities that hold. */
const ODDS_SCALE = 1 / 6
const CHI_SCALE = 1 / 15

/**
 * Sums the odds of the words, estimated in two ways, each of which chooses words of its own: Bayes' rule as if they
 * were independent, then scaled. What both estimates say counts; what only one says counts half.
 */
export function scoreByOdds(words: CountedWords): Score {
  const byShare = voicesOf(WORDS_BY_SHARE, WORDS_ALIKE)
  const byChance = voicesOf(WORDS_BY_CHANCE, WORDS_ALIKE)
  for (let index = 0; index < words.count; index += 1) {
    if (timesSeen(words, index) === 0) continue
    const source = words.sources[index] as number
    const own = byShare[source] as Strongest
    own.offer(index, oddsByShare(words, index))
    const other = byChance[source] as Strongest
    other.offer(index, oddsByChance(words, index))
  }
  const shared = sumOf(byShare) / WORDS_BY_SHARE
  const chanced = sumOf(byChance) / WORDS_BY_CHANCE
  return { probability: logistic((shared + chanced) * ODDS_SCALE), evidence: evidenceOf(words, [...byShare, ...byChance]) }
}

/** Compares how unlikely the words would be by chance, as ham and as spam: Fisher's method, as Robinson proposed. */
export function scoreByChiSquare(words: CountedWords): Score {
  const voices = voicesOf(WORDS_ALONE)
  for (let index = 0; index < words.count; index += 1) {
    if (timesSeen(words, index) === 0) continue
    const voice = voices[words.sources[index] as number] as Strongest
    voice.offer(index, oddsByShare(words, index))
  }
  const evidence = evidenceOf(words, voices)
  return { probability: logistic(oddsByFisher(evidence) * CHI_SCALE), evidence }
}

function voicesOf(size: number, alike?: number): readonly Strongest[] {
  return Array.from({ length: VOICES }, () => new Strongest(size, alike))
}

function sumOf(voices: readonly Strongest[]): number {
  let sum = 0
  for (const { logOdds } of voices) sum += logOdds
  return sum
}

/** By the share of spam among the shares of messages with the word; what is unseen is in as much ham as spam. */
function oddsByShare({ counts, totals }: CountedWords, index: number): number {
  const ham = Math.max(0, counts[2 * index] as number)
  const spam = Math.max(0, counts[2 * index + 1] as number)
  const hamShare = ham / Math.max(1, totals.ham)
  const spamShare = spam / Math.max(1, totals.spam)
  // Both sides of Robinson's fraction times the sum of the shares, for one division instead of three.
  const unseen = (STRENGTH / 2) * (hamShare + spamShare)
  const seen = ham + spam
  return (unseen + seen * spamShare) / (unseen + seen * hamShare)
}

/** By the chance of the word in spam and that in ham; what is unseen is in a part of one message of either, so that it weighs more where fewer were learned. */
function oddsByChance({ counts, totals }: CountedWords, index: number): number {
  const ham = Math.max(0, counts[2 * index] as number) + STRENGTH
  const spam = Math.max(0, counts[2 * index + 1] as number) + STRENGTH
  return (spam * Math.max(1, totals.ham)) / (ham * Math.max(1, totals.spam))
}

/** Each word once. */
function evidenceOf(words: CountedWords, voices: readonly Strongest[]): readonly WordEvidence[] {
  const indexes = new Set(voices.flatMap((voice) => voice.indexes))
  return Array.from(indexes, (index) => ({ index, probability: 1 - 1 / (1 + oddsByShare(words, index)) }))
}
