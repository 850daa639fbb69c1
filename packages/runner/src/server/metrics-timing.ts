/** What stands around resolver, filter and engines to tell how long they took. None of it holds up what it watches. */
import type { Classifier } from '@postern/core/analysis'
import type { Engine } from '@postern/core/conversation'
import { DnsError, type Clock, type Resolver } from '@postern/core/host'
import type { ServerMetrics } from './metrics.ts'

export function timeResolver(resolver: Resolver, clock: Clock, metrics: ServerMetrics): Resolver {
  return {
    query(name, kind, options) {
      const began = clock.monotonic()
      const told = (result: string): void => metrics.lookedUp(kind, result, clock.monotonic() - began)
      const answer = Promise.resolve(resolver.query(name, kind, options))
      // Beside the answer, which goes to who asked as it is.
      answer.then(
        ({ records, nameExists }) => told(records.length > 0 ? 'found' : nameExists ? 'none' : 'no-such-name'),
        (error: unknown) => told(error instanceof DnsError ? error.code.toLowerCase().replace('_', '-') : 'given-up'),
      )
      return answer
    },
  }
}

export function timeClassifier(classifier: Classifier, clock: Clock, metrics: ServerMetrics): Classifier {
  return {
    classify(account, message, options) {
      const began = clock.monotonic()
      const told = (result: 'judged' | 'no-opinion' | 'failed'): void => metrics.classified(result, clock.monotonic() - began)
      const classification = Promise.resolve(classifier.classify(account, message, options))
      classification.then(
        (found) => told(found === undefined ? 'no-opinion' : 'judged'),
        () => told('failed'),
      )
      return classification
    },
  }
}

/**
 * Measures answers of one conversation: from the octets that came last, or from the answer before when several
 * commands came at once. A message is measured from its end, not while its octets come.
 */
export class AnswerTimer {
  readonly #clock: Clock
  #since: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  /** The engine, which tells when it is fed. */
  watch(engine: Engine): Engine {
    const feed = engine.feed.bind(engine)
    engine.feed = (octets) => {
      this.#since = this.#clock.monotonic()
      feed(octets)
    }
    return engine
  }

  /** Milliseconds the answer that is given now took. */
  lap(): number {
    const now = this.#clock.monotonic()
    const took = now - this.#since
    this.#since = now
    return took
  }
}
