/** Tries of a filter of content: learning from mails, and how well it tells others apart. */
import type { Corpus } from '@postern/junk/corpus'
import { createMemoryCorpus } from '@postern/junk/corpus'
import { createJunkFilter, type JunkFilter, type JunkFilterSettings } from '@postern/junk/filter'
import { addRows, readCountsFile, writeCountsFile, type CountsFile } from '../server/junk-counts-file.ts'
import { dateOf, type JudgedMail } from './junk-mails.ts'

/** Counts of a file with what is learned now. */
export interface TrialCorpus extends Corpus {
  /** Writes both. @param fewest messages a word must have come in */
  save(path: string, fewest?: number): Promise<{ readonly words: number; readonly ham: number; readonly spam: number }>
}

/** @param path of a counts file; one that isn't there is empty */
export async function openTrialCorpus(path: string | undefined): Promise<TrialCorpus> {
  const base = path === undefined ? undefined : await readIfThere(path)
  const learned = createMemoryCorpus()
  const both: Corpus = {
    async read(keys) {
      const [counts, kept] = await Promise.all([learned.read(keys), base?.read(keys)])
      if (kept === undefined) return counts
      for (const [at, count] of kept.counts.entries()) counts.counts[at] = (counts.counts[at] as number) + count
      return { totals: { ham: counts.totals.ham + kept.totals.ham, spam: counts.totals.spam + kept.totals.spam }, counts: counts.counts }
    },
    apply: (deltas) => learned.apply(deltas),
  }
  return {
    ...both,
    async save(to, fewest = 1) {
      const { totals } = await both.read(new Uint32Array(0))
      const rows = addRows(...(base === undefined ? [] : [base.rows()]), learned.rows()).filter(({ ham, spam }) => ham + spam >= fewest)
      await writeCountsFile(to, totals, rows)
      return { words: rows.length, ...totals }
    },
  }
}

async function readIfThere(path: string): Promise<CountsFile | undefined> {
  try {
    return await readCountsFile(path)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}

/** How well mails were told apart. */
export interface TrialResult {
  readonly hamRight: number
  readonly hamWrong: number
  readonly spamRight: number
  readonly spamWrong: number
  /** Share of ham that was taken for ham. */
  readonly specificity: number
  /** Share of spam that was taken for spam. */
  readonly sensitivity: number
  readonly accuracy: number
}

class Tally {
  readonly #counts = { hamRight: 0, hamWrong: 0, spamRight: 0, spamWrong: 0 }

  add(verdict: JudgedMail['verdict'], isRight: boolean): void {
    this.#counts[`${verdict}${isRight ? 'Right' : 'Wrong'}`] += 1
  }

  result(): TrialResult {
    const { hamRight, hamWrong, spamRight, spamWrong } = this.#counts
    const all = hamRight + hamWrong + spamRight + spamWrong
    return {
      ...this.#counts,
      specificity: hamRight / (hamRight + hamWrong || 1),
      sensitivity: spamRight / (spamRight + spamWrong || 1),
      accuracy: (hamRight + spamRight) / (all || 1),
    }
  }
}

export async function trainWith(filter: JunkFilter, mails: Iterable<JudgedMail>): Promise<void> {
  for (const { octets, verdict } of mails) await filter.train(octets, verdict)
}

/** @param told each mail with its probability */
export async function testWith(filter: JunkFilter, mails: Iterable<JudgedMail>, told: (mail: JudgedMail, probability: number, isRight: boolean) => void): Promise<TrialResult> {
  const tally = new Tally()
  for (const mail of mails) {
    const { probability, verdict } = await filter.classify(mail.octets)
    tally.add(mail.verdict, verdict === mail.verdict)
    told(mail, probability, verdict === mail.verdict)
  }
  return tally.result()
}

/** Learns from a part of the mails, drawn by a seed, and tells the others apart. */
export async function analyzeMails(mails: readonly JudgedMail[], settings: JunkFilterSettings, { ratio, seed }: { readonly ratio: number; readonly seed: number }): Promise<TrialResult & { readonly learned: number }> {
  const filter = createJunkFilter(settings, createMemoryCorpus())
  const parts = (['ham', 'spam'] as const).map((verdict) => shuffled(mails.filter((mail) => mail.verdict === verdict), seed))
  const learned = parts.flatMap((part) => part.slice(0, Math.round(part.length * ratio)))
  await trainWith(filter, learned)
  const rest = parts.flatMap((part) => part.slice(Math.round(part.length * ratio)))
  return { learned: learned.length, ...(await testWith(filter, rest, () => undefined)) }
}

/** Takes mails in the order of their Date fields, those without one first: each is told apart, then learned. */
export async function playMails(mails: readonly JudgedMail[], settings: JunkFilterSettings): Promise<TrialResult> {
  const filter = createJunkFilter(settings, createMemoryCorpus())
  const tally = new Tally()
  const dated = mails.map((mail) => ({ mail, seconds: dateOf(mail) ?? 0 })).sort((a, b) => a.seconds - b.seconds)
  for (const { mail } of dated) {
    const { verdict } = await filter.classify(mail.octets)
    tally.add(mail.verdict, verdict === mail.verdict)
    await filter.train(mail.octets, mail.verdict)
  }
  return tally.result()
}

/** Fisher and Yates, with numbers of xorshift32. */
function shuffled<T>(all: readonly T[], seed: number): T[] {
  const drawn = [...all]
  let state = (Math.imul(seed | 0, 0x9e37_79b1) ^ 0x5bd1_e995) | 1
  for (let left = drawn.length; left > 1; left -= 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const other = (state >>> 0) % left
    const last = drawn[left - 1] as T
    drawn[left - 1] = drawn[other] as T
    drawn[other] = last
  }
  return drawn
}
