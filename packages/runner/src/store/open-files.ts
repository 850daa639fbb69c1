/** Open files that are read again and again: a bounded number of them, the longest unused closed first. */
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'

interface OpenFile {
  readonly handle: FileHandle
  readonly sizeOctets: number
  users: number
  /** Out of the cache: to be closed by its last user. */
  dropped: boolean
}

export class OpenFiles {
  readonly #max: number
  readonly #files = new Map<string, Promise<OpenFile | undefined>>()

  /** @param max files kept open when nobody reads them */
  constructor(max: number) {
    this.#max = max
  }

  /** Octets `[from, to)`, clipped to the file; undefined when there is none. */
  async read(path: string, from: number, to: number): Promise<Uint8Array | undefined> {
    const file = await this.#take(path)
    if (file === undefined) return undefined
    try {
      const octets = new Uint8Array(Math.max(0, Math.min(to, file.sizeOctets) - from))
      for (let at = 0; at < octets.length;) {
        const { bytesRead } = await file.handle.read(octets, at, octets.length - at, from + at)
        if (bytesRead === 0) return octets.subarray(0, at)
        at += bytesRead
      }
      return octets
    } finally {
      await this.#giveBack(file)
    }
  }

  /** Closes the file once nobody reads it. */
  async drop(path: string): Promise<void> {
    const opening = this.#files.get(path)
    this.#files.delete(path)
    const file = await opening
    if (file === undefined) return
    file.dropped = true
    if (file.users === 0) await file.handle.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.keys()].map((path) => this.drop(path)))
  }

  async #take(path: string): Promise<OpenFile | undefined> {
    for (;;) {
      const opening = this.#files.get(path) ?? openFile(path)
      // The newest stands last.
      this.#files.delete(path)
      this.#files.set(path, opening)
      let file: OpenFile | undefined
      try {
        file = await opening
      } finally {
        if (file === undefined && this.#files.get(path) === opening) this.#files.delete(path)
      }
      if (file === undefined) return undefined
      // Dropped while this waited for it: perhaps closed already.
      if (file.dropped) continue
      file.users += 1
      await this.#trim()
      return file
    }
  }

  async #giveBack(file: OpenFile): Promise<void> {
    file.users -= 1
    if (file.dropped && file.users === 0) await file.handle.close()
  }

  async #trim(): Promise<void> {
    if (this.#files.size <= this.#max) return
    const [oldest] = this.#files.keys()
    if (oldest !== undefined) await this.drop(oldest)
  }
}

async function openFile(path: string): Promise<OpenFile | undefined> {
  try {
    const handle = await open(path, 'r')
    const { size } = await handle.stat()
    return { handle, sizeOctets: size, users: 0, dropped: false }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
