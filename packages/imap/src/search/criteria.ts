/**
 * What SEARCH looks for: keys as a tree, read without recursion. RFC 3501 §6.4.4, §9
 * Not here: whether a message matches (`match.ts`).
 */
import { Flag } from '@postern/core/store'
import type { Day } from '../syntax/date-time.ts'
import { flagBit } from '../syntax/flag.ts'
import type { Reader } from '../syntax/reader.ts'
import type { SequenceSet } from '../syntax/sequence-set.ts'

/** LIMIT: keys in keys; matching goes this deep, no client comes near. */
const MAX_DEPTH = 100
/** LIMIT: keys of one search; each is asked of every message. Mail programs write a dozen. */
const MAX_KEYS = 1000

/** One key. Texts are as the client wrote them. */
export type SearchKey =
  | { readonly kind: 'all' }
  | { readonly kind: 'messages'; readonly set: SequenceSet; readonly uid: boolean }
  /** A bit of `Flag`. */
  | { readonly kind: 'flag'; readonly bit: number }
  /** A keyword without a bit of its own. */
  | { readonly kind: 'keyword'; readonly name: string }
  | { readonly kind: 'recent' }
  | { readonly kind: 'size'; readonly relation: 'larger' | 'smaller'; readonly octets: number }
  | {
      readonly kind: 'date'
      readonly of: 'internal' | 'sent'
      readonly relation: 'before' | 'on' | 'since'
      readonly day: Day
    }
  /** An empty text asks whether the field is there. */
  | { readonly kind: 'header'; readonly name: Uint8Array; readonly text: string }
  /** `body` or, with the header too, `text`. */
  | { readonly kind: 'text'; readonly of: 'body' | 'text'; readonly text: string }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'and' | 'or'; readonly keys: readonly SearchKey[] }

/** A whole search. */
export type Criteria =
  | { readonly kind: 'criteria'; readonly key: SearchKey }
  /** Strings are in a charset that can't be read: NO. */
  | { readonly kind: 'bad-charset' }

/** A key that is being read: what it has and what it waits for. */
type Open =
  | { readonly kind: 'list'; readonly keys: SearchKey[]; readonly inParentheses: boolean }
  | { readonly kind: 'or'; readonly keys: SearchKey[] }
  | { readonly kind: 'not' }

// search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key)
/** Reads what stands behind the verb. @throws WireSyntaxError */
export function parseCriteria(reader: Reader): Criteria {
  reader.space()
  let readsText = true
  if (reader.peekWord() === 'CHARSET') {
    reader.word()
    reader.space()
    readsText = isOffered(reader.astring())
    reader.space()
  }
  const key = new KeyReader(reader, readsText).read()
  return readsText ? { kind: 'criteria', key } : { kind: 'bad-charset' }
}

/** The charsets told in BADCHARSET. */
export const CHARSETS = 'US-ASCII UTF-8'

function isOffered(charset: string): boolean {
  return /^(?:us-ascii|utf-8)$/i.test(charset)
}

class KeyReader {
  readonly #reader: Reader
  readonly #readsText: boolean
  readonly #open: Open[] = [{ kind: 'list', keys: [], inParentheses: false }]
  #count = 0

  constructor(reader: Reader, readsText: boolean) {
    this.#reader = reader
    this.#readsText = readsText
  }

  // search-key = … / "NOT" SP search-key / "OR" SP search-key SP search-key / "(" search-key *(SP search-key) ")"
  read(): SearchKey {
    const reader = this.#reader
    for (;;) {
      if (this.#open.length > MAX_DEPTH) reader.fail('depth', `at most ${MAX_DEPTH} levels`)
      this.#count += 1
      if (this.#count > MAX_KEYS) reader.fail('too-many-keys', `at most ${MAX_KEYS} search keys`)
      if (reader.accept('(')) {
        this.#open.push({ kind: 'list', keys: [], inParentheses: true })
        continue
      }
      const word = reader.peekWord()
      if (word === 'NOT' || word === 'OR') {
        reader.word()
        reader.space()
        this.#open.push(word === 'NOT' ? { kind: 'not' } : { kind: 'or', keys: [] })
        continue
      }
      const whole = this.#close(this.#leaf())
      if (whole !== undefined) return whole
    }
  }

  /** Puts a key where it belongs. @returns the whole tree at the end of the command; else another key comes */
  #close(read: SearchKey): SearchKey | undefined {
    const reader = this.#reader
    let key = read
    for (;;) {
      const open = this.#open.at(-1) as Open
      if (open.kind === 'not') {
        this.#open.pop()
        key = { kind: 'not', key }
        continue
      }
      open.keys.push(key)
      if (open.kind === 'or') {
        if (open.keys.length < 2) {
          reader.space()
          return undefined
        }
      } else {
        if (reader.acceptSpace()) return undefined
        if (!open.inParentheses) return joined(open.keys)
        reader.expect(')')
      }
      this.#open.pop()
      key = open.kind === 'or' ? { kind: 'or', keys: open.keys } : joined(open.keys)
    }
  }

  #leaf(): SearchKey {
    const reader = this.#reader
    const { offset } = reader
    const start = reader.peek()
    if (start === '*' || (start !== undefined && start >= '0' && start <= '9')) {
      return { kind: 'messages', set: reader.sequenceSet(), uid: false }
    }
    const word = reader.word()
    const plain = PLAIN.get(word)
    if (plain !== undefined) return plain
    if (!WITH_ARGUMENT.has(word)) reader.fail('search-key', 'search-key', offset)
    reader.space()
    switch (word) {
      case 'BEFORE':
      case 'ON':
      case 'SINCE':
        return { kind: 'date', of: 'internal', relation: RELATIONS[word], day: reader.date() }
      case 'SENTBEFORE':
      case 'SENTON':
      case 'SENTSINCE':
        return { kind: 'date', of: 'sent', relation: RELATIONS[word], day: reader.date() }
      case 'LARGER':
      case 'SMALLER':
        return { kind: 'size', relation: word === 'LARGER' ? 'larger' : 'smaller', octets: reader.number() }
      case 'FROM':
      case 'TO':
      case 'CC':
      case 'BCC':
      case 'SUBJECT':
        return { kind: 'header', name: Buffer.from(word), text: this.#text() }
      case 'HEADER': {
        const name = Uint8Array.from(reader.astringOctets())
        reader.space()
        return { kind: 'header', name, text: this.#text() }
      }
      case 'TEXT':
      case 'BODY':
        return { kind: 'text', of: word === 'TEXT' ? 'text' : 'body', text: this.#text() }
      case 'KEYWORD':
        return keywordKey(reader.keyword())
      case 'UNKEYWORD':
        return not(keywordKey(reader.keyword()))
      case 'UID':
        return { kind: 'messages', set: reader.sequenceSet(), uid: true }
      default:
        return reader.fail('search-key', 'search-key', offset)
    }
  }

  /** An astring, UTF-8 whichever of the two charsets is named; in another one it can't be read, nor is it needed. */
  #text(): string {
    if (this.#readsText) return this.#reader.astring()
    this.#reader.astringOctets()
    return ''
  }
}

const RELATIONS = {
  BEFORE: 'before',
  ON: 'on',
  SINCE: 'since',
  SENTBEFORE: 'before',
  SENTON: 'on',
  SENTSINCE: 'since',
} as const

function joined(keys: readonly SearchKey[]): SearchKey {
  return keys.length === 1 ? (keys[0] as SearchKey) : { kind: 'and', keys }
}

function not(key: SearchKey): SearchKey {
  return { kind: 'not', key }
}

function flag(bit: number): SearchKey {
  return { kind: 'flag', bit }
}

function keywordKey(name: string): SearchKey {
  const bit = flagBit(name)
  return bit === undefined ? { kind: 'keyword', name } : flag(bit)
}

const RECENT: SearchKey = { kind: 'recent' }

const WITH_ARGUMENT: ReadonlySet<string> = new Set([
  ...Object.keys(RELATIONS),
  'LARGER',
  'SMALLER',
  'FROM',
  'TO',
  'CC',
  'BCC',
  'SUBJECT',
  'HEADER',
  'TEXT',
  'BODY',
  'KEYWORD',
  'UNKEYWORD',
  'UID',
])

/** Keys without arguments. */
const PLAIN: ReadonlyMap<string, SearchKey> = new Map<string, SearchKey>([
  ['ALL', { kind: 'all' }],
  ['ANSWERED', flag(Flag.answered)],
  ['DELETED', flag(Flag.deleted)],
  ['DRAFT', flag(Flag.draft)],
  ['FLAGGED', flag(Flag.flagged)],
  ['SEEN', flag(Flag.seen)],
  ['UNANSWERED', not(flag(Flag.answered))],
  ['UNDELETED', not(flag(Flag.deleted))],
  ['UNDRAFT', not(flag(Flag.draft))],
  ['UNFLAGGED', not(flag(Flag.flagged))],
  ['UNSEEN', not(flag(Flag.seen))],
  ['NEW', { kind: 'and', keys: [RECENT, not(flag(Flag.seen))] }],
  ['OLD', not(RECENT)],
  ['RECENT', RECENT],
])
