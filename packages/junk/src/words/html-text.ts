/**
 * Text of an HTML document, and where it points to.
 * Not here: rendering. Text that is hidden (by colour, size or style) is text like any other: whoever hides it wants
 * filters to read it, and what filters read is then what they learn. Comments and tags of inline elements are nothing
 * at all, so that they can't cut words. Tags tell nothing: with their names and attributes as words cross-validation
 * took more newsletters for spam.
 *
 * One pass; a tag, comment or quotation that is never closed reaches to the end, as in browsers (HTML §13.2.5).
 */
import { decodeEntities } from './html-entities.ts'

/** LIMIT: addresses kept. */
const MAX_URLS = 1_000
/** LIMIT: characters of an attribute's value. */
const MAX_VALUE = 1_024

export interface HtmlText {
  readonly text: string
  /** Values of attributes that point somewhere. */
  readonly urls: readonly string[]
}

/** Tags between which a word goes on. */
const INLINE = new Set('a abbr b bdo big code em font i img ins kbd mark o:p q s samp small span st1 strike strong sub sup tt u var wbr'.split(' '))
const URL_ATTRIBUTES = new Set(['href', 'src', 'action', 'background', 'data', 'formaction', 'poster'])
const TEXT_ATTRIBUTES = new Set(['alt', 'title', 'placeholder'])
/** Elements whose content is no text. */
const RAW = new Set(['script', 'style'])

export function readHtml(html: string): HtmlText {
  const pieces: string[] = []
  const urls: string[] = []
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) {
      pieces.push(html.slice(at))
      break
    }
    if (open > at) pieces.push(html.slice(at, open))
    const next = html.charCodeAt(open + 1)
    if (html.startsWith('!--', open + 1)) {
      const end = html.indexOf('-->', open + 4)
      at = end < 0 ? html.length : end + 3
    } else if (next === 0x21 || next === 0x3f) {
      at = afterClose(html, open)
    } else if (isLetter(next) || (next === 0x2f && isLetter(html.charCodeAt(open + 2)))) {
      at = readTag(html, open, { pieces, urls })
    } else {
      pieces.push('<')
      at = open + 1
    }
  }
  return { text: decodeEntities(pieces.join('')), urls }
}

interface Found {
  readonly pieces: string[]
  readonly urls: string[]
}

/** @returns where the text goes on */
function readTag(html: string, open: number, found: Found): number {
  const isEnd = html.charCodeAt(open + 1) === 0x2f
  let at = open + (isEnd ? 2 : 1)
  const nameStart = at
  while (at < html.length && isNameCode(html.charCodeAt(at))) at += 1
  const name = html.slice(nameStart, Math.min(at, nameStart + 20)).toLowerCase()
  if (!INLINE.has(name)) found.pieces.push(' ')
  at = readAttributes(html, at, found)
  if (isEnd || !RAW.has(name)) return at
  // Each search goes on where the last one ended.
  for (let end = html.indexOf('</', at); end >= 0; end = html.indexOf('</', end + 2)) {
    if (html.slice(end + 2, end + 2 + name.length).toLowerCase() === name) return end
  }
  return html.length
}

/** Reads attributes to the end of the tag. @returns where that is */
function readAttributes(html: string, from: number, found: Found): number {
  let at = from
  while (at < html.length) {
    const code = html.charCodeAt(at)
    if (code === 0x3e) return at + 1
    if (code <= 0x20 || code === 0x2f || code === 0x3d || code === 0x22 || code === 0x27) {
      at += 1
      continue
    }
    const nameStart = at
    while (at < html.length && !endsAttributeName(html.charCodeAt(at))) at += 1
    const nameEnd = at
    while (isBlank(html.charCodeAt(at))) at += 1
    if (html.charCodeAt(at) !== 0x3d) continue
    at += 1
    while (isBlank(html.charCodeAt(at))) at += 1
    const quote = html.charCodeAt(at)
    let valueStart = at
    let valueEnd: number
    if (quote === 0x22 || quote === 0x27) {
      valueStart += 1
      const end = html.indexOf(quote === 0x22 ? '"' : "'", valueStart)
      valueEnd = end < 0 ? html.length : end
      at = valueEnd + 1
    } else {
      while (at < html.length && html.charCodeAt(at) !== 0x3e && !isBlank(html.charCodeAt(at))) at += 1
      valueEnd = at
    }
    const name = html.slice(nameStart, Math.min(nameEnd, nameStart + 20)).toLowerCase()
    if (URL_ATTRIBUTES.has(name)) {
      if (found.urls.length < MAX_URLS) found.urls.push(decodeEntities(html.slice(valueStart, Math.min(valueEnd, valueStart + MAX_VALUE))))
    } else if (TEXT_ATTRIBUTES.has(name)) {
      found.pieces.push(' ', html.slice(valueStart, valueEnd), ' ')
    }
  }
  return html.length
}

function afterClose(html: string, from: number): number {
  const end = html.indexOf('>', from)
  return end < 0 ? html.length : end + 1
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
}

function isNameCode(code: number): boolean {
  return code > 0x20 && code !== 0x2f && code !== 0x3e
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

function endsAttributeName(code: number): boolean {
  return code <= 0x20 || code === 0x2f || code === 0x3d || code === 0x3e
}
