import { createMemoryReportStore, reportStoreCases } from '@postern/core/conformance'
import { describe, it } from 'vitest'

describe('reports in the memory double', () => {
  const cases = reportStoreCases(async (maxKept) => ({
    store: createMemoryReportStore(maxKept === undefined ? {} : { maxKept }),
    close: async () => undefined,
  }))
  for (const { name, run } of cases) it(name, run)
})
