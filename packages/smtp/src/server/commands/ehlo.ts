/** EHLO and HELO. RFC 5321 §4.1.1.1, §4.1.4 */
import { parseHeloName } from '../../syntax/helo-name.ts'
import { announceExtensions } from '../extensions/index.ts'
import { type BoundCommand, command } from '../session/command.ts'

// ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
export const ehlo: BoundCommand = command<string>({
  verb: 'EHLO',
  parse(reader) {
    reader.space()
    return parseHeloName(reader.word('domain or address literal'))
  },
  run(name, session) {
    session.greet(name, true)
    return { reply: { code: 250, lines: [session.settings.hostname, ...announceExtensions(session)] }, moves: true }
  },
})

// helo = "HELO" SP Domain CRLF; literals are seen too
export const helo: BoundCommand = command<string>({
  verb: 'HELO',
  parse(reader) {
    reader.space()
    return parseHeloName(reader.word('domain'))
  },
  run(name, session) {
    session.greet(name, false)
    return { reply: { code: 250, lines: [session.settings.hostname] }, moves: true }
  },
})
