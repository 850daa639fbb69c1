/** Effects an engine has for its driver, in order, replies that follow each other joined into one write. */
import type { Effect } from '@postern/core/conversation'

/** LIMIT: replies held before the driver gets them; a peer that does not read stops being answered here. */
const MAX_HELD_OCTETS = 16_384

export class Outbox {
  readonly #effects: Effect[] = []
  /** Octets of the last write in the queue, while more may be joined to it. */
  #open: Uint8Array[] | undefined
  #heldOctets = 0
  #barriers = 0

  /** Whether the engine may go on working: nothing waits that has to happen first, and not too much waits at all. */
  get isFree(): boolean {
    return this.#barriers === 0 && this.#heldOctets < MAX_HELD_OCTETS
  }

  /** Whether something waits that has its place in time: a pause, above all. Until it is over the peer is not to blame. */
  get isHeldUp(): boolean {
    return this.#barriers > 0
  }

  write(octets: Uint8Array): void {
    this.#heldOctets += octets.length
    if (this.#open === undefined) {
      this.#open = [octets]
      this.#effects.push({ kind: 'write', octets: this.#open })
    } else {
      this.#open.push(octets)
    }
  }

  /** Writes octets one by one, a pause between each two; those after the first `singleOctets` in one go. */
  writeSlowly(octets: Uint8Array, pauseMs: number, singleOctets: number): void {
    for (let at = 0; at < octets.length; ) {
      if (at > 0) this.push({ kind: 'pause', ms: pauseMs })
      const end = at < singleOctets ? at + 1 : octets.length
      this.write(octets.subarray(at, end))
      at = end
    }
  }

  /** Queues anything but a write. Replies are joined over timers, but not over what has its place in time. */
  push(effect: Exclude<Effect, { kind: 'write' }>): void {
    this.#effects.push(effect)
    if (effect.kind === 'timer') return
    this.#open = undefined
    this.#barriers += 1
  }

  take(): Effect | undefined {
    const effect = this.#effects.shift()
    if (effect === undefined) return undefined
    if (effect.kind === 'write') {
      if (effect.octets === this.#open) this.#open = undefined
      for (const octets of effect.octets) this.#heldOctets -= octets.length
    } else if (effect.kind !== 'timer') {
      this.#barriers -= 1
    }
    return effect
  }
}
