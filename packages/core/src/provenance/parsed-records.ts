/** What TXT records were parsed to: few senders send most mail, and each message asks for the same ones again. */

/** LIMIT: characters of a record that is kept; real ones are shorter. */
const MAX_CHARACTERS = 2_048

export class ParsedRecords<T extends object | string> {
  readonly #parse: (text: string) => T
  readonly #max: number
  #recent = new Map<string, T>()
  #older = new Map<string, T>()

  /** @param max LIMIT: records kept for certain; of those not asked for lately as many again */
  constructor(parse: (text: string) => T, max: number) {
    this.#parse = parse
    this.#max = max
  }

  /** What `parse` makes of it. */
  of(text: string): T {
    const known = this.#recent.get(text)
    if (known !== undefined) return known
    const parsed = this.#older.get(text) ?? this.#parse(text)
    if (text.length > MAX_CHARACTERS) return parsed
    if (this.#recent.size >= this.#max) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(text, parsed)
    return parsed
  }
}
