/** COPY and UID COPY. RFC 3501 §6.4.7; COPYUID: RFC 4315 §3 */
import type { UidRanges } from '@postern/core/store'
import { copyUid, no, ok, type Completion } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { SELECTED } from '../session/states.ts'
import type { View } from '../session/view.ts'
import type { SequenceSet } from '../syntax/sequence-set.ts'

interface CopyArguments {
  readonly messages: SequenceSet
  readonly uid: boolean
  readonly destination: string
}

export const copy: BoundCommand = command<CopyArguments>({
  verb: 'COPY',
  states: SELECTED,
  uid: true,

  // copy = "COPY" SP sequence-set SP mailbox
  parse(reader, uid) {
    reader.space()
    const messages = reader.sequenceSet()
    reader.space()
    return { messages, uid, destination: reader.mailbox() }
  },

  run({ messages, uid, destination }, session) {
    return copyMessages(session.view, session.resolve(messages, uid), { uid, destination })
  },
})

async function copyMessages(
  view: View,
  uids: UidRanges,
  { uid, destination }: Pick<CopyArguments, 'uid' | 'destination'>,
): Promise<Completion> {
  const result = await view.mailbox.copy(uids, destination)
  switch (result.kind) {
    case 'copied':
      return ok('COPY completed', copyUid(result))
    case 'nothing':
      return uid ? ok('COPY completed, no such messages') : no('EXPUNGEISSUED', 'The messages no longer exist')
    case 'no-such-mailbox':
      return no('TRYCREATE', 'No such mailbox')
  }
}
