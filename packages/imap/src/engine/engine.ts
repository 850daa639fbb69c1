/**
 * An IMAP conversation, octets in, octets out: finds the command, checks that it may be given, runs it, and tells what
 * is owed before its completion. A synchronous machine: what commands wait for goes on elsewhere and wakes it.
 * Not here: sockets and timers (the driver's), grammar (`syntax`), what commands do (`commands`).
 */
import type { CloseReason, Effect, Engine, TimerName } from '@postern/core/conversation'
import { silentLogger, type Logger, type TlsInfo } from '@postern/core/host'
import { COMMANDS } from '../commands/index.ts'
import { bye, formatCompletion, statusLine, type Completion } from '../responses/completion.ts'
import {
  ResponseCutShort,
  type Answer,
  type BoundCommand,
  type Continuation,
  type LiteralDecision,
  type Outcome,
} from '../session/command.ts'
import { Session, type SessionServices } from '../session/session.ts'
import { collectUpdates } from '../session/updates.ts'
import type { View } from '../session/view.ts'
import type { CommandText } from '../syntax/command-text.ts'
import { createCommandFrames, type Announced, type CommandFrame, type CommandFrames } from '../syntax/frames.ts'
import { responseLine } from '../syntax/writer.ts'
import { misplacedCompletion, readCommandHead, type MisplacedCommand } from './command-head.ts'
import { completionOf } from './faults.ts'
import { greetingLine } from './greeting.ts'
import { DEFAULT_LIMITS, type ImapLimits } from './limits.ts'
import { Literals } from './literals.ts'
import { Output } from './output.ts'

/** What a host gives to a conversation; limits left out are `DEFAULT_LIMITS`. */
export interface ImapServerOptions extends Omit<SessionServices, 'limits'> {
  readonly limits?: Partial<ImapLimits>
  readonly logger?: Logger
}

/** Creates the engine of one connection. */
export function createImapServerEngine(options: ImapServerOptions): Engine {
  const { logger = silentLogger, ...services } = options
  return new ImapServerEngine({ ...services, limits: { ...DEFAULT_LIMITS, ...options.limits } }, logger)
}

/** First octet of a TLS record that carries a handshake. RFC 8446 §5.1 */
const TLS_HANDSHAKE = 0x16

/** A command under way. */
interface Running {
  readonly tag: string
  /** Such as `FETCH` or `UID FETCH`. */
  readonly verb: string
  /** No EXPUNGE may be told before its completion. */
  readonly holdsExpunges: boolean
  /** A look for changes is due even without a notice. */
  readonly looksForUpdates: boolean
  /** The mailbox selected when it began: one that it has itself selected is told as it is. */
  readonly view: View | undefined
}

class ImapServerEngine implements Engine {
  readonly #session: Session
  readonly #limits: ImapLimits
  readonly #logger: Logger
  readonly #output = new Output()
  readonly #frames: CommandFrames
  readonly #literals: Literals
  #wake: () => void = () => {}
  /** A command, a decision or a look for changes goes on: no frame is taken. */
  #isBusy = false
  #isUpgrading = false
  /** Why the conversation ends once nothing goes on. */
  #farewell: { readonly text: string; readonly reason: CloseReason } | undefined
  /** The peer has closed its side. */
  #isEnded = false
  /** Until a command was understood, what comes may be another protocol. */
  #isFirst = true
  #hasOctets = false
  #badCommands = 0
  #waiting: { readonly running: Running; readonly continuation: Continuation } | undefined
  /** Octets came since the timer of a literal was set. */
  #hasProgress = false
  #isUpdateSoon = false
  /** The wait for the next command begins anew when the machine comes to rest. */
  #isClockDue = false

  constructor(services: SessionServices & { readonly limits: ImapLimits }, logger: Logger) {
    this.#limits = services.limits
    this.#logger = logger
    this.#session = new Session(services, () => this.#noticed())
    this.#frames = createCommandFrames(this.#limits.commandBeforeLogin)
    this.#frames.onWake(() => this.#wake())
    this.#literals = new Literals(this.#frames, this.#session, (error) => this.#completionOf(error))
    this.#output.write([greetingLine(this.#session)])
    this.#output.setTimer('login', this.#limits.loginTimeoutMs)
  }

  get hungry(): boolean {
    return !this.#output.isClosed && !this.#isEnded && !this.#isBusy && !this.#isUpgrading && !this.#frames.waiting
  }

  /** Octets held that have not become a command; for tests and metrics. */
  get buffered(): number {
    return this.#frames.buffered
  }

  onWake(wake: () => void): void {
    this.#wake = wake
  }

  feed(octets: Uint8Array): void {
    if (this.#output.isClosed) return
    // A TLS handshake spoken to a port without TLS begins with an octet that begins no tag.
    if (!this.#hasOctets && octets[0] === TLS_HANDSHAKE) return this.#close('now', 'protocol')
    this.#hasOctets ||= octets.length > 0
    this.#hasProgress = true
    this.#frames.push(octets)
  }

  end(error?: Error): void {
    // What came before the end is still answered; a connection that is gone has nobody to answer.
    if (error === undefined) this.#isEnded = true
    else this.#close('now', 'reset')
  }

  next(): Effect | undefined {
    for (;;) {
      const effect = this.#output.shift()
      if (effect !== undefined) return effect
      if (this.#output.tellTaken() || this.#output.isClosed || this.#isBusy || this.#isUpgrading) return undefined
      if (this.#farewell !== undefined) this.#sayBye(this.#farewell.text, this.#farewell.reason)
      else if (!this.#step()) return undefined
    }
  }

  /** Takes the next frame, or comes to rest. @returns whether there is more to do */
  #step(): boolean {
    const frame = this.#frames.next()
    if (frame !== undefined) this.#handle(frame)
    else if (this.#isEnded && !this.#frames.waiting) this.#close('flushed', 'peer-closed')
    else if (this.#isClockDue) this.#startClock()
    else return false
    return true
  }

  timeout(name: TimerName): void {
    if (this.#output.isClosed) return
    this.#output.timedOut(name)
    switch (name) {
      case 'login':
        if (this.#session.state === 'not-authenticated') this.#sayBye('Too slow to log in', 'timeout')
        return
      case 'command':
        // While a literal comes, its own timer watches.
        if (this.#isBusy || this.#frames.inLiteral) this.#startClock()
        else this.#sayBye('Idle for too long', 'timeout')
        return
      case 'data':
        if (this.#hasProgress) this.#awaitLiteral()
        else this.#sayBye('Literal stopped coming', 'timeout')
        return
      case 'updates':
        this.#lookForUpdates()
    }
  }

  upgraded(tls: TlsInfo): void {
    this.#isUpgrading = false
    this.#session.startedTls(tls)
    this.#isFirst = true
    this.#hasOctets = false
  }

  stop(): void {
    this.#farewell ??= { text: 'Server is shutting down', reason: 'shutdown' }
  }

  // ---- frames

  #handle(frame: CommandFrame): void {
    switch (frame.kind) {
      case 'command':
        return this.#command(frame.text)
      case 'literal':
        return this.#literal(frame.text, frame.literal)
      case 'line':
        return this.#line(frame.octets)
      case 'refused':
        return this.#refused(frame.inStep)
      case 'sink-failed':
        return this.#literals.failed(frame.error)
      case 'too-long':
        this.#output.write([statusLine('BAD', 'Command line too long')])
        this.#sayBye('Command line too long', 'limit')
    }
  }

  #command(text: CommandText): void {
    this.#output.setTimer('data', undefined)
    const head = readCommandHead(text, COMMANDS, this.#session.state)
    if (head.kind !== 'command') {
      this.#literals.drop()
      return this.#misplaced(head, (tag, completion) => this.#complete(tag, completion))
    }
    this.#isFirst = false
    const { tag, command, uid } = head
    const verb = uid ? `UID ${command.verb}` : command.verb
    let start: ReturnType<BoundCommand['bind']>
    try {
      start = command.bind(head.reader, uid)
    } catch (error) {
      this.#literals.drop()
      return this.#complete(tag, this.#completionOf(error), verb)
    }
    this.#literals.handOver()
    const running = {
      tag,
      verb,
      holdsExpunges: command.holdsExpunges && !uid,
      looksForUpdates: !command.holdsExpunges,
      view: this.#session.selected,
    }
    this.#follow(running, () => start(this.#session, { write: (...octets) => this.#output.write(octets) }))
  }

  #literal(text: CommandText, literal: Announced): void {
    const head = readCommandHead(text, COMMANDS, this.#session.state)
    if (head.kind !== 'command') {
      return this.#misplaced(head, (tag, completion) => this.#literals.refuse(tag, completion))
    }
    this.#isFirst = false
    const take = (decision: LiteralDecision): void => {
      if (!this.#literals.follow(head.tag, decision)) return
      if (literal.synchronizing) this.#output.write([responseLine('+ Ready for literal')])
      this.#awaitLiteral()
    }
    const decision = this.#literals.decide(head, literal)
    if (!(decision instanceof Promise)) return take(decision)
    void this.#whileBusy(async () => {
      const settled = await decision
      return () => take(settled)
    })
  }

  /** A command that can't be run: not IMAP, no such verb, or not now. */
  #misplaced(head: MisplacedCommand, tell: (tag: string, completion: Completion) => void): void {
    if (this.#isFirst && head.kind !== 'wrong-state') return this.#sayBye('This is an IMAP server', 'protocol')
    this.#isFirst = false
    tell(head.kind === 'no-tag' ? '*' : head.tag, misplacedCompletion(head))
  }

  /** A command refused at one of its literals is over. */
  #refused(inStep: boolean): void {
    this.#output.setTimer('data', undefined)
    const refusal = this.#literals.takeRefusal()
    if (refusal !== undefined) this.#complete(refusal.tag, refusal.completion)
    if (!inStep && !this.#output.isClosed) this.#sayBye('Literal too large', 'limit', 'TOOBIG')
  }

  /** The line a command has asked for. */
  #line(octets: Uint8Array): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    if (waiting.continuation.tellsUpdates === true) this.#output.setTimer('updates', undefined)
    this.#follow(waiting.running, () => waiting.continuation.line(octets))
  }

  // ---- answers

  /** Starts an answer and sees it through: at once when it is there, else beside the machine. */
  #follow(running: Running, start: () => Answer): void {
    let answer: Answer
    try {
      answer = start()
    } catch (error) {
      answer = this.#completionOf(error)
    }
    if ('status' in answer && (answer.status === '+' || !this.#owesUpdates(running))) {
      return this.#settle(running, answer)
    }
    void this.#whileBusy(async () => {
      const outcome = await this.#outcomeOf(answer)
      if (outcome.status !== '+' && this.#owesUpdates(running)) await this.#tellUpdates(running.holdsExpunges)
      return () => this.#settle(running, outcome)
    })
  }

  async #outcomeOf(answer: Answer): Promise<Outcome> {
    try {
      return Symbol.asyncIterator in answer ? await this.#stream(answer) : await answer
    } catch (error) {
      if (error instanceof ResponseCutShort) throw error
      return this.#completionOf(error)
    }
  }

  /** Pulls a generator block by block, each when the driver has taken the one before. */
  async #stream(answer: AsyncGenerator<readonly Uint8Array[], Completion>): Promise<Completion> {
    for (;;) {
      const { done, value } = await answer.next()
      if (done === true) return value
      await this.#give(value)
      if (this.#output.isClosed) {
        const end = bye('Connection closed')
        await answer.return(end)
        return end
      }
    }
  }

  #give(block: readonly Uint8Array[]): Promise<void> {
    const taken = this.#output.give(block)
    this.#wake()
    return taken
  }

  #settle(running: Running, outcome: Outcome): void {
    if (this.#output.isClosed) return
    if (outcome.status !== '+') return this.#complete(running.tag, outcome, running.verb)
    this.#waiting = { running, continuation: outcome }
    this.#output.write([responseLine(`+ ${outcome.text}`)])
    this.#frames.expectLine(outcome.maxLineOctets)
    if (outcome.tellsUpdates !== true) return
    this.#isClockDue = true
    this.#lookForUpdates()
  }

  #complete(tag: string, completion: Completion, verb?: string): void {
    const { id, onEvent } = this.#session.services
    onEvent?.({ kind: 'command', id, verb, status: completion.status })
    if (completion.pauseMs !== undefined) this.#output.pause(completion.pauseMs)
    this.#output.write([formatCompletion(tag, completion)])
    if (completion.status === 'BYE') return this.#close('flushed', 'protocol')
    if (completion.next === 'close') return this.#close('flushed', completion.status === 'OK' ? 'quit' : 'limit')
    if (completion.next === 'tls') return this.#upgrade()
    this.#badCommands = completion.status === 'BAD' ? this.#badCommands + 1 : 0
    if (this.#badCommands >= this.#limits.badCommands) return this.#sayBye('Too many bad commands', 'limit')
    if (this.#session.state === 'not-authenticated') return
    this.#frames.limits = this.#limits.command
    this.#output.setTimer('login', undefined)
    this.#isClockDue = true
  }

  /** What came behind STARTTLS in the clear must never be taken as if it had come protected. RFC 3501 §6.2.1 */
  #upgrade(): void {
    if (this.#frames.pending > 0) return this.#close('now', 'protocol')
    this.#isUpgrading = true
    this.#output.upgrade()
  }

  /**
   * Lets something go on beside the machine, does what it resolves with, and wakes the driver. What either throws ends
   * the conversation and nothing else.
   */
  async #whileBusy(goOn: () => Promise<() => void>): Promise<void> {
    this.#isBusy = true
    try {
      const conclude = await goOn()
      this.#isBusy = false
      conclude()
    } catch (error) {
      this.#logger.error({ err: error }, 'IMAP conversation failed')
      this.#close('now', 'fault')
      this.#isBusy = false
    }
    this.#wake()
  }

  // ---- changes of the selected mailbox

  #noticed(): void {
    if (this.#output.isClosed || this.#isBusy || this.#isUpdateSoon) return
    if (this.#waiting?.continuation.tellsUpdates !== true) return
    this.#isUpdateSoon = true
    this.#output.setTimer('updates', this.#limits.updateDelayMs)
    this.#wake()
  }

  #owesUpdates(running: Running): boolean {
    const { selected, noticed } = this.#session
    return selected !== undefined && selected === running.view && (running.looksForUpdates || noticed)
  }

  /** While the client idles: tells what happened, then waits for more. */
  #lookForUpdates(): void {
    this.#isUpdateSoon = false
    if (this.#isBusy || this.#waiting?.continuation.tellsUpdates !== true) return
    if (this.#session.selected === undefined) return
    void this.#whileBusy(async () => {
      await this.#tellUpdates(false)
      return () => {
        if (this.#output.isClosed) return
        this.#output.setTimer('updates', this.#limits.updatePollMs)
        if (this.#session.noticed) this.#noticed()
      }
    })
  }

  /** Writes what is owed. Never rejects: a client that can't be told now is told next time. */
  async #tellUpdates(holdsExpunges: boolean): Promise<void> {
    const view = this.#session.selected
    if (view === undefined) return
    this.#session.noticed = false
    try {
      const updates = await collectUpdates(view, holdsExpunges)
      if (this.#output.isClosed) return
      if (updates.kind === 'gone') this.#farewell = { text: 'The selected mailbox was deleted', reason: 'quit' }
      else if (updates.kind === 'nothing') this.#session.noticed = true
      else for (const block of updates.blocks) await this.#give(block)
    } catch (error) {
      this.#session.noticed = true
      this.#completionOf(error)
    }
  }

  // ---- ends and clocks

  /** What a command hears that threw; faults are logged, but not those of a conversation that is over. */
  #completionOf(error: unknown): Completion {
    const { completion, fault } = completionOf(error)
    if (fault && !this.#output.isClosed) this.#logger.error({ err: error }, 'IMAP command failed')
    return completion
  }

  #sayBye(text: string, reason: CloseReason, code?: string): void {
    this.#output.write([statusLine('BYE', text, code)])
    this.#close('flushed', reason)
  }

  #close(how: 'flushed' | 'now', reason: CloseReason): void {
    if (this.#output.isClosed) return
    this.#output.close(how, reason)
    this.#waiting = undefined
    this.#frames.abort(new Error('Connection closed'))
    this.#literals.end()
    this.#session.end()
  }

  #startClock(): void {
    this.#isClockDue = false
    this.#output.setTimer('command', this.#limits.idleTimeoutMs)
  }

  #awaitLiteral(): void {
    this.#hasProgress = false
    this.#output.setTimer('data', this.#limits.literalTimeoutMs)
  }
}
