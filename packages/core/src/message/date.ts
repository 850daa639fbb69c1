/**
 * Dates of header fields. RFC 5322 §3.3 with the obsolete forms of §4.3, and what else is found in mail: asctime and
 * ISO 8601 order, two-digit years, AM and PM, zones with a colon. Not here: dates of IMAP.
 */
/** A moment and the zone it was told in. */
export interface MailDate {
  /** Seconds since 1970-01-01T00:00:00Z; negative before. */
  readonly seconds: number
  /** Minutes east of UTC, −1439 to 1439; 0 when the zone isn't known. */
  readonly zoneMinutes: number
}

/** LIMIT: longer values are cut off here; a comment in front may be long, a date is not. */
const MAX_VALUE = 1000
const MAX_WORDS = 24

const MONTHS = 'january february march april may june july august september october november december'.split(' ')

/** Named zones in hours; military letters and unknown names count as UTC, which is what RFC 5322 §4.3 asks for. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['edt', -4],
  ['est', -5],
  ['cdt', -5],
  ['cst', -6],
  ['mdt', -6],
  ['mst', -7],
  ['pdt', -7],
  ['pst', -8],
])

/**
 * Reads a date-time. @param value of a Date or Received field, folded or not; of the latter what follows the last ";"
 * counts
 * @returns undefined when there is no date in it, or none that exists (30 February); without a time it is midnight
 */
export function parseDate(value: Uint8Array | string): MailDate | undefined {
  const text = typeof value === 'string' ? value : latin1(value)
  const semicolon = text.lastIndexOf(';')
  // A semicolon in a comment of a Date field comes after the date.
  return (semicolon < 0 ? undefined : read(text.slice(semicolon + 1))) ?? read(text)
}

function read(text: string): MailDate | undefined {
  const found: Found = {}
  for (const word of wordsOf(text.slice(0, MAX_VALUE))) takeWord(word.toLowerCase(), found)
  return dateOf(found)
}

/** `1 Jul 2003 10:52:37 +0200`. @param seconds since 1970, whole @param zoneMinutes east of UTC, −1439 to 1439 */
export function formatDate(seconds: number, zoneMinutes: number): string {
  const local = new Date((seconds + 60 * zoneMinutes) * 1000)
  const month = MONTHS[local.getUTCMonth()] as string
  const year = `${local.getUTCFullYear()}`.padStart(4, '0')
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(twoDigits).join(':')
  const size = Math.abs(zoneMinutes)
  const zone = `${zoneMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(size / 60))}${twoDigits(size % 60)}`
  return `${local.getUTCDate()} ${month.charAt(0).toUpperCase()}${month.slice(1, 3)} ${year} ${time} ${zone}`
}

/** What was read so far. */
interface Found {
  day?: number
  /** 0 to 11. */
  month?: number
  year?: number
  time?: { hour: number; minute: number; second: number }
  zoneMinutes?: number
}

/**
 * Words between white space and commas; comments are left out, nested ones by a counter. What belongs to a time is
 * joined (`09 : 55`, RFC 5322 appendix A.6.3), a date joined by "-" or "/" is split.
 */
function wordsOf(text: string): string[] {
  let depth = 0
  let clean = ''
  for (const character of text) {
    if (character === '(') depth += 1
    else if (character === ')') depth = Math.max(0, depth - 1)
    if (depth === 0) clean += character === ')' ? ' ' : character
  }
  return clean
    .replaceAll(/([0-9])\s*:\s*(?=[0-9])/g, '$1:')
    .replaceAll(/([0-9])[Tt]([0-9])/g, '$1 $2')
    .replaceAll(/([A-Za-z0-9])[-/]([A-Za-z]{3,9})[-/]([0-9])/g, '$1 $2 $3')
    .split(/[\s,;]+/, MAX_WORDS)
    .filter((word) => word !== '')
}

function takeWord(word: string, found: Found): void {
  if (found.time === undefined && takeTime(word, found)) return
  if (found.month === undefined || found.day === undefined || found.year === undefined) {
    if (takeDay(word, found)) return
  }
  if (found.time !== undefined) takeZone(word, found)
}

/** A day, a month's name or a year; or `2003-07-01`, `2003/07/01`. */
function takeDay(word: string, found: Found): boolean {
  const iso = /^([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})$/.exec(word)
  if (iso !== null) {
    found.year = Number(iso[1])
    found.month = Number(iso[2]) - 1
    found.day = Number(iso[3])
    return true
  }
  if (/^[0-9]{1,4}$/.test(word)) {
    if (found.day === undefined && word.length <= 2) found.day = Number(word)
    else if (found.year === undefined) found.year = yearOf(word)
    else return false
    return true
  }
  const month = word.length >= 3 ? MONTHS.findIndex((name) => name.startsWith(word.replace(/\.$/, ''))) : -1
  if (month < 0 || found.month !== undefined) return false
  found.month = month
  return true
}

/** RFC 5322 §4.3: two digits are 1950 to 2049, three are counted from 1900. */
function yearOf(digits: string): number {
  const year = Number(digits)
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year
  return digits.length === 3 ? 1900 + year : year
}

const TIME = /^([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?(?:[.,][0-9]+)?(am|pm|z|[+-][0-9]{2}:?[0-9]{2})?$/

/** `10:52`, `10:52:37`, `10.52.37`, with a fraction or a zone right after it. */
function takeTime(word: string, found: Found): boolean {
  const match = TIME.exec(word)
  if (match === null) return false
  const [, hour, minute, second = '0', rest] = match
  found.time = { hour: Number(hour), minute: Number(minute), second: Number(second) }
  if (rest !== undefined) takeZone(rest, found)
  return true
}

function takeZone(word: string, found: Found): void {
  const { time } = found
  if (time !== undefined && (word === 'am' || word === 'pm') && time.hour <= 12) {
    time.hour = (time.hour % 12) + (word === 'pm' ? 12 : 0)
    return
  }
  if (found.zoneMinutes !== undefined) return
  const match = /^(?:gmt|utc?)?([+-])([0-9]{1,2}):?([0-9]{2})?$/.exec(word)
  if (match !== null) {
    const [, sign, hours, minutes = '0'] = match
    const size = 60 * Number(hours) + Number(minutes)
    // A zone that doesn't exist is as good as none.
    found.zoneMinutes = size >= 1440 || Number(minutes) > 59 ? 0 : (sign === '-' ? -size : size) + 0
    return
  }
  // "EST5EDT" is a zone's name of POSIX systems.
  const hours = ZONES.get(/^[a-z]{3}[0-9][a-z]{3}$/.test(word) ? word.slice(0, 3) : word)
  if (hours !== undefined) found.zoneMinutes = 60 * hours
}

function dateOf({ day, month, year, time, zoneMinutes = 0 }: Found): MailDate | undefined {
  if (day === undefined || month === undefined || year === undefined) return undefined
  const { hour, minute, second } = time ?? { hour: 0, minute: 0, second: 0 }
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined
  return { seconds: date.getTime() / 1000 + 3600 * hour + 60 * minute + second - 60 * zoneMinutes, zoneMinutes }
}

function twoDigits(value: number): string {
  return `${value}`.padStart(2, '0')
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
}
