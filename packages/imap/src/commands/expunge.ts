/** EXPUNGE and UID EXPUNGE. RFC 3501 §6.4.3, RFC 4315 §2.1 */
import type { UidRanges } from '@postern/core/store'
import { no, ok, type Completion } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { SELECTED } from '../session/states.ts'
import type { View } from '../session/view.ts'
import type { SequenceSet } from '../syntax/sequence-set.ts'

interface ExpungeArguments {
  /** Only these, of `UID EXPUNGE`. */
  readonly messages: SequenceSet | undefined
}

export const expunge: BoundCommand = command<ExpungeArguments>({
  verb: 'EXPUNGE',
  states: SELECTED,
  uid: true,

  // command-select =/ "EXPUNGE"
  // uid-expunge = "UID" SP "EXPUNGE" SP sequence-set
  parse(reader, uid) {
    if (!uid) return { messages: undefined }
    reader.space()
    return { messages: reader.sequenceSet() }
  },

  run({ messages }, session) {
    const { view } = session
    if (view.readOnly) return no(undefined, 'The mailbox is open read-only')
    return removeDeleted(view, messages === undefined ? view.all : session.resolve(messages, true))
  },
})

/** The EXPUNGEs follow as updates of the mailbox, before the completion. */
async function removeDeleted(view: View, uids: UidRanges): Promise<Completion> {
  await view.mailbox.expunge(uids)
  return ok('EXPUNGE completed')
}
