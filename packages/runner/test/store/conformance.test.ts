import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailStoreCases } from '@postern/core/conformance'
import { describe, it } from 'vitest'
import { lmdbStore } from '../../src/store/lmdb-store.ts'
import { createMemoryBlobs } from '../../src/store/memory-blobs.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import { openOverMemory } from '../../src/store/memory-store.ts'

describe('the mail store over memory', () => {
  const cases = mailStoreCases(async () => {
    const engine = createMemoryOrderedStore()
    const blobs = createMemoryBlobs()
    // Closing the store must not close what is opened again.
    const kept = Object.assign(Object.create(engine), { close: async () => undefined })
    let store = openOverMemory(kept, blobs)
    return {
      store,
      async reopen() {
        await store.close()
        store = openOverMemory(kept, blobs)
        return store
      },
      close: () => store.close(),
    }
  })
  for (const { name, run } of cases) it(name, run)
})

describe('the mail store over LMDB', () => {
  const cases = mailStoreCases(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'postern-store-'))
    let store = await lmdbStore({ dir })
    return {
      store,
      async reopen() {
        await store.close()
        store = await lmdbStore({ dir })
        return store
      },
      async close() {
        await store.close()
        await rm(dir, { recursive: true })
      },
    }
  })
  for (const { name, run } of cases) it(name, run)
})
