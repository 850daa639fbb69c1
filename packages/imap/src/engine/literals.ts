/**
 * Literals of commands: whether each is wanted, where its octets go, and what becomes of them when the command is not
 * run.
 */
import type { OctetSink } from '@postern/core/host'
import { bad, type Completion } from '../responses/completion.ts'
import type { LiteralDecision } from '../session/command.ts'
import type { Session } from '../session/session.ts'
import type { Announced, CommandFrames } from '../syntax/frames.ts'
import type { KnownCommand } from './command-head.ts'

/** A command that was refused at one of its literals, and what it will hear when it is over. */
export interface Refusal {
  readonly tag: string
  readonly completion: Completion
}

/** The literals of one conversation. */
export class Literals {
  readonly #frames: CommandFrames
  readonly #session: Session
  readonly #completionOf: (error: unknown) => Completion
  #refusal: Refusal | undefined
  /** Tag of the command under way. */
  #tag = '*'
  /** What sinks have made for the command under way, to be dropped if it is not run. */
  #sunk: (() => void)[] = []
  #isOver = false

  /** @param completionOf what a command hears that threw */
  constructor(frames: CommandFrames, session: Session, completionOf: (error: unknown) => Completion) {
    this.#frames = frames
    this.#session = session
    this.#completionOf = completionOf
  }

  /** Asks the command about a literal. Never throws or rejects. */
  decide(head: KnownCommand, literal: Announced): LiteralDecision | Promise<LiteralDecision> {
    const refuse = (error: unknown): LiteralDecision => ({ kind: 'refuse', completion: this.#completionOf(error) })
    try {
      const decision = head.command.literal?.(head.reader, this.#session, literal) ?? { kind: 'memory' }
      return decision instanceof Promise ? decision.catch(refuse) : decision
    } catch (error) {
      return refuse(error)
    }
  }

  /** Does what was decided. @returns whether the literal's octets are awaited */
  follow(tag: string, decision: LiteralDecision): boolean {
    this.#tag = tag
    switch (decision.kind) {
      case 'refuse':
        this.refuse(tag, decision.completion)
        return false
      case 'memory':
        if (this.#frames.take()) return true
        this.refuse(tag, bad('Literal too large', 'TOOBIG'))
        return false
      case 'sink':
        if (this.#isOver) decision.sink.abort(new Error('Connection closed'))
        else this.#frames.sink(this.#remembering(decision.sink, decision.discard))
        return !this.#isOver
    }
  }

  /** Does without the command; it hears so when it is over. */
  refuse(tag: string, completion: Completion): void {
    this.drop()
    this.#refusal = { tag, completion }
    this.#frames.refuse()
  }

  /** The sink of the literal under way has failed. */
  failed(error: unknown): void {
    this.drop()
    this.#refusal = { tag: this.#tag, completion: this.#completionOf(error) }
  }

  /** The refusal of the command that is over now. */
  takeRefusal(): Refusal | undefined {
    const refusal = this.#refusal
    this.#refusal = undefined
    return refusal
  }

  /** The command is run: what its sinks have made is its own. */
  handOver(): void {
    this.#sunk = []
  }

  /** The command is not run. */
  drop(): void {
    for (const discard of this.#sunk.splice(0)) discard()
  }

  /** The conversation is over. */
  end(): void {
    this.#isOver = true
    this.drop()
  }

  /** A sink whose result is dropped when the command that asked for it is not run. */
  #remembering(sink: OctetSink<unknown>, discard: (result: unknown) => void): OctetSink<unknown> {
    return {
      write: (octets) => sink.write(octets),
      end: async () => {
        const result = await sink.end()
        if (this.#isOver) discard(result)
        else this.#sunk.push(() => discard(result))
        return result
      },
      abort: (cause) => sink.abort(cause),
    }
  }
}
