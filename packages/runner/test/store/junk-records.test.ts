/** Records of training: what is written is read, and no octets make a reader throw anything but that they are damaged. */
import type { WordDelta } from '@postern/core/store'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCorpora, decodeCorpus, decodeDeltas, decodeWord, encodeCorpora, encodeCorpus, encodeDeltas, encodeWord } from '../../src/store/corpus-record.ts'
import { AccountKeys, parseTrainingLeftKey, parseWordKey } from '../../src/store/account-keys.ts'
import { compareOctets, LIMITS } from '../../src/store/ordered-store.ts'
import { decodeLeft, encodeLeft, StatePage, type Counted } from '../../src/store/train-record.ts'

const u16 = fc.nat({ max: 0xffff })
const u32 = fc.nat({ max: 0xffff_ffff })
const count = fc.integer({ min: -1_000_000, max: 1_000_000 })
const emailId = fc.nat({ max: 2 ** 40 - 1 })
const verdict = fc.constantFrom('ham' as const, 'spam' as const)

describe('records of training', () => {
  it('read back what was written', () => {
    fc.assert(
      fc.property(u16, u32, u16, u32, u16, u16, (current, reading, building, buildingReading, dropping, last) => {
        const corpora = { current, reading, building, buildingReading, dropping, last }
        expect(decodeCorpora(encodeCorpora(corpora))).toEqual(corpora)
      }),
    )
    const number = fc.nat({ max: 2 ** 48 })
    const record = fc.record({
      ham: count, spam: count, first: number, next: number, foldEnd: number, deltaOctets: number, sweptDay: u16,
      folded: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
    })
    fc.assert(fc.property(record, (corpus) => void expect(decodeCorpus(encodeCorpus(corpus))).toEqual(corpus)))
    fc.assert(fc.property(fc.record({ ham: count, spam: count, day: u16 }), (word) => void expect(decodeWord(encodeWord(word))).toEqual(word)))
    const left = fc.array(fc.record({ emailId, judged: fc.constantFrom('ham' as const, 'spam' as const, undefined) }), { maxLength: 3_000 })
    fc.assert(
      fc.property(left, (judgements) => {
        const records = encodeLeft(judgements)
        expect(records.flatMap(decodeLeft)).toEqual(judgements)
        for (const octets of records) expect(octets.length).toBeLessThanOrEqual(4_000)
      }),
      { numRuns: 30 },
    )
  })

  it('keep judgements of messages that follow each other in one octet each', () => {
    const [octets] = encodeLeft(Array.from({ length: 1_000 }, (_, n) => ({ emailId: 5_000_000 + n, judged: 'spam' as const })))
    expect(octets?.length).toBeLessThan(1_010)
  })

  it('spread deltas over records no larger than a page, and lose no word', () => {
    const deltas = fc.array(fc.record({ words: fc.nat({ max: 2_500 }), verdict, sign: fc.constantFrom(1 as const, -1 as const) }), { maxLength: 6 })
    fc.assert(
      fc.property(deltas, (given) => {
        const made = given.map(({ words, ...rest }, n) => ({ ...rest, keys: Uint32Array.from({ length: 2 * words }, (_, at) => n * 100_000 + at) }))
        const records = encodeDeltas(made)
        for (const octets of records) expect(octets.length).toBeLessThanOrEqual(LIMITS.valueOctets)
        const read = records.flatMap(decodeDeltas)
        for (const side of ['ham', 'spam'] as const) {
          for (const sign of [1, -1] as const) {
            const keysOf = (all: readonly WordDelta[]): number[] => all.filter((each) => each.verdict === side && each.sign === sign).flatMap(({ keys }) => [...keys])
            expect(keysOf(read)).toEqual(keysOf(made))
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  it('keep four states of 128 messages apart', () => {
    const states = fc.array(fc.tuple(fc.nat({ max: 127 }), fc.constantFrom<Counted>(undefined, 'ham', 'spam', 'none')), { maxLength: 300 })
    fc.assert(
      fc.property(states, (steps) => {
        const page = new StatePage(undefined)
        const expected = new Map<number, Counted>()
        for (const [slot, state] of steps) {
          page.set(1_280 + slot, state)
          expected.set(slot, state)
        }
        const octets = page.encode()
        const again = new StatePage(octets)
        for (let slot = 0; slot < 128; slot += 1) expect(again.get(1_280 + slot)).toBe(expected.get(slot))
        expect(octets === undefined).toBe([...expected.values()].every((state) => state === undefined))
      }),
    )
  })

  it('are damaged and nothing worse when they are any octets', () => {
    const readers: readonly ((octets: Uint8Array) => unknown)[] = [decodeCorpora, decodeCorpus, decodeWord, decodeLeft, decodeDeltas, (octets) => new StatePage(octets)]
    fc.assert(
      fc.property(fc.constantFrom(...readers), fc.uint8Array({ maxLength: 80 }), fc.boolean(), (read, octets, isFormat) => {
        if (isFormat && octets.length > 0) octets[0] = 1
        try {
          read(octets)
        } catch (error) {
          expect((error as { code?: unknown }).code).toBe('STORE_CORRUPT')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('lie under keys that order as words and judgements do', () => {
    const keys = new AccountKeys(7)
    fc.assert(
      fc.property(u16, fc.tuple(u32, u32), fc.tuple(u32, u32), (corpus, a, b) => {
        expect(parseWordKey(keys.wordKeys(corpus)(...a))).toEqual({ high: a[0], low: a[1] })
        expect(Math.sign(compareOctets(keys.wordKeys(corpus)(...a), keys.wordKeys(corpus)(...b)))).toBe(Math.sign(a[0] - b[0] || a[1] - b[1]))
        const { from, to } = keys.words(corpus)
        expect(compareOctets(from, keys.wordKeys(corpus)(...a))).toBeLessThanOrEqual(0)
        expect(compareOctets(keys.wordKeys(corpus)(...a), to)).toBeLessThan(0)
      }),
    )
    expect(parseTrainingLeftKey(keys.trainingLeft(123_456_789_012, 0x8001))).toEqual({ modseq: 123_456_789_012, part: 0x8001 })
    const row = [keys.trainingLeft(5, 0), keys.trainingLeft(5, 0x8000), keys.trainingLeft(6, 0), keys.trainingState(1, 0), keys.delta(1, 0), keys.wordKeys(1)(0, 0), keys.corpora(), keys.corpus(1)]
    expect([...row].sort(compareOctets)).toEqual(row)
    for (const key of row.slice(0, 3)) expect(compareOctets(key, keys.allTrainingLeft().to)).toBeLessThan(0)
  })
})
