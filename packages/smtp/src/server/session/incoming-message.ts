/**
 * A message on its way from the peer to the host's sink, by DATA or in chunks: once refused it stays refused to its end, and
 * its sink hears of one end only. Not here: framing, and what is told to the peer (commands/).
 */
import type { OctetSink } from '@postern/core/host'
import type { Reply } from '../../syntax/reply.ts'
import type { MessageReply } from './backend.ts'
import type { OctetCheck } from './octet-checks.ts'

export class IncomingMessage implements OctetSink<MessageReply> {
  readonly #sink: OctetSink<MessageReply> | undefined
  readonly #checks: readonly OctetCheck[]
  #isOpen: boolean
  #refusal: Reply | undefined
  #sizeOctets = 0

  /** @param sink absent when the host has refused the message before it came */
  constructor(sink: OctetSink<MessageReply> | undefined, checks: readonly OctetCheck[]) {
    this.#sink = sink
    this.#checks = checks
    this.#isOpen = sink !== undefined
  }

  /** Why it will not be taken, however much more of it comes. */
  get refusal(): Reply | undefined {
    return this.#refusal
  }

  /** Octets the sink was given. */
  get sizeOctets(): number {
    return this.#sizeOctets
  }

  /** Gives it up for good; the first reason counts. */
  refuse(reply: Reply): void {
    this.#refusal ??= reply
    this.abort(new Error('Message refused'))
  }

  /** Octets of a refused message go nowhere. */
  write(octets: Uint8Array): void | Promise<void> {
    if (!this.#isOpen || this.#sink === undefined) return undefined
    for (const check of this.#checks) {
      const refusal = check.look(octets)
      if (refusal !== undefined) return this.refuse(refusal)
    }
    this.#sizeOctets += octets.length
    let pending: void | Promise<void>
    try {
      pending = this.#sink.write(octets)
    } catch (error) {
      this.#isOpen = false
      throw error
    }
    if (pending === undefined) return undefined
    return pending.then(undefined, (error: unknown) => {
      this.#isOpen = false
      throw error
    })
  }

  async end(): Promise<MessageReply> {
    for (const check of this.#checks) {
      const refusal = this.#isOpen ? check.end() : undefined
      if (refusal !== undefined) this.refuse(refusal)
    }
    if (this.#refusal !== undefined) return this.#refusal
    if (!this.#isOpen || this.#sink === undefined) throw new Error('Message ended before')
    this.#isOpen = false
    return await this.#sink.end()
  }

  abort(cause: unknown): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#sink?.abort(cause)
  }
}
