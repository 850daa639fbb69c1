/**
 * Large message bodies as immutable files beside the store: `blobs/xx/<id>`. A file is there whole or not at all,
 * durable before its id is given. Not here: who refers to a blob.
 */
import { link, mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock, Random } from '@postern/core/host'
import { StoreError } from '@postern/core/store'
import type { SpooledMessage } from '@postern/core/store'
import { readUint, writeUint } from './big-endian.ts'
import { BLOB_ID_OCTETS } from './blob-keys.ts'
import { OpenFiles } from './open-files.ts'
import { syncDirectory } from './sync-directory.ts'

/** LIMIT: descriptors kept open between reads of the same blobs. */
const OPEN_FILES = 64
const PIECE_OCTETS = 262_144
const TIME_OCTETS = 6
const NEW_SUFFIX = '.new'

/** A message that lies in a file of the same file system. */
interface InFile {
  readonly filePath: string
  sync(): Promise<void>
}

export interface BlobFilesOptions {
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  /** Asked before octets are copied; rejects when the disk has no room for them. */
  readonly assertRoom?: (octets: number) => Promise<void>
}

export interface BlobFiles {
  /**
   * Keeps the message's octets: links its file, or copies. @returns the id, durable. Rejects with `StoreError`
   * STORE_FULL
   */
  create(message: SpooledMessage): Promise<Uint8Array>
  /** Octets `[from, to)`, clipped to the blob; undefined when there is none. */
  read(id: Uint8Array, from: number, to: number): Promise<Uint8Array | undefined>
  /** @returns whether there was one */
  delete(id: Uint8Array): Promise<boolean>
  /** Ids of all files, one directory at a time, and removes those that were never finished. */
  list(): AsyncIterable<readonly Uint8Array[]>
  close(): Promise<void>
}

/** When a blob was made. @returns milliseconds since 1970 */
export function blobTimeMs(id: Uint8Array): number {
  return readUint(id, 0, TIME_OCTETS)
}

/** Makes the directory when it isn't there. */
export async function openBlobFiles(options: BlobFilesOptions): Promise<BlobFiles> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 })
  return new FileBlobs(options)
}

class FileBlobs implements BlobFiles {
  readonly #options: BlobFilesOptions
  readonly #openFiles = new OpenFiles(OPEN_FILES)
  /** Directories known to exist, durably. */
  readonly #directories = new Set<string>()
  #lastMs = 0

  constructor(options: BlobFilesOptions) {
    this.#options = options
  }

  async create(message: SpooledMessage): Promise<Uint8Array> {
    const id = this.#newId()
    const path = this.#path(id)
    await this.#makeDirectory(dirname(path))
    try {
      if (!isInFile(message) || !(await linkFile(message, path))) await this.#copy(message, path)
      await syncDirectory(dirname(path))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
      throw new StoreError('STORE_FULL', 'Disk is full', { cause: error })
    }
    return id
  }

  read(id: Uint8Array, from: number, to: number): Promise<Uint8Array | undefined> {
    return this.#openFiles.read(this.#path(id), Math.max(0, from), to)
  }

  async delete(id: Uint8Array): Promise<boolean> {
    const path = this.#path(id)
    await this.#openFiles.drop(path)
    return removeFile(path)
  }

  async *list(): AsyncIterable<readonly Uint8Array[]> {
    for (const name of (await readdir(this.#options.directory)).sort()) {
      const directory = join(this.#options.directory, name)
      const ids: Uint8Array[] = []
      for (const file of (await readdir(directory)).sort()) {
        if (/^[0-9a-f]{32}$/.test(file)) ids.push(new Uint8Array(Buffer.from(file, 'hex')))
        else if (file.endsWith(NEW_SUFFIX) && this.#isOld(file)) await removeFile(join(directory, file))
      }
      yield ids
    }
  }

  close(): Promise<void> {
    return this.#openFiles.close()
  }

  /** A file under construction for a day: its writer is gone. */
  #isOld(name: string): boolean {
    const ms = blobTimeMs(new Uint8Array(Buffer.from(name.slice(0, 2 * TIME_OCTETS), 'hex')))
    return !(ms > this.#options.clock.now() - 24 * 3_600_000)
  }

  /** Ascending also when the clock is set back. */
  #newId(): Uint8Array {
    this.#lastMs = Math.max(this.#lastMs, this.#options.clock.now())
    const id = new Uint8Array(BLOB_ID_OCTETS)
    writeUint(id, 0, this.#lastMs, TIME_OCTETS)
    id.set(this.#options.random(BLOB_ID_OCTETS - TIME_OCTETS), TIME_OCTETS)
    return id
  }

  /** Spread over 256 directories by the random part. */
  #path(id: Uint8Array): string {
    const name = Buffer.from(id).toString('hex')
    return join(this.#options.directory, name.slice(-2), name)
  }

  async #makeDirectory(directory: string): Promise<void> {
    if (this.#directories.has(directory)) return
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await syncDirectory(this.#options.directory)
    this.#directories.add(directory)
  }

  async #copy(message: SpooledMessage, path: string): Promise<void> {
    await this.#options.assertRoom?.(message.sizeOctets)
    const part = `${path}${NEW_SUFFIX}`
    const file = await open(part, 'wx', 0o600)
    try {
      for (let at = 0; at < message.sizeOctets; at += PIECE_OCTETS) {
        await file.writeFile(await message.read(at, at + PIECE_OCTETS))
      }
      await file.datasync()
    } catch (error) {
      await Promise.allSettled([removeFile(part)])
      throw error
    } finally {
      await file.close()
    }
    await rename(part, path)
  }
}

function isInFile(message: SpooledMessage): message is SpooledMessage & InFile {
  return 'filePath' in message
}

/** @returns false when the file system has no hard links, or too many of this file */
async function linkFile(message: InFile, path: string): Promise<boolean> {
  await message.sync()
  try {
    await link(message.filePath, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPERM' || code === 'EXDEV' || code === 'EMLINK' || code === 'ENOTSUP' || code === 'ENOSYS')
      return false
    throw error
  }
}

async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
