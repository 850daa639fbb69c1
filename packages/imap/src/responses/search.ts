/**
 * The SEARCH response: numbers on one line, in blocks. RFC 3501 §7.2.5
 *
 * QUIRK(imaplib): always one line, however long: programs take the first and leave the rest.
 */
import { BlockWriter } from './blocks.ts'

/** Numbers `first` to `last`. */
export interface NumberRange {
  readonly first: number
  readonly last: number
}

// mailbox-data = "SEARCH" *(SP nz-number)
/**
 * Also without a match: clients wait for the line.
 * @param numbers sequence numbers or UIDs, as ranges
 */
export function* searchBlocks(numbers: readonly NumberRange[]): Generator<readonly Uint8Array[], void> {
  const blocks = new BlockWriter()
  blocks.text('* SEARCH')
  for (const { first, last } of numbers) {
    for (let number = first; number <= last; number += 1) {
      blocks.text(' ')
      blocks.number(number)
      for (let block = blocks.takeFull(); block !== undefined; block = blocks.takeFull()) yield [block]
    }
  }
  blocks.text('\r\n')
  for (const block of blocks.takeAll()) yield [block]
}
