/** The hashing thread: right digests, a bounded queue, an end that waits for nobody, a crash that is survived. */
import { spawn } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import type { HashName } from '@postern/core/sasl'
import type { HashingWorker } from '../../src/host/hashing-worker.ts'
import { createHashingWorker } from '../../src/host/hashing-worker.ts'

const PASSWORD = new TextEncoder().encode('correct horse battery staple')
const SALT = new TextEncoder().encode('0123456789abcdef')

let workers: HashingWorker[] = []
function create(options?: { maxQueued: number }): HashingWorker {
  const worker = createHashingWorker(options)
  workers.push(worker)
  return worker
}
afterEach(async () => {
  const ending = workers
  workers = []
  await Promise.all(ending.map((worker) => worker.close()))
})

/** The threads started while `run` goes on, as the process is told of them. */
async function threadsOf(run: (threads: readonly Worker[]) => Promise<void>): Promise<void> {
  const threads: Worker[] = []
  const onWorker = (thread: Worker): void => void threads.push(thread)
  process.on('worker', onWorker)
  try {
    await run(threads)
  } finally {
    process.off('worker', onWorker)
  }
}

const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  )

describe('digests', () => {
  const rows: readonly (readonly [HashName, number, number])[] = [
    ['sha1', 1, 20],
    ['sha1', 4096, 20],
    ['sha256', 1, 32],
    ['sha256', 100_000, 32],
  ]
  for (const [hash, iterations, octets] of rows) {
    it(`${hash}, ${iterations} iterations`, async () => {
      const digest = await create().pbkdf2(PASSWORD, SALT, iterations, hash)
      expect(digest).toEqual(Uint8Array.from(pbkdf2Sync(PASSWORD, SALT, iterations, octets, hash)))
    })
  }

  it('leave the password and salt of the caller as they were', async () => {
    const password = PASSWORD.slice()
    const salt = Buffer.from(SALT)
    await create().pbkdf2(password, salt, 1, 'sha1')
    expect(password).toEqual(PASSWORD)
    expect(salt).toEqual(Buffer.from(SALT))
  })

  it('come back to who asked, in order', async () => {
    const worker = create()
    const done: number[] = []
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const digest = await worker.pbkdf2(PASSWORD, SALT, i + 1, 'sha256')
        expect(digest).toEqual(Uint8Array.from(pbkdf2Sync(PASSWORD, SALT, i + 1, 32, 'sha256')))
        done.push(i)
      }),
    )
    expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })
})

describe('the queue', () => {
  it('takes one under way and as many as may wait, then is busy', async () => {
    const worker = create({ maxQueued: 2 })
    const outcomes = Array.from({ length: 5 }, () => outcome(worker.pbkdf2(PASSWORD, SALT, 4096, 'sha256')))
    expect(await Promise.all(outcomes)).toEqual(['done', 'done', 'done', 'HASHER_BUSY', 'HASHER_BUSY'])
    expect(await outcome(worker.pbkdf2(PASSWORD, SALT, 4096, 'sha256'))).toBe('done')
  })

  it('lets one through when none may wait', async () => {
    const worker = create({ maxQueued: 0 })
    const outcomes = Array.from({ length: 2 }, () => outcome(worker.pbkdf2(PASSWORD, SALT, 1, 'sha256')))
    expect(await Promise.all(outcomes)).toEqual(['done', 'HASHER_BUSY'])
  })

  for (const iterations of [0, -1, 1.5, Number.NaN, 10_000_001]) {
    it(`refuses ${iterations} iterations`, async () => {
      expect(await outcome(create().pbkdf2(PASSWORD, SALT, iterations, 'sha256'))).toBe('HASHER_FAILED')
    })
  }

  it('survives a request the thread cannot do', async () => {
    const worker = create()
    expect(await outcome(worker.pbkdf2(PASSWORD, SALT, 1, 'sha3' as HashName))).toBe('HASHER_FAILED')
    expect(await outcome(worker.pbkdf2(PASSWORD, SALT, 1, 'sha1'))).toBe('done')
  })
})

describe('the thread', () => {
  it('is one, started by the first request', () =>
    threadsOf(async (threads) => {
      const worker = create()
      expect(threads).toHaveLength(0)
      await Promise.all(Array.from({ length: 8 }, () => worker.pbkdf2(PASSWORD, SALT, 1, 'sha1')))
      await worker.pbkdf2(PASSWORD, SALT, 1, 'sha1')
      expect(threads).toHaveLength(1)
    }))

  it('rejects what waits when it dies, and is started anew', () =>
    threadsOf(async (threads) => {
      const worker = create()
      await worker.pbkdf2(PASSWORD, SALT, 1, 'sha1')
      const waiting = Array.from({ length: 3 }, () => outcome(worker.pbkdf2(PASSWORD, SALT, 200_000, 'sha256')))
      await threads[0]?.terminate()
      expect(await Promise.all(waiting)).toEqual(['HASHER_FAILED', 'HASHER_FAILED', 'HASHER_FAILED'])
      expect(await outcome(worker.pbkdf2(PASSWORD, SALT, 1, 'sha1'))).toBe('done')
      expect(threads).toHaveLength(2)
    }))

  it('is started anew after dying idle', () =>
    threadsOf(async (threads) => {
      const worker = create()
      await worker.pbkdf2(PASSWORD, SALT, 1, 'sha1')
      await threads[0]?.terminate()
      expect(await outcome(worker.pbkdf2(PASSWORD, SALT, 1, 'sha1'))).toBe('done')
    }))
})

describe('close', () => {
  it('rejects what waits and all that follows, and may be called again', async () => {
    const worker = create()
    const waiting = Array.from({ length: 3 }, () => outcome(worker.pbkdf2(PASSWORD, SALT, 200_000, 'sha256')))
    const closing = worker.close()
    expect(await Promise.all(waiting)).toEqual(['HASHER_CLOSED', 'HASHER_CLOSED', 'HASHER_CLOSED'])
    await closing
    await worker.close()
    expect(await outcome(worker.pbkdf2(PASSWORD, SALT, 1, 'sha1'))).toBe('HASHER_CLOSED')
  })

  it('starts no thread of a worker that had none', () =>
    threadsOf(async (threads) => {
      await create().close()
      expect(threads).toHaveLength(0)
    }))
})

describe('a process with an idle thread', () => {
  const source = fileURLToPath(new URL('../../src/host/hashing-worker.ts', import.meta.url))
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

  async function run(program: string): Promise<string> {
    const args = ['--conditions=postern-source', '--import', tsx, '--input-type=module', '--eval', program]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return out + err
  }

  const expected = Buffer.from(pbkdf2Sync('pw', 'salt', 4096, 32, 'sha256')).toString('hex')

  it('runs it from sources under tsx, and ends by itself', async () => {
    const out = await run(`
      const { createHashingWorker } = await import(${JSON.stringify(pathToFileURL(source).href)})
      const digest = await createHashingWorker().pbkdf2(Buffer.from('pw'), Buffer.from('salt'), 4096, 'sha256')
      console.log(Buffer.from(digest).toString('hex'))`)
    expect(out.trim()).toBe(expected)
  })

  it('does not end while a hash is under way', async () => {
    const out = await run(`
      const { createHashingWorker } = await import(${JSON.stringify(pathToFileURL(source).href)})
      const worker = createHashingWorker()
      worker.pbkdf2(Buffer.from('pw'), Buffer.from('salt'), 1, 'sha256').then(() =>
        worker.pbkdf2(Buffer.from('pw'), Buffer.from('salt'), 4096, 'sha256'),
      ).then((digest) => console.log(Buffer.from(digest).toString('hex')))`)
    expect(out.trim()).toBe(expected)
  })
})
