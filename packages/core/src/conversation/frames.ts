/**
 * Octets of a line protocol, cut into frames: lines, and between them streams of octets that go to a sink (DATA until the
 * dot, IMAP literals and BDAT by count). Every limit on what a peer can make us hold is kept here.
 * Not here: what a line means.
 *
 * Only CR LF ends a line. In lines a bare LF is reported, not hidden; in DATA a bare CR or LF breaks the message off.
 */
import type { OctetSink } from '../host/index.ts'

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e

/** One whole unit of input. */
export type Frame =
  /** A line without its line end; `bareLf` when it was ended by LF alone. Octets are valid until the next `push`. */
  | { readonly kind: 'line'; readonly octets: Uint8Array; readonly bareLf: boolean }
  /** More than `maxLineOctets` came without a line end. The stream can't be resynchronised: close. */
  | { readonly kind: 'line-too-long' }
  /** The stream asked for by `receive` is over. */
  | { readonly kind: 'received'; readonly outcome: ReceiveOutcome }

/** How a received stream ended. In every case but the last the octets up to its end were consumed. */
export type ReceiveOutcome =
  /** The sink has taken all; `result` is what its `end` resolved with. */
  | { readonly kind: 'complete'; readonly result: unknown; readonly octets: number }
  /** The sink threw or rejected; the rest was discarded. */
  | { readonly kind: 'sink-failed'; readonly error: unknown }
  /** More than `maxOctets` came; the rest was discarded. */
  | { readonly kind: 'too-large' }
  /** A bare CR or LF in DATA; the rest was discarded up to CR LF dot CR LF. Close after the reply. */
  | { readonly kind: 'bare-newline' }
  /** The end did not come within `maxDiscardOctets` after the break. Close at once; what follows is not a command. */
  | { readonly kind: 'no-end' }

/** What follows the line just read, and where it goes. */
export interface Receive {
  /** `dot`: to CR LF dot CR LF, unstuffed (RFC 5321 §4.5.2); a number: exactly that many octets, as they are. */
  readonly until: 'dot' | number
  /** Octets the sink may be given, after unstuffing. */
  readonly maxOctets: number
  /** Octets that may be thrown away after the stream broke, before giving up. */
  readonly maxDiscardOctets: number
  readonly sink: OctetSink<unknown>
}

/** The framing machine of one connection. */
export interface Frames {
  /** Takes ownership of the next octets. */
  push(octets: Uint8Array): void
  /** The next frame, or `undefined` until more octets come or a sink goes on. */
  next(): Frame | undefined
  /** From here on octets go to the sink, until a `received` frame. Only between lines. */
  receive(how: Receive): void
  /** Calls `wake` when a sink that made `next` wait can go on. */
  onWake(wake: () => void): void
  /** The connection is gone: a stream under way is aborted. */
  abort(cause: unknown): void
  /** Octets held and not yet framed. */
  readonly buffered: number
  /** True while a sink's promise is open: push nothing. */
  readonly waiting: boolean
  /** Longest line, without its end; may be changed between lines (AUTH allows longer ones). */
  maxLineOctets: number
}

/** Where the dot scanner stands in DATA. */
type DotState = 'line-start' | 'dot' | 'dot-cr' | 'text' | 'cr'

interface Stream {
  readonly how: Receive
  /** `sinking`: octets go to the sink; otherwise they are dropped and this is what to report at the end. */
  mode: 'sinking' | 'too-large' | 'bare-newline' | { readonly failed: unknown }
  dot: DotState
  remaining: number
  taken: number
  dropped: number
}

/** @param options.maxLineOctets longest line, without its end */
export function createFrames(options: { readonly maxLineOctets: number }): Frames {
  return new FrameMachine(options.maxLineOctets)
}

class FrameMachine implements Frames {
  maxLineOctets: number
  waiting = false
  /** Unframed octets are `buffer[start, end)`; `scanned` is where the search for a line end goes on. */
  #buffer: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #scanned = 0
  #owned = false
  #stream: Stream | undefined
  #ready: ReceiveOutcome | undefined
  #dead = false
  #wake: () => void = () => {}

  constructor(maxLineOctets: number) {
    this.maxLineOctets = maxLineOctets
  }

  get buffered(): number {
    return this.#end - this.#start
  }

  onWake(wake: () => void): void {
    this.#wake = wake
  }

  push(octets: Uint8Array): void {
    if (this.#start === this.#end) {
      this.#buffer = octets
      this.#owned = false
      this.#start = 0
      this.#end = octets.length
      this.#scanned = 0
      return
    }
    const held = this.#end - this.#start
    if (!this.#owned || this.#end + octets.length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(256, 2 * (held + octets.length)))
      grown.set(this.#buffer.subarray(this.#start, this.#end))
      this.#buffer = grown
      this.#owned = true
      this.#scanned -= this.#start
      this.#start = 0
      this.#end = held
    }
    this.#buffer.set(octets, this.#end)
    this.#end += octets.length
  }

  receive(how: Receive): void {
    this.#stream = {
      how,
      mode: 'sinking',
      dot: 'line-start',
      remaining: how.until === 'dot' ? 0 : how.until,
      taken: 0,
      dropped: 0,
    }
    if (how.until !== 'dot' && how.until > how.maxOctets) this.#drop(this.#stream, 'too-large')
  }

  abort(cause: unknown): void {
    this.#dead = true
    const stream = this.#stream
    this.#stream = undefined
    if (stream !== undefined && stream.mode === 'sinking') stream.how.sink.abort(cause)
  }

  next(): Frame | undefined {
    if (this.waiting || this.#dead) return undefined
    if (this.#stream !== undefined) this.#advance(this.#stream)
    if (this.#ready !== undefined) {
      const outcome = this.#ready
      this.#ready = undefined
      return { kind: 'received', outcome }
    }
    if (this.#stream !== undefined) return undefined
    return this.#line()
  }

  #line(): Frame | undefined {
    const at = indexOf(this.#buffer, LF, this.#scanned, this.#end)
    if (at < 0) {
      this.#scanned = this.#end
      // One octet more than the limit may be the CR of a line that just fits.
      if (this.#end - this.#start > this.maxLineOctets + 1) return { kind: 'line-too-long' }
      return undefined
    }
    const hasCr = at > this.#start && this.#buffer[at - 1] === CR
    const octets = this.#buffer.subarray(this.#start, hasCr ? at - 1 : at)
    if (octets.length > this.maxLineOctets) return { kind: 'line-too-long' }
    this.#start = at + 1
    this.#scanned = at + 1
    return { kind: 'line', octets, bareLf: !hasCr }
  }

  /** Moves octets of the stream from the buffer to its sink until it ends, the buffer is empty, or the sink asks to wait. */
  #advance(stream: Stream): void {
    while (this.#stream === stream && !this.waiting) {
      if (stream.how.until === 'dot') {
        if (!this.#advanceDot(stream)) return
      } else if (!this.#advanceCounted(stream)) return
    }
  }

  #advanceCounted(stream: Stream): boolean {
    if (stream.remaining === 0) {
      this.#finish(stream)
      return false
    }
    const length = Math.min(stream.remaining, this.#end - this.#start)
    if (length === 0) return false
    const octets = this.#take(length)
    stream.remaining -= length
    this.#emit(stream, octets)
    return true
  }

  /** One step of DATA: up to one slice of text. @returns whether to go on */
  #advanceDot(stream: Stream): boolean {
    const buffer = this.#buffer
    const end = this.#end
    let at = this.#start
    // Slice [from, at) is text to hand on; a line's leading dot is left out by starting after it.
    let from = at
    let state = stream.dot
    for (;;) {
      if (state === 'text') {
        const lf = indexOf(buffer, LF, at, end)
        const lineEnd = lf < 0 ? end : lf
        const cr = indexOf(buffer, CR, at, lineEnd)
        if (cr >= 0) {
          at = cr + 1
          state = 'cr'
        } else if (lf >= 0) {
          at = lf + 1
          return this.#bareNewline(stream, at)
        } else {
          at = end
        }
      }
      if (at === end) {
        stream.dot = state
        return this.#handOn(stream, from, state === 'dot' || state === 'dot-cr' ? from : at, at)
      }
      const octet = buffer[at]
      if (state === 'cr') {
        if (octet !== LF) return this.#bareNewline(stream, at)
        at += 1
        state = 'line-start'
      } else if (state === 'line-start') {
        if (octet === DOT) {
          stream.dot = 'dot'
          return this.#handOn(stream, from, at, at + 1)
        }
        state = 'text'
      } else if (state === 'dot') {
        from = at
        if (octet === CR) {
          at += 1
          state = 'dot-cr'
        } else {
          state = 'text'
        }
      } else if (state === 'dot-cr') {
        if (octet !== LF) return this.#bareNewline(stream, at)
        this.#start = this.#scanned = at + 1
        this.#finish(stream)
        return false
      }
    }
  }

  /** Hands on `[from, to)` and goes on at `resume`. */
  #handOn(stream: Stream, from: number, to: number, resume: number): boolean {
    const octets = to > from ? this.#buffer.subarray(from, to) : undefined
    const progress = resume > this.#start
    this.#start = this.#scanned = resume
    if (octets !== undefined) this.#emit(stream, octets)
    return progress
  }

  #bareNewline(stream: Stream, resume: number): boolean {
    stream.dropped += resume - this.#start
    this.#start = this.#scanned = resume
    this.#drop(stream, 'bare-newline')
    // What follows a bare LF is not the start of a line: only CR LF dot CR LF ends the message.
    stream.dot = 'text'
    return true
  }

  #take(length: number): Uint8Array {
    const octets = this.#buffer.subarray(this.#start, this.#start + length)
    this.#start += length
    this.#scanned = this.#start
    return octets
  }

  #emit(stream: Stream, octets: Uint8Array): void {
    if (stream.mode !== 'sinking') {
      stream.dropped += octets.length
      if (stream.dropped > stream.how.maxDiscardOctets) this.#settle({ kind: 'no-end' })
      return
    }
    stream.taken += octets.length
    if (stream.taken > stream.how.maxOctets) {
      this.#drop(stream, 'too-large')
      return
    }
    let pending: void | Promise<void>
    try {
      pending = stream.how.sink.write(octets)
    } catch (error) {
      stream.mode = { failed: error }
      return
    }
    if (pending === undefined) return
    this.waiting = true
    pending.then(
      () => this.#resume(),
      (error: unknown) => {
        stream.mode = { failed: error }
        this.#resume()
      },
    )
  }

  #drop(stream: Stream, mode: 'too-large' | 'bare-newline'): void {
    if (stream.mode !== 'sinking') {
      // A message already given up stays reported for the worse of its faults.
      if (mode === 'bare-newline') stream.mode = mode
      return
    }
    stream.mode = mode
    stream.how.sink.abort(new Error(mode === 'too-large' ? 'Message over the size limit' : 'Bare CR or LF in message data'))
  }

  #finish(stream: Stream): void {
    const { mode } = stream
    if (mode === 'too-large' || mode === 'bare-newline') return this.#settle({ kind: mode })
    if (mode !== 'sinking') return this.#settle({ kind: 'sink-failed', error: mode.failed })
    this.waiting = true
    this.#stream = undefined
    endOf(stream.how.sink).then(
      (result) => {
        this.#ready = { kind: 'complete', result, octets: stream.taken }
        this.#resume()
      },
      (error: unknown) => {
        this.#ready = { kind: 'sink-failed', error }
        this.#resume()
      },
    )
  }

  #settle(outcome: ReceiveOutcome): void {
    this.#stream = undefined
    this.#ready = outcome
  }

  #resume(): void {
    this.waiting = false
    if (!this.#dead) this.#wake()
  }
}

/** `end` of a sink, with a throw turned into a rejection. */
async function endOf(sink: OctetSink<unknown>): Promise<unknown> {
  return await sink.end()
}

/** Index of `octet` in `[from, to)` of `buffer`, or −1. */
function indexOf(buffer: Uint8Array, octet: number, from: number, to: number): number {
  if (from >= to) return -1
  const at = (to === buffer.length ? buffer : buffer.subarray(0, to)).indexOf(octet, from)
  return at
}
