/**
 * Performs an engine's effects on a duplex stream: the one place where octets, timers and back-pressure meet.
 * Not here: sockets and TLS themselves, which come in as a stream and as the `upgrade` function.
 */
import type { Duplex } from 'node:stream'
import type { Clock, Timer, TlsInfo } from '../host/index.ts'
import type { CloseReason, Effect, Engine, TimerName } from './engine.ts'

/** What driving an engine needs beside the stream. */
export interface DriveOptions {
  readonly clock: Clock
  /**
   * Wraps the stream in TLS, as the server. Rejects when the handshake fails or takes too long, or the stream closes.
   * Absent: `upgrade` effects end the conversation.
   */
  readonly upgrade?: (stream: Duplex) => Promise<{ readonly stream: Duplex; readonly tls: TlsInfo }>
  /** How long the peer may leave what we wrote unread before the connection is dropped. Default 5 minutes. */
  readonly writeTimeoutMs?: number
  /** Told once the driver listens, with a function that asks the conversation to end and one that breaks it off. */
  readonly onStart?: (control: ConversationControl) => void
}

/** Handle on a conversation under way. */
export interface ConversationControl {
  /** Asks the conversation to end at the next point its protocol allows. */
  stop(): void
  /** Breaks the connection off. */
  destroy(): void
}

/** How a conversation ended. */
export interface ConversationEnd {
  readonly reason: CloseReason
  readonly octetsIn: number
  readonly octetsOut: number
  /** The fault when `reason` is `fault`, what broke the connection when it is `reset` or `tls`. */
  readonly error?: unknown
}

/** LIMIT: as long as the first timeout of a write in RFC 5321 §4.5.3.2 that both sides still have patience for. */
const WRITE_TIMEOUT_MS = 300_000
/** LIMIT: for the last reply to leave. */
const FLUSH_TIMEOUT_MS = 30_000
/** LIMIT: for the peer to read the last reply and close its side. */
const LINGER_MS = 2_000
/** LIMIT: octets read and dropped meanwhile; a peer that sends more is not reading replies. */
const LINGER_OCTETS = 1_048_576

/** Runs one conversation to its end. Never rejects; the stream is destroyed when it resolves. */
export function drive(engine: Engine, stream: Duplex, options: DriveOptions): Promise<ConversationEnd> {
  return new Promise((resolve) => {
    new Driver(engine, stream, options, resolve).start()
  })
}

class Driver {
  readonly #engine: Engine
  readonly #options: DriveOptions
  readonly #done: (end: ConversationEnd) => void
  #stream: Duplex
  readonly #timers = new Map<TimerName, Countdown>()
  #octetsIn = 0
  #octetsOut = 0
  /** Set while no effect may be performed: a full stream, a pause, an upgrade. */
  #blocked = false
  /** Ends what blocks: a pause; or, for a full stream and for closing, patience with the peer. */
  #patience: Timer | undefined
  /** Why the engine asked to close; from then on it is not called any more. */
  #closing: CloseReason | undefined
  #lingered = 0
  #closed = false
  #pumping = false
  #again = false

  constructor(engine: Engine, stream: Duplex, options: DriveOptions, done: (end: ConversationEnd) => void) {
    this.#engine = engine
    this.#stream = stream
    this.#options = options
    this.#done = done
  }

  start(): void {
    this.#engine.onWake(() => this.#pump())
    this.#options.onStart?.({
      stop: () => {
        if (this.#isOver()) return
        this.#guard(() => this.#engine.stop())
        this.#pump()
      },
      destroy: () => this.#finish('shutdown'),
    })
    if (this.#closed) return
    // A connection can be gone before its conversation begins; its events have been and will not come again.
    if (this.#stream.destroyed) return this.#finish('reset', this.#stream.errored ?? undefined)
    this.#listen(this.#stream)
    this.#pump()
  }

  readonly #onData = (octets: Uint8Array): void => {
    this.#octetsIn += octets.length
    if (this.#closing !== undefined) {
      this.#lingered += octets.length
      if (this.#lingered > LINGER_OCTETS) this.#finish(this.#closing)
      return
    }
    this.#guard(() => this.#engine.feed(octets))
    this.#pump()
  }
  readonly #onEnd = (): void => {
    if (this.#closing !== undefined) {
      if (this.#stream.writableFinished) this.#finish(this.#closing)
      return
    }
    this.#guard(() => this.#engine.end())
    this.#pump()
  }
  readonly #onClose = (): void => {
    this.#finish(this.#closing ?? 'peer-closed')
  }
  readonly #onError = (error: Error): void => {
    if (this.#closing === undefined) this.#finish('reset', error)
    else this.#finish(this.#closing)
  }
  readonly #onDrain = (): void => {
    this.#patience?.cancel()
    this.#patience = undefined
    this.#blocked = false
    this.#pump()
  }

  #listen(stream: Duplex): void {
    stream.on('error', this.#onError)
    stream.on('close', this.#onClose)
    stream.on('end', this.#onEnd)
    stream.on('data', this.#onData)
  }

  #isOver(): boolean {
    return this.#closed || this.#closing !== undefined
  }

  /** Performs effects until there is none, or one that has to be waited for; then lets the peer talk, or not. */
  #pump(): void {
    if (this.#isOver()) return
    if (this.#pumping) {
      this.#again = true
      return
    }
    this.#pumping = true
    const stream = this.#stream
    stream.cork()
    try {
      do {
        this.#again = false
        while (!this.#blocked && !this.#isOver()) {
          const effect = this.#engine.next()
          if (effect === undefined) break
          this.#perform(effect)
        }
      } while (this.#again && !this.#blocked && !this.#isOver())
    } catch (error) {
      this.#finish('fault', error)
    } finally {
      this.#pumping = false
      stream.uncork()
    }
    if (this.#isOver()) return
    if (!this.#blocked && this.#engine.hungry) this.#stream.resume()
    else this.#stream.pause()
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'write':
        return this.#write(effect.octets)
      case 'timer':
        return this.#setTimer(effect.name, effect.ms)
      case 'pause':
        this.#blocked = true
        this.#patience = this.#options.clock.timer(effect.ms, this.#onDrain)
        return
      case 'upgrade':
        return this.#upgrade()
      case 'close':
        return this.#close(effect.how, effect.reason)
    }
  }

  #write(pieces: readonly Uint8Array[]): void {
    let free = true
    for (const octets of pieces) {
      this.#octetsOut += octets.length
      free = this.#stream.write(octets)
    }
    if (free || this.#stream.destroyed) return
    this.#blocked = true
    this.#stream.once('drain', this.#onDrain)
    const patienceMs = this.#options.writeTimeoutMs ?? WRITE_TIMEOUT_MS
    this.#patience = this.#options.clock.timer(patienceMs, () => this.#finish('timeout'))
  }

  #setTimer(name: TimerName, ms: number | undefined): void {
    let countdown = this.#timers.get(name)
    if (countdown === undefined) {
      if (ms === undefined) return
      countdown = new Countdown(this.#options.clock, () => {
        if (this.#isOver()) return
        this.#guard(() => this.#engine.timeout(name))
        this.#pump()
      })
      this.#timers.set(name, countdown)
    }
    countdown.set(ms)
  }

  #upgrade(): void {
    const { upgrade } = this.#options
    if (upgrade === undefined) return this.#finish('tls', new Error('No TLS to upgrade to'))
    this.#blocked = true
    const plain = this.#stream
    plain.pause()
    plain.off('data', this.#onData)
    plain.off('end', this.#onEnd)
    plain.off('close', this.#onClose)
    // Its errors stay listened to: a reset of the stream underneath must never be an uncaught one.
    // The go-ahead must be on its way before the handshake starts.
    plain.write(new Uint8Array(0), (error) => {
      if (error !== undefined && error !== null) this.#finish('reset', error)
      else void this.#secure(plain, upgrade)
    })
  }

  async #secure(plain: Duplex, upgrade: NonNullable<DriveOptions['upgrade']>): Promise<void> {
    if (this.#closed) return
    try {
      const { stream, tls } = await upgrade(plain)
      this.#stream = stream
      if (this.#closed) return void silence(stream).destroy()
      this.#listen(stream)
      if (stream.destroyed) return this.#finish('reset')
      this.#blocked = false
      this.#guard(() => this.#engine.upgraded(tls))
      this.#pump()
    } catch (error) {
      this.#finish('tls', error)
    }
  }

  #close(how: 'flushed' | 'now', reason: CloseReason): void {
    this.#closing = reason
    if (how === 'now') return this.#finish(reason)
    this.#cancelTimers()
    const stream = this.#stream
    const { clock } = this.#options
    this.#patience = clock.timer(FLUSH_TIMEOUT_MS, () => this.#finish(reason))
    // Closing with octets unread would reset the connection and could take our last reply with it: read and drop them,
    // until the peer has closed too or has had the time to.
    stream.resume()
    stream.end(() => {
      if (this.#closed) return
      if (stream.readableEnded || stream.destroyed) return this.#finish(reason)
      this.#patience?.cancel()
      this.#patience = clock.timer(LINGER_MS, () => this.#finish(reason))
    })
  }

  /** A fault of the engine ends its conversation and nothing else. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#finish('fault', error)
    }
  }

  #cancelTimers(): void {
    for (const countdown of this.#timers.values()) countdown.set(undefined)
    this.#patience?.cancel()
  }

  #finish(reason: CloseReason, error?: unknown): void {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTimers()
    let cause = error
    if (this.#closing === undefined) {
      // The engine learns that its peer is gone, so that streams and views under way are released.
      try {
        this.#engine.end(error instanceof Error ? error : new Error(`Connection over: ${reason}`))
      } catch (fault) {
        cause ??= fault
      }
    }
    silence(this.#stream).destroy()
    this.#done({
      reason,
      octetsIn: this.#octetsIn,
      octetsOut: this.#octetsOut,
      ...(cause === undefined ? {} : { error: cause }),
    })
  }
}

/**
 * A timer that is set anew with nearly every command and hardly ever runs out: put off, it goes on as it is, and when it
 * fires it waits for the rest.
 */
class Countdown {
  readonly #clock: Clock
  readonly #fire: () => void
  #timer: Timer | undefined
  /** By the clock's monotonic time: when the timer fires, and when it is to be told. */
  #firesAt = 0
  #dueAt = 0

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock
    this.#fire = fire
  }

  /** @param ms from now on; undefined takes it back */
  set(ms: number | undefined): void {
    if (ms === undefined) return this.#stop()
    this.#dueAt = this.#clock.monotonic() + ms
    if (this.#timer !== undefined && this.#firesAt <= this.#dueAt) return
    this.#stop()
    this.#start(ms)
  }

  #start(ms: number): void {
    this.#firesAt = this.#dueAt
    this.#timer = this.#clock.timer(ms, this.#ring)
  }

  #stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  readonly #ring = (): void => {
    this.#timer = undefined
    // It may fire late, but what was put off is put off by no more than it was.
    const restMs = Math.min(this.#dueAt - this.#firesAt, this.#dueAt - this.#clock.monotonic())
    if (restMs > 0) return this.#start(restMs)
    this.#fire()
  }
}

/** Over already: a late reset has nobody to tell and must not be an uncaught error. */
function silence(stream: Duplex): Duplex {
  return stream.on('error', () => {})
}
