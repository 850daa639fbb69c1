/** SEARCH and UID SEARCH. RFC 3501 §6.4.4, §6.4.8 */
import { keywordPlaces } from '@postern/core/store'
import { no, ok, type Completion } from '../responses/completion.ts'
import { searchBlocks, type NumberRange } from '../responses/search.ts'
import { CHARSETS, parseCriteria, type Criteria, type SearchKey } from '../search/criteria.ts'
import { findMessages } from '../search/match.ts'
import { keywordsOf, planSearch, type SearchedMailbox } from '../search/plan.ts'
import { command, type BoundCommand } from '../session/command.ts'
import type { Session } from '../session/session.ts'
import { SELECTED } from '../session/states.ts'
import type { View } from '../session/view.ts'

interface SearchArguments {
  readonly criteria: Criteria
  readonly uid: boolean
}

export const search: BoundCommand = command<SearchArguments>({
  verb: 'SEARCH',
  states: SELECTED,
  uid: true,
  holdsExpunges: true,

  // search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key)
  parse(reader, uid) {
    return { criteria: parseCriteria(reader), uid }
  },

  run({ criteria, uid }, session) {
    if (criteria.kind === 'bad-charset') return no(`BADCHARSET (${CHARSETS})`, 'Charset not supported')
    return searchMessages(session, criteria.key, uid)
  },
})

async function* searchMessages(
  session: Session,
  key: SearchKey,
  uid: boolean,
): AsyncGenerator<readonly Uint8Array[], Completion> {
  const { view } = session
  const mailbox: SearchedMailbox = {
    all: view.uids.slice(1, view.size),
    keywords: await keywordNames(view, key),
    recent: view.recent,
    resolve: (set, byUid) => session.resolve(set, byUid),
  }
  const isWanted = (): boolean => session.selected === view
  const uids = await findMessages(planSearch(key, mailbox), { mailbox: view.mailbox, isWanted })
  yield* searchBlocks(uid ? uids : uids.map(({ first, last }) => sequenceRange(view, first, last)))
  return ok('SEARCH completed')
}

/** The mailbox's keywords; asked of the store when the client looks for one that it was not told of. */
async function keywordNames(view: View, key: SearchKey): Promise<readonly string[]> {
  const asked = keywordsOf(key)
  if (asked.every((name) => keywordPlaces(view.keywords, [name]).length > 0)) return view.keywords
  return (await view.mailbox.changesSince(view.told)).keywords
}

/** Neighbours by UID that are all in the view are neighbours by number. */
function sequenceRange(view: View, first: number, last: number): NumberRange {
  const before = view.uids.countBelow(first)
  return { first: before + 1, last: before + 1 + (last - first) }
}
