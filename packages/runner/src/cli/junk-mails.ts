/** Messages to try a filter of content with: a directory of files, one message each, an mbox file, or a single one. */
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FieldNames, findFields, parseDate, unfoldValue } from '@postern/core/message'
import type { Verdict } from '@postern/junk/corpus'

/** LIMIT: octets of a message that are read. */
const MAX_MAIL_OCTETS = 4 * 1_048_576
/** LIMIT: of an mbox file, which is read as a whole. */
const MAX_MBOX_OCTETS = 1_073_741_824
const MAX_HEADER_OCTETS = 65_536
const LINE_FEED = 0x0a

export interface Mail {
  /** File, and in an mbox file the number of the message from 1. */
  readonly name: string
  readonly octets: Uint8Array
}

export interface JudgedMail extends Mail {
  readonly verdict: Verdict
}

/** Messages of a directory and those below it, by name, or of a file. Hidden files are passed over. */
export async function* readMails(path: string): AsyncGenerator<Mail> {
  const found = await stat(path)
  if (!found.isDirectory()) {
    if (found.size > MAX_MBOX_OCTETS) throw new Error(`${path} is too large: an mbox file may have ${MAX_MBOX_OCTETS} octets`)
    const octets = await readFile(path)
    if (beginsMail(octets, 0)) yield* readMbox(path, octets)
    else yield { name: path, octets: octets.subarray(0, MAX_MAIL_OCTETS) }
    return
  }
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const name = join(path, entry.name)
    if (entry.isDirectory()) yield* readMails(name)
    else if (entry.isFile()) yield { name, octets: withoutMboxLine(await readStart(name)) }
  }
}

/** Messages of a file that begins with a line `From `, each from such a line, after an empty one, to the next; of `>From ` one `>` is taken off. RFC 4155, "mboxrd" */
export function* readMbox(path: string, file: Buffer): Generator<Mail> {
  let number = 0
  let start = 0
  for (let at = 0; at < file.length; ) {
    const end = file.indexOf(LINE_FEED, at)
    const next = end < 0 ? file.length : end + 1
    const isLast = next >= file.length
    if (isLast || (isEmptyLine(file, at, next) && beginsMail(file, next))) {
      number += 1
      const whole = file.subarray(start, isLast ? next : at)
      yield { name: `${path}#${number}`, octets: unquoted(withoutMboxLine(whole)).subarray(0, MAX_MAIL_OCTETS) }
      start = next
    }
    at = next
  }
}

/** Ham first, then spam. @param sent further ham */
export async function readJudged(ham: string, spam: string, sent?: string): Promise<JudgedMail[]> {
  const mails: JudgedMail[] = []
  for (const [path, verdict] of [[ham, 'ham'], [sent, 'ham'], [spam, 'spam']] as const) {
    if (path === undefined) continue
    for await (const mail of readMails(path)) mails.push({ ...mail, verdict })
  }
  return mails
}

const DATE = new FieldNames(['date'])

/** Seconds since 1970 by its Date field; undefined when there is none that can be read. */
export function dateOf({ octets }: Mail): number | undefined {
  const [field] = findFields(octets.subarray(0, MAX_HEADER_OCTETS), DATE)
  return field === undefined ? undefined : parseDate(unfoldValue(octets, field))?.seconds
}

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const octets = Buffer.alloc(Math.min(size, MAX_MAIL_OCTETS))
    const { bytesRead } = await file.read(octets, 0, octets.length, 0)
    return octets.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

function withoutMboxLine(octets: Buffer): Buffer {
  return beginsMail(octets, 0) ? octets.subarray(octets.indexOf(LINE_FEED) + 1) : octets
}

function beginsMail(octets: Buffer, at: number): boolean {
  return octets.toString('latin1', at, at + 5) === 'From ' && octets.includes(LINE_FEED, at)
}

function isEmptyLine(octets: Buffer, at: number, end: number): boolean {
  return end - at === 1 || (end - at === 2 && octets[at] === 0x0d)
}

function unquoted(octets: Buffer): Buffer {
  if (!octets.includes('\n>')) return octets
  return Buffer.from(octets.toString('latin1').replace(/^>(>*From )/gm, '$1'), 'latin1')
}
