/** `postern junk …`: a filter of content by itself, to learn with and to try out; touches no account. */
import { stat } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { createJunkFilter, type JunkFilterSettings } from '@postern/junk/filter'
import { SCORINGS, type ScoringName } from '@postern/junk/scoring'
import { readJudged, readMails } from './junk-mails.ts'
import { analyzeMails, openTrialCorpus, playMails, testWith, trainWith, type TrialCorpus, type TrialResult } from './junk-trial.ts'

interface FilterFlags {
  readonly scoring?: ScoringName
  readonly spamThreshold?: number
  readonly json?: true
}

interface TrainFlags {
  readonly dbpath: string
  readonly sentDir?: string
  readonly out?: string
  readonly minCount: number
  readonly json?: true
}

interface TestFlags extends FilterFlags {
  readonly dbpath: string
  readonly debug?: true
}

interface AnalyzeFlags extends FilterFlags {
  readonly sentDir?: string
  readonly trainRatio: number
  readonly seed: number
}

const SOURCES = 'a directory with one message a file, an mbox file, or one message'

export function junkCommand(): Command {
  const command = new Command('junk')
  command.addCommand(
    withDatabase(new Command('train'))
      .description('learn from mail, adding to what the file holds')
      .argument('<ham>', SOURCES)
      .argument('<spam>', SOURCES)
      .option('--sent-dir <path>', 'further ham')
      .option('--out <file>', 'also write what was learned for `junkBaseline` of a server')
      .option('--min-count <number>', 'of words for --out: messages each must have come in', parseCount, 2)
      .option('--json', 'tell in JSON')
      .action(runTrain),
  )
  command.addCommand(withFilter(withDatabase(new Command('check'))).description('tell of messages how likely they are junk').argument('<message...>', 'files, or directories of them').action(runCheck))
  command.addCommand(
    withFilter(withDatabase(new Command('test')))
      .description('tell mail apart by what the file holds, and count errors')
      .argument('<ham>', SOURCES)
      .argument('<spam>', SOURCES)
      .option('--debug', 'name what was told wrong')
      .action(runTest),
  )
  command.addCommand(
    withFilter(new Command('analyze'))
      .description('learn from a part of some mail, and tell the rest apart')
      .argument('<ham>', SOURCES)
      .argument('<spam>', SOURCES)
      .option('--sent-dir <path>', 'further ham')
      .option('--train-ratio <share>', 'share to learn from', parseShare, 0.5)
      .option('--seed <number>', 'draws another part', parseSeed, 1)
      .action(runAnalyze),
  )
  command.addCommand(
    withFilter(new Command('play'))
      .description('take mail in the order of its dates: tell each message apart, then learn it')
      .argument('<ham>', SOURCES)
      .argument('<spam>', SOURCES)
      .option('--sent-dir <path>', 'further ham')
      .action(runPlay),
  )
  return command
}

function withDatabase(command: Command): Command {
  return command.option('--dbpath <file>', 'counts of words', 'filter.db')
}

function withFilter(command: Command): Command {
  return command
    .addOption(new Option('--scoring <name>', 'how words are put together').choices(Object.keys(SCORINGS)))
    .option('--spam-threshold <probability>', 'from which on a message is junk (default: that of the scoring)', parseShare)
    .option('--json', 'tell in JSON')
}

async function runTrain(ham: string, spam: string, flags: TrainFlags): Promise<void> {
  const corpus = await openTrialCorpus(flags.dbpath)
  const mails = await readJudged(ham, spam, flags.sentDir)
  await trainWith(createJunkFilter({}, corpus), mails)
  const saved = await corpus.save(flags.dbpath)
  const baseline = flags.out === undefined ? undefined : await corpus.save(flags.out, flags.minCount)
  const told = { learned: mails.length, ...saved, ...(baseline === undefined ? {} : { baselineWords: baseline.words }) }
  say(flags.json, told, [`Learned ${told.learned} messages: ${saved.ham} ham, ${saved.spam} spam and ${saved.words} words in ${flags.dbpath}`, ...(baseline === undefined ? [] : [`${baseline.words} words in ${flags.out}`])])
}

async function runCheck(messages: readonly string[], flags: TestFlags): Promise<void> {
  const filter = createJunkFilter(settingsOf(flags), await openFilled(flags.dbpath))
  for (const path of messages) {
    for await (const { name, octets } of readMails(path)) {
      const { probability, verdict, significant, words } = await filter.classify(octets)
      say(flags.json, { name, probability, verdict, significant, words: words.slice(0, 20) }, [`${probability.toFixed(6)} ${name}`])
    }
  }
}

async function runTest(ham: string, spam: string, flags: TestFlags): Promise<void> {
  const filter = createJunkFilter(settingsOf(flags), await openFilled(flags.dbpath))
  const wrong: { readonly name: string; readonly probability: number }[] = []
  const result = await testWith(filter, await readJudged(ham, spam), ({ name }, probability, isRight) => {
    if (!isRight) wrong.push({ name, probability })
  })
  const named = flags.debug === true ? wrong : []
  say(flags.json, flags.debug === true ? { ...result, wrong } : result, [...named.map(({ name, probability }) => `${probability.toFixed(6)} ${name}`), ...textOf(result)])
}

async function runAnalyze(ham: string, spam: string, flags: AnalyzeFlags): Promise<void> {
  const { trainRatio: ratio, seed } = flags
  const result = await analyzeMails(await readJudged(ham, spam, flags.sentDir), settingsOf(flags), { ratio, seed })
  say(flags.json, result, [`Learned ${result.learned} messages`, ...textOf(result)])
}

async function runPlay(ham: string, spam: string, flags: AnalyzeFlags): Promise<void> {
  const result = await playMails(await readJudged(ham, spam, flags.sentDir), settingsOf(flags))
  say(flags.json, result, textOf(result))
}

/** Counts there must be something in. */
async function openFilled(path: string): Promise<TrialCorpus> {
  const isThere = await stat(path).then(() => true, () => false)
  if (!isThere) throw new Error(`There is no file ${path}: learn something first (postern junk train)`)
  return openTrialCorpus(path)
}

function settingsOf({ scoring, spamThreshold }: FilterFlags): JunkFilterSettings {
  return { ...(scoring === undefined ? {} : { scoring }), ...(spamThreshold === undefined ? {} : { threshold: spamThreshold }) }
}

function textOf({ hamRight, hamWrong, spamRight, spamWrong, specificity, sensitivity, accuracy }: TrialResult): readonly string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
  return [
    `ham   ${hamRight} right, ${hamWrong} wrong (specificity ${percent(specificity)})`,
    `spam  ${spamRight} right, ${spamWrong} wrong (sensitivity ${percent(sensitivity)})`,
    `all   ${percent(accuracy)} right`,
  ]
}

function say(json: true | undefined, value: unknown, lines: readonly string[]): void {
  process.stdout.write(json === true ? `${JSON.stringify(value)}\n` : lines.map((line) => `${line}\n`).join(''))
}

function parseShare(text: string): number {
  const share = Number(text)
  if (text.trim() === '' || !(share >= 0 && share <= 1)) throw new InvalidArgumentError('Expected a number from 0 to 1')
  return share
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Expected a whole number from 1 on')
  return count
}

function parseSeed(text: string): number {
  const seed = Number(text)
  if (!Number.isInteger(seed)) throw new InvalidArgumentError('Expected a whole number')
  return seed
}
