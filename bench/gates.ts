/**
 * Limits that must hold, each scaled by how this machine, now, compares with the one the limits were set on: by what
 * bare commits and plain arithmetic take in the same run.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { formatFigure } from './figures.ts'

/** What a figure depends on: `disk` the slower of the two. */
export type Baseline = 'disk' | 'processor'

/** Of the machine the limits hold on as they stand: 2 shared cores, a virtual disk, nothing else running. */
const NOMINAL = { commits: 2_200, sums: 900 } as const

export interface Speed {
  /** Bare durable commits of 5 KB a second, one after another. */
  readonly commits: number
  /** Sums over a MiB a second. */
  readonly sums: number
}

export class Gates {
  readonly #speed: Speed
  readonly missed: string[] = []
  #count = 0

  constructor(speed: Speed) {
    this.#speed = speed
    const percent = (baseline: Baseline): string => `${(100 * this.#factor(baseline)).toFixed(0)} %`
    console.log(`baselines: ${formatFigure(speed.commits)} bare durable commits of 5 KB/s, one after another; ${formatFigure(speed.sums)} sums over a MiB/s`)
    console.log(`limits are taken at ${percent('disk')} where the disk takes part, else at ${percent('processor')}`)
  }

  /** A rate that must be reached. */
  rate(name: string, perSecond: number, atLeast: number, baseline: Baseline): void {
    const limit = atLeast * this.#factor(baseline)
    this.#tell(name, `${formatFigure(perSecond)}/s (${this.#ratio(perSecond, baseline)}), at least ${formatFigure(limit)}`, perSecond >= limit)
  }

  /** A time that may not be reached. */
  time(name: string, ms: number, under: number, baseline: Baseline): void {
    const limit = under / this.#factor(baseline)
    this.#tell(name, `${formatFigure(ms)} ms, under ${formatFigure(limit)}`, ms < limit)
  }

  /** A ratio or share, which no machine changes. */
  ratio(name: string, ratio: number, limit: { readonly atLeast: number } | { readonly atMost: number }): void {
    const [text, isHeld] = 'atLeast' in limit ? [`at least ${limit.atLeast}`, ratio >= limit.atLeast] : [`at most ${limit.atMost}`, ratio <= limit.atMost]
    this.#tell(name, `${ratio.toFixed(3)}, ${text}`, isHeld)
  }

  /** Prints how many held, and which didn't. */
  conclude(): void {
    console.log(`\n${this.#count - this.missed.length} of ${this.#count} gates held${this.missed.length === 0 ? '' : '; missed:'}`)
    for (const name of this.missed) console.log(`  ${name}`)
  }

  #tell(name: string, text: string, isHeld: boolean): void {
    this.#count += 1
    if (!isHeld) this.missed.push(name)
    console.log(`  ${isHeld ? 'held  ' : 'MISSED'} ${name}: ${text}`)
  }

  #factor(baseline: Baseline): number {
    const processor = this.#speed.sums / NOMINAL.sums
    return baseline === 'disk' ? Math.min(processor, this.#speed.commits / NOMINAL.commits) : processor
  }

  #ratio(perSecond: number, baseline: Baseline): string {
    return baseline === 'disk' ? `${(perSecond / this.#speed.commits).toFixed(2)} × bare commits` : `${formatFigure(perSecond / this.#speed.sums)} × sums`
  }
}

/** Sums over a MiB a second: what this processor does with plain arithmetic. */
export function measureSums(seconds: number): number {
  const octets = new Uint8Array(1_048_576).fill(7)
  // The first ones warm up the compiler.
  for (let n = 0; n < 100; n += 1) sumOf(octets)
  const started = performance.now()
  let count = 0
  for (; performance.now() - started < seconds * 1000; count += 1) sumOf(octets)
  return count / ((performance.now() - started) / 1000)
}

function sumOf(octets: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < octets.length; at += 1) sum = (sum + (octets[at] as number)) | 0
  return sum
}

/** How long the event loop is kept from its timers. */
export function watchLoop(): { readonly p99: () => number; readonly max: () => number } {
  const resolution = 1
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution)
  return {
    p99() {
      histogram.disable()
      return ms(histogram.percentile(99))
    },
    max() {
      histogram.disable()
      return ms(histogram.max)
    },
  }
}
