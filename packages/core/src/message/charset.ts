/**
 * Octets in any charset mail names, to text. Names are those of the WHATWG Encoding Standard and what senders write
 * instead.
 * Not here: choosing a charset for what we write, which is always UTF-8.
 */
import { TextDecoder } from 'node:util'
import { Utf7Decoder } from './utf7.ts'

/** Turns octets that come in pieces into text. Broken octets give U+FFFD; nothing throws. */
export interface CharsetDecoder {
  push(octets: Uint8Array): string
  end(): string
}

/**
 * Text of `octets` in `charset`. Without a charset, and for US-ASCII, octets beyond ASCII are UTF-8 when all are valid,
 * else windows-1252. In a charset nobody knows ASCII stays and each other octet becomes U+FFFD.
 * @param charset in any case, with or without an RFC 2231 language after `*`; may be empty
 */
export function decodeCharset(octets: Uint8Array, charset: string): string {
  const encoding = findEncoding(charset)
  if (encoding === undefined) return decodeAscii(octets)
  if (encoding === 'guess') return decodeUnlabelled(octets)
  if (encoding === 'utf-7') {
    const decoder = new Utf7Decoder()
    return decoder.push(octets) + decoder.end()
  }
  if (encoding === 'windows-1252') return decodeWindows1252(octets)
  return sharedDecoder(encoding === 'utf-16' ? byteOrder(octets) : encoding).decode(octets)
}

/** Text of octets whose charset nobody told: UTF-8 when they are, else windows-1252. */
export function decodeUnlabelled(octets: Uint8Array): string {
  try {
    return strictUtf8.decode(octets)
  } catch {
    return decodeWindows1252(octets)
  }
}

/** Whether text in `charset` can be decoded; RFC 3501 BADCHARSET asks. */
export function isKnownCharset(charset: string): boolean {
  return findEncoding(charset) !== undefined
}

/**
 * A decoder for a body that comes in pieces; as `decodeCharset`, but without a charset octets beyond ASCII are taken as
 * UTF-8.
 */
export function createCharsetDecoder(charset: string): CharsetDecoder {
  const encoding = findEncoding(charset)
  switch (encoding) {
    case undefined:
      return { push: decodeAscii, end: () => '' }
    case 'windows-1252':
      return { push: decodeWindows1252, end: () => '' }
    case 'utf-7':
      return new Utf7Decoder()
    case 'utf-16':
      return new Utf16Decoder()
    case 'guess':
      return decoderOf('utf-8')
    default:
      return decoderOf(encoding)
  }
}

function decoderOf(label: string): CharsetDecoder {
  const decoder = new TextDecoder(label)
  return { push: (octets) => decoder.decode(octets, { stream: true }), end: () => decoder.decode() }
}

/** UTF-16 in the byte order its first two octets tell; big-endian when they don't. RFC 2781 §4.3 */
class Utf16Decoder implements CharsetDecoder {
  #first: number | undefined
  #decoder: TextDecoder | undefined

  push(octets: Uint8Array): string {
    if (octets.length === 0) return ''
    if (this.#decoder !== undefined) return this.#decoder.decode(octets, { stream: true })
    const head = Uint8Array.from(this.#first === undefined ? octets.subarray(0, 2) : [this.#first, octets[0] as number])
    if (head.length < 2) {
      this.#first = head[0]
      return ''
    }
    this.#decoder = new TextDecoder(byteOrder(head))
    const rest = octets.subarray(this.#first === undefined ? 2 : 1)
    return this.#decoder.decode(head, { stream: true }) + this.#decoder.decode(rest, { stream: true })
  }

  end(): string {
    if (this.#decoder !== undefined) return this.#decoder.decode()
    return this.#first === undefined ? '' : '\ufffd'
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** One decoder for each encoding; `decode` without `stream` leaves no state. Keyed by labels of a fixed set. */
const decoders = new Map<string, TextDecoder>()

function sharedDecoder(label: string): TextDecoder {
  let decoder = decoders.get(label)
  if (decoder === undefined) {
    decoder = new TextDecoder(label)
    decoders.set(decoder.encoding, decoder)
  }
  return decoder
}

/**
 * The encoding's name, or what takes its place: `guess`, `utf-7`, `utf-16` (of either byte order). Undefined when
 * unknown.
 */
function findEncoding(charset: string): string | undefined {
  // LIMIT: the longest registered name has 45 octets.
  const name = charset.slice(0, 64).toLowerCase().replace(/\*.*/s, '').replaceAll(/["'\s]/g, '')
  const alias = ALIASES.get(name) ?? aliasByPattern(name) ?? name
  if (alias === 'guess' || alias === 'utf-7' || alias === 'utf-16') return alias
  const known = encodings.get(alias)
  if (known !== undefined) return known
  try {
    const { encoding } = new TextDecoder(alias)
    encodings.set(alias, encoding)
    return encoding
  } catch {
    return undefined
  }
}

/** Labels that `TextDecoder` took, so a fixed set, to names. */
const encodings = new Map<string, string>()

/** What stands in the place of a charset when a sender didn't know it. */
const UNLABELLED = [
  '7bit',
  '8bit',
  'binary',
  'default',
  'unknown',
  'unknown-8bit',
  'x-unknown',
  'user-defined',
  'x-user-defined',
  '_autodetect',
]

/** Names in mail that the Encoding Standard doesn't have, by the encoding they stand for. */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    guess: ['', 'us-ascii', 'ascii', 'us', 'ansi_x3.4-1968', 'iso646-us', ...UNLABELLED],
    'utf-7': ['utf-7', 'utf7', 'unicode-1-1-utf-7', 'x-unicode-2-0-utf-7', 'csunicode11utf7', 'csutf7'],
    'utf-16': ['utf-16', 'utf16', 'ucs-2', 'ucs2', 'iso-10646-ucs-2', 'csunicode', 'unicode'],
    'utf-8': ['utf-8mb4', 'utf8mb4', 'x-utf-8', 'x-utf8', 'utf_8', 'cp65001', 'utf-8-mac'],
    'windows-1252': ['latin-1', 'latin', 'western', 'iso-latin-1', 'x-ansi', 'ansi'],
    gbk: ['cp936', 'ms936', 'gb-2312', 'euc-cn', 'x-euc-cn', 'gb_2312', 'chinesesimplified'],
    gb18030: ['gb-18030', 'cp54936'],
    big5: ['cp950', 'ms950', 'big-5', 'big5hkscs', 'cp951'],
    'euc-kr': ['cp949', 'ms949', 'uhc', 'x-windows-949', 'ks_c_5601', 'ksc5601-1987', 'cp51949'],
    shift_jis: ['cp932', 'ms932', 'shiftjis', 'x-ms-cp932', 'windows-932'],
    'iso-2022-jp': ['iso-2022-jp-1', 'iso-2022-jp-2', 'iso-2022-jp-3', 'iso-2022-jp-ms', 'cp50220', 'cp50221'],
    'euc-jp': ['eucjp', 'cp51932', 'eucjp-ms', 'euc_jp'],
    'koi8-r': ['koi8r', 'koi-8-r', 'cp20866'],
    'koi8-u': ['koi8u', 'koi-8-u', 'cp21866'],
    'windows-874': ['tis620', 'tis-620-2533', 'x-windows-874'],
    macintosh: ['macroman', 'mac-roman', 'macos-roman'],
  }).flatMap(([encoding, names]) => names.map((name) => [name, encoding] as const)),
)

/** `cp-1251`, `win1251`, `windows 1251`, `iso8859-2`, `iso_8859_15`, `8859-1`… */
function aliasByPattern(name: string): string | undefined {
  const windows = /^(?:x-)?(?:windows|win|cp|ms|ansi|microsoft-cp)[-_]?(125[0-8]|874)$/.exec(name)
  if (windows !== null) return `windows-${windows[1]}`
  const iso = /^(?:x-)?(?:iso)?[-_]?8859[-_]?(1[0-6]|[1-9])$/.exec(name)
  return iso === null ? undefined : `iso-8859-${iso[1]}`
}

function byteOrder(octets: Uint8Array): 'utf-16le' | 'utf-16be' {
  return octets[0] === 0xff && octets[1] === 0xfe ? 'utf-16le' : 'utf-16be'
}

/** ASCII as it is, U+FFFD for the rest. */
function decodeAscii(octets: Uint8Array): string {
  return octets.every((octet) => octet < 0x80) ? latin1(octets) : latin1(octets).replaceAll(/[\x80-\xff]/g, '\ufffd')
}

/** Ours, because Node 20 to 23 decode the octets 0x80 to 0x9F of this encoding as C1 controls. */
function decodeWindows1252(octets: Uint8Array): string {
  return latin1(octets).replaceAll(/[\x80-\x9f]/g, (control) => WINDOWS_1252[control.charCodeAt(0) - 0x80] as string)
}

/** 0x80 to 0x9F; the five that are not assigned are controls, as in the Encoding Standard. */
const WINDOWS_1252 = Array.from('€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ')

/** Every octet as the character of its number. */
function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
}
