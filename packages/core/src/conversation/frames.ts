/**
 * Octets of a line protocol, cut into frames: lines, and between them streams of octets that go to a sink (DATA until the
 * dot, IMAP literals and BDAT by count). Every limit on what a peer can make us hold is kept here.
 * Not here: what a line means.
 *
 * Only CR LF ends a line. In lines a bare LF is reported, not hidden; in DATA a bare CR or LF breaks the message off.
 */
import type { OctetSink } from '../host/index.ts'
import { DotScanner } from './dot-scanner.ts'

const CR = 0x0d
const LF = 0x0a

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
  /** The end did not come within `maxDiscardOctets` after the break. Close after the reply; what follows is not a command. */
  | { readonly kind: 'no-end'; readonly broke: BrokenOutcome }

/** Why the octets of a stream were thrown away. */
export type BrokenOutcome = Extract<ReceiveOutcome, { kind: 'sink-failed' | 'too-large' | 'bare-newline' }>

/** What follows the line just read, and where it goes. */
export interface Receive {
  /** `dot`: to CR LF dot CR LF, unstuffed (RFC 5321 §4.5.2); a number: exactly that many octets, as they are. */
  readonly until: 'dot' | number
  /** Octets the sink may be given, after unstuffing. */
  readonly maxOctets: number
  /** Octets, as sent, that may be thrown away after the stream broke, before giving up. */
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

interface Stream {
  readonly how: Receive
  /** Present for DATA. */
  readonly dots: DotScanner | undefined
  /** `sinking`: octets go to the sink; otherwise they are dropped and this is what to report at the end. */
  mode: 'sinking' | 'too-large' | 'bare-newline' | { readonly failed: unknown }
  /** Octets of a counted stream still to come. */
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
      dots: how.until === 'dot' ? new DotScanner() : undefined,
      mode: 'sinking',
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
    // While the sink makes up its mind about the end, what follows is not looked at.
    if (this.waiting || this.#stream !== undefined) return undefined
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
      const { dots } = stream
      if (dots === undefined) {
        if (stream.remaining === 0) return this.#finish(stream)
        if (this.#start === this.#end) return
        this.#advanceCounted(stream)
      } else {
        if (this.#start === this.#end) return
        if (stream.mode === 'sinking') this.#readDots(stream, dots)
        else this.#skipDots(stream, dots)
      }
    }
  }

  #advanceCounted(stream: Stream): void {
    const from = this.#start
    const length = Math.min(stream.remaining, this.#end - from)
    stream.remaining -= length
    this.#consume(from + length)
    if (stream.mode === 'sinking') this.#sink(stream, this.#buffer.subarray(from, from + length))
    else this.#count(stream, length)
  }

  /** One step of DATA on its way to the sink. */
  #readDots(stream: Stream, dots: DotScanner): void {
    const room = stream.how.maxOctets - stream.taken
    // One octet more than may come is looked at, so that the break comes at the same place however octets arrive.
    const step = dots.read(this.#buffer, this.#start, Math.min(this.#end, this.#start + room + 1))
    this.#consume(dots.at)
    if (dots.text !== undefined && dots.text.length > room) {
      this.#drop(stream, 'too-large')
      this.#count(stream, dots.text.length - room)
    } else if (dots.text !== undefined) {
      this.#sink(stream, dots.text)
    }
    if (step === 'bare-newline') this.#drop(stream, 'bare-newline')
    else if (step === 'end') this.#finish(stream)
  }

  /** One step of DATA that is thrown away. */
  #skipDots(stream: Stream, dots: DotScanner): void {
    const from = this.#start
    // One octet more than may be dropped is looked at, so that giving up comes at the same place however octets arrive.
    const allowed = stream.how.maxDiscardOctets - stream.dropped + 1
    const { isEnd, hasBareNewline } = dots.skip(this.#buffer, from, Math.min(this.#end, from + allowed))
    const length = dots.at - from
    this.#consume(dots.at)
    if (hasBareNewline) this.#drop(stream, 'bare-newline')
    this.#count(stream, length)
    if (isEnd && this.#stream === stream) this.#finish(stream)
  }

  #consume(to: number): void {
    this.#start = to
    this.#scanned = to
  }

  #sink(stream: Stream, octets: Uint8Array): void {
    stream.taken += octets.length
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

  /** Counts octets thrown away, and gives up when they are too many. */
  #count(stream: Stream, octets: number): void {
    stream.dropped += octets
    if (stream.dropped <= stream.how.maxDiscardOctets) return
    if (stream.mode !== 'sinking') this.#settle({ kind: 'no-end', broke: brokenOutcome(stream.mode) })
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
    if (stream.mode !== 'sinking') return this.#settle(brokenOutcome(stream.mode))
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

function brokenOutcome(mode: Exclude<Stream['mode'], 'sinking'>): BrokenOutcome {
  return typeof mode === 'string' ? { kind: mode } : { kind: 'sink-failed', error: mode.failed }
}

/** `end` of a sink, with a throw turned into a rejection. */
async function endOf(sink: OctetSink<unknown>): Promise<unknown> {
  return await sink.end()
}

/** Index of `octet` in `[from, to)` of `buffer`, or −1. */
function indexOf(buffer: Uint8Array, octet: number, from: number, to: number): number {
  return (to === buffer.length ? buffer : buffer.subarray(0, to)).indexOf(octet, from)
}
