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
  /** Wraps the stream in TLS, as the server. Rejects when the handshake fails or takes too long. Absent: `upgrade` effects end the conversation. */
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
  /** The fault when `reason` is `fault`. */
  readonly error?: unknown
}

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
  #timers = new Map<TimerName, Timer>()
  #octetsIn = 0
  #octetsOut = 0
  /** Set while no effect may be performed: a full stream, a pause, an upgrade. */
  #blocked = false
  #writeTimer: Timer | undefined
  #closed = false
  #closing = false
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
    this.#listen(this.#stream)
    this.#options.onStart?.({
      stop: () => {
        if (this.#closed || this.#closing) return
        this.#guard(() => this.#engine.stop())
        this.#pump()
      },
      destroy: () => this.#finish('shutdown'),
    })
    this.#pump()
  }

  readonly #onData = (octets: Uint8Array): void => {
    if (this.#closing) return
    this.#octetsIn += octets.length
    this.#guard(() => this.#engine.feed(octets))
    this.#pump()
  }
  readonly #onEnd = (): void => {
    if (this.#closing) return
    this.#guard(() => this.#engine.end())
    this.#pump()
  }
  readonly #onClose = (): void => {
    if (!this.#closed) {
      this.#guard(() => this.#engine.end())
      this.#finish('peer-closed')
    }
  }
  readonly #onError = (error: Error): void => {
    if (!this.#closed) {
      this.#guard(() => this.#engine.end(error))
      this.#finish('reset')
    }
  }
  readonly #onDrain = (): void => {
    this.#writeTimer?.cancel()
    this.#writeTimer = undefined
    this.#blocked = false
    this.#pump()
  }

  #listen(stream: Duplex): void {
    stream.on('error', this.#onError)
    stream.on('close', this.#onClose)
    stream.on('end', this.#onEnd)
    stream.on('data', this.#onData)
  }

  #unlisten(stream: Duplex): void {
    stream.off('data', this.#onData)
    stream.off('end', this.#onEnd)
    stream.off('close', this.#onClose)
    stream.off('error', this.#onError)
    stream.off('drain', this.#onDrain)
  }

  /** Performs effects until there is none, or one that has to be waited for; then lets the peer talk, or not. */
  #pump(): void {
    if (this.#closed || this.#closing) return
    if (this.#pumping) {
      this.#again = true
      return
    }
    this.#pumping = true
    this.#stream.cork()
    try {
      do {
        this.#again = false
        while (!this.#blocked && !this.#closing) {
          const effect = this.#engine.next()
          if (effect === undefined) break
          this.#perform(effect)
        }
      } while (this.#again && !this.#blocked && !this.#closing)
    } catch (error) {
      this.#finish('fault', error)
    } finally {
      this.#pumping = false
      this.#stream.uncork()
    }
    if (this.#closed || this.#closing) return
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
        this.#options.clock.timer(effect.ms, () => {
          this.#blocked = false
          this.#pump()
        })
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
    this.#writeTimer = this.#options.clock.timer(this.#options.writeTimeoutMs ?? 300_000, () => this.#finish('timeout'))
  }

  #setTimer(name: TimerName, ms: number | undefined): void {
    this.#timers.get(name)?.cancel()
    if (ms === undefined) {
      this.#timers.delete(name)
      return
    }
    this.#timers.set(
      name,
      this.#options.clock.timer(ms, () => {
        this.#timers.delete(name)
        if (this.#closing) return
        this.#guard(() => this.#engine.timeout(name))
        this.#pump()
      }),
    )
  }

  #upgrade(): void {
    const upgrade = this.#options.upgrade
    if (upgrade === undefined) return this.#finish('tls')
    this.#blocked = true
    const plain = this.#stream
    plain.pause()
    this.#unlisten(plain)
    // Until the wrapping stream listens itself, a reset of the plain one must not become an uncaught error.
    const onPlainError = (): void => this.#finish('reset')
    plain.on('error', onPlainError)
    // The go-ahead must be on its way before the handshake starts.
    plain.uncork()
    const begin = (): void => {
      upgrade(plain).then(
        ({ stream, tls }) => {
          plain.off('error', onPlainError)
          if (this.#closed) return void stream.destroy()
          this.#stream = stream
          this.#listen(stream)
          this.#blocked = false
          this.#guard(() => this.#engine.upgraded(tls))
          this.#pump()
        },
        () => this.#finish('tls'),
      )
    }
    plain.write(new Uint8Array(0), begin)
  }

  #close(how: 'flushed' | 'now', reason: CloseReason): void {
    if (how === 'now') return this.#finish(reason)
    this.#closing = true
    this.#cancelTimers()
    const stream = this.#stream
    stream.off('end', this.#onEnd)
    // What the peer still sends is read and dropped: closing with unread octets would reset the connection and could take our last reply with it.
    stream.resume()
    const timer = this.#options.clock.timer(5_000, () => this.#finish(reason))
    stream.end(() => {
      timer.cancel()
      this.#finish(reason)
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
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#writeTimer?.cancel()
  }

  #finish(reason: CloseReason, error?: unknown): void {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTimers()
    if (reason !== 'peer-closed' && reason !== 'reset' && !this.#closing) {
      // The engine learns that its peer is gone, so that streams and views under way are released.
      try {
        this.#engine.end()
      } catch {
        // A fault while ending changes nothing: the conversation is over.
      }
    }
    this.#closing = true
    this.#stream.on('error', () => {
      // Already over; a late reset has nobody to tell.
    })
    this.#stream.destroy()
    this.#done({
      reason,
      octetsIn: this.#octetsIn,
      octetsOut: this.#octetsOut,
      ...(error === undefined ? {} : { error }),
    })
  }
}
