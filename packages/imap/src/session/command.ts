/** The shape of an IMAP command: one verb, a pure parser of its arguments, and what it does. */
import type { OctetSink } from '@postern/core/host'
import type { Reader } from '../syntax/reader.ts'
import type { Announced } from '../syntax/frames.ts'
import type { Completion } from '../responses/completion.ts'
import type { Session } from './session.ts'
import type { State } from './states.ts'

/** Takes untagged responses as a command makes them; each call is one whole response line with its CR LF. */
export interface Out {
  /** @param octets pieces of one response, never changed afterwards */
  write(...octets: readonly Uint8Array[]): void
}

/**
 * What a command answers: its completion at once, by a promise, or, for answers that can be long, blocks of rendered
 * untagged responses followed by the completion. A generator is pulled one block (at most 64 KiB) at a time as the peer
 * reads, so a peer that does not read holds one block.
 */
export type Answer = Outcome | Promise<Outcome> | AsyncGenerator<readonly Uint8Array[], Completion>

/** The end of a command, or of its turn to speak. */
export type Outcome = Completion | Continuation

/** The client is asked for one more line, which belongs to the command (AUTHENTICATE, IDLE). */
export interface Continuation {
  readonly status: '+'
  /** Text after `+ `; may be empty. */
  readonly text: string
  readonly maxLineOctets: number
  /** Changes of the selected mailbox are told while the line is waited for: IDLE. */
  readonly tellsUpdates?: boolean
  /** Takes the line, without its line end. */
  readonly line: (octets: Uint8Array) => Answer
}

/** What to do with a literal that a command announces. */
export type LiteralDecision =
  /** Keep it, within the limits of all commands. */
  | { readonly kind: 'memory' }
  /** Send its octets there. `discard` is called with the sink's result when the command then isn't run. */
  | { readonly kind: 'sink'; readonly sink: OctetSink<unknown>; readonly discard: (result: unknown) => void }
  /** Do without it: the client hears the completion. */
  | { readonly kind: 'refuse'; readonly completion: Completion }

/** A command as its file defines it. */
export interface CommandDefinition<A> {
  /** Upper case. */
  readonly verb: string
  /** States it is allowed in; elsewhere BAD. */
  readonly states: readonly State[]
  /** Also as `UID verb`; `parse` is told by `uid` and puts it into the arguments where `run` needs it. */
  readonly uid?: boolean
  /**
   * FETCH, STORE, SEARCH: no EXPUNGE may be told before the tagged reply of the form by sequence number. RFC 3501
   * §7.4.1
   */
  readonly holdsExpunges?: boolean
  /**
   * Asked before the octets of a literal are taken; default: memory. `reader` stands behind the verb and ends with the
   * announced literal. @throws WireSyntaxError (BAD, without the literal)
   */
  literal?(reader: Reader, session: Session, announced: Announced): LiteralDecision | Promise<LiteralDecision>
  /** Reads the arguments behind the verb, up to the end of the command. @throws WireSyntaxError */
  parse(reader: Reader, uid: boolean): A
  run(args: A, session: Session, out: Out): Answer
}

/** A command whose argument type is settled inside. */
export interface BoundCommand {
  readonly verb: string
  readonly states: readonly State[]
  readonly uid: boolean
  readonly holdsExpunges: boolean
  readonly literal?: (
    reader: Reader,
    session: Session,
    announced: Announced,
  ) => LiteralDecision | Promise<LiteralDecision>
  /** Parses, checks that the command is at its end, and gives what runs it. @throws WireSyntaxError */
  bind(reader: Reader, uid: boolean): (session: Session, out: Out) => Answer
}

/** Ties the halves of a command together. */
export function command<A>(definition: CommandDefinition<A>): BoundCommand {
  return {
    verb: definition.verb,
    states: definition.states,
    uid: definition.uid ?? false,
    holdsExpunges: definition.holdsExpunges ?? false,
    ...(definition.literal === undefined ? {} : { literal: definition.literal.bind(definition) }),
    bind(reader, uid) {
      const args = definition.parse(reader, uid)
      reader.end()
      return (session, out) => definition.run(args, session, out)
    },
  }
}

/**
 * Thrown by a generator that has begun a response it can't end (a message whose octets stop short of the announced
 * literal): nothing that follows could be understood, so the connection is broken off.
 */
export class ResponseCutShort extends Error {
  override readonly name = 'ResponseCutShort'
  readonly code = 'RESPONSE_CUT_SHORT'
}
