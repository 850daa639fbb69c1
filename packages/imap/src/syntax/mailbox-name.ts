/**
 * Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3) and the one name without case, INBOX (§5.1).
 * Not here: which names a store takes.
 */

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,'
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(BASE64, (letter, value) => [letter, value]))

/**
 * Reads a name in modified UTF-7.
 * @param text printable US-ASCII
 * @returns undefined when it is not the one way to write some name: unknown letters, no `-`, bits left over, what could
 * stand for itself, half a surrogate pair, two shifts in a row
 */
export function decodeMailboxName(text: string): string | undefined {
  let name = ''
  let at = 0
  let afterShift = false
  while (at < text.length) {
    const shift = text.indexOf('&', at)
    const direct = text.slice(at, shift < 0 ? text.length : shift)
    if (/[^ -~]/.test(direct)) return undefined
    name += direct
    if (shift < 0) return name
    const end = text.indexOf('-', shift)
    if (end < 0) return undefined
    if (end === shift + 1) {
      name += '&'
      afterShift = false
    } else {
      if (afterShift && direct === '') return undefined
      const decoded = decodeShifted(text.slice(shift + 1, end))
      if (decoded === undefined) return undefined
      name += decoded
      afterShift = true
    }
    at = end + 1
  }
  return name
}

/** UTF-16 from its base64, or undefined when that is malformed. */
function decodeShifted(base64: string): string | undefined {
  const units: number[] = []
  let bits = 0
  let count = 0
  for (const letter of base64) {
    const value = VALUES.get(letter)
    if (value === undefined) return undefined
    bits = ((bits << 6) | value) & 0xfffff
    count += 6
    if (count >= 16) {
      count -= 16
      const unit = (bits >>> count) & 0xffff
      if (unit >= 0x20 && unit <= 0x7e) return undefined
      units.push(unit)
    }
  }
  if (count >= 6 || (bits & ((1 << count) - 1)) !== 0) return undefined
  // `fromCharCode` over an array that long would overflow the stack.
  const text = units.map((unit) => String.fromCharCode(unit)).join('')
  return /\p{Surrogate}/u.test(text) ? undefined : text
}

/** Writes a name in modified UTF-7. @param name text without unpaired surrogates */
export function encodeMailboxName(name: string): string {
  if (/^[ -%'-~]*$/.test(name)) return name
  let text = ''
  let units: number[] = []
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at)
    if (unit < 0x20 || unit > 0x7e) {
      units.push(unit)
      continue
    }
    text += encodeShifted(units)
    units = []
    text += unit === 0x26 ? '&-' : String.fromCharCode(unit)
  }
  return text + encodeShifted(units)
}

function encodeShifted(units: readonly number[]): string {
  if (units.length === 0) return ''
  let text = '&'
  let bits = 0
  let count = 0
  for (const unit of units) {
    bits = ((bits << 16) | unit) & 0x3fffff
    count += 16
    while (count >= 6) {
      count -= 6
      text += BASE64[(bits >>> count) & 63]
    }
  }
  if (count > 0) text += BASE64[(bits << (6 - count)) & 63]
  return `${text}-`
}

/** The name a store knows: NFC, and `INBOX` for INBOX in any case, as a whole name only. */
export function canonicalMailboxName(name: string): string {
  return /^inbox$/i.test(name) ? 'INBOX' : name.normalize('NFC')
}
