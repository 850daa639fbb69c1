/**
 * Effects on their way to the driver, in order; neighbouring writes are joined, and a block can wait until it is taken.
 */
import type { CloseReason, Effect, TimerName } from '@postern/core/conversation'

/** Octets joined into one write. */
const WRITE_OCTETS = 65_536

/** What an engine wants done, first in, first out. */
export class Output {
  #effects: Effect[] = []
  /** Pieces of the last effect while it is a write that may still grow. */
  #open: Uint8Array[] | undefined
  #openOctets = 0
  /** Called when the driver asks for more than there is. */
  #taken: (() => void) | undefined
  readonly #timers = new Set<TimerName>()
  isClosed = false

  write(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      if (piece.length === 0) continue
      if (this.#open === undefined || this.#openOctets + piece.length > WRITE_OCTETS) {
        this.#open = []
        this.#openOctets = 0
        this.#effects.push({ kind: 'write', octets: this.#open })
      }
      this.#open.push(piece)
      this.#openOctets += piece.length
    }
  }

  /** Writes a block; resolves when the driver has taken all there is, or never will. */
  give(block: readonly Uint8Array[]): Promise<void> {
    if (this.isClosed) return Promise.resolve()
    this.write(block)
    return new Promise((resolve) => {
      this.#taken = resolve
    })
  }

  pause(ms: number): void {
    this.#push({ kind: 'pause', ms })
  }

  upgrade(): void {
    this.#push({ kind: 'upgrade', to: 'tls' })
  }

  /** Sets a timer anew or, with `undefined`, takes it back. */
  setTimer(name: TimerName, ms: number | undefined): void {
    if (ms === undefined && !this.#timers.delete(name)) return
    if (ms !== undefined) this.#timers.add(name)
    this.#push({ kind: 'timer', name, ms })
  }

  /** A timer has run out. */
  timedOut(name: TimerName): void {
    this.#timers.delete(name)
  }

  /** The last effect. `now` forgets what has not been taken. */
  close(how: 'flushed' | 'now', reason: CloseReason): void {
    this.isClosed = true
    if (how === 'now') this.#effects = []
    this.#push({ kind: 'close', how, reason })
    this.tellTaken()
  }

  /** The next effect, or undefined when there is none. */
  shift(): Effect | undefined {
    const effect = this.#effects.shift()
    if (this.#effects.length === 0) this.#open = undefined
    return effect
  }

  /** Lets whoever has given a block go on. @returns whether somebody waited */
  tellTaken(): boolean {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
    return taken !== undefined
  }

  #push(effect: Effect): void {
    this.#open = undefined
    this.#effects.push(effect)
  }
}
