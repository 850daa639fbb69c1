/** The table of commands. */
import type { BoundCommand } from '../session/command.ts'
import { auth } from './auth.ts'
import { bdat } from './bdat.ts'
import { data } from './data.ts'
import { ehlo, helo } from './ehlo.ts'
import { help } from './help.ts'
import { mail } from './mail.ts'
import { noop } from './noop.ts'
import { quit } from './quit.ts'
import { rcpt } from './rcpt.ts'
import { rset } from './rset.ts'
import { starttls } from './starttls.ts'
import { expn, vrfy } from './vrfy.ts'

const all = [ehlo, helo, starttls, auth, mail, rcpt, data, bdat, rset, noop, vrfy, expn, help, quit]

/** By verb, in upper case. */
export const commands: ReadonlyMap<string, BoundCommand> = new Map(all.map((command) => [command.verb, command]))
