/**
 * Reads the words of messages: small ones at once, large ones in a thread of its own, so that none holds up the others'
 * conversations. Not here: what is learned, and where counts are kept.
 */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Logger } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import type { Corpus } from '@postern/junk/corpus'
import { createJunkFilter, type JunkClassification, type JunkFilterSettings } from '@postern/junk/filter'
import { readMessageKeys } from '@postern/junk/words'
import type { ThreadReply, ThreadRequest } from './junk-thread.ts'

/**
 * LIMIT: the first octets of a message that are read. The filter itself stops after half a MiB of text; what comes
 * before that in a message of this size is attachments.
 */
export const MAX_READ_OCTETS = 4 * 1_048_576
/** LIMIT: a message of this size takes some milliseconds, larger ones go to the thread. */
const AT_ONCE_OCTETS = 262_144
/** LIMIT: octets of messages that wait for the thread. */
const MAX_WAITING_OCTETS = 64 * 1_048_576

export interface JunkReader {
  /** Keys of a message's words, which is what learning needs. Octets are copied where they are needed longer. */
  keys(message: Uint8Array): Promise<Uint32Array>
  /** Rejects with `StoreError` STORE_BUSY when too much waits, and as the corpus does. */
  classify(message: Uint8Array, settings: JunkFilterSettings, corpus: Corpus): Promise<JunkClassification>
  close(): Promise<void>
}

interface Pending {
  readonly octets: number
  /** Counts of words, when it asks for them. */
  readonly corpus: Corpus | undefined
  readonly resolve: (reply: ThreadReply) => void
  readonly reject: (error: unknown) => void
  /** What the corpus rejected with. */
  cause?: unknown
}

export function createJunkReader({ logger }: { readonly logger: Logger }): JunkReader {
  const thread = new ReadingThread(logger)
  return {
    async keys(message) {
      if (message.length <= AT_ONCE_OCTETS) return readMessageKeys(message)
      const reply = await thread.ask((id, copy) => ({ kind: 'keys', id, message: copy }), message)
      return reply?.kind === 'keys' ? reply.keys : readMessageKeys(message)
    },
    async classify(message, settings, corpus) {
      if (message.length <= AT_ONCE_OCTETS) return createJunkFilter(settings, corpus).classify(message)
      const reply = await thread.ask((id, copy) => ({ kind: 'classify', id, message: copy, settings }), message, corpus)
      return reply?.kind === 'classified' ? reply.classification : createJunkFilter(settings, corpus).classify(message)
    },
    close: () => thread.close(),
  }
}

class ReadingThread {
  readonly #logger: Logger
  #worker: Worker | undefined
  readonly #pending = new Map<number, Pending>()
  #waitingOctets = 0
  #lastId = 0
  /** It could not be started, or broke: then all is read at once, which is slower for others but right. */
  #isBroken = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @param make the request, of a copy of the message that is handed over @returns undefined when there is no thread to be had */
  async ask(make: (id: number, message: Uint8Array) => ThreadRequest, message: Uint8Array, corpus?: Corpus): Promise<ThreadReply | undefined> {
    if (this.#isBroken) return undefined
    if (this.#waitingOctets > 0 && this.#waitingOctets + message.length > MAX_WAITING_OCTETS) throw new StoreError('STORE_BUSY', 'Too many large messages wait to be read')
    const worker = this.#start()
    if (worker === undefined) return undefined
    const id = (this.#lastId += 1)
    const copy = new Uint8Array(message)
    try {
      return await new Promise<ThreadReply>((resolve, reject) => {
        this.#pending.set(id, { octets: message.length, corpus, resolve, reject })
        this.#waitingOctets += message.length
        worker.ref()
        worker.postMessage(make(id, copy), [copy.buffer])
      })
    } catch (error) {
      if (error === BROKEN) return undefined
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isBroken = true
    const worker = this.#worker
    this.#worker = undefined
    for (const id of this.#pending.keys()) this.#take(id)?.reject(new StoreError('STORE_CLOSED', 'The filter of content is closed'))
    await worker?.terminate()
  }

  #start(): Worker | undefined {
    if (this.#worker !== undefined) return this.#worker
    try {
      const worker = startProgram()
      worker.on('message', (reply: ThreadReply) => void this.#heard(reply))
      worker.on('error', (error) => this.#broke(worker, error))
      worker.on('exit', () => this.#broke(worker, undefined))
      this.#worker = worker
      return worker
    } catch (error) {
      this.#isBroken = true
      this.#logger.warn({ err: error }, 'No thread for large messages: they are read at once')
      return undefined
    }
  }

  async #heard(reply: ThreadReply): Promise<void> {
    if (reply.kind !== 'counts') {
      const pending = this.#take(reply.id)
      if (reply.kind === 'failed') pending?.reject(pending.cause ?? new Error(reply.error))
      else pending?.resolve(reply)
      return
    }
    const { id, keys } = reply
    const pending = this.#pending.get(id)
    let counts
    try {
      counts = await pending?.corpus?.read(keys)
    } catch (error) {
      if (pending !== undefined) pending.cause = error
    }
    const answer: ThreadRequest = { kind: 'counts', id, counts }
    this.#worker?.postMessage(answer)
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    this.#waitingOctets -= pending.octets
    if (this.#pending.size === 0) this.#worker?.unref()
    return pending
  }

  #broke(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#isBroken = true
    this.#logger.warn({ err: error }, 'The thread for large messages ended: they are read at once')
    for (const id of this.#pending.keys()) this.#take(id)?.reject(BROKEN)
  }
}

const BROKEN = Symbol('the thread ended')

/** The thread's program lies beside this file, or beside the bundle that this file went into. */
function startProgram(): Worker {
  const options = { env: {}, name: 'postern-junk' }
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./junk-thread.js', import.meta.url), { ...options, execArgv: [] })
  // From TypeScript sources, as tests run: what reads those is loaded first.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href
  const program = new URL('./junk-thread.ts', import.meta.url).href
  const start = `import(${JSON.stringify(loader)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(program)}) })`
  return new Worker(start, { ...options, eval: true, execArgv: ['--conditions=postern-source'] })
}
