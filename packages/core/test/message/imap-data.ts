/**
 * Reads the parenthesised data of IMAP responses back, strictly by RFC 9051 §9, so that what we write can be checked
 * against it.
 */

/** A string, NIL, a number, or a list of these. */
export type ImapData = string | null | number | ImapData[]

/** @throws on anything that is not one whole value */
export function readImapData(octets: Uint8Array): ImapData {
  const text = Buffer.from(octets).toString('latin1')
  const stack: ImapData[][] = [[]]
  let at = 0
  // Neighbours in a list are separated by one space, lists beside lists by none or one.
  let mayStart = true
  while (at < text.length) {
    const top = stack.at(-1) as ImapData[]
    const rest = text.slice(at, at + 40)
    const char = text[at]
    const number = /^\d+/.exec(rest)?.[0]
    const literal = /^\{(\d+)\}\r\n/.exec(rest)
    if (char === ' ') {
      if (mayStart) throw new Error(`Space at ${at}`)
      mayStart = true
      at += 1
      continue
    }
    if (char === ')') {
      const list = stack.pop() as ImapData[]
      if (mayStart || list.length === 0 || stack.length === 0) throw new Error(`Parenthesis at ${at}`)
      ;(stack.at(-1) as ImapData[]).push(list)
      at += 1
      continue
    }
    if (!mayStart && !(char === '(' && Array.isArray(top.at(-1)))) throw new Error(`No space at ${at}`)
    mayStart = false
    if (char === '(') {
      stack.push([])
      mayStart = true
      at += 1
    } else if (rest.startsWith('NIL')) {
      top.push(null)
      at += 3
    } else if (number !== undefined) {
      top.push(Number(number))
      at += number.length
    } else if (literal !== null) {
      const from = at + literal[0].length
      const to = from + Number(literal[1])
      if (to > text.length || text.slice(from, to).includes('\0')) throw new Error(`Literal at ${at}`)
      top.push(text.slice(from, to))
      at = to
    } else {
      const quoted = /^"((?:[^"\\\r\n\0\x80-\xff]|\\["\\])*)"/.exec(text.slice(at, at + 2100))
      if (quoted === null) throw new Error(`No value at ${at}: ${JSON.stringify(rest)}`)
      top.push((quoted[1] as string).replace(/\\(.)/g, '$1'))
      at += quoted[0].length
    }
  }
  const [values] = stack
  if (stack.length !== 1 || values?.length !== 1) throw new Error('Not one value')
  return values[0] as ImapData
}

const isString = (data: ImapData | undefined): boolean => typeof data === 'string'
const isNstring = (data: ImapData | undefined): boolean => data === null || isString(data)

/** `body-fld-param` */
function isParameters(data: ImapData | undefined): boolean {
  return data === null || (Array.isArray(data) && data.length > 0 && data.length % 2 === 0 && data.every(isString))
}

/** `[SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]]`, here always all of it. */
function isSharedExtension(data: readonly ImapData[]): boolean {
  const [disposition, language, location] = data
  return (
    data.length === 3 &&
    (disposition === null ||
      (Array.isArray(disposition) &&
        disposition.length === 2 &&
        isString(disposition[0]) &&
        isParameters(disposition[1]))) &&
    (isNstring(language) || (Array.isArray(language) && language.every(isString))) &&
    isNstring(location)
  )
}

/** `envelope` */
export function isEnvelope(data: ImapData | undefined): boolean {
  if (!Array.isArray(data) || data.length !== 10) return false
  return data.every((member, index) => {
    if (index < 2 || index > 7) return isNstring(member)
    return (
      member === null ||
      (Array.isArray(member) &&
        member.every((address) => Array.isArray(address) && address.length === 4 && address.every(isNstring)))
    )
  })
}

/** `body`, with or without all extension data. */
export function isBody(data: ImapData | undefined, extended: boolean): boolean {
  if (!Array.isArray(data)) return false
  const parts = data.findIndex((member) => !Array.isArray(member))
  if (parts > 0) {
    const rest = data.slice(parts)
    return (
      data.slice(0, parts).every((part) => isBody(part, extended)) &&
      isString(rest[0]) &&
      (extended ? isParameters(rest[1]) && isSharedExtension(rest.slice(2)) : rest.length === 1)
    )
  }
  const [type, subtype, parameters, id, description, encoding, octets] = data
  if (!isString(type) || !isString(subtype) || !isParameters(parameters) || !isNstring(id) || !isNstring(description))
    return false
  if (!isString(encoding) || encoding === '' || typeof octets !== 'number') return false
  let rest = data.slice(7)
  if (type === 'TEXT') {
    if (typeof rest[0] !== 'number') return false
    rest = rest.slice(1)
  } else if (type === 'MESSAGE' && (subtype === 'RFC822' || subtype === 'GLOBAL')) {
    if (!isEnvelope(rest[0]) || !isBody(rest[1], extended) || typeof rest[2] !== 'number') return false
    rest = rest.slice(3)
  }
  return extended ? isNstring(rest[0]) && isSharedExtension(rest.slice(1)) : rest.length === 0
}
