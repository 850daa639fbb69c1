/**
 * Other people's mail, told and searched: whatever is in it, answers can be read back, sizes are true and a word of a
 * message finds it. The answers are read by a reader of their own, which knows nothing of how they were written.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseFetchItems } from '../../src/fetch/items.ts'
import { renderMessages } from '../../src/fetch/render.ts'
import { parseCriteria } from '../../src/search/criteria.ts'
import { findMessages } from '../../src/search/match.ts'
import { planSearch } from '../../src/search/plan.ts'
import type { View } from '../../src/session/view.ts'
import { Reader } from '../../src/syntax/reader.ts'
import { fillMailbox } from '../filled-mailbox.ts'

const root = process.env['POSTERN_CORPORA'] ?? resolve(import.meta.dirname, '../../../../../shared/corpora')
const FOLDERS = ['mime-mail-parser', 'mime-mime4j', 'mime-python-email', 'mime-ruby-mail', 'rspamd-messages']
const MAIL = new Set(['.eml', '.msg', '.txt'])
const MAX_OCTETS = 300_000

function messagesIn(folder: string): readonly Uint8Array[] {
  const base = resolve(root, folder)
  const files = readdirSync(base, { recursive: true, encoding: 'utf8' }).map((name) => resolve(base, name))
  return files
    .filter((file) => MAIL.has(extname(file)) && statSync(file).isFile() && statSync(file).size <= MAX_OCTETS)
    .sort()
    .map((file) => new Uint8Array(readFileSync(file)))
    .filter((octets) => octets.length > 0)
}

/** A parenthesised list, a string, or an atom. */
type Value = readonly Value[] | { readonly string: string } | string

/** Reads FETCH responses of RFC 3501 §9, nothing left over. */
class AnswerReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  *responses(): Generator<ReadonlyMap<string, Value>> {
    while (this.#at < this.#text.length) {
      this.#match(/\* \d+ FETCH /y)
      const list = this.#value()
      this.#match(/\r\n/y)
      if (!Array.isArray(list)) throw new Error('FETCH without a list')
      const items = new Map<string, Value>()
      for (let index = 0; index < list.length; index += 2) items.set(list[index] as string, list[index + 1] as Value)
      yield items
    }
  }

  /** Lists nest as deep as mail does, so without recursion. */
  #value(): Value {
    const open: Value[][] = []
    for (;;) {
      let value: Value
      if (this.#text[this.#at] === '(') {
        this.#at += 1
        open.push([])
        if (this.#text[this.#at] !== ')') continue
        this.#at += 1
        value = open.pop() as Value[]
      } else value = this.#simple()
      for (;;) {
        const list = open.at(-1)
        if (list === undefined) return value
        list.push(value)
        if (this.#text[this.#at] === ' ') {
          this.#at += 1
          break
        }
        // Parts of a multipart follow each other without a space.
        if (this.#text[this.#at] === '(') break
        if (this.#text[this.#at] !== ')') throw this.#unexpected('")"')
        this.#at += 1
        value = open.pop() as Value[]
      }
    }
  }

  #simple(): Value {
    if (this.#text[this.#at] === '"') {
      return { string: this.#match(/"((?:[^"\\\r\n]|\\["\\])*)"/y)[1]?.replaceAll(/\\(.)/g, '$1') ?? '' }
    }
    if (this.#text[this.#at] !== '{') return this.#match(/(?:[^ ()"{\r\n[]|\[[^\]]*\])+/y)[0]
    const length = Number(this.#match(/\{(\d+)\}\r\n/y)[1])
    this.#at += length
    return { string: this.#text.slice(this.#at - length, this.#at) }
  }

  #unexpected(expected: string): Error {
    return new Error(`Expected ${expected} at ${JSON.stringify(this.#text.slice(this.#at, this.#at + 60))}`)
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) throw this.#unexpected(String(pattern))
    this.#at = pattern.lastIndex
    return match
  }
}

async function fetchAll(view: View, items: string): Promise<readonly ReadonlyMap<string, Value>[]> {
  const pieces: Uint8Array[] = []
  const answer = renderMessages(view, {
    uids: view.uids.slice(1, view.size),
    items: parseFetchItems(Reader.of(items)),
    newlySeen: [],
  })
  for await (const block of answer) pieces.push(...block)
  return [...new AnswerReader(Buffer.concat(pieces).toString('latin1')).responses()]
}

function stringOf(value: Value | undefined): string | undefined {
  return typeof value === 'object' && 'string' in value ? value.string : undefined
}

async function search(view: View, text: string): Promise<ReadonlySet<number>> {
  const criteria = parseCriteria(Reader.of(` ${text}`))
  if (criteria.kind !== 'criteria') throw new Error('Bad charset')
  const mailbox = { all: view.uids.slice(1, view.size), keywords: [], recent: undefined, resolve: () => [] }
  const found = await findMessages(planSearch(criteria.key, mailbox), { mailbox: view.mailbox })
  return new Set(found.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n)))
}

describe.each(FOLDERS)('mail of %s', (folder) => {
  const isThere = existsSync(resolve(root, folder))

  const reason = isThere ? '' : ' (skipped: the corpora are not on this machine)'

  test.skipIf(!isThere)(`is told and found${reason}`, async () => {
    const messages = messagesIn(folder)
    expect(messages.length).toBeGreaterThan(5)
    const { view } = await fillMailbox(messages.map((octets) => ({ octets })))
    const items =
      '(RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1]' +
      ' BODY.PEEK[1.MIME] BODY.PEEK[2.1.HEADER] BODY.PEEK[HEADER.FIELDS (From Subject)]' +
      ' BODY.PEEK[HEADER.FIELDS.NOT (Received)] BODY.PEEK[]<10.1000>)'
    const answers = await fetchAll(view, items)
    expect(answers).toHaveLength(messages.length)
    for (const [index, answer] of answers.entries()) {
      const whole = stringOf(answer.get('BODY[]')) as string
      expect(Number(answer.get('RFC822.SIZE'))).toBe(whole.length)
      expect(`${stringOf(answer.get('BODY[HEADER]'))}${stringOf(answer.get('BODY[TEXT]'))}`).toBe(whole)
      expect(stringOf(answer.get('BODY[]<10>'))).toBe(whole.slice(10, 1010))
      expect(answer.get('ENVELOPE')).toHaveLength(10)
      const sent = Buffer.from(messages[index] as Uint8Array).toString('latin1')
      expect(whole.endsWith(sent) || whole.replaceAll('\r\n', '').endsWith(sent.replaceAll('\r\n', ''))).toBe(true)
    }
    // A header's own words are found in it, whichever way they are asked for.
    const subjects = answers.map((answer) => stringOf((answer.get('ENVELOPE') as readonly Value[])[1]))
    for (const [index, subject] of subjects.entries()) {
      const word = subject?.match(/^[A-Za-z]{4,}(?= |$)/)?.[0]
      if (word === undefined) continue
      for (const key of [`SUBJECT ${word}`, `TEXT ${word.toUpperCase()}`, `HEADER subject ${word.toLowerCase()}`]) {
        expect([key, (await search(view, key)).has(index + 1)]).toEqual([key, true])
      }
    }
  })
})
