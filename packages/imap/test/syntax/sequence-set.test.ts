import { UidList, type UidRanges } from '@postern/core/store'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/syntax/reader.ts'
import {
  formatSequenceSet,
  resolveSequenceNumbers,
  resolveUids,
  type SequenceSet,
  type SetRange,
} from '../../src/syntax/sequence-set.ts'

function read(text: string): SequenceSet {
  const reader = Reader.of(text)
  const set = reader.sequenceSet()
  reader.end()
  return set
}

function uidsOf(ranges: UidRanges | undefined): readonly number[] | undefined {
  return ranges?.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n))
}

const mailbox = UidList.of([3, 4, 5, 10, 20])
const empty = UidList.empty

describe('sequence sets', () => {
  const ROWS: readonly (readonly [text: string, bySequence: readonly number[] | undefined, byUid: readonly number[]])[] = [
    ['1', [3], []],
    ['5', [20], [5]],
    ['*', [20], [20]],
    ['1:*', [3, 4, 5, 10, 20], [3, 4, 5, 10, 20]],
    // trap 8: * is the highest message, also when the other end is beyond it
    ['999:*', [20], [20]],
    ['*:999', [20], [20]],
    ['4294967295:*', [20], [20]],
    ['*:*', [20], [20]],
    // trap 9: ranges may be reversed, overlapping and repeated
    ['4:2', [4, 5, 10], [3, 4]],
    ['2:4,3,1:3,3', [3, 4, 5, 10], [3, 4]],
    ['*:4,5', [10, 20], [4, 5, 10, 20]],
    ['5,1', [3, 20], [5]],
    // trap 10: beyond the mailbox is BAD for sequence numbers and nothing for UIDs
    ['6', undefined, []],
    ['1:6', undefined, [3, 4, 5]],
    ['6:1', undefined, [3, 4, 5]],
    ['1,6', undefined, []],
    ['10:30', undefined, [10, 20]],
  ]
  test.each(ROWS)('%s', (text, bySequence, byUid) => {
    expect(uidsOf(resolveSequenceNumbers(read(text), mailbox))).toEqual(bySequence)
    expect(uidsOf(resolveUids(read(text), mailbox))).toEqual(byUid)
  })

  test('trap 8: in an empty mailbox * is BAD as a number and nothing as a UID', () => {
    for (const text of ['*', '1:*', '1']) {
      expect(resolveSequenceNumbers(read(text), empty)).toBeUndefined()
      expect(resolveUids(read(text), empty)).toEqual([])
    }
  })

  test.each(['', ',', '1,', ',1', '0', '1:0', '0:*', '1:', ':1', '1:2:3', '4294967296', '-1', '1 2', '**', '01', '$'])(
    '%j is malformed',
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ name: 'WireSyntaxError' }))
    },
  )

  const number = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 0xffff_ffff }), fc.constant('*' as const))
  const range: fc.Arbitrary<SetRange> = fc.record({ first: number, last: number })
  const sets = fc.array(range, { minLength: 1, maxLength: 8 })

  test('what is written can be read', () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(read(formatSequenceSet(set))).toEqual(set)
      }),
    )
  })

  test('UIDs are those a look at each message finds, in ranges that do not touch', () => {
    fc.assert(
      fc.property(sets, fc.uniqueArray(fc.integer({ min: 1, max: 30 })), (set, numbers) => {
        const all = numbers.sort((a, b) => a - b)
        const uids = UidList.of(all)
        const highest = all.at(-1)
        const isIn = (value: number, top: number): boolean =>
          set.some(({ first, last }) => {
            const [a, b] = [first === '*' ? top : first, last === '*' ? top : last]
            return value >= Math.min(a, b) && value <= Math.max(a, b)
          })
        const found = resolveUids(set, uids)
        expect(uidsOf(found)).toEqual(highest === undefined ? [] : all.filter((uid) => isIn(uid, highest)))
        found.slice(1).forEach((each, index) => expect(each.first).toBeGreaterThan((found[index]?.last ?? 0) + 1))
        const bySequence = uidsOf(resolveSequenceNumbers(set, uids))
        if (bySequence !== undefined) {
          expect(bySequence).toEqual(
            all.filter((_, index) => isIn(index + 1, all.length) || (index + 1 === all.length && reachesStar(set))),
          )
        }
      }),
    )
  })

  test('a set of many ranges costs what its text does', () => {
    const uids = UidList.of(Array.from({ length: 100_000 }, (_, n) => 2 * n + 1))
    const set = read(Array.from({ length: 5000 }, () => '1:*').join(','))
    expect(resolveSequenceNumbers(set, uids)?.length).toBe(100_000)
    expect(resolveUids(set, uids).length).toBe(100_000)
  })
})

/** Whether a range has `*` at one end: then it holds the last message, wherever the other end is. */
function reachesStar(set: SequenceSet): boolean {
  return set.some(({ first, last }) => first === '*' || last === '*')
}
