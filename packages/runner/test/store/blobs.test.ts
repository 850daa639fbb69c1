import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@postern/core/host'
import type { SpooledMessage } from '@postern/core/store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemRandom } from '../../src/host/random.ts'
import type { Spooler } from '../../src/host/spool.ts'
import { createSpooler } from '../../src/host/spool.ts'
import type { Collected } from '../../src/store/blob-collector.ts'
import { collectBlobs } from '../../src/store/blob-collector.ts'
import type { BlobFiles } from '../../src/store/blob-files.ts'
import { blobTimeMs, openBlobFiles } from '../../src/store/blob-files.ts'
import { decodeBlobHead } from '../../src/store/blob-records.ts'
import type { BlobOwner } from '../../src/store/blob-keys.ts'
import { AccountKeys, MessagePart } from '../../src/store/account-keys.ts'
import { blobKeys } from '../../src/store/blob-keys.ts'
import { createMemoryBlobs } from '../../src/store/memory-blobs.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import type { OrderedStore } from '../../src/store/ordered-store.ts'
import { compareOctets } from '../../src/store/ordered-store.ts'
import type { StoredBlobs } from '../../src/store/stored-blobs.ts'
import { createStoredBlobs } from '../../src/store/stored-blobs.ts'
import type { TestClock } from '../../src/testing/test-clock.ts'
import { createTestClock } from '../../src/testing/test-clock.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface Place {
  readonly root: string
  readonly clock: TestClock
  readonly store: OrderedStore
  readonly files: BlobFiles
  readonly blobs: StoredBlobs
  readonly spooler: Spooler
  collect(): Promise<Collected>
}

async function place(): Promise<Place> {
  const root = await temporaryDirectory()
  const clock = createTestClock({ frozen: true })
  const store = createMemoryOrderedStore()
  const files = await openBlobFiles({ directory: join(root, 'blobs'), clock, random: systemRandom })
  onTestFinished(() => files.close())
  const blobs = createStoredBlobs({ store, files, clock })
  const spooler = await createSpooler({ directory: join(root, 'tmp'), random: systemRandom, memoryOctets: 1000 })
  return {
    root,
    clock,
    store,
    files,
    blobs,
    spooler,
    collect: () => collectBlobs({ store, files, clock, log: silentLogger }),
  }
}

async function received(spooler: Spooler, octets: Uint8Array): Promise<SpooledMessage> {
  const spool = spooler.spool()
  await spool.write(octets)
  const message = await spool.end()
  onTestFinished(() => message.release())
  return message
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7) % 253)
}

async function namesIn(root: string): Promise<string[]> {
  const found: string[] = []
  for (const directory of await readdir(join(root, 'blobs')))
    found.push(...(await readdir(join(root, 'blobs', directory))))
  return found.sort()
}

function owner(account: number, emailId: number): BlobOwner {
  return { kind: 'message', account, emailId }
}

/** Makes an account's message exist, or go. */
async function setMessage(store: OrderedStore, account: number, emailId: number, exists: boolean): Promise<void> {
  const keys = new AccountKeys(account)
  const key = keys.message(emailId, MessagePart.structure)
  const change = exists ? { put: [{ key, value: Uint8Array.of(1) }] } : { delete: [key] }
  await store.commit({ partition: keys.partition, ...change })
}

async function stateOf(store: OrderedStore, id: Uint8Array): Promise<string | undefined> {
  const [head] = await store.getMany([blobKeys.head(id)])
  return head === undefined ? undefined : decodeBlobHead(head).state
}

async function refsOf(store: OrderedStore, id: Uint8Array): Promise<number> {
  return (await store.range({ ...blobKeys.refs(id), limit: 1000 })).length
}

describe('blob files', () => {
  it.each([
    ['in memory, copied', 900],
    ['in a file, linked', 300_000],
  ])('keeps a message %s', async (_title, size) => {
    const { files, spooler, root } = await place()
    const message = await received(spooler, pattern(size))
    const id = await files.create(message)
    message.release()
    expect(await files.read(id, 0, size)).toEqual(pattern(size))
    expect(await files.read(id, 10, 20)).toEqual(pattern(size).slice(10, 20))
    expect(await files.read(id, size - 5, size + 99)).toEqual(pattern(size).slice(-5))
    expect(await files.read(id, size + 5, size + 99)).toHaveLength(0)
    const name = Buffer.from(id).toString('hex')
    expect(await namesIn(root)).toEqual([name])
    expect((await stat(join(root, 'blobs', name.slice(-2), name))).mode & 0o777).toBe(0o600)
  })

  it('links rather than copies, and falls back to copying when it cannot', async () => {
    const { files, spooler } = await place()
    const message = (await received(spooler, pattern(5000))) as SpooledMessage & { filePath: string }
    const before = (await stat(message.filePath)).nlink
    await files.create(message)
    expect((await stat(message.filePath)).nlink).toBe(before + 1)
    // Another file system: no hard link leads there.
    const elsewhere = { ...message, filePath: '/proc/self/status' }
    const id = await files.create(elsewhere)
    expect(await files.read(id, 0, 5000)).toEqual(pattern(5000))
  })

  it('gives ascending ids, also when the clock is set back', async () => {
    const { files, spooler, clock } = await place()
    const message = await received(spooler, pattern(10))
    const first = await files.create(message)
    expect(blobTimeMs(first)).toBe(clock.now())
    clock.set(new Date(clock.now() - DAY))
    const second = await files.create(message)
    expect(blobTimeMs(second)).toBe(blobTimeMs(first))
    expect(compareOctets(first, second)).not.toBe(0)
  })

  it('reads many blobs at a time, with few files open, and reads on while one is deleted', async () => {
    const { files, spooler } = await place()
    const ids: Uint8Array[] = []
    for (let i = 0; i < 150; i += 1) ids.push(await files.create(await received(spooler, pattern(100 + i))))
    const read = await Promise.all([...ids, ...ids].map((id) => files.read(id, 0, 1000)))
    expect(read.map((octets) => octets?.length)).toEqual([...ids, ...ids].map((_, i) => 100 + (i % 150)))
    const descriptors = await readdir('/proc/self/fd').catch(() => [])
    expect(descriptors.length).toBeLessThan(64 + 80)

    const id = ids[0] as Uint8Array
    const reading = files.read(id, 0, 1000)
    expect(await files.delete(id)).toBe(true)
    const octets = await reading
    expect(octets === undefined || octets.length === 100).toBe(true)
    expect(await files.read(id, 0, 10)).toBeUndefined()
    expect(await files.delete(id)).toBe(false)
  })
})

describe('stored blobs', () => {
  it('share one blob between the recipients of a message', async () => {
    const { blobs, spooler, store, root } = await place()
    const message = await received(spooler, pattern(5000))
    const first = await blobs.keep(message, [owner(1, 1)])
    const second = await blobs.keep(message, [owner(2, 8), owner(1, 2)])
    expect(second).toEqual(first)
    expect(await refsOf(store, first)).toBe(3)
    expect(await namesIn(root)).toHaveLength(1)
    const head = decodeBlobHead((await store.getMany([blobKeys.head(first)]))[0] as Uint8Array)
    expect(head).toMatchObject({ state: 'live', sizeOctets: 5000, sha256: message.sha256 })
  })

  it('share none between messages with the same octets: nobody learns what another has', async () => {
    const { blobs, spooler } = await place()
    const [a, b] = [await received(spooler, pattern(5000)), await received(spooler, pattern(5000))]
    expect(await blobs.keep(a, [owner(1, 1)])).not.toEqual(await blobs.keep(b, [owner(2, 1)]))
  })

  it('make a new blob when the one they shared is dying', async () => {
    const { blobs, spooler, clock, collect, store } = await place()
    const message = await received(spooler, pattern(5000))
    const first = await blobs.keep(message, [owner(1, 1)])
    await clock.advance(25 * HOUR)
    expect(await collect()).toEqual({ dying: 1, gone: 0 })
    const second = await blobs.keep(message, [owner(2, 1)])
    expect(second).not.toEqual(first)
    expect(await refsOf(store, first)).toBe(0)
    expect(await blobs.read(second, 0, 9)).toEqual(pattern(9))
  })

  it('in memory: go with their last owner', async () => {
    const { spooler } = await place()
    const blobs = createMemoryBlobs()
    const id = await blobs.keep(await received(spooler, pattern(50)), [owner(1, 1), owner(1, 2)])
    await blobs.forget(id, owner(1, 1))
    expect(await blobs.read(id, 10, 99)).toEqual(pattern(50).slice(10))
    await blobs.forget(id, owner(1, 2))
    expect(await blobs.read(id, 0, 9)).toBeUndefined()
  })
})

describe('blob collector', () => {
  it('keeps a blob while its owner exists, however old', async () => {
    const { blobs, spooler, clock, collect, store } = await place()
    const id = await blobs.keep(await received(spooler, pattern(50)), [owner(1, 7), owner(2, 9)])
    await setMessage(store, 2, 9, true)
    await clock.advance(30 * DAY)
    expect(await collect()).toEqual({ dying: 0, gone: 0 })
    expect(await stateOf(store, id)).toBe('live')
    await setMessage(store, 2, 9, false)
    expect(await collect()).toEqual({ dying: 1, gone: 0 })
    expect(await refsOf(store, id)).toBe(0)
  })

  it('lets a blob die, and removes it an hour later: file first, then head', async () => {
    const { blobs, spooler, clock, collect, store, root } = await place()
    const id = await blobs.keep(await received(spooler, pattern(50)), [owner(1, 7)])
    await blobs.forget(id, owner(1, 7))
    await clock.advance(23 * HOUR)
    expect(await collect()).toEqual({ dying: 0, gone: 0 })
    await clock.advance(2 * HOUR)
    expect(await collect()).toEqual({ dying: 1, gone: 0 })
    expect(await blobs.read(id, 0, 9)).toEqual(pattern(9))
    await clock.advance(HOUR / 2)
    expect(await collect()).toEqual({ dying: 0, gone: 0 })
    await clock.advance(HOUR)
    expect(await collect()).toEqual({ dying: 0, gone: 1 })
    expect(await stateOf(store, id)).toBeUndefined()
    expect(await namesIn(root)).toEqual([])
    expect(await collect()).toEqual({ dying: 0, gone: 0 })
  })

  it('brings a dying blob back when it finds a reference that counts', async () => {
    const { blobs, spooler, clock, collect, store } = await place()
    const id = await blobs.keep(await received(spooler, pattern(50)), [owner(1, 7)])
    await clock.advance(25 * HOUR)
    await collect()
    await setMessage(store, 1, 7, true)
    const { partition } = blobKeys
    const [key, value] = [blobKeys.ref(id, owner(1, 7)), Uint8Array.of(1, 0, 0, 0, 0, 0)]
    await store.commit({ partition, put: [{ key, value }] })
    await clock.advance(2 * HOUR)
    expect(await collect()).toEqual({ dying: 0, gone: 0 })
    expect(await stateOf(store, id)).toBe('live')
  })

  it('counts a young reference though its owner is not there yet', async () => {
    const { blobs, spooler, clock, collect, store } = await place()
    const message = await received(spooler, pattern(50))
    const id = await blobs.keep(message, [owner(1, 7)])
    await clock.advance(25 * HOUR)
    await blobs.keep(message, [owner(1, 8)])
    expect(await collect()).toEqual({ dying: 0, gone: 0 })
    expect(await stateOf(store, id)).toBe('live')
  })

  it('takes what the queue refers to for used, unless told otherwise', async () => {
    const { blobs, spooler, clock, collect, store, files } = await place()
    await blobs.keep(await received(spooler, pattern(50)), [{ kind: 'queue', id: 5 }])
    await clock.advance(25 * HOUR)
    expect(await collect()).toEqual({ dying: 0, gone: 0 })
    const isQueued = async (): Promise<boolean> => false
    expect(await collectBlobs({ store, files, clock, log: silentLogger, isQueued })).toEqual({ dying: 1, gone: 0 })
  })

  it('removes files whose head was never committed, and those never finished, after a day', async () => {
    const { files, spooler, clock, collect, root } = await place()
    const id = await files.create(await received(spooler, pattern(50)))
    const name = Buffer.from(id).toString('hex')
    await writeFile(join(root, 'blobs', name.slice(-2), `${name}.new`), 'half')
    await clock.advance(23 * HOUR)
    await collect()
    expect(await namesIn(root)).toHaveLength(2)
    await clock.advance(2 * HOUR)
    expect(await collect()).toEqual({ dying: 0, gone: 1 })
    expect(await namesIn(root)).toEqual([])
  })

  it('goes through any number of blobs and references', async () => {
    const { store, files, clock, collect } = await place()
    const blobs = createStoredBlobs({
      store,
      clock,
      files: {
        ...files,
        create: async () => systemRandom(16),
        read: async () => undefined,
        list: () => files.list(),
        delete: async () => true,
      },
    })
    const message = {} as SpooledMessage
    for (let i = 0; i < 300; i += 1) {
      const owners = Array.from({ length: i === 0 ? 400 : 1 }, (_, n) => owner(1, n + 1))
      await blobs.keep({ ...message, sizeOctets: 1, sha256: new Uint8Array(32) }, owners)
    }
    await clock.advance(25 * HOUR)
    expect(await collect()).toEqual({ dying: 300, gone: 0 })
    await clock.advance(2 * HOUR)
    expect(await collect()).toEqual({ dying: 0, gone: 300 })
    expect(await store.range({ from: Uint8Array.of(0x62), to: Uint8Array.of(0x63), limit: 1 })).toEqual([])
  })
})
