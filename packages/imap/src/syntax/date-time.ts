/** Dates on the wire: `date` of SEARCH and `date-time` of APPEND and INTERNALDATE. RFC 3501 §9 */
import type { InternalDate } from '@postern/core/store'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const MONTH_NUMBERS: ReadonlyMap<string, number> = new Map(MONTHS.map((name, index) => [name.toLowerCase(), index]))

/** A day of the calendar without a zone: days since 1970-01-01, may be negative. */
export type Day = number

const DAY_SECONDS = 86_400
const MAX_SECONDS = 0xffff_ffff

/** Reads `date-text`: `1-Feb-1994`. @returns undefined when there is no such day */
export function parseDay(text: string): Day | undefined {
  const match = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text)
  if (match === null) return undefined
  return dayOf(Number(match[3]), match[2] as string, Number(match[1]))
}

/**
 * Reads what stands between the quotes of a `date-time`: `17-Jul-1996 02:44:25 -0700`, day padded with a space or zero.
 * Moments outside what a store keeps (1970 to 2106) become the nearest one in it.
 * @returns undefined when malformed, or there is no such day, time or zone
 */
export function parseDateTime(text: string): InternalDate | undefined {
  const match = /^( \d|\d{2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/.exec(text)
  if (match === null) return undefined
  const day = dayOf(Number(match[3]), match[2] as string, Number(match[1]))
  const [hour, minute, second, zoneHour, zoneMinute] = [4, 5, 6, 8, 9].map((group) => Number(match[group])) as [
    number,
    number,
    number,
    number,
    number,
  ]
  if (day === undefined || hour > 23 || minute > 59 || second > 60 || zoneHour > 23 || zoneMinute > 59) return undefined
  const zoneMinutes = (zoneHour * 60 + zoneMinute) * (match[7] === '-' ? -1 : 1) || 0
  const seconds = day * DAY_SECONDS + hour * 3600 + minute * 60 + second - zoneMinutes * 60
  return { seconds: Math.min(MAX_SECONDS, Math.max(0, seconds)), zoneMinutes }
}

/** Writes a `date-time` with its quotes: `"17-Jul-1996 02:44:25 -0700"`. */
export function formatDateTime(date: InternalDate): string {
  const local = new Date((date.seconds + date.zoneMinutes * 60) * 1000)
  const zone = Math.abs(date.zoneMinutes)
  const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`)
  const day = `${local.getUTCDate()}`.padStart(2, ' ')
  const month = MONTHS[local.getUTCMonth()] as string
  const year = `${local.getUTCFullYear()}`.padStart(4, '0')
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`
  const sign = date.zoneMinutes < 0 ? '-' : '+'
  return `"${day}-${month}-${year} ${time} ${sign}${two(Math.floor(zone / 60))}${two(zone % 60)}"`
}

/** Writes a `date-text`. */
export function formatDay(day: Day): string {
  const date = new Date(day * DAY_SECONDS * 1000)
  return `${date.getUTCDate()}-${MONTHS[date.getUTCMonth()] as string}-${`${date.getUTCFullYear()}`.padStart(4, '0')}`
}

/** The day a message's internal date names, in its own zone: what SEARCH compares. RFC 3501 §6.4.4 */
export function dayOfInternalDate(date: InternalDate): Day {
  return Math.floor((date.seconds + date.zoneMinutes * 60) / DAY_SECONDS)
}

function dayOf(year: number, monthName: string, day: number): Day | undefined {
  const month = MONTH_NUMBERS.get(monthName.toLowerCase())
  if (month === undefined || day < 1) return undefined
  // `setUTCFullYear` takes years below 100 as they are; `Date.UTC` does not.
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month) return undefined
  return Math.floor(date.getTime() / 1000 / DAY_SECONDS)
}
