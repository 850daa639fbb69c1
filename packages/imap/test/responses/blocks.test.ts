import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BlockWriter } from '../../src/responses/blocks.ts'
import { FetchResponseWriter } from '../../src/responses/fetch.ts'
import { searchBlocks } from '../../src/responses/search.ts'
import { formatDateTime } from '../../src/syntax/date-time.ts'

type Written =
  | { readonly text: string }
  | { readonly number: number }
  | { readonly octets: Uint8Array }
  | { readonly take: true }

function textOf(blocks: readonly Uint8Array[]): string {
  return Buffer.concat(blocks).toString('latin1')
}

describe('blocks', () => {
  test('hold what was written, and none is too long', () => {
    const written: fc.Arbitrary<Written> = fc.oneof(
      fc.string({ unit: 'grapheme-ascii', maxLength: 300 }).map((text) => ({ text })),
      fc
        .oneof(fc.nat(20), fc.nat(0xffff_ffff), fc.constantFrom(9, 10, 99, 100, 2_147_483_647, 2_147_483_648))
        .map((number) => ({ number })),
      fc.nat(200_000).map((length) => ({ octets: new Uint8Array(length).fill(0x78) })),
      fc.constant({ take: true as const }),
    )
    fc.assert(
      fc.property(fc.array(written, { maxLength: 40 }), (writes) => {
        const blocks = new BlockWriter()
        const taken: Uint8Array[] = []
        let expected = ''
        for (const write of writes) {
          if ('text' in write) blocks.text(write.text)
          else if ('number' in write) blocks.number(write.number)
          else if ('octets' in write) blocks.octets(write.octets)
          else taken.push(...blocks.takeAll())
          for (let block = blocks.takeFull(); block !== undefined; block = blocks.takeFull()) taken.push(block)
          if ('text' in write) expected += write.text
          else if ('number' in write) expected += `${write.number}`
          else if ('octets' in write) expected += 'x'.repeat(write.octets.length)
        }
        taken.push(...blocks.takeAll())
        expect(textOf(taken) === expected).toBe(true)
        expect(taken.every((block) => block.length > 0 && block.length <= 65_536)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})

describe('a FETCH response', () => {
  test('tells the internal date as it is written elsewhere', () => {
    const date = fc.record({ seconds: fc.nat(0xffff_ffff), zoneMinutes: fc.integer({ min: -1439, max: 1439 }) })
    fc.assert(
      fc.property(fc.array(date, { minLength: 1, maxLength: 5 }), (dates) => {
        const blocks = new BlockWriter()
        const writer = new FetchResponseWriter(blocks)
        for (const each of dates) writer.internalDate(each)
        expect(textOf(blocks.takeAll())).toBe(dates.map((each) => ` INTERNALDATE ${formatDateTime(each)}`).join(''))
      }),
    )
  })
})

describe('a SEARCH response', () => {
  test.each([
    [[], '* SEARCH\r\n'],
    [[{ first: 7, last: 7 }], '* SEARCH 7\r\n'],
    [[{ first: 1, last: 3 }, { first: 10, last: 11 }], '* SEARCH 1 2 3 10 11\r\n'],
  ])('%j', (ranges, text) => {
    expect(textOf([...searchBlocks(ranges)].flat())).toBe(text)
  })

  test('is one line of blocks, however long', () => {
    const blocks = [...searchBlocks([{ first: 1, last: 100_000 }])].flat()
    expect(blocks.every((block) => block.length <= 65_536)).toBe(true)
    const numbers = Array.from({ length: 100_000 }, (_, n) => n + 1)
    expect(textOf(blocks) === `* SEARCH ${numbers.join(' ')}\r\n`).toBe(true)
  })
})
