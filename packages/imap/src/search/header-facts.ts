/** What a search needs to know of a message's header: the texts of some fields, and the day it says it was sent. */
import { decodeEncodedWords, FieldNames, LISTED_FIELD_NAMES, parseDate, readFields } from '@postern/core/message'
import type { Day } from '../syntax/date-time.ts'
import { foldCase } from './fold.ts'

const DAY_SECONDS = 86_400
const DATE = Buffer.from('Date')

/** Of one message. */
export interface HeaderFacts {
  /** For each name asked for, the texts of its fields: decoded and folded. */
  readonly texts: readonly (readonly string[])[]
  /** As the first Date field names it, in its own zone; undefined when none can be read, or nobody asked. */
  readonly sentDay: Day | undefined
}

/** Reads the facts of headers, of all fields a search asks for at once. */
export class HeaderFactsReader {
  /** Places by name in lower case. */
  readonly #places = new Map<string, number>()
  readonly #names: Uint8Array[] = []
  #set: FieldNames | undefined
  #datePlace: number | undefined

  /** Whether nothing is asked of headers. */
  get isEmpty(): boolean {
    return this.#names.length === 0
  }

  /** @returns the place of the name's texts in `HeaderFacts.texts` */
  add(name: Uint8Array): number {
    const key = Buffer.from(name).toString('latin1').replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
    const known = this.#places.get(key)
    if (known !== undefined) return known
    this.#places.set(key, this.#names.length)
    this.#names.push(name)
    this.#set = undefined
    return this.#names.length - 1
  }

  /** The day sent will be asked for. */
  addSentDay(): void {
    this.#datePlace ??= this.add(DATE)
  }

  /** @param header a header section, or some lines of one */
  read(header: Uint8Array): HeaderFacts {
    const names = (this.#set ??= new FieldNames(this.#names))
    const texts: string[][] = this.#names.map(() => [])
    let sentDay: Day | undefined
    let hasDate = false
    for (const { start, nameEnd, valueStart, valueEnd } of readFields(header)) {
      const place = names.indexOf(header, start, nameEnd)
      if (place < 0) continue
      const value = header.subarray(valueStart, valueEnd)
      if (place === this.#datePlace && !hasDate) {
        hasDate = true
        sentDay = dayOf(value)
      }
      ;(texts[place] as string[]).push(foldCase(decodeEncodedWords(value)))
    }
    return { texts, sentDay }
  }
}

/** Whether complete list records have all fields of that name. */
export function isListedField(name: Uint8Array): boolean {
  return LISTED_FIELD_NAMES.indexOf(name, 0, name.length) >= 0
}

function dayOf(value: Uint8Array): Day | undefined {
  const date = parseDate(value)
  return date && Math.floor((date.seconds + date.zoneMinutes * 60) / DAY_SECONDS)
}
