/** STORE and UID STORE. RFC 3501 §6.4.6, §6.4.8 */
import type { FlagChange, FlagSet, UidRanges } from '@postern/core/store'
import { no, ok, type Completion } from '../responses/completion.ts'
import { BlockWriter } from '../responses/blocks.ts'
import { FetchResponseWriter } from '../responses/fetch.ts'
import { command, type BoundCommand } from '../session/command.ts'
import type { Session } from '../session/session.ts'
import { SELECTED } from '../session/states.ts'
import { flagSetOf } from '../syntax/flag.ts'
import type { Reader } from '../syntax/reader.ts'
import type { SequenceSet } from '../syntax/sequence-set.ts'
import { countUids, holdsUid, UidRangesBuilder } from '../syntax/uid-ranges.ts'

interface StoreArguments {
  readonly messages: SequenceSet
  readonly uid: boolean
  readonly change: FlagChange
  /** The client knows what it asked for and wants no FETCH. */
  readonly silent: boolean
}

export const store: BoundCommand = command<StoreArguments>({
  verb: 'STORE',
  states: SELECTED,
  uid: true,
  holdsExpunges: true,

  // store = "STORE" SP sequence-set SP store-att-flags
  // store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
  parse(reader, uid) {
    reader.space()
    const messages = reader.sequenceSet()
    reader.space()
    const mode = reader.accept('+') ? 'add' : reader.accept('-') ? 'remove' : 'replace'
    const offset = reader.offset
    const word = reader.word()
    if (word !== 'FLAGS' && word !== 'FLAGS.SILENT') reader.fail('store-att-flags', 'FLAGS or FLAGS.SILENT', offset)
    reader.space()
    return { messages, uid, change: { mode, ...parseFlags(reader) }, silent: word === 'FLAGS.SILENT' }
  },

  run({ messages, uid, change, silent }, session) {
    const uids = session.resolve(messages, uid)
    if (session.view.readOnly) return no(undefined, 'The mailbox is open read-only')
    return storeFlags(session, uids, { change, silent, uid })
  },
})

function parseFlags(reader: Reader): FlagSet {
  if (reader.peek() === '(') return reader.flagList()
  const names: string[] = []
  do names.push(reader.flag())
  while (reader.acceptSpace())
  return flagSetOf(names)
}

async function* storeFlags(
  session: Session,
  uids: UidRanges,
  { change, silent, uid }: Pick<StoreArguments, 'change' | 'silent' | 'uid'>,
): AsyncGenerator<readonly Uint8Array[], Completion> {
  const { view } = session
  const changedElsewhere = silent ? await findChangedElsewhere(session, uids) : []
  const { rows, keywords } = await view.mailbox.storeFlags(uids, change)
  // A new keyword is made known before a message is shown with it. RFC 3501 §7.2.6
  const announcements = view.learnKeywords(keywords)
  if (announcements.length > 0) yield announcements
  view.flagsTold(changedElsewhere.length === 0 ? rows : rows.filter((row) => !holdsUid(changedElsewhere, row.uid)))
  if (!silent) {
    const blocks = new BlockWriter()
    const writer = new FetchResponseWriter(blocks)
    for (const row of rows) {
      const sequence = view.sequenceOf(row.uid)
      if (sequence === undefined) continue
      writer.begin(sequence, row.uid)
      writer.flags(view.formatFlags(row))
      writer.end()
      for (let block = blocks.takeFull(); block !== undefined; block = blocks.takeFull()) yield [block]
    }
    for (const block of blocks.takeAll()) yield [block]
  }
  if (!uid && rows.length < countUids(uids)) return no('EXPUNGEISSUED', 'Some of the messages no longer exist')
  return ok('STORE completed')
}

/**
 * Messages whose flags another session has changed unknown to the client: it is told in spite of .SILENT. RFC 3501
 * §6.4.6
 */
async function findChangedElsewhere({ view, noticed }: Session, uids: UidRanges): Promise<UidRanges> {
  const changed = new UidRangesBuilder()
  if (!noticed) return changed.ranges
  for await (const rows of view.mailbox.fetch(uids, {})) {
    for (const row of rows) if (row.modseq > view.told && !view.hasToldFlags(row)) changed.add(row.uid)
  }
  return changed.ranges
}
