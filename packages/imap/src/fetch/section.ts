/**
 * `section` and `partial` of FETCH: which stretch of a message a client asks for, read from its command and written
 * back in the answer. RFC 3501 §6.4.5, §9
 * Not here: which octets those are in a message (`section-octets.ts`).
 */
import { FieldNames, type SectionText } from '@postern/core/message'
import { isRun } from '../syntax/octets.ts'
import type { Reader } from '../syntax/reader.ts'
import type { ResponseWriter } from '../syntax/writer.ts'

/** LIMIT: field names of one section; clients ask for about thirty, and every answer repeats them all. */
const MAX_FIELD_NAMES = 200
/** LIMIT: octets of one field name: RFC 5322 §2.1.1 has no longer line. */
const MAX_FIELD_NAME_OCTETS = 998

/** What of a message is meant. */
export interface Section {
  /** Part numbers, the outermost first; none for the message itself. */
  readonly numbers: readonly number[]
  readonly text: SectionText
  /** Which fields of the header; only with `text: 'header'`. */
  readonly fields?: FieldChoice
}

/** HEADER.FIELDS (`named`) or HEADER.FIELDS.NOT (`others`). */
export interface FieldChoice {
  readonly choose: 'named' | 'others'
  /** As the client wrote them. */
  readonly names: readonly Uint8Array[]
  /** The same, to look names up in. */
  readonly set: FieldNames
}

/** `<origin.length>`: octets of a section, counted after fields were chosen. */
export interface Partial {
  readonly origin: number
  /** At least 1. */
  readonly length: number
}

// section = "[" [section-spec] "]"
// section-spec = section-msgtext / (section-part ["." section-text])
// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
// section-part = nz-number *("." nz-number)
// section-text = section-msgtext / "MIME"
/** Reads a section with its brackets. @throws WireSyntaxError */
export function parseSection(reader: Reader): Section {
  reader.expect('[')
  const offset = reader.offset
  const words = reader.peekWord() === '' ? [] : reader.word().split('.')
  const numbers: number[] = []
  while (numbers.length < words.length && /^[1-9]\d{0,9}$/.test(words[numbers.length] as string)) {
    const number = Number(words[numbers.length])
    if (number > 0xffff_ffff) reader.fail('section', 'section', offset)
    numbers.push(number)
  }
  const word = words.slice(numbers.length).join('.')
  const section = parseText(reader, word, numbers) ?? reader.fail('section', 'section', offset)
  // "1." names a part and nothing of it.
  if (numbers.length < words.length && section.text === 'body') reader.fail('section', 'section', offset)
  reader.expect(']')
  return section
}

function parseText(reader: Reader, word: string, numbers: readonly number[]): Section | undefined {
  switch (word) {
    case '':
      return { numbers, text: 'body' }
    case 'HEADER':
      return { numbers, text: 'header' }
    case 'TEXT':
      return { numbers, text: 'text' }
    case 'MIME':
      return numbers.length === 0 ? undefined : { numbers, text: 'mime' }
    case 'HEADER.FIELDS':
      return { numbers, text: 'header', fields: parseFields(reader, 'named') }
    case 'HEADER.FIELDS.NOT':
      return { numbers, text: 'header', fields: parseFields(reader, 'others') }
    default:
      return undefined
  }
}

// header-list = "(" header-fld-name *(SP header-fld-name) ")"
function parseFields(reader: Reader, choose: FieldChoice['choose']): FieldChoice {
  reader.space()
  const offset = reader.offset
  let count = 0
  const names = reader.list(() => {
    count += 1
    if (count > MAX_FIELD_NAMES) reader.fail('too-many-fields', `at most ${MAX_FIELD_NAMES} field names`, offset)
    const name = reader.astringOctets()
    if (name.length > MAX_FIELD_NAME_OCTETS) reader.fail('field-name', 'header-fld-name', offset)
    // A view of the command's octets would keep all of them.
    return Uint8Array.from(name)
  })
  return { choose, names, set: new FieldNames(names) }
}

// partial = "<" number "." nz-number ">"
/** Reads a partial, if one stands here. @throws WireSyntaxError */
export function parsePartial(reader: Reader): Partial | undefined {
  if (!reader.accept('<')) return undefined
  const origin = reader.number()
  reader.expect('.')
  const length = reader.nzNumber()
  reader.expect('>')
  return { origin, length }
}

/** Writes a section with its brackets, the names of fields as they were asked for. */
export function formatSection(writer: ResponseWriter, section: Section): void {
  const { numbers, text, fields } = section
  const word = text === 'body' ? [] : [text.toUpperCase()]
  writer.text(`[${[...numbers, ...word].join('.')}`)
  if (fields !== undefined) {
    writer.text(fields.choose === 'named' ? '.FIELDS (' : '.FIELDS.NOT (')
    fields.names.forEach((name, index) => {
      if (index > 0) writer.text(' ')
      const latin1 = Buffer.from(name).toString('latin1')
      // header-fld-name = astring
      if (isRun(latin1, 'astring')) writer.text(latin1)
      else writer.string(name)
    })
    writer.text(')')
  }
  writer.text(']')
}
