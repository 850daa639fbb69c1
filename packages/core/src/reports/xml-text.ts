/** Octets of an XML document to text, in the encoding it claims. XML 1.0 §4.3.3, appendix F */
import { TextDecoder } from 'node:util'
import { type CharsetDecoder, createCharsetDecoder, isKnownCharset } from '../message/index.ts'
import { ReportSyntaxError } from './report-syntax-error.ts'

/** LIMIT: octets in which the declaration must end. */
const MAX_DECLARATION = 256

/** Takes a document in pieces of any size. Strict for UTF-8; other encodings give U+FFFD for what they can't read. */
export class XmlText implements CharsetDecoder {
  #head = new Uint8Array(0)
  #decoder: CharsetDecoder | undefined
  #hasBegun = false

  /** @throws ReportSyntaxError REPORT_CHARSET */
  push(octets: Uint8Array): string {
    if (this.#decoder !== undefined) return this.#begin(this.#decoder.push(octets))
    const head = new Uint8Array(this.#head.length + octets.length)
    head.set(this.#head)
    head.set(octets, this.#head.length)
    this.#head = head
    return head.length < MAX_DECLARATION ? '' : this.#open()
  }

  /** @throws ReportSyntaxError REPORT_CHARSET */
  end(): string {
    const first = this.#decoder === undefined ? this.#open() : ''
    return this.#begin(first + (this.#decoder?.end() ?? ''))
  }

  #open(): string {
    const head = this.#head
    this.#head = new Uint8Array(0)
    this.#decoder = decoderOf(head)
    return this.#begin(this.#decoder.push(head))
  }

  /** LENIENT: blank lines before the XML declaration. */
  #begin(text: string): string {
    if (this.#hasBegun) return text
    const rest = text.trimStart()
    this.#hasBegun = rest !== ''
    return rest
  }
}

function decoderOf(head: Uint8Array): CharsetDecoder {
  const [first, second] = head
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return createCharsetDecoder('utf-16')
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, MAX_DECLARATION)).toString('latin1')
  const declared = /^[^<]{0,16}<\?xml\s[^>]{0,200}?encoding\s?=\s?["']([\w.:-]{1,40})["']/.exec(text)?.[1] ?? 'utf-8'
  const label = declared.toLowerCase()
  // QUIRK(.NET): UTF-8 that says it is UTF-16; what was just read as ASCII is not.
  if (label === 'utf-8' || label === 'utf8' || label.startsWith('utf-16')) return strictUtf8()
  if (!isKnownCharset(label)) throw new ReportSyntaxError('REPORT_CHARSET', 'Expected an encoding that is known')
  return createCharsetDecoder(label)
}

function strictUtf8(): CharsetDecoder {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (octets?: Uint8Array): string => {
    try {
      return octets === undefined ? decoder.decode() : decoder.decode(octets, { stream: true })
    } catch (cause) {
      throw new ReportSyntaxError('REPORT_CHARSET', 'Expected UTF-8', { cause })
    }
  }
  return { push: decode, end: () => decode() }
}
