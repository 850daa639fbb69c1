/**
 * Sections of a message, as part numbers and words name them: which part is meant, and which octets. RFC 9051 §6.4.5.1
 * Not here: choosing fields of a header (`selectFields` of header.ts) and decoding.
 */
import type { MessageStructure, Part } from './structure.ts'

/** Octets `[from, to)` of a message. */
export interface OctetRange {
  readonly from: number
  readonly to: number
}

/**
 * What of a part is meant: `header` and `text` of the message it is or holds, `mime` its own header, `body` its octets.
 */
export type SectionText = 'header' | 'text' | 'mime' | 'body'

/**
 * The part that numbers lead to, or undefined. No numbers mean the message itself, so that `[]` and `[1]` give the
 * same part for a message that is no multipart.
 */
export function selectPart(structure: MessageStructure, numbers: readonly number[]): Part | undefined {
  let part: Part | undefined = structure.root
  // A message is entered from without: its parts are numbered, or it is its own part 1.
  let isMessage = true
  for (const number of numbers) {
    if (part === undefined) return undefined
    if (!isMessage && part.message !== undefined) {
      part = part.message
      isMessage = true
    }
    if (part.children.length > 0) part = part.children[number - 1]
    else if (!isMessage || number !== 1) return undefined
    isMessage = false
  }
  return part
}

/**
 * The octets of a section. `text` without numbers is of the message, with numbers of the message that the part holds.
 * @returns undefined when the message has no such section
 */
export function selectSection(
  structure: MessageStructure,
  numbers: readonly number[],
  text: SectionText,
): OctetRange | undefined {
  const part = selectPart(structure, numbers)
  if (part === undefined) return undefined
  const isWhole = numbers.length === 0
  if (text === 'body') return { from: isWhole ? part.headerStart : part.bodyStart, to: part.end }
  if (text === 'mime') return isWhole ? undefined : { from: part.headerStart, to: part.bodyStart }
  const message = isWhole ? part : part.message
  if (message === undefined) return undefined
  return text === 'header'
    ? { from: message.headerStart, to: message.bodyStart }
    : { from: message.bodyStart, to: message.end }
}
