/**
 * Tells when reads meet pages that are not in memory: then each page fault stops the event loop for a disk access, and
 * it pays to have the pages fetched in a thread first. Warm, that costs 40 %, so it is done only while it is needed.
 */
import type { Clock } from '@postern/core/host'

/** A slice longer than this was slow … */
const SLOW_MS = 2
/** … and cold, if each of its reads took longer than this. A warm read takes 2 to 5 µs. */
const COLD_READ_MS = 0.05
/** Reads that are prefetched after a cold one, before one without it finds out anew. */
const PREFETCHED_READS = 32

export class ColdReads {
  readonly #clock: Clock
  #left = 0
  #until = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Tells how long a slice took. @param reads reads in it, 0 when not known */
  took(ms: number, reads: number): void {
    if (ms <= SLOW_MS || ms < reads * COLD_READ_MS) return
    this.#left = PREFETCHED_READS
    this.#until = this.#clock.monotonic() + 10_000
  }

  /** Whether the next read should prefetch; counts it. */
  isCold(): boolean {
    if (this.#left === 0) return false
    this.#left -= 1
    return this.#clock.monotonic() < this.#until
  }
}
