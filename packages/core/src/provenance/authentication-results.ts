/** Authentication-Results: what was found out about a sender, for programs behind us. RFC 8601 */
import { FieldNames, findFields } from '../message/index.ts'
import { parseDomain } from '../address/index.ts'
import type { OctetRange } from '../message/index.ts'

/** One method's result. */
export interface MethodResult {
  /** `spf`, `dkim`, `dmarc`, `arc`, `iprev`, `auth`, `dnswl`. */
  readonly method: string
  readonly result: string
  readonly comment?: string | undefined
  readonly reason?: string | undefined
  /** `smtp.mailfrom`, `header.d`, … with their values. */
  readonly properties: readonly (readonly [name: string, value: string])[]
}

export interface AuthenticationResults {
  readonly authservId: string
  readonly version: number
  readonly results: readonly MethodResult[]
}

/** LIMIT: of a field that is read. */
const MAX_VALUE = 65_536
const MAX_RESULTS = 200
/** LIMIT: characters of a name put together from pieces; domains have 253. */
const MAX_NAME = 1_024
/** LIMIT: characters of a value that is written: no line of a field gets longer than lines may be. */
const MAX_WRITTEN = 300
const ESCAPED = String.raw`\$&`

/**
 * The field's value, folded before column 78; without results it says `none`.
 * @param authservId our name @throws TypeError for names of methods, results or properties that are none
 */
export function formatAuthenticationResults({ authservId, results }: Pick<AuthenticationResults, 'authservId' | 'results'>): string {
  const lines: string[] = []
  let line = `Authentication-Results: ${formatValue(authservId)};`
  const add = (word: string): void => {
    if (line.length + 1 + word.length > 78 && line !== '\t') {
      lines.push(line)
      line = `\t${word}`
    } else line += line === '\t' ? word : ` ${word}`
  }
  if (results.length === 0) add('none')
  for (const [at, { method, result, comment, reason, properties }] of results.entries()) {
    // Each method on a line of its own: people read this too.
    if (at > 0) {
      lines.push(line)
      line = '\t'
    }
    const words = [`${keyword(method)}=${keyword(result)}`]
    if (comment !== undefined) words.push(`(${commentText(comment)})`)
    if (reason !== undefined) words.push(`reason=${formatValue(reason)}`)
    for (const [name, value] of properties) words.push(`${keyword(name)}=${formatProperty(value)}`)
    if (at < results.length - 1) words[words.length - 1] += ';'
    for (const word of words) add(word)
  }
  lines.push(line)
  return lines.join('\r\n').slice('Authentication-Results: '.length)
}

/** What may stand there unquoted, so never a line end. */
function keyword(text: string): string {
  if (!/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(text)) throw new TypeError('Expected a keyword')
  return text
}

/** A token, or a quoted string. RFC 2045 §5.1 */
function formatValue(text: string): string {
  const clean = printable(text)
  return /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/.test(clean) ? clean : quotedString(clean)
}

/** An address, or its domain after "@", stands as it is. RFC 8601 §2.2 */
function formatProperty(text: string): string {
  return /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]*@[A-Za-z0-9.-]+$/.test(text) ? text : formatValue(text)
}

/** Printable ASCII: for everything else stands a question mark, so no line end gets through. */
export function printable(text: string): string {
  // Nearly all text is so as it is, and looking is cheaper than replacing.
  const clean = /[^ -~]/.test(text) ? text.replaceAll(/[^ -~]/g, '?') : text
  return clean.slice(0, MAX_WRITTEN)
}

/** Content of a comment. RFC 5322 §3.2.2 */
export function commentText(text: string): string {
  const clean = printable(text)
  return /[()\\]/.test(clean) ? clean.replaceAll(/[()\\]/g, ESCAPED) : clean
}

/** A quoted string. RFC 5322 §3.2.4 */
export function quotedString(text: string): string {
  return `"${printable(text).replaceAll(/["\\]/g, ESCAPED)}"`
}

/** Reads a value. @returns undefined when it breaks the grammar beyond what can be passed over */
export function parseAuthenticationResults(value: string): AuthenticationResults | undefined {
  if (value.length > MAX_VALUE) return undefined
  const reader = new ValueReader(value)
  const authservId = reader.value()
  if (authservId === undefined) return undefined
  const digits = reader.isAt(';') || reader.isAtEnd ? '1' : reader.token()
  if (digits === undefined || !/^[0-9]{1,9}$/.test(digits)) return undefined
  const version = Number(digits)
  const results: MethodResult[] = []
  while (reader.take(';')) {
    if (reader.isAtEnd) break
    const method = reader.token()
    if (method === undefined || results.length >= MAX_RESULTS) return undefined
    if (method.toLowerCase() === 'none' && (reader.isAtEnd || reader.isAt(';'))) continue
    // A version of the method may stand behind a slash.
    if (reader.take('/') && reader.token() === undefined) return undefined
    if (!reader.take('=')) return undefined
    const result = reader.token()
    if (result === undefined) return undefined
    const comment = reader.lastComment()
    let reason: string | undefined
    const properties: (readonly [string, string])[] = []
    for (;;) {
      const name = reader.property()
      if (name === undefined) break
      const given = reader.take('=') ? reader.value() : undefined
      if (given === undefined) return undefined
      if (name.toLowerCase() === 'reason') reason = given
      else properties.push([name.toLowerCase(), given])
    }
    results.push({ method: method.toLowerCase(), result: result.toLowerCase(), ...(comment === undefined ? {} : { comment }), ...(reason === undefined ? {} : { reason }), properties })
  }
  return reader.isAtEnd ? { authservId, version, results } : undefined
}

/** Walks over a value: white space and comments are passed over between its parts. */
class ValueReader {
  readonly #text: string
  #at = 0
  #comment: string | undefined

  constructor(text: string) {
    this.#text = text
    this.#skip()
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  isAt(character: string): boolean {
    return this.#text[this.#at] === character
  }

  take(character: string): boolean {
    if (!this.isAt(character)) return false
    this.#comment = undefined
    this.#at += 1
    this.#skip()
    return true
  }

  token(): string | undefined {
    return this.#match(/[A-Za-z0-9_-]+/y)
  }

  /** `reason`, or `ptype.property`; white space and comments may stand around the dot. */
  property(): string | undefined {
    const name = this.token()
    if (name === undefined || !this.take('.')) return name
    const property = this.#match(/[A-Za-z0-9_.-]+/y)
    return property === undefined ? undefined : `${name}.${property}`
  }

  /** The content of a quoted string, or all up to white space, a comment or a semicolon; a local-part keeps its quotes. */
  value(): string | undefined {
    const start = this.#at
    let quotedEnd = 0
    while (this.#at < this.#text.length) {
      if (this.isAt('"')) {
        if (!this.#passQuoted()) break
        if (quotedEnd === 0) quotedEnd = this.#at
      } else if (' \t\r\n;()'.includes(this.#text[this.#at] as string)) break
      else this.#at += 1
    }
    const text = this.#text.slice(start, this.#at)
    if (text === '') return undefined
    const isQuoted = text.startsWith('"') && quotedEnd === this.#at
    this.#comment = undefined
    this.#skip()
    return isQuoted ? text.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : text
  }

  /** A name as the most lenient reader would take it: with white space and comments around its dots. */
  name(): string | undefined {
    let name = this.value()
    while (name !== undefined && name.length < MAX_NAME && (name.endsWith('.') || this.isAt('.'))) {
      const more = this.value()
      if (more === undefined) break
      name += more
    }
    return name
  }

  /** To after a quoted string; nowhere when it has no end. */
  #passQuoted(): boolean {
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      if (this.#text[at] === '\\') at += 1
      else if (this.#text[at] === '"') {
        this.#at = at + 1
        return true
      }
    }
    return false
  }

  /** The comment right before here. */
  lastComment(): string | undefined {
    return this.#comment
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    this.#comment = undefined
    this.#skip()
    return found[0]
  }

  /** Comments nest; one without an end goes on to the end of the value. */
  #skip(): void {
    let depth = 0
    let start = 0
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at] as string
      if (depth > 0 && character === '\\') this.#at += 1
      else if (character === '(') {
        if (depth === 0) start = this.#at + 1
        depth += 1
      } else if (character === ')' && depth > 0) {
        depth -= 1
        if (depth === 0) this.#comment = this.#text.slice(start, this.#at).replaceAll(/\\(.)/gs, '$1')
      } else if (depth === 0 && !' \t\r\n'.includes(character)) return
    }
  }
}

const RESULTS = new FieldNames(['authentication-results'])

/** Fields of a header that claim to be ours: whatever bears our name, or can't be read and could. RFC 8601 §5 */
export function findForgedResults(header: Uint8Array, authservId: string): readonly OctetRange[] {
  const ours = canonicalName(authservId)
  const found: OctetRange[] = []
  for (const field of findFields(header, RESULTS)) {
    const value = Buffer.from(header.subarray(field.valueStart, Math.min(field.valueEnd, field.valueStart + MAX_VALUE))).toString('utf8')
    const name = new ValueReader(value).name()
    // Some take what follows a slash for the version, or stop at whatever is in no domain.
    const names = name === undefined ? [ours] : [name, ...(/^[^/:;,=<>@[\]?\\]+/.exec(name) ?? [])]
    if (names.some((each) => canonicalName(each) === ours)) found.push({ from: field.start, to: field.end })
  }
  return found
}

function canonicalName(text: string): string {
  try {
    return parseDomain(text.replace(/\.$/, '')).ascii
  } catch {
    return text.toLowerCase()
  }
}
