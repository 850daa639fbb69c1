/** Tag lists of signatures, keys and policies: `v=1; a=rsa-sha256; …`. RFC 6376 §3.2 */

/** LIMIT: of one list. */
const MAX_TAGS = 64
const MAX_CHARACTERS = 65_536
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/

/** Values by tag, without white space at their ends; folding white space within stays. Names keep their case. */
export type TagList = ReadonlyMap<string, string>

/** @returns undefined when it breaks the grammar, or names a tag twice */
export function parseTagList(text: string): TagList | undefined {
  // Control characters other than folding stand nowhere. RFC 8616 lets through everything beyond ASCII.
  if (text.length > MAX_CHARACTERS || CONTROL.test(text)) return undefined
  const tags = new Map<string, string>()
  const specs = text.split(';', MAX_TAGS + 2)
  // One semicolon may end the list.
  if (trimBlanks(specs.at(-1) ?? '') === '') specs.pop()
  if (specs.length === 0 || specs.length > MAX_TAGS) return undefined
  for (const spec of specs) {
    const equals = spec.indexOf('=')
    const name = trimBlanks(spec.slice(0, Math.max(0, equals)))
    const value = trimBlanks(spec.slice(equals + 1))
    if (equals < 0 || !/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return undefined
    tags.set(name, value)
  }
  return tags
}

/** What base64 has not: other characters, and padding that is not at the end, more than two or all there is. RFC 4648 §4 */
const NOT_BASE64 = /[^A-Za-z0-9+/=]|=[^=]|===|^=|^$/

/** Octets of a base64 value with white space in it; undefined when it is none. */
export function decodeBase64Tag(value: string): Uint8Array | undefined {
  const text = value.replaceAll(/[ \t\r\n]+/g, '')
  return text.length % 4 !== 1 && !NOT_BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** Items of a colon-separated value, without white space around them. */
export function splitColons(value: string): readonly string[] {
  return value.split(':').map(trimBlanks)
}

/** Without folding white space at its ends. String's own trim() would take octets of UTF-8 for spaces too: A0 ends `à`. */
export function trimBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from += 1
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1
  return text.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a
}
