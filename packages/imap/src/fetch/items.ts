/**
 * What FETCH can ask of a message: data items, macros, and what of a stored message each needs. RFC 3501 §6.4.5
 * Not here: what is answered (`render.ts`).
 */
import type { RowParts } from '@postern/core/store'
import type { Reader } from '../syntax/reader.ts'
import { ResponseWriter } from '../syntax/writer.ts'
import { formatSection, parsePartial, parseSection, type Partial, type Section } from './section.ts'
import { isListedSection } from './section-octets.ts'

/** LIMIT: items of one FETCH; the largest known list has about fifteen, and each may ask for the whole message. */
const MAX_ITEMS = 100
/** Messages up to this size come along with their row. LIMIT: the most a store gives so. */
const ROW_BODY_OCTETS = 65_536

/** One data item. UID is none: it comes first in every answer. */
export type FetchItem = PlainItem | SectionItem

export interface PlainItem {
  readonly kind: 'flags' | 'internal-date' | 'size' | 'envelope' | 'body' | 'body-structure'
}

/** Octets of the message: BODY[…] and its older names. */
export interface SectionItem {
  readonly kind: 'section'
  readonly section: Section
  readonly partial: Partial | undefined
  /** Fetching it sets \Seen. */
  readonly marksSeen: boolean
  /** How the answer names it: `BODY[HEADER.FIELDS (DATE FROM)]<0>`. */
  readonly label: Uint8Array
}

const FAST: readonly FetchItem[] = [{ kind: 'flags' }, { kind: 'internal-date' }, { kind: 'size' }]
const MACROS: ReadonlyMap<string, readonly FetchItem[]> = new Map([
  ['FAST', FAST],
  ['ALL', [...FAST, { kind: 'envelope' }]],
  ['FULL', [...FAST, { kind: 'envelope' }, { kind: 'body' }]],
])

const PLAIN: ReadonlyMap<string, PlainItem['kind']> = new Map([
  ['FLAGS', 'flags'],
  ['INTERNALDATE', 'internal-date'],
  ['RFC822.SIZE', 'size'],
  ['ENVELOPE', 'envelope'],
  ['BODYSTRUCTURE', 'body-structure'],
])

const WHOLE: Section = { numbers: [], text: 'body' }

// fetch-items = "ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"
/** Reads the items of a FETCH, each of the plain ones once. @throws WireSyntaxError */
export function parseFetchItems(reader: Reader): readonly FetchItem[] {
  if (reader.peek() === '(') return withoutRepetition(reader.list(counted(reader)))
  const macro = MACROS.get(reader.peekWord())
  if (macro === undefined) return withoutRepetition([parseItem(reader)])
  reader.word()
  return macro
}

function counted(reader: Reader): () => FetchItem | undefined {
  let count = 0
  return () => {
    count += 1
    if (count > MAX_ITEMS) reader.fail('too-many-items', `at most ${MAX_ITEMS} items`)
    return parseItem(reader)
  }
}

// fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] / "BODY" ["STRUCTURE"] /
//             "UID" / "BODY" section ["<" number "." nz-number ">"] /
//             "BODY.PEEK" section ["<" number "." nz-number ">"]
/** Reads one item; UID gives none. */
function parseItem(reader: Reader): FetchItem | undefined {
  const offset = reader.offset
  const word = reader.word()
  const plain = PLAIN.get(word)
  if (plain !== undefined) return { kind: plain }
  switch (word) {
    case 'UID':
      return undefined
    case 'RFC822':
      return sectionItem('RFC822', WHOLE, { marksSeen: true })
    case 'RFC822.HEADER':
      return sectionItem('RFC822.HEADER', { numbers: [], text: 'header' }, { marksSeen: false })
    case 'RFC822.TEXT':
      return sectionItem('RFC822.TEXT', { numbers: [], text: 'text' }, { marksSeen: true })
    case 'BODY':
      return reader.peek() === '[' ? parseBodyItem(reader, true) : { kind: 'body' }
    case 'BODY.PEEK':
      return parseBodyItem(reader, false)
    default:
      return reader.fail('fetch-att', 'fetch-att', offset)
  }
}

function parseBodyItem(reader: Reader, marksSeen: boolean): SectionItem {
  const section = parseSection(reader)
  const partial = parsePartial(reader)
  return sectionItem('BODY', section, { marksSeen, partial })
}

function sectionItem(
  name: string,
  section: Section,
  how: { readonly marksSeen: boolean; readonly partial?: Partial | undefined },
): SectionItem {
  const writer = new ResponseWriter(name)
  if (name === 'BODY') formatSection(writer, section)
  // The answer shows where the octets begin, not how many were asked for. RFC 3501 §7.4.2
  if (how.partial !== undefined) writer.text(`<${how.partial.origin}>`)
  const label = new Uint8Array(Buffer.concat(writer.take()))
  return { kind: 'section', section, partial: how.partial, marksSeen: how.marksSeen, label }
}

function withoutRepetition(items: readonly (FetchItem | undefined)[]): readonly FetchItem[] {
  const seen = new Set<FetchItem['kind']>()
  const kept: FetchItem[] = []
  for (const item of items) {
    if (item === undefined || seen.has(item.kind)) continue
    if (item.kind !== 'section') seen.add(item.kind)
    kept.push(item)
  }
  return kept
}

/** Whether fetching these sets \Seen. */
export function marksSeen(items: readonly FetchItem[]): boolean {
  return items.some((item) => item.kind === 'section' && item.marksSeen)
}

/** What a store has to give along with each message to answer these. */
export function neededParts(items: readonly FetchItem[]): RowParts {
  let list = false
  let structure = false
  let body = false
  for (const item of items) {
    if (item.kind === 'envelope' || item.kind === 'body-structure') list = true
    if (item.kind === 'body') structure = true
    if (item.kind !== 'section') continue
    if (isListedSection(item.section)) {
      list = true
      continue
    }
    body = true
    if (item.section.text !== 'body' || item.section.numbers.length > 0) structure = true
  }
  return { list, structure, ...(body ? { bodyOctets: ROW_BODY_OCTETS } : {}) }
}
