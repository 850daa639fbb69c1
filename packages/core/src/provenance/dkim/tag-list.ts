/** Tag lists of signatures, keys and policies: `v=1; a=rsa-sha256; …`. RFC 6376 §3.2 */

/** LIMIT: of one list. */
const MAX_TAGS = 64
const MAX_CHARACTERS = 65_536

/** Values by tag, without white space at their ends; folding white space within stays. Names keep their case. */
export type TagList = ReadonlyMap<string, string>

/** @returns undefined when it breaks the grammar, or names a tag twice */
export function parseTagList(text: string): TagList | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  const tags = new Map<string, string>()
  const specs = text.split(';', MAX_TAGS + 2)
  // One semicolon may end the list.
  if (specs.at(-1)?.trim() === '') specs.pop()
  if (specs.length === 0 || specs.length > MAX_TAGS) return undefined
  for (const spec of specs) {
    const equals = spec.indexOf('=')
    const name = spec.slice(0, Math.max(0, equals)).trim()
    const value = spec.slice(equals + 1).trim()
    if (equals < 0 || !/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return undefined
    // Control characters other than folding are in no value. RFC 8616 lets through everything beyond ASCII.
    if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value)) return undefined
    tags.set(name, value)
  }
  return tags
}

/** Octets of a base64 value with white space in it; undefined when it is none. */
export function decodeBase64Tag(value: string): Uint8Array | undefined {
  const text = value.replaceAll(/[ \t\r\n]/g, '')
  if (text === '' || text.length % 4 === 1 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** Items of a colon-separated value, without white space around them. */
export function splitColons(value: string): readonly string[] {
  return value.split(':').map((item) => item.trim())
}
