/** EHLO and HELO. RFC 5321 §4.1.1.1, §4.1.4 */
import { WireSyntaxError } from '@postern/core/conversation'
import type { CommandReader } from '../../syntax/command-line.ts'
import { parseHeloName } from '../../syntax/helo-name.ts'
import { announceExtensions } from '../extensions/index.ts'
import { type BoundCommand, command } from '../session/command.ts'
import type { Session } from '../session/session.ts'

// ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
export const ehlo: BoundCommand = command<string | undefined>({
  verb: 'EHLO',
  parse: (reader, session) => readName(reader, session, 'domain or address literal'),
  run(name, session) {
    session.greet(name, true)
    return { reply: { code: 250, lines: [session.settings.hostname, ...announceExtensions(session)] }, moves: true }
  },
})

// helo = "HELO" SP Domain CRLF; literals are seen too
export const helo: BoundCommand = command<string | undefined>({
  verb: 'HELO',
  parse: (reader, session) => readName(reader, session, 'domain'),
  run(name, session) {
    session.greet(name, false)
    return { reply: { code: 250, lines: [session.settings.hostname] }, moves: true }
  },
})

/** Reads to the end of the line, but pedantically. @returns undefined for what is no name, where names don't matter */
function readName(reader: CommandReader, session: Session, expected: string): string | undefined {
  const { mode, pedantic } = session.settings
  reader.space()
  if (pedantic) return parseHeloName(reader.word(expected))
  try {
    const name = parseHeloName(reader.word(expected))
    // QUIRK(chatty-helo): words after the name, from printers and scripts.
    if (!reader.isAtEnd) reader.space()
    return name
  } catch (error) {
    // QUIRK(mail-programs): whatever the user calls his machine. Nobody else sees it, and a login says who he is.
    if (mode !== 'submission' || !(error instanceof WireSyntaxError)) throw error
    return undefined
  } finally {
    reader.rest()
  }
}
