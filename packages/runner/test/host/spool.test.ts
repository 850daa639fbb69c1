import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseStructure } from '@postern/core/message'
import { StoreError } from '@postern/core/store'
import type { SpooledMessage } from '@postern/core/store'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemRandom } from '../../src/host/random.ts'
import type { FiledMessage, Spooler, SpoolerOptions } from '../../src/host/spool.ts'
import { createSpooler } from '../../src/host/spool.ts'

const MEMORY_OCTETS = 1000

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'postern-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return join(path, 'tmp')
}

async function spooler(options: Partial<SpoolerOptions> = {}): Promise<{ spooler: Spooler; path: string }> {
  const path = await directory()
  const made = await createSpooler({ directory: path, random: systemRandom, memoryOctets: MEMORY_OCTETS, ...options })
  return { spooler: made, path }
}

function message(octets: number): Uint8Array {
  const head = Buffer.from('Subject: hello\r\nFrom: ada@example.org\r\n\r\n')
  const octetsOf = new Uint8Array(octets).map((_, i) => (i % 60 === 58 ? 13 : i % 60 === 59 ? 10 : 97 + (i % 26)))
  octetsOf.set(head.subarray(0, octets))
  return octetsOf
}

/** Writes in pieces of these sizes, the last as often as needed, from a buffer that is used again and again. */
async function take(made: Spooler, octets: Uint8Array, pieces: readonly number[]): Promise<SpooledMessage> {
  const spool = made.spool()
  const shared = new Uint8Array(Math.max(...pieces))
  for (let at = 0, n = 0; at < octets.length; n += 1) {
    const size = pieces[Math.min(n, pieces.length - 1)] as number
    const piece = octets.subarray(at, at + size)
    shared.set(piece)
    await spool.write(shared.subarray(0, piece.length))
    shared.fill(0)
    at += piece.length
  }
  return spool.end()
}

async function whole(taken: SpooledMessage): Promise<Uint8Array> {
  const octets = new Uint8Array(taken.sizeOctets)
  for (let at = 0; at < octets.length; at += 77) octets.set(await taken.read(at, at + 77), at)
  return octets
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1000; turn += 1) {
    if (await check()) return
  }
  throw new Error('It never came')
}

describe('spool', () => {
  const sizes: readonly [octets: number, inFile: boolean][] = [
    [0, false],
    [1, false],
    [999, false],
    [1000, false],
    [1001, true],
    [50_000, true],
  ]
  it.each(sizes)('holds %i octets (in a file: %s) whatever pieces they come in', async (size, inFile) => {
    const { spooler: made } = await spooler()
    const octets = message(size)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 }), async (pieces) => {
        const taken = await take(
          made,
          octets,
          pieces.map((piece) => Math.max(piece, Math.ceil(size / 50))),
        )
        try {
          expect(taken.sizeOctets).toBe(size)
          expect(await whole(taken)).toEqual(octets)
          expect(taken.sha256).toEqual(new Uint8Array(createHash('sha256').update(octets).digest()))
          expect(taken.structure).toEqual(parseStructure(octets))
          expect(taken.eightBit).toBe(false)
          expect(taken.inMemory() === undefined).toBe(inFile)
          expect('filePath' in taken).toBe(inFile)
          expect(await taken.read(size - 1, size + 100)).toEqual(octets.slice(-1))
          expect(await taken.read(size + 5, size + 100)).toHaveLength(0)
        } finally {
          taken.release()
        }
      }),
      { numRuns: 10 },
    )
    expect(made.bufferedOctets).toBe(0)
  })

  it('sees octets over 0x7f, in memory and in a file', async () => {
    const { spooler: made } = await spooler()
    for (const size of [500, 5000]) {
      const octets = message(size)
      octets[size - 1] = 0x80
      const taken = await take(made, octets, [400])
      expect(taken.eightBit).toBe(true)
      taken.release()
    }
  })

  it('copies what it holds: the writer may use its buffer again', async () => {
    const { spooler: made } = await spooler()
    const spool = made.spool()
    const octets = Uint8Array.of(1, 2, 3)
    expect(spool.write(octets)).toBeUndefined()
    octets.fill(9)
    const taken = await spool.end()
    expect(taken.inMemory()).toEqual(Uint8Array.of(1, 2, 3))
    taken.release()
  })

  it('keeps to the budget of all messages together, and gives it back', async () => {
    const { spooler: made } = await spooler({ memoryOctets: 10_000, budgetOctets: 30_000 })
    const held = [await take(made, message(10_000), [10_000]), await take(made, message(10_000), [10_000])]
    const open = made.spool()
    await open.write(message(9000))
    expect(made.bufferedOctets).toBeLessThanOrEqual(30_000)
    expect(() => made.spool().write(message(5000))).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
    // A message in a file needs nothing of it.
    const large = await take(made, message(20_000), [20_000])
    large.release()
    open.abort(new Error('gone'))
    for (const taken of held) {
      taken.release()
      taken.release()
    }
    expect(made.bufferedOctets).toBe(0)
    const again = await take(made, message(5000), [5000])
    again.release()
  })

  it('holds only its buffer: memory goes with octets received, and none once a file has them', async () => {
    const { spooler: made } = await spooler({ memoryOctets: 100_000 })
    const spool = made.spool()
    await spool.write(message(10))
    expect(made.bufferedOctets).toBeLessThanOrEqual(8192)
    await spool.write(message(90_000))
    expect(made.bufferedOctets).toBeLessThanOrEqual(100_000)
    await spool.write(message(90_000))
    expect(made.bufferedOctets).toBe(0)
    spool.abort(new Error('gone'))
  })

  it('removes its file when it is released, and when it breaks off', async () => {
    const { spooler: made, path } = await spooler()
    const taken = await take(made, message(5000), [5000])
    expect(await readdir(path)).toHaveLength(1)
    expect(new Uint8Array(await readFile((taken as FiledMessage).filePath))).toEqual(message(5000))
    taken.release()
    await eventually(async () => (await readdir(path)).length === 0)
    const broken = made.spool()
    await broken.write(message(5000))
    expect(await readdir(path)).toHaveLength(1)
    broken.abort(new Error('gone'))
    await eventually(async () => (await readdir(path)).length === 0)
  })

  it('removes its file also when it breaks off while it is being opened', async () => {
    const { spooler: made, path } = await spooler()
    const spool = made.spool()
    const written = spool.write(message(5000))
    spool.abort(new Error('gone'))
    await Promise.allSettled([written])
    await eventually(async () => (await readdir(path)).length === 0)
    expect(made.bufferedOctets).toBe(0)
  })

  it('sweeps what a crash left behind, and nothing else', async () => {
    const { path } = await spooler()
    await writeFile(join(path, 'deadbeef.spool'), 'x')
    await writeFile(join(path, 'keep'), 'x')
    await createSpooler({ directory: path, random: systemRandom })
    expect(await readdir(path)).toEqual(['keep'])
  })

  it('asks for room before it writes a file, and leaves nothing when there is none', async () => {
    const asked: number[] = []
    const { spooler: made, path } = await spooler({
      assertRoom: async (octets) => {
        asked.push(octets)
        if (asked.length === 2) throw new StoreError('STORE_FULL', 'Disk is under its reserve')
      },
    })
    const spool = made.spool()
    await spool.write(message(900))
    await spool.write(message(600))
    expect(asked).toEqual([1500])
    await expect(spool.write(message(700))).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(asked).toEqual([1500, 700])
    await eventually(async () => (await readdir(path)).length === 0)
    expect(made.bufferedOctets).toBe(0)
  })

  it('keeps messages of any size in memory when it has no directory', async () => {
    const made = await createSpooler({ directory: undefined, random: systemRandom, memoryOctets: 10 })
    const octets = message(100_000)
    const taken = await take(made, octets, [777])
    expect(taken.inMemory()).toEqual(octets)
    taken.release()
    expect(() => taken.inMemory()).toThrow('released')
    expect(made.bufferedOctets).toBe(0)
  })
})
