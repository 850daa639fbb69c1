/**
 * The junk filter beside bogofilter: what both get wrong of mail they have not seen, and how many messages a second of
 * processor time. Ours reads octets that are in memory, bogofilter files that are in the cache of the system.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryCorpus } from '@postern/junk/corpus'
import { createJunkFilter, type JunkFilter } from '@postern/junk/filter'
import { type ScoringName, SCORINGS } from '@postern/junk/scoring'
import { formatFigure, median } from './figures.ts'
import { dateOf, readHalf, type Sample, withoutTrace } from './junk-corpus.ts'
import { measureLimits } from './junk-limits.ts'
import { numberOptions } from './options.ts'
import { processorSeconds } from './processor-time.ts'
import { askBogofilter, bogofilterVersion, trainBogofilter } from './peers/bogofilter.ts'

interface Errors {
  readonly hamWrong: readonly string[]
  readonly spamMissed: readonly string[]
}

interface Measured extends Errors {
  readonly classified: number
  readonly trained: number
}

const BOGOFILTER_THRESHOLD = 0.5

export async function benchJunk(args: readonly string[]): Promise<void> {
  const { rounds } = numberOptions(args, { rounds: 5 })
  const train = readHalf('train')
  const test = readHalf('test')
  const ham = test.filter(({ verdict }) => verdict === 'ham').length
  const spam = test.length - ham
  console.log(`trained with ${train.length} messages, tested with ${ham} of ham and ${spam} of spam; speeds are medians of ${rounds} rounds, by the second of processor time, other threads and the child's included`)
  if (bogofilterVersion === undefined) console.log('bogofilter is not installed: apt-get install bogofilter')

  // The first ones warm up the compiler.
  await measureOurs(train, train)
  const ours: Measured[] = []
  const theirs: Measured[] = []
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await measureOurs(train, test))
    if (bogofilterVersion !== undefined) theirs.push(measureTheirs(train, test))
  }

  console.log('\n                                    ham wrong   spam missed')
  tell('junk', ours[0] as Measured, ham, spam)
  for (const scoring of Object.keys(SCORINGS) as ScoringName[]) tell(`junk, scoring ${scoring}`, await judge(await taught(train, scoring), test), ham, spam)
  const bare = (samples: readonly Sample[]): readonly Sample[] => samples.map((sample) => ({ ...sample, octets: withoutTrace(sample.octets) }))
  tell('junk, no Received, X-, List- fields', await judge(await taught(bare(train)), bare(test)), ham, spam)
  if (theirs[0] !== undefined) tell(`bogofilter ${bogofilterVersion ?? ''}`, theirs[0], ham, spam)
  console.log(`\nham wrong: ${(ours[0] as Measured).hamWrong.join(', ')}`)
  console.log(`spam missed: ${(ours[0] as Measured).spamMissed.join(', ')}`)

  await tellCurve([...train, ...test])
  await measureLimits(await taught(train))

  const line = (name: string, all: readonly Measured[]): string =>
    all[0] === undefined
      ? `${name}: not installed`
      : `${name}: ham wrong ${all[0].hamWrong.length}/${ham}, spam missed ${all[0].spamMissed.length}/${spam}, ` +
        `classified ${formatFigure(median(all.map(({ classified }) => classified)))}/s, trained ${formatFigure(median(all.map(({ trained }) => trained)))}/s`
  console.log(`\n${line('junk', ours)}; ${line('bogofilter', theirs)}`)
}

function tell(name: string, { hamWrong, spamMissed }: Errors, ham: number, spam: number): void {
  console.log(`${name.padEnd(36)}${`${hamWrong.length}/${ham}`.padStart(9)}${`${spamMissed.length}/${spam}`.padStart(14)}`)
}

async function taught(samples: readonly Sample[], scoring?: ScoringName): Promise<JunkFilter> {
  const filter = createJunkFilter(scoring === undefined ? {} : { scoring }, createMemoryCorpus())
  for (const { octets, verdict } of samples) await filter.train(octets, verdict)
  return filter
}

async function judge(filter: JunkFilter, samples: readonly Sample[]): Promise<Errors> {
  const hamWrong: string[] = []
  const spamMissed: string[] = []
  for (const { octets, verdict, name } of samples) {
    const found = await filter.classify(octets)
    if (found.verdict !== verdict) (verdict === 'ham' ? hamWrong : spamMissed).push(name)
  }
  return { hamWrong, spamMissed }
}

async function measureOurs(train: readonly Sample[], test: readonly Sample[]): Promise<Measured> {
  const started = processorSeconds(process.pid)
  const filter = await taught(train)
  const trained = processorSeconds(process.pid)
  const errors = await judge(filter, test)
  const ended = processorSeconds(process.pid)
  return { ...errors, trained: train.length / (trained - started), classified: test.length / (ended - trained) }
}

function measureTheirs(train: readonly Sample[], test: readonly Sample[]): Measured {
  const dir = mkdtempSync(join(tmpdir(), 'postern-bogofilter-'))
  try {
    const started = processorSeconds(process.pid)
    for (const verdict of ['ham', 'spam'] as const) {
      trainBogofilter(dir, verdict, train.filter((sample) => sample.verdict === verdict).map(({ path }) => path))
    }
    const trained = processorSeconds(process.pid)
    const probabilities = askBogofilter(dir, test.map(({ path }) => path))
    const ended = processorSeconds(process.pid)
    const isJunk = (index: number): boolean => (probabilities[index] as number) > BOGOFILTER_THRESHOLD
    return {
      hamWrong: test.filter(({ verdict }, index) => verdict === 'ham' && isJunk(index)).map(({ name }) => name),
      spamMissed: test.filter(({ verdict }, index) => verdict === 'spam' && !isJunk(index)).map(({ name }) => name),
      trained: train.length / (trained - started),
      classified: test.length / (ended - trained),
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** Classifies each message, then learns it, in the order of their dates: what an account sees that starts with nothing. */
async function tellCurve(samples: readonly Sample[]): Promise<void> {
  const dated = samples.map((sample) => ({ sample, date: dateOf(sample) })).filter(({ date }) => !Number.isNaN(date))
  dated.sort((a, b) => a.date - b.date)
  console.log(`\nin the order of dates (${dated.length} messages have one), each classified, then learned; of those that were significant`)
  console.log('   messages   ham wrong   spam missed   not yet significant')
  const filter = createJunkFilter({}, createMemoryCorpus())
  const steps = [200, 500, 1000, 2000, 3000, 4000, 5000, dated.length]
  let from = { count: 0, ham: 0, hamWrong: 0, spam: 0, spamMissed: 0, unsure: 0 }
  for (const [index, { sample }] of dated.entries()) {
    const found = await filter.classify(sample.octets)
    const isWrong = found.significant && found.verdict !== sample.verdict
    if (!found.significant) from.unsure += 1
    else if (sample.verdict === 'ham') from = { ...from, ham: from.ham + 1, hamWrong: from.hamWrong + (isWrong ? 1 : 0) }
    else from = { ...from, spam: from.spam + 1, spamMissed: from.spamMissed + (isWrong ? 1 : 0) }
    await filter.train(sample.octets, sample.verdict)
    if (!steps.includes(index + 1)) continue
    const row = [`${from.count + 1}–${index + 1}`.padStart(11), `${from.hamWrong}/${from.ham}`.padStart(11), `${from.spamMissed}/${from.spam}`.padStart(13), `${from.unsure}`.padStart(21)]
    console.log(row.join(' '))
    from = { count: index + 1, ham: 0, hamWrong: 0, spam: 0, spamMissed: 0, unsure: 0 }
  }
}
