/**
 * The answer to a FETCH: the messages of a set, one response each, in blocks. What lies with a message's row is written
 * at once; longer octets pass through piece by piece.
 * Not here: \Seen and the command's completion (`commands/fetch.ts`).
 */
import { formatBodyStructure } from '@postern/core/message'
import type { MessageRow, SequenceNumber, UidRanges } from '@postern/core/store'
import { BlockWriter } from '../responses/blocks.ts'
import { FetchResponseWriter } from '../responses/fetch.ts'
import { ResponseCutShort } from '../session/command.ts'
import type { View } from '../session/view.ts'
import { holdsUid } from '../syntax/uid-ranges.ts'
import { neededParts, type FetchItem, type PlainItem, type SectionItem } from './items.ts'
import { openSection, sectionOfRow, type ReadySection } from './message-sections.ts'

/** What is asked of a set of messages. */
export interface FetchRequest {
  readonly uids: UidRanges
  readonly items: readonly FetchItem[]
  /** Messages whose flags are told in any case, since this command has changed them. */
  readonly newlySeen: UidRanges
}

/**
 * Renders responses, ascending by UID. Messages that are gone are left out.
 * @returns how many messages were told of
 * @throws ResponseCutShort when a message goes away in the middle of its octets
 */
export function renderMessages(view: View, request: FetchRequest): AsyncGenerator<readonly Uint8Array[], number> {
  return new MessageRenderer(view, request).render()
}

class MessageRenderer {
  readonly #view: View
  readonly #request: FetchRequest
  readonly #blocks = new BlockWriter()
  readonly #writer = new FetchResponseWriter(this.#blocks)
  readonly #plain: readonly PlainItem[]
  readonly #sections: readonly SectionItem[]
  readonly #asksFlags: boolean
  /** Flag lists without keywords, by their bits. */
  readonly #flagTexts: string[] = []
  #told = 0
  #lastSequence = 0

  constructor(view: View, request: FetchRequest) {
    this.#view = view
    this.#request = request
    this.#plain = request.items.filter((item) => item.kind !== 'section')
    this.#sections = request.items.filter((item) => item.kind === 'section')
    this.#asksFlags = request.items.some((item) => item.kind === 'flags')
  }

  async *render(): AsyncGenerator<readonly Uint8Array[], number> {
    const { uids, items, newlySeen } = this.#request
    for await (const rows of this.#view.mailbox.fetch(uids, neededParts(items))) {
      for (let at = 0; at < rows.length; at += 1) {
        at = this.#writePlainRows(rows, at)
        const row = rows[at]
        if (row !== undefined) yield* this.#renderRow(row)
        for (let block = this.#blocks.takeFull(); block !== undefined; block = this.#blocks.takeFull()) yield [block]
      }
      if (this.#asksFlags) this.#view.flagsTold(rows)
      else if (newlySeen.length > 0) this.#view.flagsTold(rows.filter(({ uid }) => holdsUid(newlySeen, uid)))
    }
    for (const block of this.#blocks.takeAll()) yield [block]
    return this.#told
  }

  /** Writes rows that need nothing more, from `from` on. @returns the place of the first one that does */
  #writePlainRows(rows: readonly MessageRow[], from: number): number {
    if (this.#sections.length > 0) return from
    for (let at = from; at < rows.length; at += 1) {
      const row = rows[at] as MessageRow
      if (this.#asksFlags && !this.#view.knowsKeywordsOf(row)) return at
      const sequence = this.#sequenceOf(row.uid)
      if (sequence === undefined) continue
      this.#told += 1
      this.#writer.begin(sequence, row.uid)
      for (const item of this.#plain) this.#writePlain(item, row)
      this.#writer.end()
    }
    return rows.length
  }

  async *#renderRow(row: MessageRow): AsyncGenerator<readonly Uint8Array[], void> {
    const sequence = this.#sequenceOf(row.uid)
    if (sequence === undefined) return
    const addsFlags = !this.#asksFlags && holdsUid(this.#request.newlySeen, row.uid)
    if ((this.#asksFlags || addsFlags) && !this.#view.knowsKeywordsOf(row)) {
      yield [...this.#blocks.takeAll(), ...(await this.#view.fetchKeywords())]
    }
    // What has to be read first is opened before the response begins, so that a message that is gone can be left out.
    const ready = this.#sections.map((item) => sectionOfRow(item, row))
    const missing = ready.indexOf(undefined)
    if (missing >= 0) {
      ready[missing] = await openSection(this.#view.mailbox, this.#sections[missing] as SectionItem, row)
      if (ready[missing] === undefined) return
    }
    this.#told += 1
    this.#writer.begin(sequence, row.uid)
    if (addsFlags) this.#writer.flags(this.#flagsOf(row))
    let next = 0
    for (const item of this.#request.items) {
      if (item.kind !== 'section') {
        this.#writePlain(item, row)
        continue
      }
      const section = ready[next] ?? (await this.#openLater(item, row))
      next += 1
      if (section.kind === 'stream') yield* this.#stream(item, section)
      else this.#writer.section(item.label, section.kind === 'octets' ? section.octets : undefined)
      for (let block = this.#blocks.takeFull(); block !== undefined; block = this.#blocks.takeFull()) yield [block]
    }
    this.#writer.end()
  }

  #writePlain(item: PlainItem, row: MessageRow): void {
    switch (item.kind) {
      case 'flags':
        return this.#writer.flags(this.#flagsOf(row))
      case 'internal-date':
        return this.#writer.internalDate(row.internalDate)
      case 'size':
        return this.#writer.size(row.sizeOctets)
      case 'envelope':
        return this.#writer.rendered('ENVELOPE', present(row.list).envelope)
      case 'body-structure':
        return this.#writer.rendered('BODYSTRUCTURE', present(row.list).bodyStructure)
      case 'body':
        return this.#writer.rendered('BODY', formatBodyStructure(present(row.structure).root, { extended: false }))
    }
  }

  #flagsOf(row: MessageRow): string {
    if (row.keywordBits !== 0 || row.wideKeywords !== undefined) return this.#view.formatFlags(row)
    const key = row.flags * 2 + (this.#view.isRecent(row.uid) ? 1 : 0)
    return (this.#flagTexts[key] ??= this.#view.formatFlags(row))
  }

  /** The next message mostly has the next number. */
  #sequenceOf(uid: number): SequenceNumber | undefined {
    const { uids } = this.#view
    const next = this.#lastSequence + 1
    const sequence = uids.at(next) === uid ? (next as SequenceNumber) : uids.sequenceOf(uid)
    if (sequence !== undefined) this.#lastSequence = sequence
    return sequence
  }

  /** A section that is opened when the response has begun already. */
  async #openLater(item: SectionItem, row: MessageRow): Promise<ReadySection> {
    let section: ReadySection | undefined
    try {
      section = await openSection(this.#view.mailbox, item, row)
    } catch (cause) {
      throw new ResponseCutShort('The store failed between two sections of a message', { cause })
    }
    if (section === undefined) throw new ResponseCutShort('A message went away between two of its sections')
    return section
  }

  /** The octets of a section that are not held here: announced, then handed on as the store gives them. */
  async *#stream(
    { label }: SectionItem,
    { sizeOctets, pieces }: Extract<ReadySection, { kind: 'stream' }>,
  ): AsyncGenerator<readonly Uint8Array[], void> {
    this.#writer.sectionStart(label, sizeOctets)
    for (const block of this.#blocks.takeAll()) yield [block]
    let left = sizeOctets
    try {
      for await (const piece of pieces) {
        left -= piece.length
        if (left < 0) break
        yield [piece]
      }
    } catch (cause) {
      throw new ResponseCutShort('The store failed in the middle of a message', { cause })
    }
    if (left !== 0) throw new ResponseCutShort('A message went away while it was sent')
  }
}

function present<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('The store left out a part of a row that was asked for')
  return part
}
