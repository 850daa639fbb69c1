/**
 * Counts of words in a file: what a baseline is given as, and what experiments keep. One line of JSON, then rows sorted by
 * key, each of 16 octets: key u64, messages of ham u32, of spam u32. Read as it is, without a table beside it.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Corpus, CorpusCounts, CorpusTotals } from '@postern/junk/corpus'
import { MailServerError } from './mail-server-error.ts'
import { READING } from './junk-reading.ts'

const KIND = 'postern-junk-counts'
const ROW_OCTETS = 16
/** LIMIT: 64 million words. */
const MAX_FILE_OCTETS = 1_073_741_824
const MAX_HEAD_OCTETS = 1_000
const ROWS_AT_ONCE = 4_096

export interface WordRow {
  readonly high: number
  readonly low: number
  readonly ham: number
  readonly spam: number
}

/** Counts that never change. */
export interface CountsFile extends Pick<Corpus, 'read'> {
  readonly totals: CorpusTotals
  /** Words. */
  readonly size: number
  /** Ascending by key. */
  rows(): IterableIterator<WordRow>
}

/** Rejects with `MailServerError` COUNTS_INVALID when it is no such file, or one whose words were read in another way. */
export async function readCountsFile(path: string): Promise<CountsFile> {
  const pieces: Buffer[] = []
  let octets = 0
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    octets += piece.length
    if (octets > MAX_FILE_OCTETS) throw invalid(path, 'is too large')
    pieces.push(piece)
  }
  const whole = Buffer.concat(pieces)
  const end = whole.subarray(0, MAX_HEAD_OCTETS).indexOf(0x0a)
  const head = parseHead(whole.subarray(0, Math.max(0, end)).toString())
  if (head === undefined || whole.length - end - 1 !== head.words * ROW_OCTETS) throw invalid(path, 'holds no counts of words')
  if (head.reading !== READING) throw invalid(path, 'was made by a version that reads words in another way: make it anew')
  return new SortedCounts(whole.subarray(end + 1), { ham: head.ham, spam: head.spam })
}

/** Writes counts; the file is there as a whole or not at all. @param rows ascending by key, none below 0 */
export async function writeCountsFile(path: string, totals: CorpusTotals, rows: readonly WordRow[]): Promise<void> {
  const head = { kind: KIND, reading: READING, ham: totals.ham, spam: totals.spam, words: rows.length }
  function* pieces(): Generator<Buffer> {
    yield Buffer.from(`${JSON.stringify(head)}\n`)
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      const some = rows.slice(at, at + ROWS_AT_ONCE)
      const piece = Buffer.alloc(some.length * ROW_OCTETS)
      for (const [n, row] of some.entries()) {
        for (const [field, value] of [row.high, row.low, row.ham, row.spam].entries()) piece.writeUInt32BE(value, n * ROW_OCTETS + 4 * field)
      }
      yield piece
    }
  }
  const unfinished = `${path}.new`
  await pipeline(pieces(), createWriteStream(unfinished, { mode: 0o600, flush: true }))
  await rename(unfinished, path)
}

/** Rows of several sources added, ascending; those that come to nothing left out. */
export function addRows(...sources: readonly Iterable<WordRow>[]): WordRow[] {
  const all: WordRow[] = []
  for (const source of sources) for (const row of source) all.push(row)
  all.sort((a, b) => a.high - b.high || a.low - b.low)
  const added: WordRow[] = []
  for (const row of all) {
    const last = added.at(-1)
    if (last?.high !== row.high || last.low !== row.low) added.push(row)
    else added[added.length - 1] = { ...row, ham: last.ham + row.ham, spam: last.spam + row.spam }
  }
  return added.filter(({ ham, spam }) => ham > 0 || spam > 0).map((row) => ({ ...row, ham: Math.max(0, row.ham), spam: Math.max(0, row.spam) }))
}

class SortedCounts implements CountsFile {
  readonly #rows: Buffer
  readonly totals: CorpusTotals

  constructor(rows: Buffer, totals: CorpusTotals) {
    this.#rows = rows
    this.totals = totals
  }

  get size(): number {
    return this.#rows.length / ROW_OCTETS
  }

  read(keys: Uint32Array): Promise<CorpusCounts> {
    const counts = new Int32Array(keys.length)
    for (let n = 0; n < keys.length; n += 2) {
      const at = this.#find(keys[n] as number, keys[n + 1] as number)
      if (at === undefined) continue
      counts[n] = this.#rows.readUInt32BE(at + 8)
      counts[n + 1] = this.#rows.readUInt32BE(at + 12)
    }
    return Promise.resolve({ totals: this.totals, counts })
  }

  *rows(): IterableIterator<WordRow> {
    for (let at = 0; at < this.#rows.length; at += ROW_OCTETS) {
      const [high, low, ham, spam] = [0, 4, 8, 12].map((field) => this.#rows.readUInt32BE(at + field)) as [number, number, number, number]
      yield { high, low, ham, spam }
    }
  }

  /** Offset of a word's row. */
  #find(high: number, low: number): number | undefined {
    let from = 0
    let to = this.size
    while (from < to) {
      const middle = (from + to) >>> 1
      const at = middle * ROW_OCTETS
      const difference = this.#rows.readUInt32BE(at) - high || this.#rows.readUInt32BE(at + 4) - low
      if (difference === 0) return at
      if (difference < 0) from = middle + 1
      else to = middle
    }
    return undefined
  }
}

interface Head {
  readonly reading: number
  readonly ham: number
  readonly spam: number
  readonly words: number
}

function parseHead(text: string): Head | undefined {
  let value: Partial<Head> & { readonly kind?: unknown }
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return undefined
  }
  const { kind, reading, ham, spam, words } = value
  const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && (count as number) >= 0
  return kind === KIND && isCount(reading) && isCount(ham) && isCount(spam) && isCount(words) ? { reading, ham, spam, words } : undefined
}

function invalid(path: string, how: string): MailServerError {
  return new MailServerError('COUNTS_INVALID', `${path} ${how}`)
}
