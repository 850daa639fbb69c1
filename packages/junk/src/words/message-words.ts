/**
 * The words of a message: what its header, its parts and what they point to consist of. Not here: what they mean.
 *
 * Nothing throws on any octets, and nothing costs more than the caps allow, but for one pass over all octets to find
 * the parts.
 */
import { isAscii } from 'node:buffer'
import { decodeCharset, decodeTransfer, parseStructure, type Part } from '@postern/core/message'
import { addHeaderWords } from './header-words.ts'
import { readHtml } from './html-text.ts'
import { addTextWords } from './text-words.ts'
import { addUrlWords } from './url-words.ts'
import { type MessageWords, WordCollector } from './word-collector.ts'

/** LIMIT: octets of text read; each part may take half of what is left, and of the words, so that none hides those after it. */
const MAX_TEXT_OCTETS = 524_288
/** LIMIT: parts looked at. */
const MAX_PARTS = 200
/** LIMIT: octets of one header section. */
const MAX_HEADER_OCTETS = 65_536

/** Reads the words of a message. @param message octets whole, with line ends of CR LF or LF @throws never */
export function readMessageWords(message: Uint8Array): MessageWords {
  return collectWords(message).finish()
}

/** Only their keys, which is all that learning needs. */
export function readMessageKeys(message: Uint8Array): Uint32Array {
  return collectWords(message).keys()
}

function collectWords(message: Uint8Array): WordCollector {
  const words = new WordCollector()
  const { root } = parseStructure(message)
  words.allow('half')
  addHeaderWords(headerOf(message, root), words)
  words.allow('all')
  let budget = MAX_TEXT_OCTETS
  let count = 0
  const open: Part[] = [root]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    count += 1
    if (count > MAX_PARTS || words.isFull) {
      words.noteTruncated()
      break
    }
    words.allow('half')
    addPartWords(part, words)
    for (let index = part.children.length - 1; index >= 0; index -= 1) open.push(part.children[index] as Part)
    if (part.message !== undefined) {
      addHeaderWords(headerOf(message, part.message), words, 'inner ')
      open.push(part.message)
    } else if (part.children.length === 0 && part.type === 'text') {
      const end = Math.min(part.end, part.bodyStart + Math.ceil(budget / 2))
      if (end < part.end) words.noteTruncated()
      budget -= end - part.bodyStart
      addBodyWords(part, message.subarray(part.bodyStart, end), words)
    }
    words.allow('all')
  }
  return words
}

function headerOf(message: Uint8Array, part: Part): Uint8Array {
  return message.subarray(part.headerStart, Math.min(part.bodyStart, part.headerStart + MAX_HEADER_OCTETS))
}

/** Type, encoding, charset and file name. */
function addPartWords(part: Part, words: WordCollector): void {
  words.begin('part', 'header')
  words.addWhole(`${part.type}/${part.subtype}`)
  words.addWhole(part.transferEncoding)
  if (part.disposition !== undefined) words.addWhole(part.disposition.type)
  const names = [...part.parameters, ...(part.disposition?.parameters ?? [])]
  for (const [name, value] of names) {
    if (name === 'charset') words.addWhole(value.toLowerCase())
    if (name !== 'name' && name !== 'filename') continue
    const dot = value.lastIndexOf('.')
    if (dot >= 0) words.addWhole(value.slice(dot, dot + 10).toLowerCase())
    addTextWords(value.slice(0, 256), words)
  }
}

/** Charsets in which octets below 128 are ASCII, whatever stands before them. */
const ASCII_BASED = /^(?:|us-ascii|utf-8|iso-8859-[0-9]{1,2}|windows-125[0-9])$/i

function addBodyWords(part: Part, body: Uint8Array, words: WordCollector): void {
  const charset = part.parameters.find(([name]) => name === 'charset')?.[1] ?? ''
  const octets = /^(?:base64|quoted-printable)$/i.test(part.transferEncoding) ? decodeTransfer(body, part.transferEncoding) : body
  // Most bodies are: then there is nothing to decode, and nothing in disguise.
  const isPlain = isAscii(octets) && ASCII_BASED.test(charset)
  const text = isPlain ? Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1') : decodeCharset(octets, charset)
  if (part.subtype !== 'html') {
    words.begin('', 'content')
    for (const url of new Set(addTextWords(text, words, isPlain ? octets : undefined))) addUrlWords(url, 'content', words)
    return
  }
  const html = readHtml(text)
  words.begin('', 'content')
  const urls = addTextWords(html.text, words)
  for (const url of new Set([...urls, ...html.urls])) addUrlWords(url, 'content', words)
}
