/**
 * A thread that looks into messages, so that what takes processor time holds up nobody's conversation: who sent them, and
 * what words are in them. It is started with the first question; without it, or when it breaks or hangs, the server does
 * the work itself, which is slower for others but right.
 * Not here: what it does (message-thread-program.ts).
 */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Logger } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import type { ServerCalls, ThreadCalls } from './message-calls.ts'
import { ThreadLink, type Handlers, type Packet } from './thread-link.ts'

/** LIMIT: octets of messages that wait for the thread; beyond, what comes is done without it or put off. */
const MAX_WAITING_OCTETS = 64 * 1_048_576

/** LIMIT: twice what the analysis of a message may take; a thread that is silent for so long hangs. */
const MAX_SILENCE_MS = 120_000

type Question = keyof ThreadCalls & string

/** What a question is answered with when the thread can't. */
export type Unanswered = { readonly unanswered: 'no-thread' | 'busy' }

export class MessageThread {
  readonly #logger: Logger
  readonly #handlers: { -readonly [K in keyof ServerCalls]?: Handlers<ServerCalls>[K] } = {}
  #worker: Worker | undefined
  #link: ThreadLink<ThreadCalls, ServerCalls> | undefined
  #isReady = false
  #isOver = false
  #waitingOctets = 0

  constructor({ logger }: { readonly logger: Logger }) {
    this.#logger = logger
  }

  /** Answers what the thread asks. */
  serve<K extends keyof ServerCalls>(name: K, handler: Handlers<ServerCalls>[K]): void {
    this.#handlers[name] = handler
  }

  /** It runs and answers at once. When it does not run yet it is started, for the next. */
  get isReady(): boolean {
    if (!this.#isReady) this.#start()
    return this.#isReady
  }

  /**
   * @param octets of a message; they are copied
   * @param make the question, about the copy
   * Rejects with what went wrong in the thread, and with `StoreError` STORE_CLOSED after `close`.
   */
  async ask<K extends Question>(name: K, octets: Uint8Array, make: (copy: Uint8Array) => ThreadCalls[K]['asked']): Promise<ThreadCalls[K]['answer'] | Unanswered> {
    if (this.#waitingOctets > 0 && this.#waitingOctets + octets.length > MAX_WAITING_OCTETS) return { unanswered: 'busy' }
    this.#start()
    const link = this.#link
    const worker = this.#worker
    if (link === undefined || worker === undefined) return { unanswered: 'no-thread' }
    const copy = new Uint8Array(octets)
    this.#waitingOctets += octets.length
    if (link.pending === 0) worker.ref()
    const hung = setTimeout(() => this.#end(worker), MAX_SILENCE_MS)
    hung.unref()
    try {
      return await link.ask(name, make(copy), [copy.buffer])
    } catch (error) {
      if (error === BROKEN) return { unanswered: 'no-thread' }
      throw error
    } finally {
      clearTimeout(hung)
      this.#waitingOctets -= octets.length
      if (link.pending === 0) worker.unref()
    }
  }

  async close(): Promise<void> {
    this.#isOver = true
    this.#isReady = false
    const worker = this.#worker
    this.#worker = undefined
    this.#link?.fail(new StoreError('STORE_CLOSED', 'The thread for messages is closed'))
    await worker?.terminate()
  }

  #start(): void {
    if (this.#worker !== undefined || this.#isOver) return
    try {
      const worker = startProgram()
      const link = new ThreadLink<ThreadCalls, ServerCalls>((packet, transfer) => {
        if (this.#worker === worker) worker.postMessage(packet, transfer)
      }, this.#handlers)
      worker.on('message', (packet: Packet) => {
        this.#isReady = !this.#isOver
        link.heard(packet)
      })
      worker.on('error', (error) => this.#broke(worker, error))
      worker.on('exit', () => this.#broke(worker, undefined))
      worker.unref()
      this.#worker = worker
      this.#link = link
    } catch (error) {
      this.#isOver = true
      this.#logger.warn({ err: error }, 'No thread for messages: what is in them is looked into at once')
    }
  }

  #end(worker: Worker): void {
    this.#broke(worker, new Error('No answer for two minutes'))
    void worker.terminate()
  }

  #broke(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#isReady = false
    this.#isOver = true
    this.#logger.warn({ err: error }, 'The thread for messages ended: what is in them is looked into at once')
    this.#link?.fail(BROKEN)
  }
}

const BROKEN = Symbol('the thread ended')

/** @returns whether a question was left without an answer */
export function isUnanswered(answer: unknown): answer is Unanswered {
  return typeof answer === 'object' && answer !== null && 'unanswered' in answer
}

/** The thread's program lies beside this file, or beside the bundle that this file went into. */
function startProgram(): Worker {
  const options = { env: {}, name: 'postern-messages' }
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./message-thread.js', import.meta.url), { ...options, execArgv: [] })
  // From TypeScript sources, as tests run: what reads those is loaded first.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href
  const program = new URL('./message-thread-program.ts', import.meta.url).href
  const start = `import(${JSON.stringify(loader)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(program)}) })`
  return new Worker(start, { ...options, eval: true, execArgv: ['--conditions=postern-source'] })
}
