/** The shape of an SMTP command: one verb, a pure parser of its arguments, and what it does. */
import type { Receive, ReceiveOutcome } from '@postern/core/conversation'
import type { CommandReader } from '../../syntax/command-line.ts'
import type { Reply } from '../../syntax/reply.ts'
import type { Verdict } from './backend.ts'
import { selectFaultReply } from './fault-reply.ts'
import type { Session } from './session.ts'
import type { State, Verb } from './states.ts'
import { statesOf } from './states.ts'

/** What came of a command. The engine alone writes the reply, moves the state and takes the octets that follow. */
export interface Step {
  readonly reply: Reply
  /** The verb has done what it is for: go where the state table says. Default: stay. */
  readonly moves?: true
  /** Octets that follow the reply, and what answers when they have come. */
  readonly receive?: { readonly how: Receive; readonly take: (outcome: ReceiveOutcome) => Step | Promise<Step> }
  /** The next line is not a command but goes here (SASL). */
  readonly line?: { readonly maxOctets: number; readonly take: (line: Uint8Array) => Step | Promise<Step> }
  /** Start TLS after the reply. */
  readonly upgrade?: 'tls'
  /** Wait this long before the reply. */
  readonly pauseMs?: number
  /** Close after the reply. */
  readonly close?: 'quit' | 'protocol' | 'limit' | 'shutdown'
  /** The fault behind the reply, for the log. */
  readonly fault?: unknown
}

/** What a fault of ours comes to: the peer is told to try again, the log is told why. */
export function faulted(error: unknown): Step {
  return { reply: selectFaultReply(error), fault: error }
}

/** What a host says that was not asked. */
export const accepted: Verdict = { kind: 'accept' }

/** A refusal by the host. @throws TypeError when it has no reply */
export function refused(verdict: Extract<Verdict, { kind: 'refuse' }>): Step {
  const { reply, close, pauseMs } = verdict
  if (typeof reply?.code !== 'number') throw new TypeError('Expected a reply in the refusal')
  return { reply, ...(close === true ? { close: 'limit' } : {}), ...(pauseMs === undefined ? {} : { pauseMs }) }
}

/** A command as its file defines it. */
export interface CommandDefinition<A> {
  /** Upper case; the state table says where it is allowed. */
  readonly verb: Verb
  /** Reads the arguments behind the verb, up to the end of the line. @throws WireSyntaxError */
  parse(reader: CommandReader, session: Session): A
  run(args: A, session: Session): Step | Promise<Step>
}

/** A command whose argument type is settled inside. */
export interface BoundCommand {
  readonly verb: Verb
  /** States it is allowed in; elsewhere 503. */
  readonly states: readonly State[]
  /** Parses, checks that the line is at its end, and gives what runs it. @throws WireSyntaxError */
  bind(reader: CommandReader, session: Session): () => Step | Promise<Step>
}

/** Ties the halves of a command together. */
export function command<A>(definition: CommandDefinition<A>): BoundCommand {
  return {
    verb: definition.verb,
    states: statesOf(definition.verb),
    bind(reader, session) {
      const args = definition.parse(reader, session)
      reader.end()
      return () => definition.run(args, session)
    },
  }
}
