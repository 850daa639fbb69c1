import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  dayOfInternalDate,
  formatDateTime,
  formatDay,
  parseDateTime,
  parseDay,
} from '../../src/syntax/date-time.ts'

const DAY = 86_400

describe('date-time', () => {
  const ROWS: readonly (readonly [text: string, seconds: number, zoneMinutes: number])[] = [
    ['17-Jul-1996 02:44:25 -0700', 837_596_665, -420],
    [' 1-Jan-1970 00:00:00 +0000', 0, 0],
    ['01-Feb-2023 12:00:00 +0530', 1_675_233_000, 330],
    ['29-feb-2024 23:59:60 +0000', 1_709_251_200, 0],
    [' 7-Feb-2106 06:28:15 +0000', 0xffff_ffff, 0],
    // Beyond what a store keeps: the nearest there is.
    ['31-Dec-1969 23:59:59 +0000', 0, 0],
    [' 1-Jan-0001 00:00:00 +0000', 0, 0],
    ['31-Dec-9999 00:00:00 +0000', 0xffff_ffff, 0],
  ]
  test.each(ROWS)('%s', (text, seconds, zoneMinutes) => {
    expect(parseDateTime(text)).toEqual({ seconds, zoneMinutes })
  })

  test.each([
    '',
    '17-Jul-1996',
    '7-Jul-1996 02:44:25 -0700',
    '32-Jan-2023 00:00:00 +0000',
    '29-Feb-2023 00:00:00 +0000',
    ' 0-Jan-2023 00:00:00 +0000',
    '01-Foo-2023 00:00:00 +0000',
    '01-Jan-2023 24:00:00 +0000',
    '01-Jan-2023 00:60:00 +0000',
    '01-Jan-2023 00:00:61 +0000',
    '01-Jan-2023 00:00:00 +2400',
    '01-Jan-2023 00:00:00 +0060',
    '01-Jan-2023 00:00:00 0000',
    '01-Jan-2023 00:00:00 +0000 ',
  ])('%j is malformed', (text) => {
    expect(parseDateTime(text)).toBeUndefined()
  })

  test('what is written can be read', () => {
    const dates = fc.record({
      seconds: fc.integer({ min: DAY, max: 0xffff_ffff - DAY }),
      zoneMinutes: fc.integer({ min: -1439, max: 1439 }),
    })
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseDateTime(formatDateTime(date).slice(1, -1))).toEqual(date)
      }),
    )
  })
})

describe('date', () => {
  test.each([
    ['1-Feb-1994', 8797],
    ['01-Feb-1994', 8797],
    ['1-JAN-1970', 0],
    ['31-Dec-1969', -1],
    ['29-Feb-2000', 11_016],
  ])('%s', (text, day) => {
    expect(parseDay(text)).toBe(day)
  })

  test.each(['', '1-1-1994', '001-Feb-1994', '1-Feb-94', '30-Feb-1994', '0-Feb-1994', '1-Febr-1994'])('%j is malformed', (text) => {
    expect(parseDay(text)).toBeUndefined()
  })

  test('what is written can be read', () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (day) => {
        expect(parseDay(formatDay(day))).toBe(day)
      }),
    )
  })

  test('the day of a message is that of its own zone', () => {
    expect(dayOfInternalDate({ seconds: 0, zoneMinutes: -1 })).toBe(-1)
    expect(dayOfInternalDate({ seconds: DAY - 1, zoneMinutes: 1 })).toBe(1)
    expect(dayOfInternalDate({ seconds: DAY - 1, zoneMinutes: 0 })).toBe(0)
  })
})
