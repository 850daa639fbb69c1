/**
 * BDAT: a message in chunks, each of a length told before. RFC 3030 §2. What a chunk is refused for its octets are read and
 * dropped all the same, so that commands are found where they begin; the engine sees to that.
 */
import { type ReceiveOutcome, WireSyntaxError } from '@postern/core/conversation'
import type { OctetSink } from '@postern/core/host'
import type { CommandReader } from '../../syntax/command-line.ts'
import { badSequence, chunkTaken } from '../../syntax/reply-codes.ts'
import { isPromise } from '../session/answer.ts'
import type { Answer, Destination } from '../session/backend.ts'
import { type BoundCommand, command, faulted, refused, type ReplyStep, type Step } from '../session/command.ts'
import { concludeMessage } from '../session/conclude-message.ts'
import { IncomingMessage } from '../session/incoming-message.ts'
import { createNewlineCheck, selectChecks } from '../session/octet-checks.ts'
import type { Session } from '../session/session.ts'
import type { Transaction } from '../session/transaction.ts'

interface Chunk {
  readonly sizeOctets: number
  readonly isLast: boolean
}

// bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF
export const bdat: BoundCommand = command<Chunk>({
  verb: 'BDAT',
  parse(reader) {
    try {
      return readChunk(reader)
    } catch (error) {
      if (!(error instanceof WireSyntaxError)) throw error
      // Nobody knows what follows such a line: the engine closes.
      throw new WireSyntaxError('chunk', error.expected, error.offset)
    }
  },
  followedBy: ({ sizeOctets }) => sizeOctets,
  run(chunk, session) {
    const { transaction } = session
    if (transaction === undefined) return { reply: badSequence }
    if (transaction.message !== undefined) return takeChunk(chunk, transaction.message, session)
    const opened = openMessage(transaction, session)
    return isPromise(opened) ? opened.then((first) => startMessage(chunk, first, transaction, session)) : startMessage(chunk, opened, transaction, session)
  },
})

// chunk-size = 1*DIGIT, end-marker = "LAST"
function readChunk(reader: CommandReader): Chunk {
  reader.space()
  const size = reader.word('chunk size')
  if (!/^[0-9]+$/.test(size)) throw new WireSyntaxError('chunk', 'chunk size', 0)
  const isLast = !reader.isAtEnd
  if (isLast) {
    reader.space()
    if (reader.word('LAST').toUpperCase() !== 'LAST') throw new WireSyntaxError('chunk', 'LAST', 0)
  }
  reader.end()
  return { sizeOctets: Math.min(Number(size), Number.MAX_SAFE_INTEGER), isLast }
}

/** Where the message goes, and what is to be said of the first chunk when it goes nowhere. */
interface Opened {
  readonly message: IncomingMessage
  readonly refusal?: ReplyStep
}

/** Asks the host. Whatever goes wrong, the message is refused as a whole: chunks behind the first must not become one of their own. */
function openMessage(transaction: Transaction, session: Session): Answer<Opened> {
  const open = (destination: Destination): Opened => {
    if (destination.kind === 'refuse') return turnAway(refused(destination))
    const checks = [createNewlineCheck(), ...selectChecks(transaction.mail, session.settings)]
    return { message: new IncomingMessage(destination.sink, checks) }
  }
  const fail = (error: unknown): Opened => turnAway(faulted(error))
  try {
    const answer = session.settings.backend.message(session.peer, transaction.envelope())
    return isPromise(answer) ? answer.then(open).then(undefined, fail) : open(answer)
  } catch (error) {
    return fail(error)
  }
}

function turnAway(refusal: ReplyStep): Opened {
  const message = new IncomingMessage(undefined, [])
  message.refuse(refusal.reply)
  return { message, refusal }
}

function startMessage(chunk: Chunk, { message, refusal }: Opened, transaction: Transaction, session: Session): Step {
  transaction.message = message
  return refusal === undefined ? takeChunk(chunk, message, session) : { ...refusal, moves: chunk.isLast ? 'last' : true }
}

/** Refused once, a message is refused with every chunk: RFC 3030 §2 lets a client find out late. */
function takeChunk(chunk: Chunk, message: IncomingMessage, session: Session): Step {
  if (message.refusal !== undefined) return { reply: message.refusal, moves: chunk.isLast ? 'last' : true }
  const { maxMessageOctets, maxDiscardOctets } = session.settings.limits
  const sink: OctetSink<unknown> = {
    write: (octets) => message.write(octets),
    end: () => (chunk.isLast ? message.end() : Promise.resolve()),
    abort: (cause) => message.abort(cause),
  }
  return {
    moves: true,
    receive: {
      how: { until: chunk.sizeOctets, maxOctets: maxMessageOctets - message.sizeOctets, maxDiscardOctets, sink },
      take: (outcome) => concludeChunk(outcome, chunk, message, session),
    },
  }
}

function concludeChunk(outcome: ReceiveOutcome, { sizeOctets, isLast }: Chunk, message: IncomingMessage, session: Session): Step {
  if (isLast) return { ...concludeMessage(outcome, session), moves: 'last' }
  if (outcome.kind !== 'complete') {
    const step = concludeMessage(outcome, session)
    message.refuse(step.reply)
    return step
  }
  if (message.refusal === undefined) return { reply: chunkTaken(sizeOctets), ...(sizeOctets === 0 ? { idle: true } : {}) }
  session.failedTransactions += 1
  return { reply: message.refusal }
}
