/**
 * Reading of addresses where there is one right way to write them: SMTP paths and configuration.
 * RFC 5321 §4.1.2, §4.1.3; internationalised: RFC 6531 §3.3. Not here: addresses in header fields
 * (message/address-list).
 */
import { type Address, type ForwardPath, isAtomCode, isControl, type MailboxPath, type ReversePath } from './address.ts'
import { type AddressErrorCode, AddressSyntaxError } from './address-syntax-error.ts'
import { type Domain, parseDomain } from './domain.ts'
import { parseAddressLiteral } from './ip-network.ts'

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const DOT = 0x2e
const COLON = 0x3a
const LESS = 0x3c
const GREATER = 0x3e
const AT = 0x40
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d

/** LIMIT: RFC 5321 §4.5.3.1.1 asks for 64; addresses of lists and bounces are longer. */
const MAX_LOCALPART = 128
const MAX_LOCALPART_PEDANTIC = 64
/** RFC 5321 §4.5.3.1.3, with its angle brackets. */
const MAX_PATH = 256
/** LIMIT: more than any localpart and any domain written with U-labels take. */
const MAX_TEXT = 1024

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** How addresses are read. */
export interface AddressOptions {
  /** Whether SMTPUTF8 holds: without it an address beyond ASCII is refused with code ADDRESS_NEEDS_SMTPUTF8. */
  readonly utf8: boolean
  /** Localparts of at most 64 octets instead of 128. */
  readonly pedantic?: boolean
}

/**
 * Reads all of `octets` as a reverse path: `<>` or `<localpart@domain>`; a source route is read and dropped.
 * @throws {AddressSyntaxError}
 */
export function parseReversePath(octets: Uint8Array | string, options: AddressOptions): ReversePath {
  const reader = new AddressReader(octets, options)
  reader.checkPathSize()
  reader.expect(LESS, '"<"')
  const path: ReversePath = reader.peek() === GREATER ? { kind: 'null' } : reader.routedMailbox()
  reader.expect(GREATER, '">"')
  reader.expectEnd()
  return path
}

/**
 * Reads all of `octets` as a forward path: `<localpart@domain>` or `<postmaster>` in any case; a source route is read
 * and dropped.
 * @throws {AddressSyntaxError}
 */
export function parseForwardPath(octets: Uint8Array | string, options: AddressOptions): ForwardPath {
  const reader = new AddressReader(octets, options)
  reader.checkPathSize()
  reader.expect(LESS, '"<"')
  const path: ForwardPath = reader.isPostmaster() ? { kind: 'postmaster' } : reader.routedMailbox()
  reader.expect(GREATER, '">"')
  reader.expectEnd()
  return path
}

/** Reads all of `text` as `localpart@domain`; address literals are refused. @throws {AddressSyntaxError} */
export function parseAddress(text: Uint8Array | string, options: AddressOptions): Address {
  const reader = new AddressReader(text, options)
  const address = reader.address()
  reader.expectEnd()
  return address
}

/** Reads all of `text` as a localpart, quoted or not. @returns it decoded, in NFC @throws {AddressSyntaxError} */
export function parseLocalpart(text: Uint8Array | string, options: AddressOptions): string {
  const reader = new AddressReader(text, options)
  const localpart = reader.localpart()
  reader.expectEnd()
  return localpart
}

/**
 * Index after the ">" that ends the path starting at `from`: one in a quoted string doesn't count. RFC 5321 §4.1.2
 * @returns −1 when there is no "<" at `from` or no end
 */
export function findPathEnd(octets: Uint8Array, from: number): number {
  if (octets[from] !== LESS) return -1
  let isQuoted = false
  for (let at = from + 1; at < octets.length; at += 1) {
    const octet = octets[at]
    if (octet === QUOTE) isQuoted = !isQuoted
    else if (octet === BACKSLASH && isQuoted) at += 1
    else if (octet === GREATER && !isQuoted) return at + 1
  }
  return -1
}

class AddressReader {
  readonly #octets: Uint8Array
  readonly #options: AddressOptions
  #at = 0

  constructor(octets: Uint8Array | string, options: AddressOptions) {
    this.#options = options
    if (octets.length > MAX_TEXT) throw this.#error('ADDRESS_TOO_LONG', 'address')
    this.#octets = typeof octets === 'string' ? Buffer.from(octets) : octets
  }

  peek(): number | undefined {
    return this.#octets[this.#at]
  }

  expect(octet: number, expected: string): void {
    if (this.peek() !== octet) throw this.#error('ADDRESS_SYNTAX', expected)
    this.#at += 1
  }

  expectEnd(): void {
    if (this.#at < this.#octets.length) throw this.#error('ADDRESS_SYNTAX', 'end of address')
  }

  checkPathSize(): void {
    if (this.#octets.length > MAX_PATH) throw this.#error('ADDRESS_TOO_LONG', 'path of at most 256 octets')
  }

  /** Takes `postmaster` when it is all there is before the ">". RFC 5321 §4.1.1.3 */
  isPostmaster(): boolean {
    const end = this.#at + 'postmaster'.length
    if (this.#octets[end] !== GREATER || latin1(this.#octets, this.#at, end).toLowerCase() !== 'postmaster') return false
    this.#at = end
    return true
  }

  /** Path without its brackets: [ "@" Domain *( "," "@" Domain ) ":" ] Mailbox. RFC 5321 §4.1.2, appendix C */
  routedMailbox(): MailboxPath {
    if (this.peek() === AT) {
      this.#routeDomain()
      while (this.peek() === COMMA) {
        this.#at += 1
        this.#routeDomain()
      }
      this.expect(COLON, '":"')
    }
    const localpart = this.localpart()
    this.expect(AT, '"@"')
    if (this.peek() !== OPEN_BRACKET) return { kind: 'address', address: { localpart, domain: this.#domain() } }
    const start = this.#at
    const end = this.#octets.indexOf(CLOSE_BRACKET, start) + 1
    const ip = end > 0 ? parseAddressLiteral(this.#text(start, end)) : undefined
    if (ip === undefined) throw this.#error('ADDRESS_SYNTAX', 'address literal')
    this.#at = end
    return { kind: 'literal', localpart, ip }
  }

  address(): Address {
    const localpart = this.localpart()
    this.expect(AT, '"@"')
    return { localpart, domain: this.#domain() }
  }

  /** Local-part = Dot-string / Quoted-string. RFC 5321 §4.1.2 */
  localpart(): string {
    const start = this.#at
    const octets = this.peek() === QUOTE ? this.#quotedString() : this.#dotString()
    const text = this.#decode(octets, start)
    // As many characters as octets: ASCII, which is in NFC.
    const localpart = text.length === octets.length ? text : text.normalize('NFC')
    for (let at = 0; at < localpart.length; at += 1) {
      if (isControl(localpart.charCodeAt(at))) throw this.#error('ADDRESS_SYNTAX', 'printable character', start)
    }
    const max = this.#options.pedantic === true ? MAX_LOCALPART_PEDANTIC : MAX_LOCALPART
    // Both are octets; normalising may lengthen.
    if (Math.max(octets.length, Buffer.byteLength(localpart)) > max) {
      throw this.#error('ADDRESS_TOO_LONG', `localpart of at most ${max} octets`, start)
    }
    return localpart
  }

  #dotString(): Uint8Array {
    const start = this.#at
    let isStart = true
    for (; this.#at < this.#octets.length; this.#at += 1) {
      const octet = this.#octets[this.#at] as number
      if (octet === DOT ? isStart : !isAtomCode(octet)) break
      isStart = octet === DOT
    }
    // An empty one, a leading dot, two in a row, or one at the end.
    if (isStart) throw this.#error('ADDRESS_SYNTAX', 'localpart')
    return this.#octets.subarray(start, this.#at)
  }

  #quotedString(): Uint8Array {
    const out: number[] = []
    this.#at += 1
    for (;;) {
      let octet = this.peek()
      if (octet === QUOTE) break
      if (octet === BACKSLASH) {
        this.#at += 1
        octet = this.peek()
        if (octet !== undefined && octet >= 0x7f) throw this.#error('ADDRESS_SYNTAX', 'printable ASCII character')
      }
      if (octet === undefined || octet < SPACE || octet === 0x7f) {
        throw this.#error('ADDRESS_SYNTAX', 'quoted string')
      }
      out.push(octet)
      this.#at += 1
    }
    this.#at += 1
    return Uint8Array.from(out)
  }

  #routeDomain(): void {
    this.expect(AT, '"@"')
    this.#domain()
  }

  #domain(): Domain {
    const start = this.#at
    while (this.#at < this.#octets.length && isDomainOctet(this.#octets[this.#at] as number)) this.#at += 1
    if (this.#at === start) throw this.#error('ADDRESS_SYNTAX', 'domain')
    const text = this.#decode(this.#octets.subarray(start, this.#at), start)
    try {
      return parseDomain(text)
    } catch (error) {
      if (!(error instanceof AddressSyntaxError)) throw error
      throw this.#error(error.code, error.expected, start + error.offset)
    }
  }

  #decode(octets: Uint8Array, start: number): string {
    if (isAscii(octets)) return UTF8.decode(octets)
    // Of what was written: `octets` are without quotes and backslashes.
    const offset = start + this.#octets.subarray(start).findIndex((octet) => octet >= 0x80)
    if (!this.#options.utf8) throw this.#error('ADDRESS_NEEDS_SMTPUTF8', 'ASCII character', offset)
    try {
      return UTF8.decode(octets)
    } catch {
      throw this.#error('ADDRESS_SYNTAX', 'UTF-8', offset)
    }
  }

  /** ASCII text, other octets as the characters of the same number: nothing a literal may hold. */
  #text(start: number, end: number): string {
    return latin1(this.#octets, start, end)
  }

  #error(code: AddressErrorCode, expected: string, offset = this.#at): AddressSyntaxError {
    return new AddressSyntaxError(code, offset, expected)
  }
}

function isAscii(octets: Uint8Array): boolean {
  for (let at = 0; at < octets.length; at += 1) if ((octets[at] as number) >= 0x80) return false
  return true
}

/** Each octet as the character of the same number. */
function latin1(octets: Uint8Array, start: number, end: number): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1', start, end)
}

/** What may stand in a domain, so far as the end of it is concerned; `parseDomain` decides. */
function isDomainOctet(octet: number): boolean {
  return octet >= 0x80 || octet === DOT || (isAtomCode(octet) && octet !== AT)
}
