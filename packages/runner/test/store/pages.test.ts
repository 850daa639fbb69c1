import { Flag } from '@postern/core/store'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PageRow } from '../../src/store/pages.ts'
import { ODD_ZONE, Page, RowFlag, zoneToQuarters } from '../../src/store/pages.ts'

function row(slot: number, changes: Partial<PageRow> = {}): PageRow {
  return {
    slot,
    flags: 0,
    keywordBits: 0,
    modseq: 1,
    sizeOctets: 100,
    dateSeconds: 1_700_000_000,
    zoneQuarters: 4,
    savedSeconds: 1_700_000_001,
    emailId: 1000 + slot,
    ...changes,
  }
}

function rowsOf(page: Page): PageRow[] {
  return Array.from({ length: page.count }, (_, i) => page.row(i))
}

function pageOf(...rows: readonly PageRow[]): Page {
  const editor = Page.empty.edit()
  for (const given of rows) editor.insert(given)
  return editor.finish()
}

type Step =
  | { readonly kind: 'insert'; readonly row: PageRow }
  | {
      readonly kind: 'update'
      readonly slot: number
      readonly flags: number
      readonly keywordBits: number
      readonly modseq: number
    }
  | { readonly kind: 'remove'; readonly slot: number }

const slot = fc.nat({ max: 127 })
const flags = fc.nat({ max: 0x3fff })
const u32 = fc.nat({ max: 0xffff_ffff })
const modseq = fc.nat({ max: 2 ** 48 - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('insert' as const),
    row: fc.record({
      slot,
      flags,
      keywordBits: u32,
      modseq,
      sizeOctets: u32,
      dateSeconds: u32,
      zoneQuarters: fc.integer({ min: -128, max: 127 }),
      savedSeconds: u32,
      emailId: fc.nat({ max: 2 ** 40 - 1 }),
    }),
  }),
  fc.record({ kind: fc.constant('update' as const), slot, flags, keywordBits: u32, modseq }),
  fc.record({ kind: fc.constant('remove' as const), slot }),
)

describe('page', () => {
  it('is a sorted map of rows under any changes, through every encoding', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 40 }), { maxLength: 4 }), (edits) => {
        const model = new Map<number, PageRow>()
        let highest = 0
        let page = Page.empty
        for (const steps of edits) {
          const editor = page.edit()
          for (const change of steps) {
            if (change.kind === 'insert') {
              if (model.has(change.row.slot)) continue
              editor.insert(change.row)
              model.set(change.row.slot, change.row)
              highest = Math.max(highest, change.row.modseq)
            } else if (change.kind === 'update') {
              const old = model.get(change.slot)
              expect(editor.update(change.slot, change)).toBe(old !== undefined)
              if (old === undefined) continue
              const { flags, keywordBits, modseq } = change
              model.set(change.slot, { ...old, flags, keywordBits, modseq })
              highest = Math.max(highest, modseq)
            } else {
              expect(editor.remove(change.slot)).toEqual(model.get(change.slot))
              model.delete(change.slot)
            }
          }
          page = Page.decode(editor.finish().octets)
        }
        const rows = [...model.values()].sort((a, b) => a.slot - b.slot)
        expect(rowsOf(page)).toEqual(rows)
        expect(page.highestModseq).toBe(highest)
        expect(page.unseen).toBe(rows.filter((r) => (r.flags & Flag.seen) === 0).length)
        expect(page.deleted).toBe(rows.filter((r) => (r.flags & Flag.deleted) !== 0).length)
        for (let s = 0; s < 128; s += 1) {
          const index = rows.findIndex((r) => r.slot === s)
          expect(page.find(s)).toBe(index)
          if (index < 0) continue
          const { flags, keywordBits, modseq, sizeOctets, emailId } = rows[index] as PageRow
          expect([page.flags(index), page.keywordBits(index), page.modseq(index)]).toEqual([flags, keywordBits, modseq])
          expect([page.sizeOctets(index), page.emailId(index)]).toEqual([sizeOctets, emailId])
        }
      }),
    )
  })

  it('takes 16 octets and 31 a message: 3,984 when full', () => {
    const full = pageOf(...Array.from({ length: 128 }, (_, s) => row(127 - s)))
    expect(full.octets.length).toBe(3984)
    expect(rowsOf(full).map((r) => r.slot)).toEqual(Array.from({ length: 128 }, (_, s) => s))
  })

  it('leaves the page it was made of as it was', () => {
    const before = pageOf(row(1), row(5))
    const editor = before.edit()
    editor.update(1, { flags: Flag.seen, keywordBits: 0, modseq: 9 })
    editor.remove(5)
    expect(editor.finish().count).toBe(1)
    expect(rowsOf(before)).toEqual([row(1), row(5)])
  })

  it.each([
    ['a slot that is taken', () => pageOf(row(3), row(3))],
    ['slot 128', () => pageOf(row(128))],
    ['an email id of 2^40', () => pageOf(row(1, { emailId: 2 ** 40 }))],
    ['a size of 4 GiB', () => pageOf(row(1, { sizeOctets: 2 ** 32 }))],
  ])('refuses %s', (_title, make) => {
    expect(make).toThrow(RangeError)
  })

  it('notices every changed octet when its checksum is asked for, and only the form otherwise', () => {
    const { octets } = pageOf(row(1), row(2))
    for (let at = 0; at < octets.length; at += 1) {
      const damaged = octets.slice()
      damaged[at] = (damaged[at] as number) ^ 0x10
      expect(() => Page.decode(damaged)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    }
    const damaged = octets.slice()
    damaged[20] = 0xff
    expect(Page.decode(damaged, { verify: false }).count).toBe(2)
  })

  it.each([
    [0, 0],
    [60, 4],
    [-210, -14],
    [345, 23],
    [1425, 95],
    [-1425, -95],
    [1, ODD_ZONE],
    [-1439, ODD_ZONE],
  ])('keeps the zone of %i minutes as %i quarter hours', (minutes, quarters) => {
    expect(zoneToQuarters(minutes) + 0).toBe(quarters)
    expect(pageOf(row(1, { zoneQuarters: quarters })).row(0).zoneQuarters).toBe(quarters)
  })

  it('shares no bit between what clients see and what they do not', () => {
    const seen = Object.values(Flag).reduce<number>((all, bit) => all | bit, 0)
    expect(seen & ~RowFlag.visible).toBe(0)
    const own = [RowFlag.trainedHam, RowFlag.trainedJunk, RowFlag.wideKeywords, RowFlag.reject]
    expect(own.reduce((all, bit) => all + bit, 0) & RowFlag.visible).toBe(0)
  })
})
