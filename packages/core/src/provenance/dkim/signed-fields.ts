/** The header as a signature covers it: fields chosen by name, each made canonical. RFC 6376 §3.7, §5.4.2 */
import type { SignedMessage } from '../signed-message.ts'
import { readField, type HeaderField } from '../../message/index.ts'
import { canonicalizeField, MAX_ADDED, writeCanonicalField, type Canonicalization } from './canonicalization.ts'

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const LETTER_B = 0x62

const NONE: readonly HeaderField[] = []

/** Signatures and seals of a message are looked for side by side. */
const indexes = new WeakMap<SignedMessage, HeaderIndex>()

/** Fields of a header by name. */
export class HeaderIndex {
  readonly #header: Buffer
  readonly #byName = new Map<string, HeaderField[]>()

  /** Of a message; the same for all who ask. */
  static of(message: SignedMessage): HeaderIndex {
    let index = indexes.get(message)
    if (index === undefined) indexes.set(message, (index = new HeaderIndex(message.header)))
    return index
  }

  private constructor(header: Uint8Array) {
    this.#header = Buffer.from(header.buffer, header.byteOffset, header.length)
    for (let field = readField(header, 0); field !== undefined; field = readField(header, field.end)) {
      const name = this.text(field.start, field.nameEnd).toLowerCase()
      const same = this.#byName.get(name)
      if (same === undefined) this.#byName.set(name, [field])
      else same.push(field)
    }
  }

  /** Fields of a name in lower case, from the top. */
  fields(name: string): readonly HeaderField[] {
    return this.#byName.get(name) ?? NONE
  }

  octets({ start, end }: HeaderField): Uint8Array {
    return this.#header.subarray(start, end)
  }

  /** Value as latin1 text, folded. */
  value({ valueStart, valueEnd }: HeaderField): string {
    return this.text(valueStart, valueEnd)
  }

  text(start: number, end: number): string {
    return this.#header.toString('latin1', start, end)
  }

  /**
   * What a signature is made over: the fields it names, canonical, then its own as `unsignedField` gives it. Each name
   * takes the lowest field of that name not taken before; one too many takes nothing. RFC 6376 §3.7, §5.4.2
   */
  signedData(names: readonly string[], own: Uint8Array, how: Canonicalization): Uint8Array {
    const out = Buffer.allocUnsafe(this.#header.length + MAX_ADDED * names.length + own.length)
    const taken = new Map<string, number>()
    let length = 0
    for (const name of names) {
      const fields = this.fields(name)
      if (fields.length === 0) continue
      const count = taken.get(name) ?? 0
      const field = fields[fields.length - 1 - count]
      if (field === undefined) continue
      taken.set(name, count + 1)
      length = writeCanonicalField(this.#header, field, how, out, length)
    }
    out.set(own, length)
    return out.subarray(0, length + own.length)
  }
}

/**
 * A signature's own field as it is signed: canonical, the value of its b= tag empty, without its line end.
 * @param field octets of the field
 */
export function unsignedField(field: Uint8Array, how: Canonicalization): Uint8Array {
  const { from, to } = signatureValue(field)
  const canonical = canonicalizeField(Buffer.concat([field.subarray(0, from), field.subarray(to)]), how)
  return canonical.subarray(0, canonical.length - 2)
}

/** Where the value of the tag b= lies; nowhere when there is none. Tags alone count: `:b=` may stand in a value, as in z=. */
function signatureValue(field: Uint8Array): { readonly from: number; readonly to: number } {
  for (let start = field.indexOf(COLON) + 1; start > 0; ) {
    const semicolon = field.indexOf(SEMICOLON, start)
    const end = semicolon < 0 ? field.length : semicolon
    const equals = field.indexOf(EQUALS, start)
    if (equals >= 0 && equals < end && isNamedB(field, start, equals)) return { from: equals + 1, to: end }
    // Without an "=" from here on no tag follows.
    start = semicolon < 0 || equals < 0 ? 0 : semicolon + 1
  }
  return { from: field.length, to: field.length }
}

function isNamedB(field: Uint8Array, from: number, to: number): boolean {
  let count = 0
  for (let at = from; at < to; at += 1) {
    const octet = field[at] as number
    if (octet === LETTER_B) count += 1
    else if (octet !== SPACE && octet !== TAB && octet !== CR && octet !== LF) return false
  }
  return count === 1
}
