/**
 * Reads a command: a method for each production of the grammar. Strict; throws `WireSyntaxError` and nothing else.
 * Not here: framing (`frames.ts`), and what belongs to one command alone.
 *
 * QUIRK(many): quoted strings may hold octets over 0x7f, as IMAP4rev2 allows; clients send names and search words so.
 */
import { WireSyntaxError } from '@postern/core/conversation'
import type { FlagSet, InternalDate } from '@postern/core/store'
import type { CommandText, Literal } from './command-text.ts'
import { parseDateTime, parseDay, type Day } from './date-time.ts'
import { flagSetOf, isSystemFlag } from './flag.ts'
import { canonicalMailboxName, decodeMailboxName } from './mailbox-name.ts'
import { endOfRun, type CharacterClass } from './octets.ts'
import type { SequenceSet, SetNumber, SetRange } from './sequence-set.ts'

const SP = 0x20
const DQUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x28
const CLOSE = 0x29
const COLON = 0x3a
const COMMA = 0x2c
const STAR = 0x2a

/**
 * LIMIT: deepest nesting of parentheses and of keys in keys; no client comes near, and the reader recurses this deep.
 */
const MAX_DEPTH = 100

const MAX_NUMBER = 0xffff_ffff

/** Reads one command from its beginning to its end. */
export class Reader {
  readonly #command: CommandText
  #index = 0
  #text: Uint8Array
  #at = 0
  /** Octets of texts and literals before the current text. */
  #before = 0
  #depth = 0

  constructor(command: CommandText) {
    this.#command = command
    this.#text = command.texts[0] ?? new Uint8Array(0)
  }

  /** Reader of one stretch of text. */
  static of(text: string | Uint8Array): Reader {
    return new Reader({ texts: [typeof text === 'string' ? Buffer.from(text) : text], literals: [] })
  }

  /** Octets from the start of the command. */
  get offset(): number {
    return this.#before + this.#at
  }

  /** Throws that something else should have stood here. */
  fail(code: string, expected: string = code, offset: number = this.offset): never {
    throw new WireSyntaxError(code, expected, offset)
  }

  /** The next octet as a character, or undefined at the end of a text. */
  peek(): string | undefined {
    const octet = this.#text[this.#at]
    return octet === undefined ? undefined : String.fromCharCode(octet)
  }

  /** Passes over a character, without regard to case, if it stands here. @param character one of US-ASCII */
  accept(character: string): boolean {
    if (this.peek()?.toUpperCase() !== character.toUpperCase()) return false
    this.#at += 1
    return true
  }

  /** Passes over a character that has to stand here. */
  expect(character: string): void {
    if (!this.accept(character)) this.fail('character', `"${character}"`)
  }

  /** SP */
  space(): void {
    if (this.#text[this.#at] !== SP) this.fail('space')
    this.#at += 1
  }

  /** Passes over a space if one stands here. */
  acceptSpace(): boolean {
    if (this.#text[this.#at] !== SP) return false
    this.#at += 1
    return true
  }

  /** The end of the command. */
  end(): void {
    if (!this.atEnd) this.fail('end-of-command', 'end of command')
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length && this.#index === this.#command.literals.length
  }

  /** Whether the literal that has been announced and not yet sent stands here. */
  get atAnnounced(): boolean {
    return this.#at === this.#text.length && this.#command.literals[this.#index]?.kind === 'announced'
  }

  // tag = 1*<any ASTRING-CHAR except "+">
  tag(): string {
    return this.#run('tag', 'tag')
  }

  // atom = 1*ATOM-CHAR
  atom(): string {
    return this.#run('atom', 'atom')
  }

  /** Letters, digits, `.`, `-` and `_`, in upper case: names of verbs, items and keys. */
  word(): string {
    return this.#run('word', 'word').toUpperCase()
  }

  /** A word that has to be this one. @param word in upper case */
  expectWord(word: string): void {
    const offset = this.offset
    if (this.#run('word', word).toUpperCase() !== word) this.fail('word', word, offset)
  }

  /** The word that stands here, without passing over it; empty when there is none. */
  peekWord(): string {
    return latin1(this.#text.subarray(this.#at, endOfRun(this.#text, this.#at, 'word'))).toUpperCase()
  }

  // astring = 1*ASTRING-CHAR / string
  /** As octets: US-ASCII, or what a quoted string or literal holds. */
  astringOctets(): Uint8Array {
    return this.#atString() ? this.stringOctets() : this.#runOctets('astring', 'astring')
  }

  /** An astring that is UTF-8 text. */
  astring(): string {
    const offset = this.offset
    return this.#utf8(this.astringOctets(), offset)
  }

  // string = quoted / literal
  stringOctets(): Uint8Array {
    if (this.#text[this.#at] === DQUOTE) return this.#quoted()
    const offset = this.offset
    const literal = this.#literalHere()
    if (literal === undefined) return this.fail('string')
    if (literal.kind !== 'memory') return this.fail('literal-too-large', 'a shorter literal', offset)
    // CHAR8 = %x01-ff
    if (!literal.binary && literal.octets.includes(0)) this.fail('literal', 'literal without NUL', offset)
    return literal.octets
  }

  /** A string that is UTF-8 text. */
  string(): string {
    const offset = this.offset
    return this.#utf8(this.stringOctets(), offset)
  }

  // nstring = string / nil
  nstring(): string | undefined {
    if (this.#atString()) return this.string()
    this.expectWord('NIL')
    return undefined
  }

  // literal = "{" number ["+"] "}" CRLF *CHAR8
  /** A literal, wherever its octets are. */
  literal(): Literal {
    return this.#literalHere() ?? this.fail('literal')
  }

  // number = 1*DIGIT
  number(): number {
    const start = this.#at
    let value = 0
    for (;;) {
      const octet = this.#text[this.#at]
      if (octet === undefined || octet < 0x30 || octet > 0x39) break
      value = value * 10 + (octet - 0x30)
      if (value > MAX_NUMBER) this.fail('number', 'number below 4294967296', this.#before + start)
      this.#at += 1
    }
    if (this.#at === start) this.fail('number')
    return value
  }

  // nz-number = digit-nz *DIGIT
  nzNumber(): number {
    if (this.#text[this.#at] === 0x30) this.fail('nz-number', 'number from 1')
    return this.number()
  }

  // sequence-set = (seq-number / seq-range) *("," sequence-set)
  sequenceSet(): SequenceSet {
    const ranges: SetRange[] = []
    do {
      const first = this.#setNumber()
      const last = this.#acceptOctet(COLON) ? this.#setNumber() : first
      ranges.push({ first, last })
    } while (this.#acceptOctet(COMMA))
    return ranges
  }

  // mailbox = "INBOX" / astring
  /** As a store knows it: UTF-8, NFC, `INBOX` for INBOX in any case. */
  mailbox(): string {
    const offset = this.offset
    return canonicalMailboxName(this.#mailboxName(this.astringOctets(), offset))
  }

  // list-mailbox = 1*list-char / string
  /** A pattern of LIST, with its wildcards, decoded. */
  listMailbox(): string {
    const offset = this.offset
    return this.#mailboxName(this.#atString() ? this.stringOctets() : this.#runOctets('list', 'list-mailbox'), offset)
  }

  // flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword
  /** The name of one flag a client may set. */
  flag(): string {
    const offset = this.offset
    const name = (this.#acceptOctet(BACKSLASH) ? '\\' : '') + this.#run('atom', 'flag')
    if (name.startsWith('\\') && !isSystemFlag(name)) this.fail('flag', 'flag that can be set', offset)
    return name
  }

  // flag-keyword = atom
  keyword(): string {
    return this.#run('atom', 'flag-keyword')
  }

  // flag-list = "(" [flag *(SP flag)] ")"
  flagList(): FlagSet {
    return flagSetOf(this.list(() => this.flag(), 'empty'))
  }

  // date = date-text / DQUOTE date-text DQUOTE
  date(): Day {
    const offset = this.offset
    const text = latin1(this.#text[this.#at] === DQUOTE ? this.#quoted() : this.#runOctets('word', 'date'))
    return parseDay(text) ?? this.fail('date', 'date', offset)
  }

  // date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
  dateTime(): InternalDate {
    const offset = this.offset
    if (this.#text[this.#at] !== DQUOTE) this.fail('date-time')
    return parseDateTime(latin1(this.#quoted())) ?? this.fail('date-time', 'date-time', offset)
  }

  /** "(" item *(SP item) ")"; with `empty` also "()". */
  list<T>(item: () => T, how?: 'empty'): T[] {
    return this.deeper(() => {
      if (!this.#acceptOctet(OPEN)) this.fail('list', '"("')
      const items: T[] = []
      if (how === 'empty' && this.#acceptOctet(CLOSE)) return items
      do items.push(item())
      while (this.acceptSpace())
      if (!this.#acceptOctet(CLOSE)) this.fail('list', '")"')
      return items
    })
  }

  /** Reads what nests, one level deeper, up to 100. */
  deeper<T>(read: () => T): T {
    if (this.#depth >= MAX_DEPTH) this.fail('depth', `at most ${MAX_DEPTH} levels`)
    this.#depth += 1
    const value = read()
    this.#depth -= 1
    return value
  }

  #setNumber(): SetNumber {
    return this.#acceptOctet(STAR) ? '*' : this.nzNumber()
  }

  #acceptOctet(octet: number): boolean {
    if (this.#text[this.#at] !== octet) return false
    this.#at += 1
    return true
  }

  #run(of: CharacterClass, expected: string): string {
    return latin1(this.#runOctets(of, expected))
  }

  #runOctets(of: CharacterClass, expected: string): Uint8Array {
    const end = endOfRun(this.#text, this.#at, of)
    if (end === this.#at) this.fail(expected)
    const octets = this.#text.subarray(this.#at, end)
    this.#at = end
    return octets
  }

  #atString(): boolean {
    if (this.#at < this.#text.length) return this.#text[this.#at] === DQUOTE
    return this.#index < this.#command.literals.length
  }

  #literalHere(): Literal | undefined {
    if (this.#at !== this.#text.length) return undefined
    const literal = this.#command.literals[this.#index]
    if (literal === undefined) return undefined
    this.#before += this.#text.length + (literal.kind === 'memory' ? literal.octets.length : literal.sizeOctets)
    this.#index += 1
    this.#text = this.#command.texts[this.#index] ?? new Uint8Array(0)
    this.#at = 0
    return literal
  }

  // quoted = DQUOTE *QUOTED-CHAR DQUOTE
  #quoted(): Uint8Array {
    const start = this.offset
    const text = this.#text
    let at = this.#at + 1
    let escapes = 0
    for (; ; at += 1) {
      const octet = text[at]
      if (octet === undefined) return this.fail('quoted', 'end of quoted string', start)
      if (octet === DQUOTE) break
      // A line may hold a CR, since only CR LF ends it.
      if (octet === 0 || octet === 0x0d || octet === 0x0a) this.fail('quoted', 'printable character', this.#before + at)
      if (octet !== BACKSLASH) continue
      at += 1
      escapes += 1
      if (text[at] !== DQUOTE && text[at] !== BACKSLASH) this.fail('quoted', '\\" or \\\\', this.#before + at)
    }
    const raw = text.subarray(this.#at + 1, at)
    this.#at = at + 1
    return escapes === 0 ? raw : withoutEscapes(raw, escapes)
  }

  #mailboxName(octets: Uint8Array, offset: number): string {
    const text = this.#utf8(octets, offset)
    // QUIRK(many): a name with octets over 0x7f is taken as UTF-8 as it stands; it can't be modified UTF-7.
    if (text.length !== octets.length) return text
    return decodeMailboxName(text) ?? this.fail('mailbox', 'mailbox name in modified UTF-7', offset)
  }

  #utf8(octets: Uint8Array, offset: number): string {
    try {
      return utf8.decode(octets)
    } catch {
      return this.fail('utf-8', 'UTF-8', offset)
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
}

function withoutEscapes(raw: Uint8Array, escapes: number): Uint8Array {
  const octets = new Uint8Array(raw.length - escapes)
  let to = 0
  for (let from = 0; from < raw.length; from += 1) {
    if (raw[from] === BACKSLASH) from += 1
    octets[to] = raw[from] as number
    to += 1
  }
  return octets
}
