/**
 * Octet keys in order, in memory: a list of short sorted runs, so that neither insertion nor search goes with the size
 * of the whole. Keys are kept as strings of code units 0 to 255, which compare as their octets do.
 */
import { plain } from './fresh-octets.ts'

/** Longest run. LIMIT: an insertion moves at most this many references, and one in the list of runs. */
const RUN = 256

interface Run<V> {
  readonly keys: string[]
  readonly values: V[]
}

/** Key of octets. */
export function keyText(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
}

/** Octets of a key: a new array. */
export function keyOctets(text: string): Uint8Array {
  return plain(Buffer.from(text, 'latin1'))
}

export class SortedMap<V> {
  readonly #runs: Run<V>[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    const run = this.#runs[this.#runOf(key)]
    if (run === undefined) return undefined
    const at = lowerBound(run.keys, key)
    return run.keys[at] === key ? run.values[at] : undefined
  }

  set(key: string, value: V): void {
    const index = this.#runOf(key)
    const run = this.#runs[index]
    if (run === undefined) {
      this.#runs.push({ keys: [key], values: [value] })
      this.#size += 1
      return
    }
    const at = lowerBound(run.keys, key)
    if (run.keys[at] === key) {
      run.values[at] = value
      return
    }
    run.keys.splice(at, 0, key)
    run.values.splice(at, 0, value)
    this.#size += 1
    if (run.keys.length > RUN) {
      const half = RUN >> 1
      this.#runs.splice(index + 1, 0, { keys: run.keys.splice(half), values: run.values.splice(half) })
    }
  }

  delete(key: string): boolean {
    const index = this.#runOf(key)
    const run = this.#runs[index]
    if (run === undefined) return false
    const at = lowerBound(run.keys, key)
    if (run.keys[at] !== key) return false
    run.keys.splice(at, 1)
    run.values.splice(at, 1)
    this.#size -= 1
    if (run.keys.length === 0) this.#runs.splice(index, 1)
    return true
  }

  /** Entries with `from <= key < to`, ascending. The map may not change meanwhile. */
  *ascending(from: string, to: string): IterableIterator<[string, V]> {
    for (let r = this.#runOf(from); r < this.#runs.length; r += 1) {
      const { keys, values } = this.#runs[r] as Run<V>
      for (let i = lowerBound(keys, from); i < keys.length; i += 1) {
        const key = keys[i] as string
        if (key >= to) return
        yield [key, values[i] as V]
      }
    }
  }

  /** The same, descending. */
  *descending(from: string, to: string): IterableIterator<[string, V]> {
    for (let r = Math.min(this.#runOf(to), this.#runs.length - 1); r >= 0; r -= 1) {
      const { keys, values } = this.#runs[r] as Run<V>
      for (let i = lowerBound(keys, to) - 1; i >= 0; i -= 1) {
        const key = keys[i] as string
        if (key < from) return
        yield [key, values[i] as V]
      }
    }
  }

  /** Index of the run a key lies in or would go to. */
  #runOf(key: string): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (((this.#runs[middle] as Run<V>).keys[0] as string) <= key) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

/** Index of the first element that is at least `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
