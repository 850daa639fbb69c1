/**
 * PBKDF2 in one worker thread, one request after another, behind a bounded queue: core's `Hasher`.
 * Never in libuv's pool, which the store's commits need: many slow hashes there would stop all mail.
 * Not here: what is hashed and why.
 */
import { Worker } from 'node:worker_threads'
import type { Hasher, HashName } from '@postern/core/sasl'
import { HasherError } from '@postern/core/sasl'

/**
 * LIMIT: at the default cost (34 ms a hash) the last in the queue waits two seconds; a client waits longer than that,
 * a guesser is told to come back.
 */
const DEFAULT_MAX_QUEUED = 64
/** LIMIT: 3.5 s of one core. */
const MAX_ITERATIONS = 10_000_000

/** A hasher with a thread of its own. */
export interface HashingWorker extends Hasher {
  /** Rejects what waits with HASHER_CLOSED and ends the thread. Idempotent. */
  close(): Promise<void>
}

/** One hash, as the thread gets it. */
interface Request {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly iterations: number
  readonly hash: HashName
}

/** What the thread answers. */
type Reply = { readonly digest: Uint8Array } | { readonly error: string }

interface Pending {
  readonly request: Request
  readonly resolve: (digest: Uint8Array) => void
  readonly reject: (error: HasherError) => void
}

/**
 * The whole program of the thread. It is turned into text and must not refer to anything outside itself: only so does
 * it run alike from sources, under a test runner and bundled, without a second file to find.
 */
function serveHashes(load: (module: string) => unknown): void {
  const { parentPort } = load('node:worker_threads') as typeof import('node:worker_threads')
  const { pbkdf2Sync } = load('node:crypto') as typeof import('node:crypto')
  const octets: Record<HashName, number> = { sha1: 20, sha256: 32 }
  parentPort?.on('message', ({ password, salt, iterations, hash }: Request) => {
    let reply: Reply
    try {
      reply = { digest: Uint8Array.from(pbkdf2Sync(password, salt, iterations, octets[hash], hash)) }
    } catch (error) {
      reply = { error: String(error) }
    }
    password.fill(0)
    parentPort.postMessage(reply)
  })
}

// Bundlers that keep names wrap functions in `__name(f, 'f')`. Minified, that name is another: so there is no named
// function inside the program, and nothing for them to wrap.
const PROGRAM = `'use strict';const __name=(f)=>f;(${serveHashes.toString()})(require)`

/**
 * Creates a hasher. The thread starts at the first request, does not keep the process alive while it has nothing to
 * do, and after a crash (HASHER_FAILED for all that waits) is started anew by the next request.
 * @param options.maxQueued requests that may wait beside the one under way; beyond it HASHER_BUSY. Default 64
 */
export function createHashingWorker(options: { readonly maxQueued?: number } = {}): HashingWorker {
  const maxQueued = options.maxQueued ?? DEFAULT_MAX_QUEUED
  let worker: Worker | undefined
  let current: Pending | undefined
  let queue: Pending[] = []
  let closing: Promise<void> | undefined

  function start(): Worker {
    // Nothing of the process's own start is repeated: loaders and preloads would cost a second and run twice.
    const started = new Worker(PROGRAM, { eval: true, execArgv: [], env: {}, name: 'postern-hashing' })
    let cause: unknown
    started.on('message', (reply: Reply) => {
      if (worker === started) finish(reply)
    })
    started.on('error', (error) => {
      cause = error
    })
    started.on('exit', (code) => {
      if (worker !== started) return
      worker = undefined
      rejectAll(new HasherError('HASHER_FAILED', `Hashing thread ended with code ${code}`, { cause }))
    })
    return started
  }

  function advance(): void {
    if (current !== undefined) return
    current = queue.shift()
    if (current === undefined) {
      worker?.unref()
      return
    }
    try {
      worker ??= start()
      worker.ref()
      worker.postMessage(current.request, [current.request.password.buffer as ArrayBuffer])
    } catch (cause) {
      // No thread to be had: whoever waits hears of it, and the next request tries again.
      rejectAll(new HasherError('HASHER_FAILED', 'Hashing thread could not be started', { cause }))
    }
  }

  function finish(reply: Reply): void {
    const done = current
    current = undefined
    if ('digest' in reply) done?.resolve(reply.digest)
    else done?.reject(new HasherError('HASHER_FAILED', 'Hash could not be computed', { cause: reply.error }))
    advance()
  }

  function rejectAll(error: HasherError): void {
    const waiting = current === undefined ? queue : [current, ...queue]
    current = undefined
    queue = []
    for (const pending of waiting) pending.reject(error)
  }

  return {
    pbkdf2(password, salt, iterations, hash) {
      return new Promise((resolve, reject) => {
        if (closing !== undefined) return reject(new HasherError('HASHER_CLOSED', 'Hashing has ended'))
        if (!Number.isInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
          return reject(new HasherError('HASHER_FAILED', `Iterations out of range: ${iterations}`))
        }
        if (current !== undefined && queue.length >= maxQueued) {
          return reject(new HasherError('HASHER_BUSY', 'Too many hashes wait'))
        }
        // Copies: the password's is handed over to the thread, which wipes it.
        const request = { password: Uint8Array.from(password), salt: Uint8Array.from(salt), iterations, hash }
        queue.push({ request, resolve, reject })
        advance()
      })
    },
    close() {
      closing ??= (async () => {
        const ending = worker
        worker = undefined
        rejectAll(new HasherError('HASHER_CLOSED', 'Hashing has ended'))
        await ending?.terminate()
      })()
      return closing
    },
  }
}
