/** FETCH and UID FETCH. RFC 3501 §6.4.5, §6.4.8 */
import { Flag, type UidRanges } from '@postern/core/store'
import { marksSeen, parseFetchItems, type FetchItem } from '../fetch/items.ts'
import { renderMessages } from '../fetch/render.ts'
import { no, ok, type Completion } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { SELECTED } from '../session/states.ts'
import type { View } from '../session/view.ts'
import type { SequenceSet } from '../syntax/sequence-set.ts'
import { countUids, UidRangesBuilder } from '../syntax/uid-ranges.ts'

interface FetchArguments {
  readonly messages: SequenceSet
  readonly uid: boolean
  readonly items: readonly FetchItem[]
}

export const fetch: BoundCommand = command<FetchArguments>({
  verb: 'FETCH',
  states: SELECTED,
  uid: true,
  holdsExpunges: true,

  // fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
  parse(reader, uid) {
    reader.space()
    const messages = reader.sequenceSet()
    reader.space()
    return { messages, uid, items: parseFetchItems(reader) }
  },

  run({ messages, uid, items }, session) {
    return fetchMessages(session.view, session.resolve(messages, uid), items, uid)
  },
})

async function* fetchMessages(
  view: View,
  uids: UidRanges,
  items: readonly FetchItem[],
  uid: boolean,
): AsyncGenerator<readonly Uint8Array[], Completion> {
  const newlySeen = marksSeen(items) && !view.readOnly ? await markSeen(view, uids) : []
  const told = yield* renderMessages(view, { uids, items, newlySeen })
  // A sequence number stands for a message that was there; a UID may always be one of the past. RFC 5530 §3
  if (!uid && told < countUids(uids)) return no('EXPUNGEISSUED', 'Some of the messages no longer exist')
  return ok('FETCH completed')
}

/** Sets \Seen on those that lack it, all at once. @returns which these were */
async function markSeen(view: View, uids: UidRanges): Promise<UidRanges> {
  const unseen = new UidRangesBuilder()
  for await (const rows of view.mailbox.fetch(uids, {})) {
    for (const row of rows) if ((row.flags & Flag.seen) === 0) unseen.add(row.uid)
  }
  const { ranges } = unseen
  if (ranges.length > 0) await view.mailbox.storeFlags(ranges, { mode: 'add', flags: Flag.seen, keywords: [] })
  return ranges
}
