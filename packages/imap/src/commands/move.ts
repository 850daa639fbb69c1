/** MOVE and UID MOVE. RFC 6851 §3 */
import type { UidRanges } from '@postern/core/store'
import { copyUid, no, ok, statusLine, type Completion } from '../responses/completion.ts'
import { command, type BoundCommand, type Out } from '../session/command.ts'
import { SELECTED } from '../session/states.ts'
import type { View } from '../session/view.ts'
import type { SequenceSet } from '../syntax/sequence-set.ts'

interface MoveArguments {
  readonly messages: SequenceSet
  readonly uid: boolean
  readonly destination: string
}

export const move: BoundCommand = command<MoveArguments>({
  verb: 'MOVE',
  states: SELECTED,
  uid: true,

  // move = "MOVE" SP sequence-set SP mailbox
  parse(reader, uid) {
    reader.space()
    const messages = reader.sequenceSet()
    reader.space()
    return { messages, uid, destination: reader.mailbox() }
  },

  run({ messages, uid, destination }, session, out) {
    const uids = session.resolve(messages, uid)
    if (session.view.readOnly) return no(undefined, 'The mailbox is open read-only')
    return moveMessages(session.view, uids, { uid, destination }, out)
  },
})

/** The EXPUNGEs follow as updates of the mailbox, after the COPYUID and before the completion. RFC 6851 §4.3 */
async function moveMessages(
  view: View,
  uids: UidRanges,
  { uid, destination }: Pick<MoveArguments, 'uid' | 'destination'>,
  out: Out,
): Promise<Completion> {
  const result = await view.mailbox.move(uids, destination)
  switch (result.kind) {
    case 'copied':
      out.write(statusLine('OK', 'Moved', copyUid(result)))
      return ok('MOVE completed')
    case 'nothing':
      return uid ? ok('MOVE completed, no such messages') : no('EXPUNGEISSUED', 'The messages no longer exist')
    case 'no-such-mailbox':
      return no('TRYCREATE', 'No such mailbox')
  }
}
