/**
 * Answers kept for as long as they may be: least recently used first out, bounded in number and in octets.
 * Not here: which answers may be kept. Nothing is handed out past its time.
 */
import type { Clock, DnsAnswer, DnsKind } from '@postern/core/host'

interface Kept {
  readonly answer: DnsAnswer<DnsKind>
  /** Monotonic milliseconds. */
  readonly until: number
  readonly sizeOctets: number
}

export interface CacheLimits {
  readonly entries: number
  /** By an estimate of what each answer takes in memory. */
  readonly octets: number
}

/** LIMIT: what an entry takes besides its texts, roughly. */
const ENTRY_OCTETS = 256
const RECORD_OCTETS = 64

export class DnsCache {
  readonly #clock: Clock
  readonly #limits: CacheLimits
  readonly #kept = new Map<string, Kept>()
  #sizeOctets = 0

  constructor(clock: Clock, limits: CacheLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Answers that are kept, also those whose time has passed and which nobody asked for since. */
  get size(): number {
    return this.#kept.size
  }

  get sizeOctets(): number {
    return this.#sizeOctets
  }

  /** @returns the answer with the seconds it has left; undefined when there is none whose time lasts */
  get(key: string): DnsAnswer<DnsKind> | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    const leftMs = kept.until - this.#clock.monotonic()
    this.#remove(key)
    if (leftMs <= 0) return undefined
    this.#insert(key, kept)
    return { ...kept.answer, ttl: Math.floor(leftMs / 1_000) }
  }

  /** Keeps an answer for its `ttl`; one of 0 s is not kept. */
  set(key: string, answer: DnsAnswer<DnsKind>): void {
    this.#remove(key)
    const sizeOctets = ENTRY_OCTETS + 2 * key.length + answer.records.reduce((sum, record) => sum + sizeOf(record), 0)
    if (answer.ttl <= 0 || sizeOctets > this.#limits.octets) return
    this.#insert(key, { answer, until: this.#clock.monotonic() + 1_000 * answer.ttl, sizeOctets })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limits.entries && this.#sizeOctets <= this.#limits.octets) break
      this.#remove(oldest)
    }
  }

  clear(): void {
    this.#kept.clear()
    this.#sizeOctets = 0
  }

  #insert(key: string, kept: Kept): void {
    this.#kept.set(key, kept)
    this.#sizeOctets += kept.sizeOctets
  }

  #remove(key: string): void {
    this.#sizeOctets -= this.#kept.get(key)?.sizeOctets ?? 0
    this.#kept.delete(key)
  }
}

function sizeOf(record: DnsAnswer<DnsKind>['records'][number]): number {
  if (typeof record === 'string') return RECORD_OCTETS + 2 * record.length
  let octets = RECORD_OCTETS
  for (const value of Object.values(record) as readonly unknown[]) {
    if (typeof value === 'string') octets += 2 * value.length
    else if (value instanceof Uint8Array) octets += RECORD_OCTETS + value.length
  }
  return octets
}
