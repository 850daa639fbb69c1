/**
 * Content transfer encodings: base64 and quoted-printable, both ways. RFC 2045 §6.7, §6.8
 * Not here: encoded words, whose "Q" is another encoding.
 *
 * LENIENT: broken input decodes as far as it goes: octets outside the alphabet are passed over, `=` with anything else
 * than two hexadecimal digits or a line end stays as it is. A decoder never gives more octets than it was given, and
 * never throws.
 */

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const DOT = 0x2e
const EQUALS = 0x3d

/** RFC 2045 §6.7 (5), §6.8 */
const LINE = 76
/** LIMIT: white space that may be at the end of a line is held back; no line has more. RFC 5322 §2.1.1 */
const MAX_HELD = 998

const NOTHING = new Uint8Array(0)

/** Takes a body in pieces, gives it decoded; what it gives is its own. */
export interface TransferDecoder {
  push(octets: Uint8Array): Uint8Array
  /** What was held back. Nothing may be pushed after it. */
  end(): Uint8Array
}

/**
 * @param encoding Content-Transfer-Encoding in any case; what is neither base64 nor quoted-printable passes as it is
 */
export function createTransferDecoder(encoding: string): TransferDecoder {
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return new Base64Decoder()
    case 'quoted-printable':
      return new QuotedPrintableDecoder()
    default:
      // Not `slice`: of a Buffer that is a view.
      return { push: (octets) => new Uint8Array(octets), end: () => NOTHING }
  }
}

/** All of a body decoded. @param encoding as of `createTransferDecoder` */
export function decodeTransfer(octets: Uint8Array, encoding: string): Uint8Array {
  const decoder = createTransferDecoder(encoding)
  const body = decoder.push(octets)
  const tail = decoder.end()
  if (tail.length === 0) return body
  const out = new Uint8Array(body.length + tail.length)
  out.set(body)
  out.set(tail, body.length)
  return out
}

/** Base64 in lines of 76 characters, each ended by CR LF. */
export function encodeBase64(octets: Uint8Array): Uint8Array {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64')
  const out = new Uint8Array(text.length + 2 * Math.ceil(text.length / LINE))
  let length = 0
  for (let at = 0; at < text.length; at += LINE) {
    const end = Math.min(text.length, at + LINE)
    for (let index = at; index < end; index += 1) out[length + index - at] = text.charCodeAt(index)
    length += end - at
    out[length] = CR
    out[length + 1] = LF
    length += 2
  }
  return out
}

/**
 * Quoted-printable of text whose line ends are CR LF; a bare CR or LF is an octet like others and encoded. Lines have
 * at most 76 characters; "From " and a dot at the start of one are encoded too, as some on the way change them. RFC
 * 2049 §3
 */
export function encodeQuotedPrintable(octets: Uint8Array): Uint8Array {
  // Each octet becomes three at most, and a soft line break follows at least 73.
  const out = new Uint8Array(3 * octets.length + 3 * Math.ceil((3 * octets.length) / 73))
  let length = 0
  let column = 0
  for (let at = 0; at < octets.length; at += 1) {
    const octet = octets[at] as number
    if (octet === CR && octets[at + 1] === LF) {
      out[length] = CR
      out[length + 1] = LF
      length += 2
      column = 0
      at += 1
      continue
    }
    const isLast = at + 1 === octets.length || (octets[at + 1] === CR && octets[at + 2] === LF)
    const width = isPlain(octet, isLast) && !(column === 0 && isAltered(octets, at)) ? 1 : 3
    // A line that goes on keeps one column for its soft line break.
    if (column + width > (isLast ? LINE : LINE - 1)) {
      out[length] = EQUALS
      out[length + 1] = CR
      out[length + 2] = LF
      length += 3
      column = 0
    }
    if (width === 1 && !(column === 0 && isAltered(octets, at))) {
      out[length] = octet
      length += 1
      column += 1
    } else {
      out[length] = EQUALS
      out[length + 1] = HEX[octet >> 4] as number
      out[length + 2] = HEX[octet & 15] as number
      length += 3
      column += 3
    }
  }
  return out.slice(0, length)
}

const HEX = new TextEncoder().encode('0123456789ABCDEF')

function isPlain(octet: number, isLast: boolean): boolean {
  if (octet === SPACE || octet === TAB) return !isLast
  return octet > SPACE && octet < 0x7f && octet !== EQUALS
}

/** Whether what stands at the start of a line may be changed on the way: a dot, or "From ". */
function isAltered(octets: Uint8Array, at: number): boolean {
  return octets[at] === DOT || FROM.every((octet, index) => octets[at + index] === octet)
}

const FROM = new TextEncoder().encode('From ')

class Base64Decoder implements TransferDecoder {
  #bits = 0
  #bitCount = 0

  push(octets: Uint8Array): Uint8Array {
    const out = new Uint8Array(Math.ceil((octets.length * 3) / 4) + 1)
    let length = 0
    let bits = this.#bits
    let bitCount = this.#bitCount
    for (const octet of octets) {
      const value = BASE64[octet] as number
      if (value < 64) {
        bits = ((bits << 6) | value) & 0x3fff
        bitCount += 6
        if (bitCount >= 8) {
          bitCount -= 8
          out[length] = bits >> bitCount
          length += 1
        }
      } else if (octet === EQUALS) {
        // LENIENT: after padding another text may follow, as when bodies were joined.
        bitCount = 0
      }
    }
    this.#bits = bits
    this.#bitCount = bitCount
    return out.slice(0, length)
  }

  end(): Uint8Array {
    return new Uint8Array(0)
  }
}

/** Values of the base64 alphabet; 64 for what isn't in it. */
const BASE64 = (() => {
  const table = new Uint8Array(256).fill(64)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  for (const [value, letter] of Array.from(alphabet).entries()) table[letter.charCodeAt(0)] = value
  return table
})()

/**
 * The end of what came so far, when it depends on what comes: white space (dropped before a line end), or `=` with what
 * may make it an octet or a soft line break.
 */
class QuotedPrintableDecoder implements TransferDecoder {
  readonly #held = new Uint8Array(MAX_HELD)
  #heldLength = 0
  #isEscape = false
  #out: Uint8Array = NOTHING
  #length = 0

  push(octets: Uint8Array): Uint8Array {
    this.#out = new Uint8Array(this.#heldLength + octets.length)
    this.#length = 0
    let at = 0
    while (at < octets.length) {
      if (this.#heldLength > 0) {
        this.#hold(octets[at] as number)
        at += 1
      } else {
        at = this.#plain(octets, at)
      }
    }
    const out = this.#out.slice(0, this.#length)
    this.#out = NOTHING
    return out
  }

  end(): Uint8Array {
    // A "=" at the end is a soft line break whose line end was cut off; white space there is at the end of a line.
    const first = this.#held[1]
    const isCut = this.#isEscape && this.#heldLength > 1 && hexValue(first as number) !== undefined
    const out = isCut ? this.#held.slice(0, this.#heldLength) : new Uint8Array(0)
    this.#heldLength = 0
    return out
  }

  /**
   * Takes what is decided by `octets` alone, from `at` on.
   * @returns where it stopped, at the latest after having held something back
   */
  #plain(octets: Uint8Array, at: number): number {
    const out = this.#out
    let length = this.#length
    let index = at
    for (; index < octets.length; index += 1) {
      const octet = octets[index] as number
      if (octet === SPACE || octet === TAB) {
        let end = index + 1
        while (octets[end] === SPACE || octets[end] === TAB) end += 1
        if (end === octets.length) break
        const isDropped = octets[end] === CR || octets[end] === LF
        // Of white space before a line end only what `#hold` would hold back is dropped.
        const kept = isDropped ? MAX_HELD * Math.floor((end - index - 1) / MAX_HELD) : end - index
        // A loop, because most runs are one octet.
        for (let blank = index; blank < index + kept; blank += 1) out[length + blank - index] = octets[blank] as number
        length += kept
        index = end - 1
      } else if (octet === EQUALS) {
        const high = hexValue(octets[index + 1] ?? 0)
        const low = hexValue(octets[index + 2] ?? 0)
        const isSoft = octets[index + 1] === CR && octets[index + 2] === LF
        if (!isSoft && (high === undefined || low === undefined)) break
        if (high !== undefined && low !== undefined) {
          out[length] = high * 16 + low
          length += 1
        }
        index += 2
      } else {
        out[length] = octet
        length += 1
      }
    }
    this.#length = length
    if (index === octets.length) return index
    this.#keep(octets[index] as number)
    return index + 1
  }

  /** Takes an octet while others are held back: they are decoded, dropped, given, or held on with it. */
  #hold(octet: number): void {
    if (this.#isEscape) {
      const meaning = this.#escape(octet)
      if (meaning === 'more') return
      if (meaning !== 'none') {
        this.#heldLength = 0
        if (meaning !== 'soft') this.#give(meaning)
        return
      }
      this.#release()
    } else if (octet === LF || octet === CR) {
      this.#heldLength = 0
    } else if ((octet !== SPACE && octet !== TAB) || this.#heldLength === MAX_HELD) {
      this.#release()
    }
    if (octet === EQUALS || octet === SPACE || octet === TAB) this.#keep(octet)
    else this.#give(octet)
  }

  #keep(octet: number): void {
    this.#isEscape = octet === EQUALS
    this.#held[this.#heldLength] = octet
    this.#heldLength += 1
  }

  #give(octet: number): void {
    this.#out[this.#length] = octet
    this.#length += 1
  }

  #release(): void {
    this.#out.set(this.#held.subarray(0, this.#heldLength), this.#length)
    this.#length += this.#heldLength
    this.#heldLength = 0
  }

  /**
   * What `octet` makes of the held `=…`: an octet, a soft line break, something that needs more, or nothing. RFC 2045
   * §6.7 (1), (5)
   */
  #escape(octet: number): number | 'soft' | 'more' | 'none' {
    const last = this.#held[this.#heldLength - 1] as number
    const isBlankSoFar = this.#heldLength === 1 || last === SPACE || last === TAB
    if (octet === LF && (isBlankSoFar || last === CR)) return 'soft'
    const mayFollow =
      (isBlankSoFar && (octet === SPACE || octet === TAB || octet === CR)) ||
      (this.#heldLength === 1 && hexValue(octet) !== undefined)
    if (mayFollow && this.#heldLength < MAX_HELD) {
      this.#held[this.#heldLength] = octet
      this.#heldLength += 1
      return 'more'
    }
    const high = this.#heldLength === 2 ? hexValue(last) : undefined
    const low = hexValue(octet)
    return high === undefined || low === undefined ? 'none' : high * 16 + low
  }
}

function hexValue(octet: number): number | undefined {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const letter = octet | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined
}
