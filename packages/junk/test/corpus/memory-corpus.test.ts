import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { corpusCases } from '../../conformance/index.ts'
import { createMemoryCorpus } from '../../src/corpus/index.ts'

describe('memory corpus', () => {
  const cases = corpusCases(async () => ({ corpus: createMemoryCorpus(), close: async () => {} }))
  it.each(cases.map(({ name, run }) => [name, run] as const))('%s', (_, run) => run())

  it('counts as a map of counts does, in any order of any deltas', async () => {
    const deltas = fc.array(
      fc.record({
        keys: fc.uniqueArray(fc.integer({ min: 1, max: 3000 }), { maxLength: 400 }),
        verdict: fc.constantFrom('ham' as const, 'spam' as const),
        sign: fc.constantFrom(1 as const, -1 as const),
      }),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(deltas, async (given) => {
        const corpus = createMemoryCorpus()
        const expected = new Map<number, [number, number]>()
        for (const { keys, verdict, sign } of given) {
          await corpus.apply([{ keys: Uint32Array.from(keys.flatMap((key) => [key, key * 7])), verdict, sign }])
          for (const key of keys) {
            const [ham, spam] = expected.get(key) ?? [0, 0]
            expected.set(key, verdict === 'ham' ? [ham + sign, spam] : [ham, spam + sign])
          }
        }
        const all = Array.from({ length: 3000 }, (_, index) => index + 1)
        const { counts } = await corpus.read(Uint32Array.from(all.flatMap((key) => [key, key * 7])))
        expect(Array.from(counts)).toEqual(all.flatMap((key) => expected.get(key) ?? [0, 0]))
        expect(corpus.size).toBe([...expected.values()].filter(([ham, spam]) => ham !== 0 || spam !== 0).length)
      }),
      { numRuns: 40 },
    )
  })
})
