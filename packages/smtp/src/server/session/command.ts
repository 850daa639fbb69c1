/** The shape of an SMTP command: one verb, a pure parser of its arguments, and what it does. */
import { type Receive, type ReceiveOutcome, WireSyntaxError } from '@postern/core/conversation'
import type { CommandReader } from '../../syntax/command-line.ts'
import { badParameter, syntaxError } from '../../syntax/reply-codes.ts'
import type { Reply } from '../../syntax/reply.ts'
import type { Verdict } from './backend.ts'
import { selectFaultReply } from './fault-reply.ts'
import type { Session } from './session.ts'
import type { Move, State, Verb } from './states.ts'
import { statesOf } from './states.ts'

/** What came of a command. The engine alone writes the reply, moves the state and takes the octets that follow. */
export interface Step {
  /** Absent while the octets of `receive` come first: then what takes them answers. */
  readonly reply?: Reply
  /** The verb has done what it is for: go where the state table says. `last`: and where it says for the last chunk. Default: stay. */
  readonly moves?: true | 'last'
  /** Octets that follow the reply, and what answers when they have come. */
  readonly receive?: { readonly how: Receive; readonly take: (outcome: ReceiveOutcome) => Step | Promise<Step> }
  /** The next line is not a command but goes here (SASL). */
  readonly line?: { readonly maxOctets: number; readonly take: (line: Uint8Array) => Step | Promise<Step> }
  /** Start TLS after the reply. */
  readonly upgrade?: 'tls'
  /** Wait this long before the reply. */
  readonly pauseMs?: number
  /** Serve the peer slowly from the reply on, it too. */
  readonly slow?: true
  /** It got nobody's message any further, whatever its verb. */
  readonly idle?: true
  /** Close after the reply. */
  readonly close?: 'quit' | 'protocol' | 'limit' | 'shutdown'
  /** The fault behind the reply, for the log. */
  readonly fault?: unknown
}

/** A step that answers. */
export type ReplyStep = Step & { readonly reply: Reply }

/** What a fault of ours comes to: the peer is told to try again, the log is told why. */
export function faulted(error: unknown): ReplyStep {
  return { reply: selectFaultReply(error), fault: error }
}

/** The step for what a command threw: a sentence that is none, or a fault of ours. */
export function failedStep(error: unknown): ReplyStep {
  if (!(error instanceof WireSyntaxError)) return faulted(error)
  if (error.code === 'parameter') return { reply: badParameter(error.expected) }
  const reply = syntaxError(error.expected)
  // How much of a message follows can't be known: none of it may be taken for commands. Threat 2.
  return error.code === 'chunk' ? { reply, close: 'protocol' } : { reply }
}

/** What a step is to the state table. */
export function moveOf(verb: Verb | undefined, step: Step): Move | undefined {
  return verb === 'BDAT' && step.moves === 'last' ? 'BDAT LAST' : verb
}

/** What a host says that was not asked. */
export const accepted: Verdict = { kind: 'accept' }

/** A refusal by the host. @throws TypeError when it has no reply */
export function refused(verdict: Extract<Verdict, { kind: 'refuse' }>): ReplyStep {
  const { reply, close, pauseMs, slow } = verdict
  if (typeof reply?.code !== 'number') throw new TypeError('Expected a reply in the refusal')
  return {
    reply,
    ...(close === true ? { close: 'limit' } : {}),
    ...(pauseMs === undefined ? {} : { pauseMs }),
    ...(slow === true ? { slow } : {}),
  }
}

/** A command as its file defines it. */
export interface CommandDefinition<A> {
  /** Upper case; the state table says where it is allowed. */
  readonly verb: Verb
  /** Reads the arguments behind the verb, up to the end of the line. @throws WireSyntaxError */
  parse(reader: CommandReader, session: Session): A
  /** Octets that follow the line at once, whatever the reply: when no step receives them, the engine drops them before it answers. */
  followedBy?(args: A): number
  /** What refuses the command before its arguments matter. */
  check?(session: Session): ReplyStep | undefined
  run(args: A, session: Session): Step | Promise<Step>
}

/** A command ready to run. */
export interface BoundRun {
  /** As `followedBy` of its definition says. */
  readonly octets: number
  run(): Step | Promise<Step>
}

/** A command whose argument type is settled inside. */
export interface BoundCommand {
  readonly verb: Verb
  /** States it is allowed in; elsewhere 503. */
  readonly states: readonly State[]
  /** It has to be parsed even where it is not allowed: its line tells what follows. */
  readonly isFollowed: boolean
  /** Parses, checks that the line is at its end, and gives what runs it. @throws WireSyntaxError */
  bind(reader: CommandReader, session: Session): BoundRun
}

/** Ties the halves of a command together. */
export function command<A>(definition: CommandDefinition<A>): BoundCommand {
  return {
    verb: definition.verb,
    states: statesOf(definition.verb),
    isFollowed: definition.followedBy !== undefined,
    bind(reader, session) {
      const refusal = definition.check?.(session)
      if (refusal !== undefined) return { octets: 0, run: () => refusal }
      const args = definition.parse(reader, session)
      reader.end()
      return { octets: definition.followedBy?.(args) ?? 0, run: () => definition.run(args, session) }
    },
  }
}
