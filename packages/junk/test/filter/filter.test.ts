import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryCorpus, type MemoryCorpus } from '../../src/corpus/index.ts'
import { createJunkFilter } from '../../src/filter/index.ts'

const message = (text: string, from = 'someone@mail.example'): Uint8Array => Buffer.from(`From: ${from}\nSubject: ${text}\n\n${text}\n`)

const HAM = ['meeting on tuesday about the budget', 'minutes of the meeting attached', 'lunch tomorrow with the whole team', 'the budget was approved yesterday']
const SPAM = ['cheap pills without prescription', 'earn money from home today', 'cheap watches and cheap pills', 'money back guarantee today only']

function rowsOf(corpus: MemoryCorpus): string[] {
  return [...corpus.rows()].map(({ high, low, ham, spam }) => `${high} ${low} ${ham} ${spam}`).sort()
}

describe('junk filter', () => {
  it('learns, explains and forgets', async () => {
    const corpus = createMemoryCorpus()
    const filter = createJunkFilter({ significantFrom: { ham: 4, spam: 4 } }, corpus)
    expect(await filter.classify(message('cheap money'))).toMatchObject({ probability: 0.5, significant: false, words: [], learned: { ham: 0, spam: 0 } })
    for (const text of HAM) await filter.train(message(text), 'ham')
    for (const text of SPAM) await filter.train(message(text), 'spam')

    const junk = await filter.classify(message('cheap pills for your money'))
    expect(junk).toMatchObject({ verdict: 'spam', significant: true, truncated: false, learned: { ham: 4, spam: 4 } })
    expect(junk.probability).toBeGreaterThan(0.5)
    const cheap = junk.words.find(({ word }) => word === 'subject:cheap')
    expect(cheap).toMatchObject({ ham: 0, spam: 2 })
    expect(cheap?.probability).toBeGreaterThan(0.9)
    expect(await filter.classify(message('budget for the meeting'))).toMatchObject({ verdict: 'ham' })

    for (const text of HAM) await filter.untrain(message(text), 'ham')
    for (const text of SPAM) await filter.untrain(message(text), 'spam')
    expect(rowsOf(corpus)).toEqual([])
    expect(await filter.classify(message('cheap money'))).toMatchObject({ probability: 0.5, words: [], learned: { ham: 0, spam: 0 } })
  })

  it.each(['odds', 'reference'] as const)('a message trained twice decides, scoring %s', async (scoring) => {
    const filter = createJunkFilter({ scoring }, createMemoryCorpus())
    const twice = async (verdict: 'ham' | 'spam'): Promise<number> => {
      await filter.study([1, 2].map(() => ({ message: message(SPAM[0] as string), verdict, kind: 'learn' as const })))
      const { probability } = await filter.classify(message(SPAM[0] as string))
      await filter.study([1, 2].map(() => ({ message: message(SPAM[0] as string), verdict, kind: 'forget' as const })))
      return probability
    }
    expect(await twice('ham')).toBeLessThanOrEqual(0.1)
    expect(await twice('spam')).toBeGreaterThanOrEqual(0.9)
    expect((await filter.classify(message(SPAM[0] as string))).probability).toBe(0.5)
  })

  it('retraining is forgetting one verdict and learning the other', async () => {
    const one = createMemoryCorpus()
    const other = createMemoryCorpus()
    await createJunkFilter({}, one).train(message(SPAM[0] as string), 'ham')
    await createJunkFilter({}, one).retrain(message(SPAM[0] as string), 'spam')
    await createJunkFilter({}, other).train(message(SPAM[0] as string), 'spam')
    expect(rowsOf(one)).toEqual(rowsOf(other))
  })

  it('training and untraining in any order comes back to the same counts', async () => {
    const texts = [...HAM, ...SPAM]
    const lessons = fc.array(
      fc.record({ text: fc.constantFrom(...texts), verdict: fc.constantFrom('ham' as const, 'spam' as const) }),
      { minLength: 1, maxLength: 8 },
    )
    const shuffled = lessons.chain((given) => {
      const steps = given.flatMap((lesson) => [{ ...lesson, kind: 'learn' as const }, { ...lesson, kind: 'forget' as const }])
      return fc.shuffledSubarray(steps, { minLength: steps.length, maxLength: steps.length })
    })
    const base = createMemoryCorpus()
    const filter = createJunkFilter({}, base)
    for (const text of HAM) await filter.train(message(text), 'ham')
    const before = rowsOf(base)
    await fc.assert(
      fc.asyncProperty(shuffled, fc.boolean(), async (steps, isBatch) => {
        const all = steps.map(({ text, verdict, kind }) => ({ message: message(text), verdict, kind }))
        if (isBatch) await filter.study(all)
        else for (const step of all) await filter.study([step])
        expect(rowsOf(base)).toEqual(before)
        expect((await filter.classify(message('x'))).learned).toEqual({ ham: 4, spam: 0 })
      }),
      { numRuns: 60 },
    )
  })

  it('no octets make it throw', async () => {
    const filter = createJunkFilter({}, createMemoryCorpus())
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (octets) => {
        await filter.train(octets, 'spam')
        const { probability } = await filter.classify(octets)
        expect(probability).toBeGreaterThanOrEqual(0)
        await filter.untrain(octets, 'spam')
      }),
    )
  })

  it('takes a threshold, and refuses what is none', async () => {
    expect(() => createJunkFilter({ threshold: 1.5 }, createMemoryCorpus())).toThrow(RangeError)
    expect(() => createJunkFilter({ threshold: Number.NaN }, createMemoryCorpus())).toThrow(RangeError)
    expect(await createJunkFilter({ threshold: 0.5 }, createMemoryCorpus()).classify(message('x'))).toMatchObject({ verdict: 'spam' })
    expect(await createJunkFilter({ threshold: 0.51 }, createMemoryCorpus()).classify(message('x'))).toMatchObject({ verdict: 'ham' })
  })
})
