/**
 * The engine contract in memory: for `memoryStore()` and tests. Nothing survives the process; every limit holds as in
 * LMDB.
 */
import { StoreError } from '@postern/core/store'
import type { Batch, Entry, Expectation, KeyRange, OrderedStore, Reader } from './ordered-store.ts'
import { LIMITS, checkBatch, compareOctets } from './ordered-store.ts'
import { SortedMap, keyOctets, keyText } from './sorted-map.ts'

export function createMemoryOrderedStore(): OrderedStore {
  const entries = new SortedMap<Uint8Array>()
  let closed = false
  let reading = false

  const reader: Reader = {
    get(key) {
      return entries.get(keyText(key))?.slice()
    },
    look(key, read) {
      return read(entries.get(keyText(key)))
    },
    range({ from, to, reverse, limit }) {
      const found: Entry[] = []
      if (limit < 1) return found
      const walk =
        reverse === true
          ? entries.descending(keyText(from), keyText(to))
          : entries.ascending(keyText(from), keyText(to))
      for (const [key, value] of walk) {
        found.push({ key: keyOctets(key), value: value.slice() })
        if (found.length >= limit) break
      }
      return found
    },
  }

  function holds({ key, value }: Expectation): boolean {
    const stored = entries.get(keyText(key))
    if (stored === undefined || value === undefined) return stored === value
    return compareOctets(stored, value) === 0
  }

  function assertOpen(): void {
    if (closed) throw new StoreError('STORE_CLOSED', 'Store is closed')
    if (reading) throw new Error('A slice may not start another read')
  }

  return {
    limits: LIMITS,
    get writable() {
      return !closed
    },
    async read<T>(_partition: Uint8Array, fn: (reader: Reader) => T): Promise<T> {
      assertOpen()
      reading = true
      try {
        return fn(reader)
      } finally {
        reading = false
      }
    },
    async getMany(keys) {
      assertOpen()
      return keys.map((key) => reader.get(key))
    },
    async range(range: KeyRange) {
      assertOpen()
      return reader.range(range)
    },
    async commit(batch: Batch) {
      assertOpen()
      checkBatch(batch)
      // What is written is what was handed over now, as a real engine's caller has to make sure of by not touching it.
      const puts = (batch.put ?? []).map(({ key, value }) => [keyText(key), value.slice()] as const)
      await Promise.resolve()
      if (!(batch.expect ?? []).every(holds)) return 'conflict'
      for (const [key, value] of puts) entries.set(key, value)
      for (const key of batch.delete ?? []) entries.delete(keyText(key))
      return 'committed'
    },
    async close() {
      closed = true
    },
  }
}
