/**
 * The boundaries open multiparts wait for, to be looked up line by line. RFC 2046 §5.1.1
 * Not here: what a delimiter does to the tree (parts.ts).
 */
import type { Work } from './address-tokens.ts'
import type { OpenPart } from './open-part.ts'
import { withoutTrailingBlanks } from './parameters.ts'

const DASH = 0x2d

/** LIMIT: longest line, with its end, that is taken for a boundary; RFC 2046 §5.1.1 allows boundaries of 70 octets. */
export const MAX_BOUNDARY_LINE_OCTETS = 2000

/** What a boundary line means: another part of `multipart`, or no more. */
export interface Delimiter {
  readonly multipart: OpenPart
  readonly isClose: boolean
}

/**
 * Multiparts by boundary; of equal boundaries the innermost counts. A look-up costs the same however many there are.
 */
export class Boundaries {
  readonly #work: Work
  readonly #byText = new Map<string, OpenPart>()
  /** What each multipart hides: the one that had the same boundary before. */
  readonly #hidden = new Map<OpenPart, OpenPart>()

  constructor(work: Work) {
    this.#work = work
  }

  get isEmpty(): boolean {
    return this.#byText.size === 0
  }

  add(multipart: OpenPart, boundary: string): void {
    const hidden = this.#byText.get(boundary)
    if (hidden !== undefined) this.#hidden.set(multipart, hidden)
    this.#byText.set(boundary, multipart)
  }

  /** Idempotent. The last added of those with the same boundary goes first. */
  remove(multipart: OpenPart): void {
    const boundary = multipart.fields?.boundary
    if (boundary === undefined || this.#byText.get(boundary) !== multipart) return
    const hidden = this.#hidden.get(multipart)
    if (hidden === undefined) this.#byText.delete(boundary)
    else this.#byText.set(boundary, hidden)
    this.#hidden.delete(multipart)
  }

  /**
   * Reads `octets[from, to)`, a line with its end, as a delimiter. What follows the boundary after white space does
   * not count. Of boundaries that both fit the longer one is meant.
   */
  find(octets: Buffer, from: number, to: number): Delimiter | undefined {
    if (this.isEmpty || octets[from] !== DASH || octets[from + 1] !== DASH) return undefined
    if (to - from > MAX_BOUNDARY_LINE_OCTETS) return undefined
    this.#work.steps += to - from
    const text = withoutTrailingBlanks(octets.toString('latin1', from + 2, to))
    const whole = this.#lookUp(text)
    if (whole !== undefined) return whole
    const blank = text.search(/[ \t]/)
    return blank > 0 ? this.#lookUp(text.slice(0, blank)) : undefined
  }

  #lookUp(text: string): Delimiter | undefined {
    const opened = this.#byText.get(text)
    if (opened !== undefined) return { multipart: opened, isClose: false }
    if (!text.endsWith('--')) return undefined
    const closed = this.#byText.get(withoutTrailingBlanks(text.slice(0, -2)))
    return closed === undefined ? undefined : { multipart: closed, isClose: true }
  }
}
