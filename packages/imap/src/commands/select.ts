/** SELECT and EXAMINE. RFC 3501 §6.3.1, §6.3.2 */
import { no, ok, statusLine } from '../responses/completion.ts'
import { existsLine, flagsLine, permanentFlagsLine, recentLine } from '../responses/mailbox.ts'
import { command, type BoundCommand, type Out } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'
import type { View } from '../session/view.ts'

export const select: BoundCommand = openingCommand('SELECT', 'read-write')
export const examine: BoundCommand = openingCommand('EXAMINE', 'read-only')

function openingCommand(verb: 'SELECT' | 'EXAMINE', mode: 'read-write' | 'read-only'): BoundCommand {
  return command<string>({
    verb,
    states: AUTHENTICATED,
    // select = "SELECT" SP mailbox
    parse(reader) {
      reader.space()
      return reader.mailbox()
    },
    async run(name, session, out) {
      // What follows is about the new mailbox, also when there is none. RFC 7162 §3.2.11
      if (session.selected !== undefined) out.write(statusLine('OK', 'Previous mailbox closed', 'CLOSED'))
      const view = await session.select(name, mode)
      if (view === undefined) return no('NONEXISTENT', 'No such mailbox')
      describe(view, out)
      return ok(`${verb} completed`, mode === 'read-write' ? 'READ-WRITE' : 'READ-ONLY')
    },
  })
}

function describe(view: View, out: Out): void {
  const { status, firstUnseen, mailbox } = view.mailbox.snapshot
  out.write(flagsLine(view.keywords))
  out.write(permanentFlagsLine(view.keywords, view.readOnly))
  out.write(existsLine(view.size))
  out.write(recentLine(view.recentCount))
  // A number, not a count. RFC 3501 §7.1
  const unseen = firstUnseen === undefined ? undefined : view.sequenceOf(firstUnseen)
  if (unseen !== undefined) out.write(statusLine('OK', 'First unseen message', `UNSEEN ${unseen}`))
  out.write(statusLine('OK', 'UIDs valid', `UIDVALIDITY ${mailbox.uidValidity}`))
  out.write(statusLine('OK', 'Next UID', `UIDNEXT ${status.uidNext}`))
}
