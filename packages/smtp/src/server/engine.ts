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
  WireSyntaxError,
} from '@postern/core/conversation'
import { type Logger, silentLogger, type TlsInfo } from '@postern/core/host'
import { CommandReader, hasControl } from '../syntax/command-line.ts'
import * as replies from '../syntax/reply-codes.ts'
import type { Reply } from '../syntax/reply.ts'
import { commands } from './commands/index.ts'
import { isPromise, whenAnswered } from './session/answer.ts'
import type { Answer, Verdict } from './session/backend.ts'
import { accepted, faulted, refused, type Step } from './session/command.ts'
import { isExpectedFault } from './session/fault-reply.ts'
import type { SmtpLimits } from './session/limits.ts'
import { Outbox } from './session/outbox.ts'
import { Pace } from './session/pace.ts'
import { Patience } from './session/patience.ts'
import { encodeReply } from './session/reply-octets.ts'
import { Session } from './session/session.ts'
import { createSettings, type SmtpServerEngineOptions } from './session/settings.ts'
import { isInTransaction, type State, stateTable, type Verb } from './session/states.ts'

/** Makes the engine of one conversation. It speaks first: call `next` before anything else. */
export function createSmtpServerEngine(options: SmtpServerEngineOptions): Engine {
  return new SmtpServerEngine(options)
}

/** `greeting`: the host decides whether the peer may talk. `upgrading`: TLS is being started. `closing`: nothing is done any more but what is queued. */
type Phase = 'start' | 'greeting' | 'open' | 'upgrading' | 'closing'

/** Browsers are made to talk to mail servers: what follows such a line is not from a mail client. Threat 20. */
const HTTP_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])

class SmtpServerEngine implements Engine {
  readonly #session: Session
  readonly #limits: SmtpLimits
  readonly #logger: Logger
  readonly #outbox = new Outbox()
  readonly #patience: Patience
  #frames: Frames
  #wake: () => void = () => {}
  #phase: Phase = 'start'
  #state: State = 'connected'
  /** The command last begun; undefined before the first, and for what is none. */
  #verb: Verb | undefined
  /** A command's promise is open. */
  #running = false
  /** Takes the next line instead of a command. */
  #takeLine: ((line: Uint8Array) => Answer<Step>) | undefined
  /** Answers when the octets that follow have come. */
  #takeOutcome: ((outcome: ReceiveOutcome) => Answer<Step>) | undefined
  #isFirstOctet = true
  #isFirstLine = true
  #talkedEarly = false
  #peerEnded = false
  #stopping = false
  /** Whether the command timer has to be set anew when there is nothing else to do. */
  #isTimerStale = true
  /** Of the message that is being received. */
  #pace: Pace | undefined
  #crash: { readonly error: unknown } | undefined

  constructor(options: SmtpServerEngineOptions) {
    const settings = createSettings(options)
    this.#limits = settings.limits
    this.#logger = options.logger ?? silentLogger
    this.#patience = new Patience(settings.limits)
    this.#session = new Session(settings, options.connection)
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
    this.#pace?.came(octets.length)
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
        return this.#checkPace()
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
    return this.#phase === 'open' && !this.#running && this.#takeOutcome === undefined
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
      case 'received': {
        const take = this.#takeOutcome
        this.#takeOutcome = undefined
        this.#pace = undefined
        this.#setTimer('data', undefined)
        if (take !== undefined) this.#perform(() => take(frame.outcome))
      }
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
    const command = hasControl(octets) ? undefined : commands.get(verb)
    const isFirst = this.#isFirstLine
    this.#isFirstLine = false
    if (command === undefined) {
      this.#verb = undefined
      if (isFirst || HTTP_METHODS.has(verb)) return this.#apply({ reply: replies.notSmtp, close: 'protocol' })
      return this.#apply({ reply: hasControl(octets) ? replies.controlCharacter : replies.unknownCommand })
    }
    this.#verb = command.verb
    if (!command.states.includes(this.#state)) return this.#apply({ reply: replies.badSequence })
    this.#perform(() => command.bind(reader, this.#session)())
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
    if (this.#phase === 'closing') return
    try {
      this.#apply(step)
    } catch (error) {
      // Nobody is there to catch it: the driver gets it with its next call, and ends this conversation alone.
      this.#crash = { error }
    }
    this.#wake()
  }

  #apply(step: Step): void {
    if (step.upgrade !== undefined && this.#frames.buffered > 0) {
      // Said in the clear, to be obeyed under TLS: RFC 3207 §6, threat 4.
      return this.#apply({ reply: replies.injectedBeforeTls, close: 'protocol' })
    }
    if (step.fault !== undefined) this.#report(step.fault)
    const isUngreeted = this.#phase === 'greeting' && step.fault !== undefined
    const { reply, close } = isUngreeted ? { reply: replies.faultAtConnect, close: 'limit' as const } : step
    const pauseMs = Math.max(step.pauseMs ?? 0, this.#patience.judge(reply, this.#verb))
    if (pauseMs > 0) this.#outbox.push({ kind: 'pause', ms: pauseMs })
    this.#write(reply)
    if (this.#phase === 'greeting') this.#phase = 'open'
    if (step.moves === true) this.#move()
    if (close !== undefined) return this.#close(close)
    if (this.#patience.isExhausted) return this.#end(replies.tooManyErrors, 'limit')
    if (step.receive !== undefined) this.#receive(step.receive)
    if (step.line !== undefined) {
      this.#takeLine = step.line.take
      this.#frames.maxLineOctets = step.line.maxOctets
    }
    if (step.upgrade !== undefined) this.#upgrade()
  }

  #move(): void {
    if (this.#verb === undefined) return
    this.#state = stateTable[this.#state][this.#verb] ?? this.#state
    if (!isInTransaction(this.#state)) this.#session.reset()
    if (this.#verb === 'AUTH') this.#setTimer('login', undefined)
  }

  #receive(receive: NonNullable<Step['receive']>): void {
    this.#frames.receive(receive.how)
    this.#takeOutcome = receive.take
    this.#pace = new Pace(this.#limits, this.#frames.buffered)
    this.#setTimer('command', undefined)
    this.#setTimer('data', this.#limits.dataMs)
  }

  /** A window of receiving is over. While a sink makes us wait, the peer is not to blame. */
  #checkPace(): void {
    if (this.#pace === undefined || this.#phase !== 'open') return
    if (this.#pace.mayGoOn(this.#frames.waiting)) this.#setTimer('data', this.#limits.dataMs)
    else this.#end(replies.timedOut, 'timeout')
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
    this.#write(reply)
    this.#close(reason)
  }

  #close(reason: CloseReason, how: 'flushed' | 'now' = 'flushed'): void {
    this.#phase = 'closing'
    this.#frames.abort(new Error(`Conversation over: ${reason}`))
    this.#outbox.push({ kind: 'close', how, reason })
  }

  #setTimer(name: TimerName, ms: number | undefined): void {
    this.#outbox.push({ kind: 'timer', name, ms })
  }

  /** The one place replies leave by. */
  #write(reply: Reply): void {
    const { id } = this.#session.settings
    this.#logger.debug({ id, verb: this.#verb, code: reply.code, enhanced: reply.enhanced }, 'SMTP reply')
    this.#outbox.write(encodeReply(reply, id, (error) => this.#report(error)))
  }

  #report(error: unknown): void {
    const fields = { id: this.#session.settings.id, verb: this.#verb, err: error }
    if (isExpectedFault(error)) this.#logger.warn(fields, 'Store could not take what SMTP asked')
    else this.#logger.error(fields, 'Fault in an SMTP command')
  }
}

/** The step for what a command threw: a sentence that is none, or a fault of ours. */
function failedStep(error: unknown): Step {
  if (!(error instanceof WireSyntaxError)) return faulted(error)
  return { reply: error.code === 'parameter' ? replies.badParameter(error.expected) : replies.syntaxError(error.expected) }
}

/** What a command line, or an empty one, can begin with. */
function isLineOctet(octet: number): boolean {
  return (octet >= 0x20 && octet < 0x7f) || octet === 0x0d || octet === 0x0a
}
