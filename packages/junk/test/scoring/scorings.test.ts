import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logChiSquareTail } from '../../src/scoring/chi-square.ts'
import { type CountedWords, type ScoringName, SCORINGS } from '../../src/scoring/index.ts'
import { Strongest } from '../../src/scoring/strongest.ts'

function counted(rows: readonly (readonly [ham: number, spam: number])[], totals = { ham: 100, spam: 100 }): CountedWords {
  const count = rows.length
  return { count, counts: Int32Array.from(rows.flat()), distances: new Uint8Array(count), sources: Uint8Array.from(rows, (_, index) => index % 3), totals }
}

const names = Object.keys(SCORINGS) as ScoringName[]

describe.each(names)('scoring %s', (name) => {
  const { score } = SCORINGS[name]

  it('says nothing of nothing', () => {
    expect(score(counted([])).probability).toBe(0.5)
    expect(score(counted([[0, 0]])).probability).toBe(0.5)
    expect(score(counted([[0, 0]], { ham: 0, spam: 0 })).probability).toBe(0.5)
  })

  it('tells ham words from spam words', () => {
    expect(score(counted(Array.from({ length: 30 }, () => [0, 40]))).probability).toBeGreaterThan(0.9)
    expect(score(counted(Array.from({ length: 30 }, () => [40, 0]))).probability).toBeLessThan(0.1)
    expect(score(counted(Array.from({ length: 12 }, (_, index) => (index % 6 < 3 ? [40, 0] : [0, 40])))).probability).toBeCloseTo(0.5, 5)
  })

  it('takes shares, not counts', () => {
    const rows = Array.from({ length: 9 }, () => [10, 20] as const)
    expect(score(counted(rows, { ham: 100, spam: 200 })).probability).toBeCloseTo(0.5, 5)
  })

  it('gives a probability for any counts, and mirrors when ham and spam change places', () => {
    const count = fc.integer({ min: -3, max: 1000 })
    fc.assert(
      fc.property(fc.array(fc.tuple(count, count), { maxLength: 60 }), count, count, (rows, ham, spam) => {
        const { probability, evidence } = score(counted(rows, { ham, spam }))
        expect(probability).toBeGreaterThanOrEqual(0)
        expect(probability).toBeLessThanOrEqual(1)
        for (const word of evidence) expect(word.probability).toBeGreaterThanOrEqual(0)
        const mirrored = score(counted(rows.map(([a, b]) => [b, a] as const), { ham: spam, spam: ham })).probability
        expect(mirrored).toBeCloseTo(1 - probability, 6)
      }),
    )
  })
})

describe('reference', () => {
  it.each([
    ['a word seen often', [[0, 3]], 0.99],
    ['a rare word is weaker', [[0, 1]], 0.892],
    ['a word seen twice is rare too', [[0, 2]], 0.941],
    ['words are held within 1 % and 99 %', [[0, 90], [0, 90]], 0.9801 / (0.9801 + 0.0001)],
    ['as much for as against', [[0, 90], [3, 0]], 0.5],
    ['words near the middle are ignored', [[50, 60]], 0.5],
    ['words never seen are', [[0, 0], [0, 3]], 0.99],
  ] as const)('%s', (_, rows, probability) => {
    expect(SCORINGS.reference.score(counted(rows)).probability).toBeCloseTo(probability, 6)
  })

  it('uses ten words of either side', () => {
    const rows = [...Array.from({ length: 50 }, () => [0, 9] as const), ...Array.from({ length: 10 }, () => [9, 0] as const)]
    expect(SCORINGS.reference.score(counted(rows)).probability).toBeCloseTo(0.5, 6)
  })
})

describe('odds', () => {
  const { score } = SCORINGS.odds
  const times = (count: number, row: readonly [number, number]) => Array.from({ length: count }, () => row)
  /** All in one voice. */
  const inContent = (rows: readonly (readonly [number, number])[]): CountedWords => ({ ...counted(rows), sources: new Uint8Array(rows.length).fill(2) })

  it('takes three words of a voice seen in as many messages, however many there are', () => {
    const few = score(inContent(times(3, [0, 5])))
    const many = score(inContent(times(50, [0, 5])))
    expect(many.probability).toBe(few.probability)
    expect(many.evidence.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(score(inContent(times(2, [0, 5]))).probability).toBeLessThan(few.probability)
  })

  it('takes more where words were seen in different numbers of messages', () => {
    const other = score(inContent([...times(3, [0, 5]), ...times(3, [0, 4])]))
    expect(other.probability).toBeGreaterThan(score(inContent(times(6, [0, 5]))).probability)
  })

  it('words of ham are not alike to those of spam', () => {
    const mixed = score(inContent([...times(3, [0, 5]), ...times(3, [5, 0])]))
    expect(mixed.evidence).toHaveLength(6)
    expect(mixed.probability).toBeCloseTo(0.5, 6)
  })

  it('a list that says much about itself does not outweigh words of other messages', () => {
    // Twenty words of a list seen in forty messages of ham, against words of spam that are not one message's.
    const spam = [12, 9, 8, 7, 6].map((seen) => [0, seen] as const)
    expect(score(inContent([...times(20, [40, 0]), ...spam])).probability).toBeGreaterThan(0.5)
  })
})

describe('arithmetic', () => {
  it.each([
    // Tables of Abramowitz and Stegun, 26.7 and 26.8.
    [18.307, 10, 0.05],
    [3.9403, 10, 0.95],
    [29.588, 10, 0.001],
    [124.342, 100, 0.05],
  ])('the tail of chi-square at %d with %d degrees is %d', (value, degrees, tail) => {
    expect(Math.exp(logChiSquareTail(value, degrees))).toBeCloseTo(tail, 4)
  })

  it('far tails stay apart', () => {
    expect(logChiSquareTail(4000, 60)).toBeLessThan(logChiSquareTail(3000, 60))
    expect(Math.exp(logChiSquareTail(3000, 60))).toBe(0)
  })

  it('of words as strong for ham as for spam those that came first are kept', () => {
    const strongest = new Strongest(2)
    for (const [index, odds] of [1 / 3, 3, 1 / 3, 3].entries()) strongest.offer(index, odds)
    expect(strongest.indexes).toEqual([0, 1])
    expect(strongest.logOdds).toBeCloseTo(0, 10)
  })

  it('the strongest are those a sort would put first, without those that are too many alike', () => {
    // Few different odds, so that many are alike.
    const odds = fc.oneof(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), fc.integer({ min: -4, max: 4 }).map((power) => 2 ** power))
    fc.assert(
      fc.property(fc.array(odds), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (given, size, alike) => {
        const strongest = new Strongest(size, alike)
        for (const [index, odds] of given.entries()) strongest.offer(index, odds)
        const strength = (odds: number): number => Math.fround(odds < 1 ? 1 / odds : odds)
        const isAlike = (a: number, b: number): boolean => strength(a) === strength(b) && a < 1 === b < 1
        const sorted = [...given.entries()]
          .filter(([index, odds]) => given.slice(0, index).filter((other) => isAlike(other, odds)).length < alike)
          .sort(([, a], [, b]) => strength(b) - strength(a))
          .slice(0, size)
        expect(strongest.indexes).toEqual(sorted.map(([index]) => index))
        expect(strongest.logOdds).toBeCloseTo(sorted.reduce((sum, [, odds]) => sum + Math.log(odds), 0), 6)
      }),
    )
  })
})
