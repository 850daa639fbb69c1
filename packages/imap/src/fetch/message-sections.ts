/**
 * The octets of sections, brought near: from a message's row where they lie with it, else from the store, whole when
 * they are few and as a stream when they are many.
 */
import { selectFields, type MessageStructure } from '@postern/core/message'
import type { MessageRow, OpenMailbox } from '@postern/core/store'
import type { SectionItem } from './items.ts'
import { cutOctets, isListedSection, listedOctets, locateSection, type SectionOctets } from './section-octets.ts'

/** LIMIT: octets of a section read before its response begins; longer ones are streamed. */
const MAX_HELD_OCTETS = 65_536

/** What can be written of a section. */
export type ReadySection =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'stream'; readonly sizeOctets: number; readonly pieces: AsyncIterable<Uint8Array> }
  | { readonly kind: 'none' }

/** A section, when all that is needed lies with the row; else undefined. */
export function sectionOfRow(item: SectionItem, row: MessageRow): ReadySection | undefined {
  const { section, partial } = item
  const listed = isListedSection(section) ? listedOctets(section, row) : undefined
  if (listed !== undefined) return { kind: 'octets', octets: cutOctets(listed, partial) }
  if (row.structure === undefined && needsStructure(item)) return undefined
  const found = locateSection(section, partial, { sizeOctets: row.sizeOctets, structure: row.structure })
  if (found.kind === 'none') return found
  return row.body === undefined ? undefined : sectionOfOctets(found, item, row.body)
}

function needsStructure({ section }: SectionItem): boolean {
  return section.text !== 'body' || section.numbers.length > 0
}

/** @param octets of the message, from its start */
function sectionOfOctets(
  found: Exclude<SectionOctets, { kind: 'none' }>,
  item: SectionItem,
  octets: Uint8Array,
): ReadySection {
  const range = octets.subarray(found.from, found.to)
  if (found.kind === 'range') return { kind: 'octets', octets: range }
  return { kind: 'octets', octets: cutOctets(selectFields(range, found.choice.set, found.choice.choose), item.partial) }
}

/** A section that does not lie with the row: read when it is short, else begun; undefined when the message is gone. */
export async function openSection(
  mailbox: OpenMailbox,
  item: SectionItem,
  row: MessageRow,
): Promise<ReadySection | undefined> {
  const { emailId, sizeOctets } = row
  const structure = row.structure ?? (needsStructure(item) ? await fetchStructure(mailbox, row) : undefined)
  if (structure === undefined && needsStructure(item)) return undefined
  const found = locateSection(item.section, item.partial, { sizeOctets, structure })
  if (found.kind === 'none') return found
  const octets = found.to - found.from
  if (found.kind === 'range' && octets > MAX_HELD_OCTETS) {
    const pieces = await begun(mailbox.read(emailId, found.from, found.to))
    return pieces && { kind: 'stream', sizeOctets: octets, pieces }
  }
  const held = await readHeld(mailbox.read(emailId, found.from, found.to), octets)
  if (held === undefined || found.kind === 'range') return held && { kind: 'octets', octets: held }
  return sectionOfOctets({ ...found, from: 0, to: octets }, item, held)
}

/** The structure of a message whose list record was expected to be complete, and was not. */
async function fetchStructure(mailbox: OpenMailbox, { uid }: MessageRow): Promise<MessageStructure | undefined> {
  for await (const rows of mailbox.fetch([{ first: uid, last: uid }], { structure: true })) return rows[0]?.structure
  return undefined
}

/** The same pieces, the first of them read; undefined when there is none. */
async function begun(pieces: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array> | undefined> {
  const iterator = pieces[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done === true) return undefined
  return (async function* () {
    try {
      yield first.value
      for (;;) {
        const next = await iterator.next()
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  })()
}

/** So many octets, or undefined when there are fewer. */
async function readHeld(pieces: AsyncIterable<Uint8Array>, octets: number): Promise<Uint8Array | undefined> {
  const held = new Uint8Array(octets)
  let length = 0
  for await (const piece of pieces) {
    if (length + piece.length > octets) return undefined
    held.set(piece, length)
    length += piece.length
  }
  return length === octets ? held : undefined
}
