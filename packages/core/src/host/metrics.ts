/**
 * Counts and measures, as code hands them to whoever keeps them. Shaped by what monitoring systems have in common:
 * families with a name and label names, in them one series for each set of label values.
 * Not here: keeping them and writing them out, which the runner and host applications do.
 */

/** A family of series. */
export interface Metric {
  /** Lower case with underscores; counters end in `_total`, measures in their unit. */
  readonly name: string
  /** One sentence for people. */
  readonly help: string
  /** Names of the labels; their values must come from a small closed set, never from what a stranger wrote. */
  readonly labels?: readonly string[]
}

/** A histogram's family. */
export interface HistogramMetric extends Metric {
  /** Upper bounds, rising. */
  readonly buckets: readonly number[]
}

/** A number that only grows. */
export interface Counter {
  /** @param amount ≥ 0; default 1 */
  add(amount?: number): void
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number): void
  /** @param amount may be negative */
  add(amount: number): void
}

/** How often a value came to lie where. */
export interface Histogram {
  observe(value: number): void
}

/** The series of a family. Whoever counts often keeps what this returns. */
export interface Series<S> {
  /** @param values of the labels, in the order of their names */
  of(...values: readonly string[]): S
}

/** Keeps metrics. A family that is asked for again, as by a server that is started anew, is the same; none of its methods may throw. */
export interface Metrics {
  counter(metric: Metric): Series<Counter>
  gauge(metric: Metric): Series<Gauge>
  histogram(metric: HistogramMetric): Series<Histogram>
  /**
   * Has a function called before values are read, to set gauges that nobody counts along. Optional: such gauges then stay away.
   * @returns stops that
   */
  beforeReading?(look: () => void): () => void
  /** All values as Prometheus text 0.0.4; absent where they are kept elsewhere. */
  text?(): Promise<string>
}

/** Keeps nothing: for code used without a host. */
export const noMetrics: Metrics = {
  counter: () => ({ of: () => ({ add() {} }) }),
  gauge: () => ({ of: () => ({ set() {}, add() {} }) }),
  histogram: () => ({ of: () => ({ observe() {} }) }),
}
