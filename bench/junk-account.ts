/**
 * The filter of content over the store: how fast an account learns and judges, how long the event loop is held, what it
 * takes on disk, and what dropping rare words costs in errors.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '@postern/core/host'
import { createJunkFilter } from '@postern/junk/filter'
import { readMessageKeys } from '@postern/junk/words'
import { lmdbStore } from 'postern'
import { formatFigure, formatMib, median, quantile } from './figures.ts'
import { dateOf, readHalf, type Sample } from './junk-corpus.ts'
import { numberOptions } from './options.ts'

const DAY_MS = 86_400_000

interface Learned {
  readonly sample: Sample
  readonly keys: Uint32Array
}

export async function benchJunkAccount(args: readonly string[]): Promise<void> {
  const { batch, days } = numberOptions(args, { batch: 32, days: 365 })
  const byDate = (a: Sample, b: Sample): number => (dateOf(a) || 0) - (dateOf(b) || 0)
  const lessons = [...readHalf('train')].sort(byDate).map((sample): Learned => ({ sample, keys: readMessageKeys(sample.octets) }))
  const test = readHalf('test')
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-junk-'))
  let nowMs = Date.parse('2026-01-01T00:00:00Z')
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => performance.now(),
    timer: (ms, fire) => {
      const timer = setTimeout(fire, ms)
      timer.unref()
      return { cancel: () => clearTimeout(timer) }
    },
  }
  const store = await lmdbStore({ dir: directory, clock })
  try {
    await store.createAccount('steady')
    const steady = (await store.account('steady'))?.training
    await store.createAccount('year')
    const year = (await store.account('year'))?.training
    if (steady === undefined || year === undefined) throw new Error('No account')

    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const commits: number[] = []
    const started = performance.now()
    for (let at = 0; at < lessons.length; at += batch) {
      const began = performance.now()
      await steady.corpus.apply(lessons.slice(at, at + batch).map(({ sample, keys }) => ({ keys, verdict: sample.verdict, sign: 1 })))
      commits.push(performance.now() - began)
    }
    const learnedMs = performance.now() - started
    await steady.folded()
    const allMs = performance.now() - started
    delay.disable()
    const words = countWords(lessons)
    const octets = statSync(join(directory, 'store.mdb')).size
    console.log(`learned ${lessons.length} messages, ${words} words: ${formatFigure((lessons.length / learnedMs) * 1000)} messages/s, ${formatFigure((lessons.length / allMs) * 1000)} with all merging`)
    console.log(`a commit of ${batch} messages: median ${formatFigure(median(commits))} ms, 99 % ${formatFigure(quantile(commits, 0.99))} ms; event loop held at most ${formatFigure(delay.max / 1e6)} ms, 99 % ${formatFigure(delay.percentile(99) / 1e6)} ms`)
    console.log(`store: ${formatMib(octets)} MiB, ${formatFigure(octets / words)} octets a word`)

    const steadyErrors = await judge(steady.corpus, test)
    console.log(`judged: median ${formatFigure(median(steadyErrors.ms))} ms, 99 % ${formatFigure(quantile(steadyErrors.ms, 0.99))} ms, ${formatFigure(1000 / mean(steadyErrors.ms))} messages/s`)
    console.log(`errors with all words kept: ${steadyErrors.text}`)

    // The same mail as if it had come over so many days, a week at a time; rare words go as they grow old.
    const weeks = Math.ceil(days / 7)
    for (let week = 0; week < weeks; week += 1) {
      const part = lessons.slice(Math.floor((week * lessons.length) / weeks), Math.floor(((week + 1) * lessons.length) / weeks))
      await year.corpus.apply(part.map(({ sample, keys }) => ({ keys, verdict: sample.verdict, sign: 1 })))
      await year.folded()
      nowMs += 7 * DAY_MS
    }
    const distinct = distinctWords(lessons)
    const { counts } = await year.corpus.read(distinct)
    let left = 0
    for (let n = 0; n < counts.length; n += 2) if (counts[n] !== 0 || counts[n + 1] !== 0) left += 1
    const yearErrors = await judge(year.corpus, test)
    console.log(`errors after ${days} days, words seen once and not for 90 days dropped (${left} of ${words} words left): ${yearErrors.text}`)
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
}

function distinctWords(lessons: readonly Learned[]): Uint32Array {
  const all = new Set<bigint>()
  for (const { keys } of lessons) for (let n = 0; n < keys.length; n += 2) all.add((BigInt(keys[n] as number) << 32n) | BigInt(keys[n + 1] as number))
  return Uint32Array.from([...all].flatMap((word) => [Number(word >> 32n), Number(word & 0xffff_ffffn)]))
}

function countWords(lessons: readonly Learned[]): number {
  return distinctWords(lessons).length / 2
}

async function judge(corpus: Parameters<typeof createJunkFilter>[1], test: readonly Sample[]): Promise<{ readonly ms: readonly number[]; readonly text: string }> {
  const filter = createJunkFilter({}, corpus)
  const ms: number[] = []
  let hamWrong = 0
  let spamMissed = 0
  for (const { octets, verdict } of test) {
    const began = performance.now()
    const found = await filter.classify(octets)
    ms.push(performance.now() - began)
    if (verdict === 'ham' && found.verdict === 'spam') hamWrong += 1
    if (verdict === 'spam' && found.verdict === 'ham') spamMissed += 1
  }
  const ham = test.filter((each) => each.verdict === 'ham').length
  return { ms, text: `${hamWrong} of ${ham} ham wrong, ${spamMissed} of ${test.length - ham} spam missed` }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
