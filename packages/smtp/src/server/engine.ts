/**
 * The serve flow of SMTP: octets → frame → command → step → reply, as a synchronous machine any duplex can drive.
 * RFC 5321. Not here: what a command does (commands/), which states take it (session/states.ts), and sockets.
 *
 * The engine alone finds the verb, checks the state, parses to the end of the line, writes replies, moves the state, and
 * takes the octets that follow. Commands that answer at once make no promise, and their replies leave together.
 */
import {
  type CloseReason,
  createFrames,
  type Effect,
  type Engine,
  type Frame,
  type Frames,
  type ReceiveOutcome,
  type TimerName,
} from '@postern/core/conversation'
import { type OctetSink, silentLogger, type TlsInfo } from '@postern/core/host'
import { CommandReader } from '../syntax/command-line.ts'
import { isHttpMethod, isLineOctet } from '../syntax/foreign-protocol.ts'
import * as replies from '../syntax/reply-codes.ts'
import type { Reply } from '../syntax/reply.ts'
import { commands } from './commands/index.ts'
import { isPromise, whenAnswered } from './session/answer.ts'
import type { Answer, Verdict } from './session/backend.ts'
import { accepted, failedStep, moveOf, refused, type Step } from './session/command.ts'
import type { SmtpLimits } from './session/limits.ts'
import { Outbox } from './session/outbox.ts'
import { Reception } from './session/reception.ts'
import { ReplyWriter } from './session/reply-writer.ts'
import { Session } from './session/session.ts'
import { createSettings, type SmtpServerEngineOptions } from './session/settings.ts'
import { isInTransaction, type State, stateTable, type Verb } from './session/states.ts'

/** Makes the engine of one conversation. It speaks first: call `next` before anything else. */
export function createSmtpServerEngine(options: SmtpServerEngineOptions): Engine {
  return new SmtpServerEngine(options)
}

/** `greeting`: the host decides whether the peer may talk. `upgrading`: TLS is being started. `closing`: nothing is done any more but what is queued. */
type Phase = 'start' | 'greeting' | 'open' | 'upgrading' | 'closing'

/** Takes octets nobody wants. */
const nowhere: OctetSink<undefined> = { write() {}, end: () => Promise.resolve(undefined), abort() {} }

class SmtpServerEngine implements Engine {
  readonly #session: Session
  readonly #limits: SmtpLimits
  readonly #outbox = new Outbox()
  readonly #replies: ReplyWriter
  readonly #reception: Reception
  #frames: Frames
  #wake: () => void = () => {}
  #phase: Phase = 'start'
  #state: State = 'connected'
  /** The command last begun; undefined before the first, and for what is none. */
  #verb: Verb | undefined
  /** Octets that follow the command's line whatever comes of it, and are neither received nor dropped yet. */
  #following = 0
  /** A command's promise is open. */
  #running = false
  /** Takes the next line instead of a command. */
  #takeLine: ((line: Uint8Array) => Answer<Step>) | undefined
  #isFirstOctet = true
  #isFirstLine = true
  #talkedEarly = false
  #peerEnded = false
  #stopping = false
  /** Whether the command timer has to be set anew when there is nothing else to do. */
  #isTimerStale = true
  #crash: { readonly error: unknown } | undefined

  constructor(options: SmtpServerEngineOptions) {
    const settings = createSettings(options)
    this.#limits = settings.limits
    this.#session = new Session(settings, options.connection)
    this.#replies = new ReplyWriter(this.#session, this.#outbox, options.logger ?? silentLogger, options.onReply)
    this.#reception = new Reception(settings.limits, this.#outbox)
    this.#frames = this.#createFrames()
  }

  get hungry(): boolean {
    switch (this.#phase) {
      case 'greeting':
        return !this.#talkedEarly
      case 'open':
        return !this.#running && !this.#frames.waiting && !this.#peerEnded
      case 'start':
      case 'upgrading':
      case 'closing':
        return false
    }
  }

  onWake(wake: () => void): void {
    this.#wake = wake
  }

  feed(octets: Uint8Array): void {
    if (octets.length === 0) return
    if (this.#phase === 'greeting') {
      // Whoever talks before being greeted is not waiting for replies. RFC 5321 §4.3.1
      this.#talkedEarly = true
      return
    }
    if (this.#phase !== 'open') return
    this.#reception.came(octets.length)
    if (this.#isFirstOctet) {
      this.#isFirstOctet = false
      // A TLS hello, or some other protocol in binary: waiting for its line end would be waiting for ever.
      if (!isLineOctet(octets[0] as number)) return this.#end(replies.notSmtp, 'protocol')
    }
    this.#frames.push(octets)
  }

  end(error?: Error): void {
    this.#peerEnded = true
    if (error === undefined) return
    this.#phase = 'closing'
    this.#frames.abort(error)
    this.#session.reset()
  }

  next(): Effect | undefined {
    if (this.#crash !== undefined) throw this.#crash.error
    let hasMore = true
    while (hasMore && this.#outbox.isFree) hasMore = this.#work()
    if (!hasMore && this.#isTimerStale && this.#isIdle()) {
      this.#isTimerStale = false
      this.#setTimer('command', this.#limits.commandMs)
    }
    return this.#outbox.take()
  }

  timeout(name: TimerName): void {
    switch (name) {
      case 'command':
        this.#isTimerStale = true
        if (this.#isIdle()) this.#end(replies.timedOut, 'timeout')
        return
      case 'login':
        if (!this.#session.isAuthenticated) this.#end(replies.timedOut, 'timeout')
        return
      case 'data':
        if (this.#phase !== 'open') return
        // While a sink, the host or a pause makes us wait, the peer is not to blame.
        if (!this.#reception.mayGoOn(this.#frames.waiting || this.#running || this.#outbox.isHeldUp)) this.#end(replies.timedOut, 'timeout')
        return
      case 'total':
        return this.stop()
      case 'idle':
      case 'updates':
    }
  }

  upgraded(tls: TlsInfo): void {
    if (this.#phase !== 'upgrading') return
    this.#phase = 'open'
    this.#session.secure(tls)
    this.#frames = this.#createFrames()
    this.#isFirstOctet = true
    this.#isFirstLine = true
    this.#isTimerStale = true
  }

  stop(): void {
    this.#stopping = true
  }

  #createFrames(): Frames {
    const frames = createFrames({ maxLineOctets: this.#limits.maxLineOctets })
    frames.onWake(() => this.#wake())
    return frames
  }

  /** Waits for the peer, and for nothing else. */
  #isIdle(): boolean {
    return this.#phase === 'open' && !this.#running && !this.#reception.isOpen
  }

  /** Does the next thing. @returns whether there was one */
  #work(): boolean {
    if (this.#phase === 'start') {
      this.#greet()
      return true
    }
    if (this.#phase !== 'open' || this.#running) return false
    if (this.#stopping && this.#isIdle() && !isInTransaction(this.#state)) {
      this.#end(replies.shuttingDown, 'shutdown')
      return true
    }
    const frame = this.#frames.next()
    if (frame !== undefined) {
      this.#take(frame)
      return true
    }
    if (!this.#peerEnded || this.#frames.waiting) return false
    this.#close('peer-closed')
    return true
  }

  #greet(): void {
    this.#phase = 'greeting'
    const { backend, mode, hostname } = this.#session.settings
    this.#setTimer('total', this.#limits.totalMs)
    if (mode === 'submission') this.#setTimer('login', this.#limits.loginMs)
    this.#perform(() => {
      const verdict = backend.connect === undefined ? accepted : backend.connect(this.#session.peer)
      return whenAnswered<Verdict, Step>(verdict, (settled) => {
        if (this.#stopping) return { reply: replies.shuttingDown, close: 'shutdown' }
        if (this.#talkedEarly) return { reply: replies.earlyTalker, close: 'protocol' }
        if (settled.kind === 'accept') return { reply: replies.greeting(hostname) }
        this.#state = 'refused'
        const step = refused(settled)
        return step.reply.code === 421 ? { ...step, close: 'limit' } : step
      })
    })
  }

  #take(frame: Frame): void {
    this.#isTimerStale = true
    switch (frame.kind) {
      case 'line-too-long': {
        const inExchange = this.#takeLine !== undefined
        return this.#apply({ reply: inExchange ? replies.authLineTooLong : replies.lineTooLong, close: 'limit' })
      }
      case 'line':
        return this.#line(frame.octets, frame.bareLf)
      case 'received':
        return this.#perform(() => this.#reception.finish(frame.outcome, this.#state === 'chunks'))
    }
  }

  #line(octets: Uint8Array, bareLf: boolean): void {
    // What receivers disagree on about line ends is how commands are smuggled. Threat 1.
    if (bareLf || octets.includes(0x0d)) return this.#apply({ reply: replies.bareLineFeed, close: 'protocol' })
    const takeLine = this.#takeLine
    if (takeLine === undefined) return this.#command(octets)
    this.#takeLine = undefined
    this.#frames.maxLineOctets = this.#limits.maxLineOctets
    this.#perform(() => takeLine(octets))
  }

  #command(octets: Uint8Array): void {
    const reader = new CommandReader(octets, this.#session.settings.quirks)
    const verb = reader.verb()
    const { hasControl } = reader
    const command = hasControl ? undefined : commands.get(verb)
    const isFirst = this.#isFirstLine
    this.#isFirstLine = false
    if (command === undefined) {
      this.#verb = undefined
      if (isFirst || isHttpMethod(verb)) return this.#apply({ reply: replies.notSmtp, close: 'protocol' })
      return this.#apply({ reply: hasControl ? replies.controlCharacter : replies.unknownCommand })
    }
    this.#verb = command.verb
    const isAllowed = command.states.includes(this.#state)
    if (!isAllowed && !command.isFollowed) return this.#apply({ reply: replies.badSequence })
    this.#perform(() => {
      const bound = command.bind(reader, this.#session)
      this.#following = bound.octets
      return isAllowed ? bound.run() : { reply: replies.badSequence }
    })
  }

  /** Runs a part of a command and applies its step, now or when it comes. */
  #perform(call: () => Answer<Step>): void {
    let answer: Answer<Step>
    try {
      answer = call()
    } catch (error) {
      return this.#apply(failedStep(error))
    }
    if (!isPromise(answer)) return this.#apply(answer)
    this.#running = true
    answer.then(
      (step) => this.#resume(step),
      (error: unknown) => this.#resume(failedStep(error)),
    )
  }

  #resume(step: Step): void {
    this.#running = false
    if (this.#phase === 'closing') {
      // What came too late is given up, so that nothing of it is kept.
      step.receive?.how.sink.abort(new Error('Conversation over'))
      return
    }
    try {
      this.#apply(step)
    } catch (error) {
      // Nobody is there to catch it: the driver gets it with its next call, and ends this conversation alone.
      this.#crash = { error }
    }
    this.#wake()
  }

  #apply(step: Step): void {
    const following = this.#following
    this.#following = 0
    if (following > 0 && step.receive === undefined) return this.#drop(following, step)
    if (step.upgrade !== undefined && this.#frames.buffered > 0) {
      // Said in the clear, to be obeyed under TLS: RFC 3207 §6, threat 4.
      return this.#apply({ reply: replies.injectedBeforeTls, close: 'protocol' })
    }
    if (step.fault !== undefined) this.#replies.report(step.fault, this.#verb)
    const isUngreeted = this.#phase === 'greeting' && step.fault !== undefined
    const { reply, close } = isUngreeted ? { reply: replies.faultAtConnect, close: 'limit' as const } : step
    if (reply !== undefined) this.#replies.answer(reply, step, this.#verb)
    if (this.#phase === 'greeting') this.#phase = 'open'
    if (step.moves !== undefined) this.#move(step)
    if (close !== undefined) return this.#close(close)
    if (this.#replies.isExhausted) return this.#end(replies.tooManyErrors, 'limit')
    if (step.receive !== undefined) this.#reception.begin(step.receive, this.#frames)
    if (step.line !== undefined) {
      this.#takeLine = step.line.take
      this.#frames.maxLineOctets = step.line.maxOctets
    }
    if (step.upgrade !== undefined) this.#upgrade()
  }

  /** Drops octets that were announced, and applies the step only then. RFC 3030 §2 */
  #drop(octets: number, step: Step): void {
    const { maxDiscardOctets } = this.#limits
    const how = { until: octets, maxOctets: 0, maxDiscardOctets, sink: nowhere }
    const take = ({ kind }: ReceiveOutcome): Step => (kind === 'no-end' ? { ...step, close: 'limit' } : step)
    this.#reception.begin({ how, take }, this.#frames)
  }

  #move(step: Step): void {
    const move = moveOf(this.#verb, step)
    if (move === undefined) return
    this.#state = stateTable[this.#state][move] ?? this.#state
    if (!isInTransaction(this.#state)) {
      this.#session.reset()
      this.#reception.end()
    }
    if (this.#verb === 'AUTH') this.#setTimer('login', undefined)
  }

  #upgrade(): void {
    this.#phase = 'upgrading'
    this.#setTimer('command', undefined)
    this.#outbox.push({ kind: 'upgrade', to: 'tls' })
  }

  /** Ends the conversation with a reply nobody asked for. */
  #end(reply: Reply, reason: CloseReason): void {
    if (this.#phase === 'closing') return
    // While TLS is being started nothing can be said.
    if (this.#phase === 'upgrading') return this.#close(reason, 'now')
    this.#replies.write(reply, this.#verb)
    this.#close(reason)
  }

  #close(reason: CloseReason, how: 'flushed' | 'now' = 'flushed'): void {
    this.#phase = 'closing'
    this.#frames.abort(new Error(`Conversation over: ${reason}`))
    this.#session.reset()
    this.#outbox.push({ kind: 'close', how, reason })
  }

  #setTimer(name: TimerName, ms: number | undefined): void {
    this.#outbox.push({ kind: 'timer', name, ms })
  }
}
