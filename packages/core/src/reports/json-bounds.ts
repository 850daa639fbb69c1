/**
 * Counts what a JSON text will make before it is parsed: `JSON.parse` takes all or nothing, and a text of brackets costs
 * a hundred times what one of strings does. Not here: whether it is well formed.
 */
import { ReportSyntaxError } from './report-syntax-error.ts'

/** LIMIT: the deepest value of a report is the sixth. RFC 8460 §4.4 */
const MAX_DEPTH = 16
/** LIMIT: values and names; a failure has some 20, so 10,000 failures. */
const MAX_TOKENS = 200_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Takes UTF-8 in pieces of any size: octets of its longer characters are none of ASCII's. */
export class JsonBounds {
  #inString = false
  #isEscaped = false
  #depth = 0
  #tokens = 0

  /** @throws ReportSyntaxError REPORT_COMPLEX */
  push(octets: Uint8Array): void {
    for (const octet of octets) {
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (octet === BACKSLASH) this.#isEscaped = true
        else if (octet === QUOTE) this.#inString = false
      } else if (octet === QUOTE) this.#inString = true
      else if (octet === OPEN_ARRAY || octet === OPEN_OBJECT) {
        this.#depth += 1
        this.#count()
      } else if (octet === CLOSE_ARRAY || octet === CLOSE_OBJECT) this.#depth -= 1
      else if (octet === COMMA || octet === COLON) this.#count()
    }
  }

  #count(): void {
    this.#tokens += 1
    if (this.#tokens > MAX_TOKENS) throw new ReportSyntaxError('REPORT_COMPLEX', `Expected at most ${MAX_TOKENS} values and names`)
    if (this.#depth > MAX_DEPTH) throw new ReportSyntaxError('REPORT_COMPLEX', `Expected values at most ${MAX_DEPTH} deep`)
  }
}
