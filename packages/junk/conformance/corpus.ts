/**
 * The conformance suite of `Corpus`: what counts must be kept like to be handed to `createJunkFilter(settings, corpus)`,
 * as cases any test runner can run. Each case gets a corpus of its own. Not here: speed.
 */
import { deepStrictEqual } from 'node:assert/strict'
import type { Corpus, CorpusDelta } from '../src/corpus/index.ts'

/** A corpus under test. */
export interface CorpusUnderTest {
  readonly corpus: Corpus
  /** Closes the corpus and opens the same data again; absent when it keeps nothing. */
  reopen?(): Promise<Corpus>
  /** Closes what is open and removes the data. */
  close(): Promise<void>
}

/** One case of a suite; `run` rejects when it fails. */
export interface ConformanceCase {
  readonly name: string
  run(): Promise<void>
}

type CorpusCase = readonly [name: string, run: (corpus: Corpus, reopen?: () => Promise<Corpus>) => Promise<void>]

/** All cases. @param make an empty corpus, a new one each time */
export function corpusCases(make: () => Promise<CorpusUnderTest>): readonly ConformanceCase[] {
  return CASES.map(([name, run]) => ({
    name,
    async run() {
      const made = await make()
      try {
        await run(made.corpus, made.reopen?.bind(made))
      } finally {
        await made.close()
      }
    },
  }))
}

/** Keys that differ in one half only, and the ends of the range. */
const KEYS = [1, 1, 1, 2, 2, 1, 0xffff_ffff, 0xffff_ffff, 0, 0xffff_ffff, 0xffff_ffff, 0, 0x8000_0000, 1]

const CASES: readonly CorpusCase[] = [
  [
    'an empty corpus knows nothing',
    async (corpus) => {
      deepStrictEqual(await read(corpus, KEYS), { ham: 0, spam: 0, counts: KEYS.map(() => 0) })
      deepStrictEqual(await read(corpus, []), { ham: 0, spam: 0, counts: [] })
    },
  ],
  [
    'words and messages are counted by verdict',
    async (corpus) => {
      await corpus.apply([delta([1, 1, 1, 2], 'ham', 1)])
      await corpus.apply([delta([1, 2, 2, 1], 'spam', 1), delta([1, 2], 'spam', 1)])
      deepStrictEqual(await read(corpus, [1, 1, 1, 2, 2, 1, 2, 2]), { ham: 1, spam: 2, counts: [1, 0, 1, 2, 0, 1, 0, 0] })
    },
  ],
  [
    'keys are told apart by both halves, whatever these are',
    async (corpus) => {
      for (let at = 0; at < KEYS.length; at += 2) {
        await corpus.apply(Array.from({ length: 1 + at / 2 }, () => delta(KEYS.slice(at, at + 2), 'ham', 1)))
      }
      const { counts } = await read(corpus, KEYS)
      deepStrictEqual(counts, KEYS.map((_, at) => (at % 2 === 0 ? 1 + at / 2 : 0)))
    },
  ],
  [
    'a key asked for twice is answered twice',
    async (corpus) => {
      await corpus.apply([delta([7, 7], 'spam', 1)])
      deepStrictEqual((await read(corpus, [7, 7, 8, 8, 7, 7])).counts, [0, 1, 0, 0, 0, 1])
    },
  ],
  [
    'what is unlearned leaves nothing',
    async (corpus) => {
      await corpus.apply([delta([1, 1, 1, 2], 'ham', 1), delta([1, 1], 'spam', 1)])
      await corpus.apply([delta([1, 1], 'spam', -1), delta([1, 1, 1, 2], 'ham', -1)])
      deepStrictEqual(await read(corpus, [1, 1, 1, 2]), { ham: 0, spam: 0, counts: [0, 0, 0, 0] })
    },
  ],
  [
    'the order of deltas does not matter, below 0 neither',
    async (corpus) => {
      await corpus.apply([delta([1, 1, 1, 2], 'ham', -1)])
      deepStrictEqual(await read(corpus, [1, 1]), { ham: -1, spam: 0, counts: [-1, 0] })
      await corpus.apply([delta([1, 1, 1, 2], 'ham', 1)])
      deepStrictEqual(await read(corpus, [1, 1, 1, 2]), { ham: 0, spam: 0, counts: [0, 0, 0, 0] })
    },
  ],
  [
    'a corpus copies what it keeps',
    async (corpus) => {
      const given = delta([1, 1], 'ham', 1)
      await corpus.apply([given])
      given.keys.fill(9)
      deepStrictEqual((await read(corpus, [1, 1, 9, 9])).counts, [1, 0, 0, 0])
      const { counts } = await corpus.read(Uint32Array.of(1, 1))
      counts.fill(5)
      deepStrictEqual((await read(corpus, [1, 1])).counts, [1, 0])
    },
  ],
  [
    'many words come and go',
    async (corpus) => {
      const batches = Array.from({ length: 40 }, (_, batch) =>
        Array.from({ length: 500 }, (__, index) => [Math.imul(batch * 500 + index, 0x9e3779b1) >>> 0, batch * 500 + index + 1]).flat(),
      )
      for (const keys of batches) await corpus.apply([delta(keys, 'ham', 1), delta(keys.slice(0, 500), 'spam', 1)])
      for (const keys of batches.slice(0, 30)) await corpus.apply([delta(keys, 'ham', -1), delta(keys.slice(0, 500), 'spam', -1)])
      for (const keys of batches) await corpus.apply([delta(keys, 'spam', 1)])
      for (const [index, keys] of batches.entries()) {
        const ham = index < 30 ? 0 : 1
        const expected = keys.map((_, at) => (at % 2 === 0 ? ham : at < 500 && index >= 30 ? 2 : 1))
        deepStrictEqual(await read(corpus, keys), { ham: 10, spam: 50, counts: expected })
      }
    },
  ],
  [
    'counts are there after it was closed and opened',
    async (corpus, reopen) => {
      if (reopen === undefined) return
      await corpus.apply([delta([1, 1, 1, 2], 'ham', 1), delta([1, 1], 'spam', 1)])
      deepStrictEqual(await read(await reopen(), [1, 1, 1, 2]), { ham: 1, spam: 1, counts: [1, 1, 1, 0] })
      const again = await reopen()
      await again.apply([delta([1, 1], 'spam', 1)])
      deepStrictEqual(await read(await reopen(), [1, 1, 1, 2]), { ham: 1, spam: 2, counts: [1, 2, 1, 0] })
    },
  ],
]

function delta(keys: readonly number[], verdict: 'ham' | 'spam', sign: 1 | -1): CorpusDelta {
  return { keys: Uint32Array.from(keys), verdict, sign }
}

async function read(corpus: Corpus, keys: readonly number[]): Promise<{ ham: number; spam: number; counts: number[] }> {
  const { totals, counts } = await corpus.read(Uint32Array.from(keys))
  return { ham: totals.ham, spam: totals.spam, counts: Array.from(counts) }
}
