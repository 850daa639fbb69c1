/** Judges messages by what accounts have learned: fulfils core's `Classifier` over the corpora of the store. */
import type { Classification, Classifier } from '@postern/core/analysis'
import type { Directory } from '@postern/core/directory'
import type { MailStore, SpooledMessage, WordCorpus } from '@postern/core/store'
import type { Corpus } from '@postern/junk/corpus'
import { createJunkFilter, type ReadWords } from '@postern/junk/filter'
import { DEFAULT_SCORING, SCORINGS, type ScoringName } from '@postern/junk/scoring'
import type { CountsFile } from './junk-counts-file.ts'
import { MAX_READ_OCTETS, type JunkReader } from './junk-reader.ts'
import { READING } from './junk-reading.ts'

const PIECE_OCTETS = 65_536

export interface JunkClassifierHost {
  readonly store: MailStore
  readonly directory: () => Directory
  readonly reader: JunkReader
  /** Words of messages that were read already, when their senders were looked into. */
  readonly readings: WeakMap<SpooledMessage, ReadWords>
  /** What every account begins with. */
  readonly baseline?: CountsFile | undefined
}

export function createJunkClassifier({ store, directory, reader, readings, baseline }: JunkClassifierHost): Classifier {
  return {
    async classify(name, message, { signal }): Promise<Classification | undefined> {
      const settings = directory().settingsOf(name)
      if (settings?.junkFilter.enabled !== true) return undefined
      const account = await store.account(name)
      if (account === undefined) return undefined
      const { totals, reading } = await account.training.state()
      // Learned by another way of reading, its counts are of other words.
      const isOwn = reading === READING
      const learned = { ham: (isOwn ? totals.ham : 0) + (baseline?.totals.ham ?? 0), spam: (isOwn ? totals.spam : 0) + (baseline?.totals.spam ?? 0) }
      // A filter that knows one side only, or nothing, has no opinion.
      if (learned.ham <= 0 || learned.spam <= 0) return undefined
      const words = readings.get(message) ?? (await reader.words(await firstOctets(message, signal)))
      const scoring = scoringOf(settings.junkFilter.scoring)
      const filter = createJunkFilter({ scoring }, corpusOf(isOwn ? account.training.corpus : undefined, baseline))
      const { probability, significant } = await filter.classifyWords(words)
      signal.throwIfAborted()
      return { probability, significant, threshold: SCORINGS[scoring].threshold }
    },
  }
}

/** @returns the default for a name there is none of; `isScoring` tells beforehand */
function scoringOf(name: string | undefined): ScoringName {
  return name !== undefined && isScoring(name) ? name : DEFAULT_SCORING
}

export function isScoring(name: string): name is ScoringName {
  return Object.hasOwn(SCORINGS, name)
}

/** An account's counts and those it began with, added. */
function corpusOf(own: WordCorpus | undefined, baseline: CountsFile | undefined): Corpus {
  const apply = (): Promise<void> => Promise.reject(new Error('Nothing is learned here'))
  if (baseline === undefined && own !== undefined) return { read: (keys) => own.read(keys), apply }
  return {
    async read(keys) {
      const all = await Promise.all([own?.read(keys), baseline?.read(keys)])
      const counts = new Int32Array(keys.length)
      const totals = { ham: 0, spam: 0 }
      for (const found of all) {
        if (found === undefined) continue
        totals.ham += found.totals.ham
        totals.spam += found.totals.spam
        for (const [at, count] of found.counts.entries()) counts[at] = (counts[at] as number) + count
      }
      return { totals, counts }
    },
    apply,
  }
}

/** What is read of a message, in octets that are not used after this call. */
async function firstOctets(message: SpooledMessage, signal: AbortSignal): Promise<Uint8Array> {
  const size = Math.min(message.sizeOctets, MAX_READ_OCTETS)
  const held = message.inMemory()
  if (held !== undefined && held.length >= size) return held.subarray(0, size)
  const octets = new Uint8Array(size)
  for (let at = 0; at < size; at += PIECE_OCTETS) {
    signal.throwIfAborted()
    octets.set(await message.read(at, Math.min(size, at + PIECE_OCTETS)), at)
  }
  return octets
}
