/** The registry that keeps metrics when the host application does not: prom-client behind core's contract. */
import type { HistogramMetric, Metric, Metrics, Series } from '@postern/core/host'
import { Counter, Gauge, Registry } from 'prom-client'
import { BucketCounts } from './bucket-counts.ts'

/**
 * LIMIT: series of one family. Labels are bounded where they are made; this keeps a mistake there, or codes a hook
 * makes up, from growing without end. What comes beyond is counted together, each label as `other`.
 */
const MAX_SERIES = 1_000
const OTHER = 'other'

/** A registry of its own: two servers in a process don't count into each other. */
export function createMetrics(): Required<Metrics> {
  const registry = new Registry()
  const looks = new Set<() => void>()
  const families = new Map<string, unknown>()
  // What was counted since the last reading: a number of our own is far cheaper to raise than one that is looked up.
  const flushes: (() => void)[] = []
  const configurationOf = ({ name, help, labels = [] }: Metric) => ({ name, help, labelNames: [...labels], registers: [registry] })
  /** @throws Error when the name is there already with other labels, or for something else */
  function once<S>(kind: string, metric: Metric, make: () => Series<S>): Series<S> {
    const key = `${kind} ${metric.name} ${(metric.labels ?? []).join(' ')}`
    let family = families.get(key) as Series<S> | undefined
    if (family === undefined) families.set(key, (family = make()))
    return family
  }
  return {
    counter: (metric) =>
      once('counter', metric, () => {
        const family = new Counter(configurationOf(metric))
        return keepSeries(metric, (values) => {
          const series = family.labels(...values)
          let counted = 0
          flushes.push(() => {
            series.inc(counted)
            counted = 0
          })
          return {
            add(amount = 1) {
              // A host application's mistake must not be thrown at who reads all the others.
              if (amount > 0 && amount < Infinity) counted += amount
            },
          }
        })
      }),
    gauge: (metric) =>
      once('gauge', metric, () => {
        const family = new Gauge(configurationOf(metric))
        return keepSeries(metric, (values) => {
          const series = family.labels(...values)
          return { set: (value) => series.set(value), add: (amount) => series.inc(amount) }
        })
      }),
    histogram: (metric: HistogramMetric) =>
      once('histogram', metric, () => {
        const family = new BucketCounts(metric)
        registry.registerMetric(family as never)
        return keepSeries(metric, (values) => family.series(values))
      }),
    beforeReading(look) {
      const own = (): void => look()
      looks.add(own)
      return () => void looks.delete(own)
    },
    text() {
      for (const look of looks) look()
      for (const flush of flushes) flush()
      return registry.metrics()
    },
  }
}

/** Series below one label's value: further labels, or at the last the series itself. */
interface Branch<S> {
  readonly below: Map<string, Branch<S>>
  series: S | undefined
}

/** Makes each series once, and finds it again label by label: joining labels into a key would cost more than counting does. */
function keepSeries<S>({ labels = [] }: Metric, make: (values: readonly string[]) => S): Series<S> {
  const root: Branch<S> = { below: new Map(), series: undefined }
  let made = 0
  function find(values: readonly string[], grows: boolean): Branch<S> | undefined {
    let branch = root
    for (const value of values) {
      let next = branch.below.get(value)
      if (next === undefined) {
        if (!grows) return undefined
        branch.below.set(value, (next = { below: new Map(), series: undefined }))
      }
      branch = next
    }
    return branch
  }
  return {
    of(...values) {
      const known = find(values, false)?.series
      if (known !== undefined) return known
      const kept = made < MAX_SERIES ? values : labels.map(() => OTHER)
      const branch = find(kept, true) as Branch<S>
      if (branch.series === undefined) {
        branch.series = make(kept)
        made += 1
      }
      return branch.series
    },
  }
}
