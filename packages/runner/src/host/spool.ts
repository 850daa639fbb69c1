/**
 * Takes messages in before anyone has decided about them: in memory to 256 KiB, beyond that in a temporary file that is
 * not synced. A flood of mail that is refused costs no disk flush. Parsed and hashed while it comes in.
 *
 * Temporary files keep their names, so that one can be linked into the blobs when its message is accepted; what a crash
 * left behind is swept at the next start.
 */
import { isAscii } from 'node:buffer'
import { createHash, hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@postern/core/host'
import { createStructureScanner, parseStructure, type MessageStructure } from '@postern/core/message'
import { StoreError } from '@postern/core/store'
import type { Spool, SpooledMessage } from '@postern/core/store'

/** LIMIT: larger messages go to a file; a store keeps those up to here in its own records. */
const MEMORY_OCTETS = 262_144
/** LIMIT: octets of all messages in memory together. */
const BUDGET_OCTETS = 256 * 1_048_576
const FIRST_BUFFER_OCTETS = 8192
const FILE_SUFFIX = '.spool'

export interface SpoolerOptions {
  /** Directory for temporary files, its own. Undefined: messages of any size stay in memory. */
  readonly directory: string | undefined
  readonly random: Random
  /** Octets of a message kept in memory. Default 256 KiB. */
  readonly memoryOctets?: number
  /** Octets of all messages in memory. Default 256 MiB. */
  readonly budgetOctets?: number
  /** Asked before octets go to the file; rejects when the disk has no room for them. */
  readonly assertRoom?: (octets: number) => Promise<void>
}

/** A message in a temporary file. */
export interface FiledMessage extends SpooledMessage {
  /** Of a file in the same file system as the store, there until `release`. */
  readonly filePath: string
  /** Makes the file's octets durable. */
  sync(): Promise<void>
}

export interface Spooler {
  spool(): Spool
  /** Octets held in memory. */
  readonly bufferedOctets: number
}

/** Makes the directory and removes what a crash left in it. */
export async function createSpooler(options: SpoolerOptions): Promise<Spooler> {
  if (options.directory !== undefined) await sweep(options.directory)
  return spoolerOf(options)
}

/** A spooler without files: messages of any size stay in memory. */
export function createMemorySpooler(options: Omit<SpoolerOptions, 'directory' | 'assertRoom'>): Spooler {
  return spoolerOf({ ...options, directory: undefined })
}

function spoolerOf(options: SpoolerOptions): Spooler {
  const budget = new Budget(options.budgetOctets ?? BUDGET_OCTETS)
  return {
    spool: () => new MessageSpool(options, budget),
    get bufferedOctets() {
      return budget.taken
    },
  }
}

async function sweep(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory)) {
    if (name.endsWith(FILE_SUFFIX)) await unlink(join(directory, name))
  }
}

/** Octets that all spools of a store may hold in memory. */
class Budget {
  readonly #octets: number
  taken = 0

  constructor(octets: number) {
    this.#octets = octets
  }

  take(octets: number): void {
    if (this.taken + octets > this.#octets) throw new StoreError('STORE_BUSY', 'Too many messages are being received')
    this.taken += octets
  }

  giveBack(octets: number): void {
    this.taken -= octets
  }
}

interface SpoolFile {
  readonly path: string
  readonly handle: FileHandle
}

class MessageSpool implements Spool {
  readonly #options: SpoolerOptions
  readonly #budget: Budget
  /** In memory a message is looked at whole, at its end; on its way to a file piece by piece. */
  #scan: MessageScan | undefined
  #buffer = new Uint8Array(0)
  #sizeOctets = 0
  #file: SpoolFile | undefined
  /** Set by `abort`: a file that is being opened goes away at once. */
  #over = false

  constructor(options: SpoolerOptions, budget: Budget) {
    this.#options = options
    this.#budget = budget
  }

  write(octets: Uint8Array): void | Promise<void> {
    const { directory, memoryOctets = MEMORY_OCTETS } = this.#options
    if (this.#scan === undefined && (directory === undefined || this.#sizeOctets + octets.length <= memoryOctets)) {
      this.#hold(octets)
      this.#sizeOctets += octets.length
      return undefined
    }
    if (this.#scan === undefined) {
      this.#scan = new MessageScan()
      this.#scan.push(this.#buffer.subarray(0, this.#sizeOctets))
    }
    this.#scan.push(octets)
    this.#sizeOctets += octets.length
    return this.#file === undefined ? this.#writeFirst(directory as string, octets) : this.#writeOn(this.#file, octets)
  }

  async end(): Promise<SpooledMessage> {
    if (this.#scan !== undefined && this.#file !== undefined) {
      return fileMessage({ sizeOctets: this.#sizeOctets, ...this.#scan.end() }, this.#file)
    }
    const held = this.#buffer
    return new MemoryMessage(held.subarray(0, this.#sizeOctets), () => this.#budget.giveBack(held.length))
  }

  abort(): void {
    this.#over = true
    this.#letGo()
    if (this.#file !== undefined) void removeFile(this.#file)
    this.#file = undefined
  }

  /** Copies into the buffer, which doubles as needed. @throws StoreError STORE_BUSY; then nothing is held any more */
  #hold(octets: Uint8Array): void {
    const needed = this.#sizeOctets + octets.length
    if (needed > this.#buffer.length) {
      const { directory, memoryOctets = MEMORY_OCTETS } = this.#options
      // Small mail mostly comes in one piece, which then fits exactly.
      const doubled = this.#buffer.length === 0 ? octets.length : Math.max(this.#buffer.length * 2, FIRST_BUFFER_OCTETS)
      const length = Math.max(needed, directory === undefined ? doubled : Math.min(doubled, memoryOctets))
      try {
        this.#budget.take(length - this.#buffer.length)
      } catch (error) {
        this.#letGo()
        throw error
      }
      // Not zeroed: nothing beyond `sizeOctets` is ever read.
      const grown = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
      grown.set(this.#buffer.subarray(0, this.#sizeOctets))
      this.#buffer = grown
    }
    this.#buffer.set(octets, this.#sizeOctets)
  }

  #letGo(): void {
    this.#budget.giveBack(this.#buffer.length)
    this.#buffer = new Uint8Array(0)
  }

  /** The message has become too large for memory: a file takes it from its first octet. */
  async #writeFirst(directory: string, octets: Uint8Array): Promise<void> {
    const held = this.#buffer.subarray(0, this.#sizeOctets - octets.length)
    try {
      await this.#options.assertRoom?.(this.#sizeOctets)
      const path = join(directory, `${Buffer.from(this.#options.random(16)).toString('hex')}${FILE_SUFFIX}`)
      const file = { path, handle: await open(path, 'wx+', 0o600) }
      if (this.#over) return await removeFile(file)
      this.#file = file
      await writeWhole(file.handle, held)
      await writeWhole(file.handle, octets)
    } catch (error) {
      this.abort()
      throw asStoreError(error)
    }
    this.#letGo()
  }

  async #writeOn(file: SpoolFile, octets: Uint8Array): Promise<void> {
    try {
      await this.#options.assertRoom?.(octets.length)
      await writeWhole(file.handle, octets)
    } catch (error) {
      this.abort()
      throw asStoreError(error)
    }
  }
}

type MessageFacts = Pick<SpooledMessage, 'sizeOctets' | 'structure' | 'sha256' | 'eightBit'>

/** What is found out of a message that is never there whole. */
class MessageScan {
  readonly #scanner = createStructureScanner()
  readonly #hash = createHash('sha256')
  #eightBit = false

  push(octets: Uint8Array): void {
    this.#scanner.push(octets)
    this.#hash.update(octets)
    this.#eightBit ||= !isAscii(octets)
  }

  end(): Omit<MessageFacts, 'sizeOctets'> {
    return { structure: this.#scanner.end(), sha256: new Uint8Array(this.#hash.digest()), eightBit: this.#eightBit }
  }
}

/** A message in memory; its hash, which few ask for, is made when asked for. */
class MemoryMessage implements SpooledMessage {
  readonly sizeOctets: number
  readonly structure: MessageStructure
  readonly #onRelease: () => void
  #held: Uint8Array | undefined
  #sha256: Uint8Array | undefined

  constructor(octets: Uint8Array, onRelease: () => void) {
    this.sizeOctets = octets.length
    this.structure = parseStructure(octets)
    this.#held = octets
    this.#onRelease = onRelease
  }

  get sha256(): Uint8Array {
    this.#sha256 ??= new Uint8Array(hash('sha256', this.inMemory(), 'buffer'))
    return this.#sha256
  }

  get eightBit(): boolean {
    return !isAscii(this.inMemory())
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    return this.inMemory().subarray(Math.max(0, from), Math.max(0, to))
  }

  inMemory(): Uint8Array {
    if (this.#held === undefined) throw new Error('Message was released')
    return this.#held
  }

  release(): void {
    if (this.#held !== undefined) this.#onRelease()
    this.#held = undefined
  }
}

function fileMessage(facts: MessageFacts, file: SpoolFile): FiledMessage {
  let released = false
  return {
    ...facts,
    filePath: file.path,
    sync: () => file.handle.datasync(),
    async read(from, to) {
      const start = Math.max(0, from)
      const octets = new Uint8Array(Math.max(0, Math.min(to, facts.sizeOctets) - start))
      await readWhole(file.handle, octets, start)
      return octets
    },
    inMemory: () => undefined,
    release() {
      if (!released) void removeFile(file)
      released = true
    },
  }
}

async function writeWhole(handle: FileHandle, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) {
    const { bytesWritten } = await handle.write(octets, at, octets.length - at)
    at += bytesWritten
  }
}

async function readWhole(handle: FileHandle, octets: Uint8Array, start: number): Promise<void> {
  for (let at = 0; at < octets.length;) {
    const { bytesRead } = await handle.read(octets, at, octets.length - at, start + at)
    if (bytesRead === 0) throw new StoreError('STORE_CORRUPT', 'Temporary file is too short')
    at += bytesRead
  }
}

/** Never rejects: what can't be removed now goes with the sweep at the next start. */
async function removeFile({ path, handle }: SpoolFile): Promise<void> {
  await Promise.allSettled([unlink(path), handle.close()])
}

function asStoreError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new StoreError('STORE_FULL', 'Disk is full', { cause: error })
}
