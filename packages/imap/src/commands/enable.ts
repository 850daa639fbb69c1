/** ENABLE. RFC 5161 §3.1 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'
import { responseLine } from '../syntax/writer.ts'

export const enable: BoundCommand = command<readonly string[]>({
  verb: 'ENABLE',
  states: AUTHENTICATED,
  // enable = "ENABLE" 1*(SP capability)
  parse(reader) {
    const names: string[] = []
    do {
      reader.space()
      names.push(reader.atom().toUpperCase())
    } while (!reader.atEnd)
    return names
  },
  run(_, __, out) {
    // Nothing announced here has to be enabled, and names that mean nothing are passed over.
    out.write(responseLine('* ENABLED'))
    return ok('ENABLE completed')
  },
})
