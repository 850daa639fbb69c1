/**
 * A family of histograms that is told to prom-client's registry when it is read. Its own histogram checks and looks up
 * labels at every value; here a value costs a few comparisons, as there are a dozen of each message.
 */
import type { Histogram, HistogramMetric } from '@postern/core/host'

interface Bucketed {
  readonly labels: Readonly<Record<string, string>>
  /** Values up to each bound and above the one before; at last those above all. */
  readonly counts: number[]
  sum: number
}

export class BucketCounts {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly #bounds: readonly number[]
  readonly #labelNames: readonly string[]
  readonly #series: Bucketed[] = []

  constructor({ name, help, labels = [], buckets }: HistogramMetric) {
    this.name = name
    this.help = help
    this.#labelNames = labels
    this.#bounds = buckets
  }

  /** @param values of the labels, in the order of their names; asked for once each */
  series(values: readonly string[]): Histogram {
    const bounds = this.#bounds
    const kept: Bucketed = {
      labels: Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? ''])),
      counts: bounds.map(() => 0).concat(0),
      sum: 0,
    }
    this.#series.push(kept)
    return {
      observe(value) {
        // One that is no number would spoil the sum for good.
        if (!Number.isFinite(value)) return
        let at = 0
        while (at < bounds.length && value > (bounds[at] as number)) at += 1
        kept.counts[at] = (kept.counts[at] as number) + 1
        kept.sum += value
      },
    }
  }

  /** As the registry reads metrics: counts up to each bound, their sum and number. Prometheus text format 0.0.4 */
  async get(): Promise<object> {
    const { name, help, type } = this
    const values = this.#series.flatMap(({ labels, counts, sum }) => {
      let count = 0
      const upTo = counts.map((counted, at) => {
        count += counted
        return { labels: { le: at < this.#bounds.length ? (this.#bounds[at] as number) : '+Inf', ...labels }, value: count, metricName: `${name}_bucket` }
      })
      return [...upTo, { labels, value: sum, metricName: `${name}_sum` }, { labels, value: count, metricName: `${name}_count` }]
    })
    return { name, help, type, values, aggregator: 'sum' }
  }

  reset(): void {
    for (const kept of this.#series) {
      kept.counts.fill(0)
      kept.sum = 0
    }
  }
}
