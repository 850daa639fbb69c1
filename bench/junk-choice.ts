/**
 * Which scoring and which threshold: ten-fold cross-validation on the training half. The test half is not opened.
 *
 * The rule, fixed before: a ham message taken for spam costs as much as nine spam messages missed (Androutsopoulos et
 * al., "An Evaluation of Naive Bayesian Anti-Spam Filtering", 2000). The scoring is that with the least log loss, its
 * threshold the one that costs least, rounded up to a twentieth.
 */
import { createMemoryCorpus, type CorpusDelta } from '@postern/junk/corpus'
import { SCORINGS, type ScoringName } from '@postern/junk/scoring'
import { type MessageWords, readMessageWords } from '@postern/junk/words'
import { readHalf, type Sample } from './junk-corpus.ts'

const FOLDS = 10
const HAM_COST = 9
const THRESHOLDS = Array.from({ length: 199 }, (_, index) => (index + 1) / 200)

interface Judged {
  readonly probability: number
  readonly isSpam: boolean
}

interface Costs {
  readonly threshold: number
  readonly hamWrong: number
  readonly spamMissed: number
  readonly cost: number
}

export async function chooseScoring(): Promise<void> {
  const judged = await crossValidate(readHalf('train'))
  console.log(`${FOLDS}-fold cross-validation on the training half; a ham message costs ${HAM_COST} spam messages\n`)
  console.log('scoring       ham wrong / spam missed at the threshold that costs least, at its own, with 1 and 5 ham wrong; 1 − area; log loss')
  for (const [name, results] of judged) {
    const own = costsAt(results, SCORINGS[name].threshold)
    const best = cheapest(results)
    const missed = [1, 5].map((count) => missedWith(results, count)).join(', ')
    console.log(
      `${name.padEnd(12)}  ${format(best)}; ${format(own)}; ${missed}; ${(100 * areaAbove(results)).toFixed(4)} %; ${logLoss(results).toFixed(1)}`,
    )
  }
  console.log('\nthreshold: ham wrong/spam missed')
  for (const [name, results] of judged) {
    const row = [0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99].map((threshold) => `${threshold}: ${costsAt(results, threshold).hamWrong}/${costsAt(results, threshold).spamMissed}`)
    console.log(`${name.padEnd(12)}  ${row.join('  ')}`)
  }
}

async function crossValidate(samples: readonly Sample[]): Promise<ReadonlyMap<ScoringName, readonly Judged[]>> {
  const corpus = createMemoryCorpus()
  const words = samples.map(({ octets }) => readMessageWords(octets))
  const deltaOf = (index: number, sign: 1 | -1): CorpusDelta => ({
    keys: (words[index] as MessageWords).keys,
    verdict: (samples[index] as Sample).verdict,
    sign,
  })
  const all = samples.map((_, index) => index)
  const firstSpam = samples.findIndex(({ verdict }) => verdict === 'spam')
  const foldOf = (index: number): number => (index < firstSpam ? index : index - firstSpam) % FOLDS
  for (const index of all) await corpus.apply([deltaOf(index, 1)])
  const judged = new Map(Object.keys(SCORINGS).map((name) => [name as ScoringName, [] as Judged[]]))
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const held = all.filter((index) => foldOf(index) === fold)
    for (const index of held) await corpus.apply([deltaOf(index, -1)])
    for (const index of held) {
      const { count, keys, distances, sources } = words[index] as MessageWords
      const { counts, totals } = await corpus.read(keys)
      for (const [name, results] of judged) {
        const { probability } = SCORINGS[name].score({ count, counts, distances, sources, totals })
        results.push({ probability, isSpam: (samples[index] as Sample).verdict === 'spam' })
      }
    }
    for (const index of held) await corpus.apply([deltaOf(index, 1)])
  }
  return judged
}

function costsAt(judged: readonly Judged[], threshold: number): Costs {
  const hamWrong = judged.filter(({ isSpam, probability }) => !isSpam && probability >= threshold).length
  const spamMissed = judged.filter(({ isSpam, probability }) => isSpam && probability < threshold).length
  return { threshold, hamWrong, spamMissed, cost: HAM_COST * hamWrong + spamMissed }
}

/** Of thresholds that cost the same the middle one. */
function cheapest(judged: readonly Judged[]): Costs {
  const all = THRESHOLDS.map((threshold) => costsAt(judged, threshold))
  const least = Math.min(...all.map(({ cost }) => cost))
  const equal = all.filter(({ cost }) => cost === least)
  return equal[Math.floor(equal.length / 2)] as Costs
}

/** Spam missed when the threshold lies right above all but so many ham messages. */
function missedWith(judged: readonly Judged[], hamWrong: number): number {
  const ham = judged.filter(({ isSpam }) => !isSpam).map(({ probability }) => probability).sort((a, b) => b - a)
  return judged.filter(({ isSpam, probability }) => isSpam && probability <= (ham[hamWrong] as number)).length
}

/** The chance that a ham message is placed above a spam message. */
function areaAbove(judged: readonly Judged[]): number {
  const ham = judged.filter(({ isSpam }) => !isSpam)
  const spam = judged.filter(({ isSpam }) => isSpam)
  let above = 0
  for (const one of spam) for (const other of ham) if (other.probability >= one.probability) above += other.probability === one.probability ? 0.5 : 1
  return above / (ham.length * spam.length)
}

function logLoss(judged: readonly Judged[]): number {
  let loss = 0
  for (const { isSpam, probability } of judged) loss -= Math.log(Math.max(1e-12, isSpam ? probability : 1 - probability))
  return loss
}

function format({ threshold, hamWrong, spamMissed }: Costs): string {
  return `${hamWrong}/${spamMissed} at ${threshold.toFixed(3)}`
}
