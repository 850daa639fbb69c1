/**
 * What a client is owed about its selected mailbox: asked of the store after what it was told, never queued.
 * When it may be told is the engine's to know; that expunges are held back comes in as a fact.
 */
import type { MailboxChanges } from '@postern/core/store'
import { existsLine, expungeLine, fetchFlagsLine, recentLine } from '../responses/mailbox.ts'
import type { View } from './view.ts'

/** Octets of responses gathered before they are handed on. */
const BLOCK_OCTETS = 32_768

export type Updates =
  | { readonly kind: 'nothing' }
  /** The mailbox was deleted by another session. */
  | { readonly kind: 'gone' }
  /** Blocks of whole response lines, made one at a time. The view moves on with the last one. */
  | { readonly kind: 'updates'; readonly blocks: Generator<readonly Uint8Array[], void> }

/**
 * What happened since the client was last told.
 * @param holdsExpunges no EXPUNGE may be told now (RFC 3501 §7.4.1). If there are any, nothing is told: numbers above a
 * gap the client does not know of would be other messages than it thinks.
 */
export async function collectUpdates(view: View, holdsExpunges: boolean): Promise<Updates> {
  const changes = await view.mailbox.changesSince(view.told)
  if (!changes.exists) return { kind: 'gone' }
  if (holdsExpunges && view.uids.within(changes.vanished).length > 0) return { kind: 'nothing' }
  return { kind: 'updates', blocks: inBlocks(renderChanges(view, changes)) }
}

function* renderChanges(view: View, changes: MailboxChanges): Generator<Uint8Array, void> {
  const gone = view.uids.within(changes.vanished)
  let removed = 0
  for (const { first, last } of gone) {
    // All UIDs of such a range are there, so each removal moves the next one to the same number.
    const sequence = (view.sequenceOf(first) as number) - removed
    const line = expungeLine(sequence)
    for (let uid = first as number; uid <= last; uid += 1) yield line
    removed += last - first + 1
  }
  const left = gone.length === 0 ? view.uids : view.uids.remove(gone)
  const highest = left.last ?? 0
  const news = changes.arrived.filter((row) => row.uid > Math.max(highest, view.uids.last ?? 0))
  const uids = news.length === 0 ? left : left.append(news.map((row) => row.uid))
  view.setUids(uids)
  if (news.length > 0) {
    yield existsLine(uids.size)
    yield recentLine(view.recentCount)
  }
  yield* view.learnKeywords(changes.keywords)
  for (const row of changes.changed) {
    const sequence = view.sequenceOf(row.uid)
    if (sequence === undefined || view.hasToldFlags(row)) continue
    yield fetchFlagsLine(sequence, row.uid, view.formatFlags(row))
  }
  view.advance(changes.upTo)
}

/** Joins lines into blocks of about 32 KiB. */
function* inBlocks(lines: Generator<Uint8Array, void>): Generator<readonly Uint8Array[], void> {
  let block: Uint8Array[] = []
  let octets = 0
  for (const line of lines) {
    block.push(line)
    octets += line.length
    if (octets < BLOCK_OCTETS) continue
    yield block
    block = []
    octets = 0
  }
  if (block.length > 0) yield block
}

