/** The header as a signature covers it: fields chosen by name, each made canonical. RFC 6376 §3.7, §5.4.2 */
import { readFields, type HeaderField } from '../../message/index.ts'
import { canonicalizeField, type Canonicalization } from './canonicalization.ts'

/** Fields of a header by name. */
export class HeaderIndex {
  readonly #header: Uint8Array
  readonly #byName = new Map<string, HeaderField[]>()

  constructor(header: Uint8Array) {
    this.#header = header
    for (const field of readFields(header)) {
      const name = this.text(field.start, field.nameEnd).toLowerCase()
      const same = this.#byName.get(name)
      if (same === undefined) this.#byName.set(name, [field])
      else same.push(field)
    }
  }

  /** Fields of a name in lower case, from the top. */
  fields(name: string): readonly HeaderField[] {
    return this.#byName.get(name) ?? []
  }

  octets({ start, end }: HeaderField): Uint8Array {
    return this.#header.subarray(start, end)
  }

  /** Value as latin1 text, folded. */
  value({ valueStart, valueEnd }: HeaderField): string {
    return this.text(valueStart, valueEnd)
  }

  text(start: number, end: number): string {
    return Buffer.from(this.#header.buffer, this.#header.byteOffset + start, end - start).toString('latin1')
  }

  /** Fields that are signed, canonical: each name takes the lowest field of that name not taken before; one too many takes nothing. */
  *signed(names: readonly string[], how: Canonicalization): IterableIterator<Uint8Array> {
    const taken = new Map<string, number>()
    for (const name of names) {
      const fields = this.fields(name)
      const count = taken.get(name) ?? 0
      const field = fields[fields.length - 1 - count]
      if (field === undefined) continue
      taken.set(name, count + 1)
      yield canonicalizeField(this.octets(field), how)
    }
  }
}

/**
 * A signature's own field as it is signed: canonical, the value of its b= tag empty, without its line end.
 * @param field octets of the field
 */
export function unsignedField(field: Uint8Array, how: Canonicalization): Uint8Array {
  const text = Buffer.from(field.buffer, field.byteOffset, field.length).toString('latin1')
  // The name has neither "=" nor ";", so the tag follows the colon or a semicolon.
  const emptied = text.replace(/([:;][ \t\r\n]*b[ \t\r\n]*=)[^;]*/, '$1')
  const canonical = canonicalizeField(Buffer.from(emptied, 'latin1'), how)
  return canonical.subarray(0, canonical.length - 2)
}
