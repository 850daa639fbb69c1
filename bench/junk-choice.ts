/**
 * Which scoring and which threshold: ten-fold cross-validation on the training half, for ten ways to make the folds. The
 * test half is not opened.
 *
 * The rule, fixed before: the scoring is that with the least log loss; its threshold the highest of whole hundredths at
 * which, in the mean of the ten, at most 15 spam messages are missed. So all that may be missed is spent on ham.
 */
import { createMemoryCorpus, type CorpusDelta } from '@postern/junk/corpus'
import { type ScoringName, SCORINGS } from '@postern/junk/scoring'
import { readMessageWords } from '@postern/junk/words'
import { readHalf, type Sample } from './junk-corpus.ts'

const FOLDS = 10
const ASSIGNMENTS = 10
const MAY_MISS = 15
const THRESHOLDS = Array.from({ length: 99 }, (_, index) => (index + 1) / 100)

interface Judged {
  readonly probability: number
  readonly isSpam: boolean
}

/** Means over the assignments. */
interface Errors {
  readonly hamWrong: number
  readonly spamMissed: number
}

type Rounds = readonly (readonly Judged[])[]

export async function chooseScoring(): Promise<void> {
  const rounds = await crossValidate(readHalf('train'))
  console.log(`${FOLDS}-fold cross-validation on the training half, means of ${ASSIGNMENTS} assignments to folds: ham wrong/spam missed\n`)
  console.log('scoring       threshold by the rule  at its own     missed with 1, 2, 3, 5 ham wrong   1 − area    log loss')
  for (const [name, judged] of rounds) {
    const threshold = ruled(judged)
    const missed = [1, 2, 3, 5].map((count) => mean(judged.map((round) => missedWith(round, count))).toFixed(1)).join('  ')
    const columns = [
      name.padEnd(12),
      `${threshold?.toFixed(2) ?? 'none'}: ${threshold === undefined ? '' : format(errorsAt(judged, threshold))}`.padEnd(21),
      format(errorsAt(judged, SCORINGS[name].threshold)).padEnd(13),
      missed.padEnd(33),
      `${(100 * mean(judged.map(areaAbove))).toFixed(4)} %`,
      mean(judged.map(logLoss)).toFixed(1),
    ]
    console.log(columns.join('  '))
  }
  console.log('\nby threshold')
  for (const [name, judged] of rounds) {
    const row = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99].map((threshold) => `${threshold}: ${format(errorsAt(judged, threshold))}`)
    console.log(`${name.padEnd(12)}  ${row.join('  ')}`)
  }
  const own = [...(rounds.get('odds') ?? [])].map((judged) => errorsAt([judged], SCORINGS.odds.threshold))
  console.log(`\nodds at its own threshold, by assignment: ${own.map(({ hamWrong, spamMissed }) => `${hamWrong}/${spamMissed}`).join(' ')}`)
}

async function crossValidate(samples: readonly Sample[]): Promise<ReadonlyMap<ScoringName, Rounds>> {
  const corpus = createMemoryCorpus()
  const words = samples.map(({ octets }) => readMessageWords(octets))
  const deltasOf = (indexes: readonly number[], sign: 1 | -1): CorpusDelta[] =>
    indexes.map((index) => ({ keys: (words[index] as (typeof words)[number]).keys, verdict: (samples[index] as Sample).verdict, sign }))
  const rounds = new Map(Object.keys(SCORINGS).map((name) => [name as ScoringName, [] as Judged[][]]))
  await corpus.apply(deltasOf([...samples.keys()], 1))
  for (let assignment = 0; assignment < ASSIGNMENTS; assignment += 1) {
    const folds = assignFolds(samples, assignment)
    for (const all of rounds.values()) all.push([])
    for (const held of folds) {
      await corpus.apply(deltasOf(held, -1))
      for (const index of held) {
        const { count, keys, distances, sources } = words[index] as (typeof words)[number]
        const { counts, totals } = await corpus.read(keys)
        for (const [name, all] of rounds) {
          const { probability } = SCORINGS[name].score({ count, counts, distances, sources, totals })
          all[assignment]?.push({ probability, isSpam: (samples[index] as Sample).verdict === 'spam' })
        }
      }
      await corpus.apply(deltasOf(held, 1))
    }
  }
  return rounds
}

/** Folds with as much of either verdict. Assignment 0 takes messages in turn, the others shuffle them first, always in the same way. */
function assignFolds(samples: readonly Sample[], assignment: number): readonly (readonly number[])[] {
  const folds = Array.from({ length: FOLDS }, () => [] as number[])
  let state = assignment
  for (const verdict of ['ham', 'spam']) {
    const indexes = [...samples.keys()].filter((index) => (samples[index] as Sample).verdict === verdict)
    for (let last = assignment === 0 ? 0 : indexes.length - 1; last > 0; last -= 1) {
      // Numerical Recipes' linear congruential generator: its high bits are random enough for folds.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      const other = Math.floor((state / 2 ** 32) * (last + 1))
      ;[indexes[last], indexes[other]] = [indexes[other] as number, indexes[last] as number]
    }
    for (const [position, index] of indexes.entries()) (folds[position % FOLDS] as number[]).push(index)
  }
  return folds
}

/** @returns undefined when even the lowest threshold misses more */
function ruled(rounds: Rounds): number | undefined {
  return THRESHOLDS.findLast((threshold) => errorsAt(rounds, threshold).spamMissed <= MAY_MISS)
}

function errorsAt(rounds: Rounds, threshold: number): Errors {
  const wrong = (isSpamWanted: boolean): number =>
    mean(rounds.map((judged) => judged.filter(({ isSpam, probability }) => isSpam === isSpamWanted && probability >= threshold !== isSpam).length))
  return { hamWrong: wrong(false), spamMissed: wrong(true) }
}

/** Spam missed when the threshold lies right above all but so many ham messages. */
function missedWith(judged: readonly Judged[], hamWrong: number): number {
  const ham = judged.filter(({ isSpam }) => !isSpam).map(({ probability }) => probability).sort((a, b) => b - a)
  return judged.filter(({ isSpam, probability }) => isSpam && probability <= (ham[hamWrong] as number)).length
}

/** The chance that a ham message is placed above a spam message. */
function areaAbove(judged: readonly Judged[]): number {
  const ham = judged.filter(({ isSpam }) => !isSpam).map(({ probability }) => probability)
  const spam = judged.filter(({ isSpam }) => isSpam).map(({ probability }) => probability)
  let above = 0
  for (const one of spam) for (const other of ham) if (other >= one) above += other === one ? 0.5 : 1
  return above / (ham.length * spam.length)
}

function logLoss(judged: readonly Judged[]): number {
  let loss = 0
  for (const { isSpam, probability } of judged) loss -= Math.log(Math.max(1e-12, isSpam ? probability : 1 - probability))
  return loss
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function format({ hamWrong, spamMissed }: Errors): string {
  return `${hamWrong.toFixed(1)}/${spamMissed.toFixed(1)}`
}
