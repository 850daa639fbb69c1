import { describe, it } from 'vitest'
import { createMemoryStore, mailStoreCases } from '../../conformance/index.ts'

describe('the memory double', () => {
  const cases = mailStoreCases(async () => {
    const store = createMemoryStore()
    return { store, close: () => store.close() }
  })
  for (const { name, run } of cases) it(name, run)
})
