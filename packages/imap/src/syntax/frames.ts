/**
 * Octets from a client, cut into commands: lines, and the literals between them, over core's frames. Every limit on
 * what a command can make us hold is kept here; memory grows with octets received, never with sizes announced.
 * Not here: what a command means, and whether one of its literals is wanted: that is asked, literal by literal.
 */
import { createFrames, type Frames, type ReceiveOutcome } from '@postern/core/conversation'
import type { OctetSink } from '@postern/core/host'
import type { CommandText, Literal } from './command-text.ts'

/** What one command may hold. */
export interface CommandLimits {
  /** Text of a command, all its lines together. RFC 2683 §3.2.1.5 asks for 8,000 and more. */
  readonly lineOctets: number
  readonly literals: number
  /** Literals in memory, together. */
  readonly literalOctets: number
  /** Octets of a refused command that are read and thrown away; beyond that the stream can't be kept in step. */
  readonly discardOctets: number
}

export type CommandFrame =
  | { readonly kind: 'command'; readonly text: CommandText }
  /** The last literal of `text` is announced: `take`, `sink` or `refuse` before the next call. */
  | { readonly kind: 'literal'; readonly text: CommandText; readonly literal: Announced }
  /** The refused command is over. `inStep` false: what follows can't be told apart from commands: close. */
  | { readonly kind: 'refused'; readonly inStep: boolean }
  /** The sink of a literal failed; the rest of the command is read past, up to a `refused` frame. */
  | { readonly kind: 'sink-failed'; readonly error: unknown }
  /** A line asked for with `expectLine`. */
  | { readonly kind: 'line'; readonly octets: Uint8Array }
  /** More text than a command may have: close. */
  | { readonly kind: 'too-long' }

export type Announced = Extract<Literal, { kind: 'announced' }>

/** The framing machine of one connection. */
export interface CommandFrames {
  push(octets: Uint8Array): void
  /** The next frame, or `undefined` until more octets come or a sink goes on. */
  next(): CommandFrame | undefined
  /** Holds the announced literal in memory. @returns false, and nothing done, when it does not fit */
  take(): boolean
  /** Sends the announced literal to a sink. */
  sink(sink: OctetSink<unknown>): void
  /**
   * Does without the rest of the command: a client that waits for a go-ahead won't send it, any other is read past it.
   */
  refuse(): void
  /** The next line is not a command and goes out as a `line` frame. */
  expectLine(maxOctets: number): void
  onWake(wake: () => void): void
  abort(cause: unknown): void
  /** Octets held: unframed ones and those of the command under way. */
  readonly buffered: number
  /** Octets received of which nothing has been made yet. */
  readonly pending: number
  /** True while a sink's promise is open: push nothing. */
  readonly waiting: boolean
  /** A literal is announced or its octets come. */
  readonly inLiteral: boolean
  limits: CommandLimits
}

export function createCommandFrames(limits: CommandLimits): CommandFrames {
  return new CommandFrameMachine(limits)
}

/**
 * `lines`: a line comes next. `asked`: a literal is announced and nothing is read. `octets`: those of a literal come.
 */
type Stage = 'lines' | 'asked' | 'octets'

class CommandFrameMachine implements CommandFrames {
  limits: CommandLimits
  readonly #frames: Frames
  #stage: Stage = 'lines'
  #texts: Uint8Array[] = []
  #literals: Literal[] = []
  /** Text of the command so far, kept or not, and octets of its literals in memory. */
  #textOctets = 0
  #literalOctets = 0
  /** The command is read past, not kept. */
  #refused = false
  #discarded = 0
  #announced: Announced | undefined
  #memory: MemorySink | undefined
  #ready: CommandFrame | undefined
  #expectedLine: number | undefined

  constructor(limits: CommandLimits) {
    this.limits = limits
    this.#frames = createFrames({ maxLineOctets: limits.lineOctets })
  }

  get buffered(): number {
    return this.#frames.buffered + this.#textOctets + this.#literalOctets + (this.#memory?.length ?? 0)
  }

  get pending(): number {
    return this.#frames.buffered
  }

  get waiting(): boolean {
    return this.#frames.waiting
  }

  get inLiteral(): boolean {
    return this.#stage !== 'lines'
  }

  push(octets: Uint8Array): void {
    this.#frames.push(octets)
  }

  onWake(wake: () => void): void {
    this.#frames.onWake(wake)
  }

  abort(cause: unknown): void {
    this.#frames.abort(cause)
  }

  expectLine(maxOctets: number): void {
    this.#expectedLine = maxOctets
  }

  next(): CommandFrame | undefined {
    while (this.#stage !== 'asked') {
      if (this.#ready !== undefined) {
        const ready = this.#ready
        this.#ready = undefined
        return ready
      }
      if (this.#stage === 'lines') {
        this.#frames.maxLineOctets = this.#expectedLine ?? Math.max(0, this.limits.lineOctets - this.#textOctets)
      }
      const frame = this.#frames.next()
      if (frame === undefined) return undefined
      if (frame.kind === 'line-too-long') return { kind: 'too-long' }
      const out = frame.kind === 'line' ? this.#line(frame.octets) : this.#received(frame.outcome)
      if (out !== undefined) return out
    }
    return undefined
  }

  take(): boolean {
    const announced = this.#announced
    if (announced === undefined) return false
    const { literals, literalOctets } = this.limits
    if (this.#literals.length >= literals || this.#literalOctets + announced.sizeOctets > literalOctets) return false
    this.#memory = new MemorySink(announced.sizeOctets)
    this.#receive(announced.sizeOctets, this.#memory)
    return true
  }

  sink(sink: OctetSink<unknown>): void {
    if (this.#announced !== undefined) this.#receive(this.#announced.sizeOctets, sink)
  }

  refuse(): void {
    const announced = this.#announced
    if (announced === undefined) return
    this.#readPast()
    if (announced.synchronizing) this.#endRefused(true)
    else this.#discard(announced.sizeOctets)
  }

  #line(line: Uint8Array): CommandFrame | undefined {
    if (this.#expectedLine !== undefined) {
      this.#expectedLine = undefined
      return { kind: 'line', octets: line.slice() }
    }
    this.#textOctets += line.length
    const end = announcementAtEnd(line)
    if (this.#refused) {
      if (end === undefined || end.literal.synchronizing) this.#endRefused(true)
      else this.#discard(end.literal.sizeOctets)
      return undefined
    }
    if (end === undefined) {
      const text = { texts: [...this.#texts, line.slice()], literals: this.#literals }
      this.#reset()
      return { kind: 'command', text }
    }
    this.#texts.push(line.slice(0, end.textOctets))
    this.#announced = end.literal
    this.#stage = 'asked'
    const text = { texts: [...this.#texts], literals: [...this.#literals, end.literal] }
    return { kind: 'literal', text, literal: end.literal }
  }

  #received(outcome: ReceiveOutcome): CommandFrame | undefined {
    this.#stage = 'lines'
    const announced = this.#announced
    this.#announced = undefined
    if (this.#refused || announced === undefined) return undefined
    if (outcome.kind !== 'complete') {
      this.#readPast()
      return { kind: 'sink-failed', error: outcome.kind === 'sink-failed' ? outcome.error : new Error(outcome.kind) }
    }
    const { binary } = announced
    if (this.#memory === undefined) {
      this.#literals.push({ kind: 'sunk', result: outcome.result, sizeOctets: outcome.octets, binary })
    } else {
      this.#literals.push({ kind: 'memory', octets: this.#memory.octets(), binary })
      this.#literalOctets += outcome.octets
      this.#memory = undefined
    }
    return undefined
  }

  #receive(sizeOctets: number, sink: OctetSink<unknown>): void {
    this.#stage = 'octets'
    this.#frames.receive({ until: sizeOctets, maxOctets: sizeOctets, maxDiscardOctets: sizeOctets, sink })
  }

  #readPast(): void {
    this.#refused = true
    this.#stage = 'lines'
    this.#announced = undefined
    this.#memory = undefined
    this.#texts = []
    this.#literals = []
    this.#literalOctets = 0
  }

  #discard(sizeOctets: number): void {
    this.#discarded += sizeOctets
    if (this.#discarded > this.limits.discardOctets) this.#endRefused(false)
    else this.#receive(sizeOctets, nowhere)
  }

  #endRefused(inStep: boolean): void {
    this.#reset()
    this.#ready = { kind: 'refused', inStep }
  }

  #reset(): void {
    this.#stage = 'lines'
    this.#texts = []
    this.#literals = []
    this.#textOctets = 0
    this.#literalOctets = 0
    this.#refused = false
    this.#discarded = 0
    this.#announced = undefined
    this.#memory = undefined
  }
}

/** Takes octets and forgets them. */
const nowhere: OctetSink<undefined> = {
  write() {},
  end: () => Promise.resolve(undefined),
  abort() {},
}

/** Gathers octets in one buffer that grows as they come. */
class MemorySink implements OctetSink<undefined> {
  length = 0
  readonly #sizeOctets: number
  #buffer = new Uint8Array(0)

  constructor(sizeOctets: number) {
    this.#sizeOctets = sizeOctets
  }

  write(octets: Uint8Array): void {
    const needed = this.length + octets.length
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#sizeOctets, Math.max(256, 2 * needed)))
      grown.set(this.#buffer.subarray(0, this.length))
      this.#buffer = grown
    }
    this.#buffer.set(octets, this.length)
    this.length = needed
  }

  end(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  abort(): void {
    this.#buffer = new Uint8Array(0)
  }

  octets(): Uint8Array {
    return this.#buffer.subarray(0, this.length)
  }
}

// literal = "{" number ["+"] "}" CRLF *CHAR8      RFC 7888 §8; "~" before it: RFC 3516 §7
const ANNOUNCEMENT = /(~?)\{(\d{1,20})(\+?)\}$/
/** Longest announcement: `~{18446744073709551615+}`. */
const ANNOUNCEMENT_OCTETS = 24

/** The literal announced at the end of a line, and how much of the line is text. */
function announcementAtEnd(line: Uint8Array): { literal: Announced; textOctets: number } | undefined {
  if (line.at(-1) !== 0x7d) return undefined
  const tail = line.subarray(Math.max(0, line.length - ANNOUNCEMENT_OCTETS))
  const match = ANNOUNCEMENT.exec(Buffer.from(tail).toString('latin1'))
  if (match === null) return undefined
  const sizeOctets = Number(match[2])
  return {
    literal: { kind: 'announced', sizeOctets, synchronizing: match[3] === '', binary: match[1] === '~' },
    textOctets: line.length - match[0].length,
  }
}
