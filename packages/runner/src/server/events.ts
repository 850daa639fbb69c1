/** Events: told after the fact, never awaited; a listener that throws cannot hurt a conversation. */
import { channel } from 'node:diagnostics_channel'
import type { AnalysisSummary } from '@postern/core/analysis'
import type { RefusalReason } from '@postern/core/delivery'
import type { CloseReason } from '@postern/core/conversation'

export type Protocol = 'smtp' | 'imap' | 'imaps'

/** What a server tells, by event name. */
export interface MailEvents {
  connection: { readonly id: string; readonly protocol: Protocol; readonly remoteAddress: string | undefined }
  'connection-end': {
    readonly id: string
    readonly protocol: Protocol
    readonly reason: CloseReason
    readonly octetsIn: number
    readonly octetsOut: number
  }
  login: {
    readonly id: string
    readonly protocol: Protocol
    readonly login: string
    readonly mechanism: string
    readonly result: 'ok' | 'bad' | 'limited'
  }
  /** A message is durable in a mailbox; one event per account. */
  received: {
    readonly id: string
    /** Without brackets. */
    readonly messageId: string | undefined
    readonly account: string
    readonly mailbox: string
    readonly uid: number
    readonly modseq: number
    /** Keyword of what the decision rested on: `no-bad-signals`, `msgfromfull`, … */
    readonly reason: string
    readonly analysis: AnalysisSummary
  }
  /** A recipient or a message was refused. */
  rejected: {
    readonly id: string
    /** `from` is null for the null reverse-path. */
    readonly envelope: { readonly from: string | null; readonly to: readonly string[] }
    readonly reply: { readonly code: number; readonly enhanced: string; readonly text: string }
    readonly reason: RefusalReason
    /** Absent when it was refused before its data. */
    readonly analysis?: AnalysisSummary
  }
  /** A limit was reached. `key` is the address it was reached by. */
  limited: { readonly what: 'connection' | 'login' | 'rate'; readonly key: string }
  /** A report about one of our domains came and was stored. */
  report: { readonly kind: 'dmarc' | 'tls'; readonly domain: string; readonly reporter: string }
  /** Words of messages were learned, or taken out again. `forgotten` counts messages that were learned before, those that changed sides included. */
  trained: { readonly account: string; readonly ham: number; readonly spam: number; readonly forgotten: number }
  /** Something went wrong that nobody was waiting to hear of. */
  error: { readonly error: unknown; readonly where: string }
}
export type EventName = keyof MailEvents

/** How a host listens. */
export interface MailEventSource {
  /** @returns stops listening */
  on<E extends EventName>(event: E, listener: (told: MailEvents[E]) => void): () => void
  /** The next event that fits `where`; rejects with the signal's reason when aborted. */
  once<E extends EventName>(
    event: E,
    options?: { readonly signal?: AbortSignal; readonly where?: (told: MailEvents[E]) => boolean },
  ): Promise<MailEvents[E]>
  /** Events as they come, until the signal is aborted or the server closed. Beyond `buffer` (default 1,000) unread ones the oldest are dropped. */
  events<E extends EventName>(event: E, options?: { readonly signal?: AbortSignal; readonly buffer?: number }): AsyncIterableIterator<MailEvents[E]>
}

type Listener = (told: never) => void

/** The server's own end: tells events, also on the diagnostics channel `postern:<event>`. */
export class EventHub implements MailEventSource {
  readonly #listeners = new Map<EventName, Set<Listener>>()
  readonly #ended = new AbortController()

  emit<E extends EventName>(event: E, told: MailEvents[E]): void {
    const diagnostics = channel(`postern:${event}`)
    if (diagnostics.hasSubscribers) diagnostics.publish(told)
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        ;(listener as (told: MailEvents[E]) => void)(told)
      } catch (error) {
        if (event !== 'error') this.emit('error', { error, where: `listener of ${event}` })
      }
    }
  }

  on<E extends EventName>(event: E, listener: (told: MailEvents[E]) => void): () => void {
    let listeners = this.#listeners.get(event)
    if (listeners === undefined) this.#listeners.set(event, (listeners = new Set()))
    // Each registration stands for itself, also of a function registered twice.
    const own = ((told: MailEvents[E]) => listener(told)) as Listener
    listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  once<E extends EventName>(
    event: E,
    options: { readonly signal?: AbortSignal; readonly where?: (told: MailEvents[E]) => boolean } = {},
  ): Promise<MailEvents[E]> {
    return new Promise((resolve, reject) => {
      const { signal, where } = options
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const stop = this.on(event, (told) => {
        if (where !== undefined && !where(told)) return
        settle()
        resolve(told)
      })
      const onAbort = (): void => {
        settle()
        reject((signal?.aborted === true ? signal.reason : new Error('The server is closed')) as Error)
      }
      const settle = (): void => {
        stop()
        signal?.removeEventListener('abort', onAbort)
        this.#ended.signal.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort)
      this.#ended.signal.addEventListener('abort', onAbort)
    })
  }

  async *events<E extends EventName>(
    event: E,
    options: { readonly signal?: AbortSignal; readonly buffer?: number } = {},
  ): AsyncIterableIterator<MailEvents[E]> {
    const limit = options.buffer ?? 1_000
    const waiting: MailEvents[E][] = []
    let wake: () => void = () => {}
    const onEnd = (): void => wake()
    const stop = this.on(event, (told) => {
      waiting.push(told)
      if (waiting.length > limit) waiting.shift()
      wake()
    })
    options.signal?.addEventListener('abort', onEnd)
    this.#ended.signal.addEventListener('abort', onEnd)
    try {
      for (;;) {
        const told = waiting.shift()
        if (told !== undefined) yield told
        else if (options.signal?.aborted === true || this.#ended.signal.aborted) return
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      stop()
      options.signal?.removeEventListener('abort', onEnd)
      this.#ended.signal.removeEventListener('abort', onEnd)
    }
  }

  /** Ends every wait and iteration. */
  close(): void {
    this.#ended.abort()
    this.#listeners.clear()
  }
}
