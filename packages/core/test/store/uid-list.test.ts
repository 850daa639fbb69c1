import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UidRanges } from '@postern/core/store'
import { UidList } from '@postern/core/store'

const uids = fc.uniqueArray(fc.integer({ min: 1, max: 30_000 }), { maxLength: 400 }).map((list) => list.sort((a, b) => a - b))
/** Ascending disjoint ranges made from sorted cut points. */
const ranges = fc.uniqueArray(fc.integer({ min: 1, max: 30_100 }), { maxLength: 12 }).map((points) => {
  const sorted = points.sort((a, b) => a - b)
  const out: { first: number; last: number }[] = []
  for (let i = 0; i + 1 < sorted.length; i += 2) {
    const first = sorted[i] as number
    if (out.length === 0 || first > (out.at(-1) as { last: number }).last + 1) out.push({ first, last: sorted[i + 1] as number })
  }
  return out as unknown as UidRanges
})
const inRanges = (uid: number, list: UidRanges): boolean => list.some(({ first, last }) => uid >= first && uid <= last)
const expand = (list: UidRanges): number[] => list.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i))

describe('UidList', () => {
  it('agrees with a plain array in every question', () => {
    fc.assert(
      fc.property(uids, ranges, fc.integer({ min: 0, max: 30_100 }), (plain, cut, probe) => {
        const list = UidList.of(plain)
        expect([...list]).toEqual(plain)
        expect(list.size).toBe(plain.length)
        expect(list.at(probe)).toBe(probe === 0 ? undefined : plain[probe - 1])
        expect(list.sequenceOf(probe)).toBe(plain.includes(probe) ? plain.indexOf(probe) + 1 : undefined)
        expect(list.countBelow(probe)).toBe(plain.filter((uid) => uid < probe).length)
        expect([...list.remove(cut)]).toEqual(plain.filter((uid) => !inRanges(uid, cut)))
        expect(expand(list.within(cut))).toEqual(plain.filter((uid) => inRanges(uid, cut)))
        expect(list.last).toBe(plain.at(-1))
      }),
    )
  })

  it('keeps order over many chunks, appended and thinned out', () => {
    let list = UidList.empty
    for (let from = 1; from <= 20_000; from += 700) list = list.append(Array.from({ length: 700 }, (_, i) => from + i))
    const even = list.remove(Array.from({ length: 10_000 }, (_, i) => ({ first: 2 * i + 1, last: 2 * i + 1 })) as unknown as UidRanges)
    expect(even.at(5_000)).toBe(10_000)
    expect(even.sequenceOf(10_000)).toBe(5_000)
    expect(even.slice(2, 4)).toEqual([4, 6, 8].map((uid) => ({ first: uid, last: uid })))
    expect(list.slice(4_000, 9_000)).toEqual([{ first: 4_000, last: 9_000 }])
  })

  it('refuses UIDs that do not ascend', () => {
    expect(() => UidList.of([3, 3])).toThrow(RangeError)
  })
})
