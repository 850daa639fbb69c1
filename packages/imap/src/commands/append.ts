/** APPEND. RFC 3501 §6.3.11; APPENDUID: RFC 4315 §3 */
import type { FlagSet, InternalDate, SpooledMessage } from '@postern/core/store'
import { appendUid, bad, no, ok, type Completion } from '../responses/completion.ts'
import { command, type BoundCommand, type LiteralDecision } from '../session/command.ts'
import type { Session } from '../session/session.ts'
import { AUTHENTICATED } from '../session/states.ts'
import type { Announced } from '../syntax/frames.ts'
import type { Reader } from '../syntax/reader.ts'

/** What stands before the message. */
interface AppendHead extends FlagSet {
  readonly mailbox: string
  readonly internalDate: InternalDate | undefined
}

interface AppendArguments extends AppendHead {
  readonly message: SpooledMessage
}

export const append: BoundCommand = command<AppendArguments>({
  verb: 'APPEND',
  states: AUTHENTICATED,

  literal(reader, session, announced) {
    reader.space()
    if (reader.atAnnounced) return { kind: 'memory' }
    const { mailbox } = parseHead(reader)
    if (!reader.atAnnounced) reader.fail('literal')
    return takeMessage(session, mailbox, announced)
  },

  // append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
  parse(reader) {
    reader.space()
    const head = parseHead(reader)
    const offset = reader.offset
    const literal = reader.literal()
    // A message that was not announced was never asked for.
    if (literal.kind !== 'sunk') return reader.fail('literal', 'literal', offset)
    return { ...head, message: literal.result as SpooledMessage }
  },

  run(args, session) {
    return appendMessage(args, session)
  },
})

/** Reads up to where the message stands. */
function parseHead(reader: Reader): AppendHead {
  const mailbox = reader.mailbox()
  reader.space()
  const none: FlagSet = { flags: 0, keywords: [] }
  let flags = none
  if (reader.peek() === '(') {
    flags = reader.flagList()
    reader.space()
  }
  let internalDate: InternalDate | undefined
  if (reader.peek() === '"') {
    internalDate = reader.dateTime()
    reader.space()
  }
  return { mailbox, ...flags, internalDate }
}

/** Decides before the message is sent what would otherwise be known only after it. RFC 3501 §6.3.11 */
async function takeMessage(session: Session, mailbox: string, announced: Announced): Promise<LiteralDecision> {
  const refuse = (completion: Completion): LiteralDecision => ({ kind: 'refuse', completion })
  if (announced.binary) return refuse(bad('Expected a literal without "~"'))
  if (announced.sizeOctets === 0) return refuse(no(undefined, 'The message is empty'))
  const { messageOctets } = session.services.limits
  if (announced.sizeOctets > messageOctets) {
    return refuse(no('TOOBIG', `A message has at most ${messageOctets} octets`))
  }
  const { account } = session
  if ((await account.mailbox(mailbox)) === undefined) return refuse(noSuchMailbox)
  return {
    kind: 'sink',
    sink: account.spool(),
    discard: (message) => (message as SpooledMessage).release(),
  }
}

const noSuchMailbox = no('TRYCREATE', 'No such mailbox')

async function appendMessage(
  { mailbox, flags, keywords, internalDate, message }: AppendArguments,
  session: Session,
): Promise<Completion> {
  try {
    const date = internalDate === undefined ? {} : { internalDate }
    const result = await session.account.append(mailbox, [{ message, flags, keywords, ...date }])
    if (result.kind === 'no-such-mailbox') return noSuchMailbox
    return ok('APPEND completed', appendUid(result.mailbox.uidValidity, result.uids))
  } finally {
    message.release()
  }
}
