/**
 * Merges deltas of a corpus into its counts by word, in the order of words, a few hundred a commit. The corpus record
 * says which deltas are being merged and up to which word they are: a merge that ended half-way goes on from there.
 * Words that came once and not again for long are dropped: they tell little and are most of all words.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createMemoryCorpus } from '@postern/junk/corpus'
import { loadDeltas } from './corpus-overlay.ts'
import type { CorpusRecord, WordNumber } from './corpus-record.ts'
import { decodeCorpus, decodeWord, encodeCorpus, encodeWord } from './corpus-record.ts'
import type { CorpusSource } from './corpus-words.ts'
import { keyAfter } from './key-octets.ts'
import { loopTurn } from './loop-turn.ts'
import type { Transaction } from './transaction.ts'

/** Deltas wait until they have so many octets: the more there are, the more of a page's words one writing changes. */
export const FOLD_OCTETS = 1_048_576
/** LIMIT: records of deltas merged at a time, so of 2 MiB. */
const MAX_DELTAS = 256
/** LIMIT: words changed by one commit. */
const SLICE_WORDS = 500
/** Words looked at by one step of dropping. */
const SWEEP_WORDS = 1_000
const SWEEP_EVERY_DAYS = 7
/** What came once and was not seen for so long is dropped. */
export const RARE_DAYS = 90
const DAY_SECONDS = 86_400

export interface FoldOptions {
  /** Octets of deltas from which on it is worth it. Default `FOLD_OCTETS` */
  readonly fromOctets?: number
  /** Asked between commits. */
  readonly isOver?: () => boolean
  /** Gives way to whatever else the server does, as long as not too much waits. */
  readonly unhurried?: boolean
}

/**
 * After a commit of words, which takes as long as one of twenty deliveries, and which the account's other changes wait
 * for, comes a rest: as long as it took when the server has nothing else to do, else so many times as long.
 */
const REST_WHEN_BUSY = 12
const MAX_REST_MS = 250
/** Share of the time that the loop is busy while this rests. */
const BUSY = 0.5
/** LIMIT: octets of deltas, all of which are in memory too, from which on there is no rest. */
const HURRY_OCTETS = 16 * FOLD_OCTETS

/** Merges what there is to merge. Of one corpus at a time; beside it deltas may be appended. */
export async function foldCorpus(source: CorpusSource, corpus: number, options: FoldOptions = {}): Promise<void> {
  const { fromOctets = FOLD_OCTETS, isOver = () => false, unhurried = false } = options
  while (!isOver()) {
    const record = await beginFold(source, corpus, fromOctets)
    if (record === undefined) break
    if (!(await foldWords(source, corpus, record, isOver, unhurried))) return
    await endFold(source, corpus, record)
  }
  await sweepWords(source, corpus, isOver)
}

/** @returns the record with a merge under way, undefined when there is none to do */
async function beginFold({ keys, writer }: CorpusSource, corpus: number, fromOctets: number): Promise<CorpusRecord | undefined> {
  return writer.change(async (tx) => {
    const record = decodeCorpus(await tx.get(keys.corpus(corpus)))
    if (record.foldEnd !== 0) return record
    if (record.next === record.first || record.deltaOctets < fromOctets) return undefined
    const begun = { ...record, foldEnd: Math.min(record.next, record.first + MAX_DELTAS), folded: undefined }
    tx.put(keys.corpus(corpus), encodeCorpus(begun))
    return begun
  })
}

/** @returns whether all words are merged */
async function foldWords(source: CorpusSource, corpus: number, record: CorpusRecord, isOver: () => boolean, unhurried: boolean): Promise<boolean> {
  const { store, keys, writer } = source
  const merged = createMemoryCorpus()
  await loadDeltas(store, keys, corpus, record.first, record.foldEnd, merged)
  const words = wordsOf(merged.rows(), record.folded)
  for (let at = 0; at < words.length; at += SLICE_WORDS) {
    if (isOver()) return false
    const slice = words.subarray(at, at + SLICE_WORDS)
    const halves = halvesOf(slice)
    const { counts } = await merged.read(halves)
    const began = performance.now()
    await writer.change((tx) => foldSlice(tx, source, corpus, { record, slice, halves, counts }))
    if (unhurried && record.deltaOctets < HURRY_OCTETS) await rest(performance.now() - began)
  }
  return true
}

async function rest(tookMs: number): Promise<void> {
  const before = performance.eventLoopUtilization()
  await delay(tookMs)
  const { utilization } = performance.eventLoopUtilization(before)
  if (utilization > BUSY) await delay(Math.min(MAX_REST_MS, (REST_WHEN_BUSY - 1) * tookMs))
}

interface Slice {
  readonly record: CorpusRecord
  readonly slice: BigUint64Array
  readonly halves: Uint32Array
  readonly counts: Int32Array
}

async function foldSlice(tx: Transaction, { keys }: CorpusSource, corpus: number, { record, slice, halves, counts }: Slice): Promise<void> {
  const now = decodeCorpus(await tx.get(keys.corpus(corpus)))
  const first = slice[0] as WordNumber
  if (now.foldEnd !== record.foldEnd || (now.folded !== undefined && now.folded >= first)) throw new Error('Two merges of one corpus')
  const day = Math.floor(tx.nowSeconds / DAY_SECONDS)
  const wanted: Uint8Array[] = []
  const keyOf = keys.wordKeys(corpus)
  for (let n = 0; n < halves.length; n += 2) wanted.push(keyOf(halves[n] as number, halves[n + 1] as number))
  for (const [n, octets] of (await tx.getMany(wanted)).entries()) {
    const before = octets === undefined ? { ham: 0, spam: 0 } : decodeWord(octets)
    const ham = before.ham + (counts[2 * n] as number)
    const spam = before.spam + (counts[2 * n + 1] as number)
    const key = wanted[n] as Uint8Array
    if (ham !== 0 || spam !== 0) tx.add(key, encodeWord({ ham, spam, day }))
    else if (octets !== undefined) tx.delete(key)
  }
  tx.put(keys.corpus(corpus), encodeCorpus({ ...now, folded: slice.at(-1) as WordNumber }))
}

async function endFold({ store, keys, writer }: CorpusSource, corpus: number, { first, foldEnd }: CorpusRecord): Promise<void> {
  const rows = await store.range({ ...keys.deltas(corpus, first, foldEnd), limit: MAX_DELTAS })
  const octets = rows.reduce((sum, { value }) => sum + value.length, 0)
  await writer.change(async (tx) => {
    const now = decodeCorpus(await tx.get(keys.corpus(corpus)))
    if (now.foldEnd !== foldEnd) throw new Error('Two merges of one corpus')
    for (const { key } of rows) tx.delete(key)
    const ended = { ...now, first: foldEnd, foldEnd: 0, folded: undefined, deltaOctets: now.deltaOctets - octets }
    tx.put(keys.corpus(corpus), encodeCorpus(ended))
  })
}

/** Drops rare old words, once in so many days. */
async function sweepWords({ store, keys, writer }: CorpusSource, corpus: number, isOver: () => boolean): Promise<void> {
  const [octets] = await store.getMany([keys.corpus(corpus)])
  if (octets === undefined) return
  const { sweptDay } = decodeCorpus(octets)
  const { to } = keys.words(corpus)
  let today = 0
  for (let { from } = keys.words(corpus); ; ) {
    if (isOver()) return
    const next = await writer.change(async (tx) => {
      today = Math.floor(tx.nowSeconds / DAY_SECONDS)
      if (today < sweptDay + SWEEP_EVERY_DAYS) return undefined
      return dropRare(tx, from, to, today - RARE_DAYS)
    })
    if (next === undefined) break
    from = next
    // Where nothing is dropped nothing is committed, and so nothing waited for.
    const turn = loopTurn()
    if (turn !== undefined) await turn
  }
  if (today < sweptDay + SWEEP_EVERY_DAYS) return
  await writer.change(async (tx) => {
    tx.put(keys.corpus(corpus), encodeCorpus({ ...decodeCorpus(await tx.get(keys.corpus(corpus))), sweptDay: today }))
  })
}

/** @returns where to go on; undefined at the end */
async function dropRare(tx: Transaction, from: Uint8Array, to: Uint8Array, beforeDay: number): Promise<Uint8Array | undefined> {
  const rows = await tx.range({ from, to }, SWEEP_WORDS)
  let dropped = 0
  for (const { key, value } of rows) {
    const { ham, spam, day } = decodeWord(value)
    if (day >= beforeDay || Math.abs(ham) + Math.abs(spam) > 1) continue
    if (dropped === SLICE_WORDS) return key
    tx.delete(key)
    dropped += 1
  }
  const last = rows.at(-1)
  return last === undefined || rows.length < SWEEP_WORDS ? undefined : keyAfter(last.key)
}

/** Which half of a number comes first in this machine's memory. */
const [LOW, HIGH] = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0]

/** Numbers of words, ascending, above one. Made in place of their halves: a quarter of a million numbers as objects would hold up others. */
function wordsOf(rows: Iterable<{ readonly high: number; readonly low: number }>, above: WordNumber | undefined): BigUint64Array {
  let halves = new Uint32Array(8_192)
  let used = 0
  for (const { high, low } of rows) {
    if (used === halves.length) {
      const grown = new Uint32Array(2 * used)
      grown.set(halves)
      halves = grown
    }
    halves[used + LOW] = low
    halves[used + HIGH] = high
    used += 2
  }
  const words = new BigUint64Array(halves.buffer, 0, used / 2).sort()
  if (above === undefined) return words
  let from = 0
  for (let to = words.length; from < to; ) {
    const middle = (from + to) >>> 1
    if ((words[middle] as WordNumber) <= above) from = middle + 1
    else to = middle
  }
  return words.subarray(from)
}

/** Keys of words, as reads take them. */
function halvesOf(words: BigUint64Array): Uint32Array {
  const given = new Uint32Array(words.buffer, words.byteOffset, 2 * words.length)
  const halves = new Uint32Array(given.length)
  for (let n = 0; n < given.length; n += 2) {
    halves[n] = given[n + HIGH] as number
    halves[n + 1] = given[n + LOW] as number
  }
  return halves
}
