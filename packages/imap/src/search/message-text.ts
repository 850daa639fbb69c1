/**
 * The text of a message as a search looks through it: header fields with encoded words decoded, text parts with
 * transfer encoding and charset decoded, headers of embedded messages; all folded. RFC 3501 §6.4.4
 */
import {
  createCharsetDecoder,
  createTransferDecoder,
  decodeCharset,
  decodeEncodedWords,
  decodeTransfer,
  decodeUnlabelled,
  readFields,
  type Part,
} from '@postern/core/message'
import type { MessageRow, OpenMailbox } from '@postern/core/store'
import { foldCase } from './fold.ts'

/** LIMIT: octets of a message's text parts looked through; nobody writes more, and each costs decoding. */
const MAX_TEXT_OCTETS = 8 * 1_048_576
/** LIMIT: octets of one header section looked through, all at once. */
const MAX_HEADER_OCTETS = 262_144

/** A stretch of text. */
export interface TextPiece {
  readonly of: 'header' | 'body'
  /** Not the same text as the piece before. */
  readonly begins: boolean
  /** Folded. */
  readonly text: string
}

/** Octets `[from, to)` of a message: those that came with its row, else the store's. */
export async function readOctets(mailbox: OpenMailbox, row: MessageRow, from: number, to: number): Promise<Uint8Array> {
  if (row.body !== undefined) return row.body.subarray(from, to)
  const pieces: Uint8Array[] = []
  for await (const piece of mailbox.read(row.emailId, from, to)) pieces.push(piece)
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
}

/** The header section of a message or an embedded one. */
export function readHeader(mailbox: OpenMailbox, row: MessageRow, message: Part): Promise<Uint8Array> {
  const { headerStart, bodyStart } = message
  return readOctets(mailbox, row, headerStart, Math.min(bodyStart, headerStart + MAX_HEADER_OCTETS))
}

/** The texts of a message's body, in order: of its parts, and of the headers of embedded messages. */
export async function* bodyTexts(mailbox: OpenMailbox, row: MessageRow, root: Part): AsyncGenerator<TextPiece, void> {
  let left = MAX_TEXT_OCTETS
  const waiting: Part[] = [root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.message !== undefined) {
      const header = await readHeader(mailbox, row, part.message)
      yield { of: 'body', begins: true, text: headerText(header) }
      waiting.push(part.message)
    } else if (part.children.length > 0) {
      waiting.push(...part.children.toReversed())
    } else if (part.type === 'text' && left > 0) {
      const end = Math.min(part.end, part.bodyStart + left)
      left -= end - part.bodyStart
      yield* partText(mailbox, row, part, end)
    }
  }
}

async function* partText(
  mailbox: OpenMailbox,
  row: MessageRow,
  part: Part,
  end: number,
): AsyncGenerator<TextPiece, void> {
  const charset = part.parameters.find(([name]) => name === 'charset')?.[1] ?? ''
  if (row.body !== undefined) {
    const octets = decodeTransfer(row.body.subarray(part.bodyStart, end), part.transferEncoding)
    yield { of: 'body', begins: true, text: foldCase(decodeCharset(octets, charset)) }
    return
  }
  const transfer = createTransferDecoder(part.transferEncoding)
  const text = createCharsetDecoder(charset)
  let begins = true
  for await (const octets of mailbox.read(row.emailId, part.bodyStart, end)) {
    yield { of: 'body', begins, text: foldCase(text.push(transfer.push(octets))) }
    begins = false
  }
  yield { of: 'body', begins, text: foldCase(text.push(transfer.end()) + text.end()) }
}

/** A header section as text: a line for each field, unfolded and decoded. */
export function headerText(header: Uint8Array): string {
  const latin1 = Buffer.from(header.buffer, header.byteOffset, header.length).toString('latin1')
  if (!latin1.includes('=?') && !/[^\0-\x7f]/.test(latin1)) return foldCase(latin1.replaceAll(/\r?\n(?=[ \t])/g, ''))
  const lines: string[] = []
  for (const { start, nameEnd, valueStart, valueEnd } of readFields(header)) {
    const name = nameEnd > start ? `${decodeUnlabelled(header.subarray(start, nameEnd))}:` : ''
    lines.push(name + decodeEncodedWords(header.subarray(valueStart, valueEnd)))
  }
  return foldCase(lines.join('\r\n'))
}
