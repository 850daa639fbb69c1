/**
 * Message data as SMTP sends it: finds where it ends, and takes out the dots that were put in for transparency.
 * RFC 5321 §4.5.2. Not here: where the text goes, and how much of it is allowed.
 *
 * Only CR LF dot CR LF is an end. A CR without LF or a LF without CR is reported, wherever it stands: what receivers
 * disagree on there is how messages are smuggled.
 */

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e

/** Before the first octet of a line. */
const LINE_START = 0
/** After a dot that begins a line. */
const AFTER_DOT = 1
/** After that dot and a CR. */
const AFTER_DOT_CR = 2
const IN_TEXT = 3
const AFTER_CR = 4

/** `more`: go on at `at`, when there are octets; `end`: the message ends before `at`; `bare-newline`: it broke before `at`. */
export type DotStep = 'more' | 'end' | 'bare-newline'

/** One message's scanner; results of a step are read from its fields, so that no step makes an object. */
export class DotScanner {
  /** Text found by `read` is `[from, to)` of the buffer; may be empty. */
  from = 0
  to = 0
  /** Where the next step begins. */
  at = 0
  #state = LINE_START

  /** Reads up to one stretch of text from `[start, end)` of `buffer`. All is read when `at` is `end`. */
  read(buffer: Uint8Array, start: number, end: number): DotStep {
    let at = start
    let from = start
    let state = this.#state
    while (at < end) {
      if (state === IN_TEXT) {
        // In a sound message both lie side by side, so that each octet is looked at twice and no more.
        const cr = indexOf(buffer, CR, at, end)
        const lf = indexOf(buffer, LF, at, end)
        if (lf >= 0 && (cr < 0 || lf < cr)) {
          if (lf > from) return this.#step('more', from, lf, lf, IN_TEXT)
          return this.#step('bare-newline', lf, lf, lf + 1, IN_TEXT)
        }
        if (cr < 0) return this.#step('more', from, end, end, IN_TEXT)
        at = cr + 1
        state = AFTER_CR
        continue
      }
      const octet = buffer[at]
      if (state === AFTER_CR) {
        if (octet !== LF) {
          if (at > from) return this.#step('more', from, at, at, AFTER_CR)
          return this.#step('bare-newline', at, at, at, IN_TEXT)
        }
        at += 1
        state = LINE_START
      } else if (state === LINE_START) {
        if (octet === DOT) return this.#step('more', from, at, at + 1, AFTER_DOT)
        state = IN_TEXT
      } else if (state === AFTER_DOT) {
        from = at
        if (octet === CR) {
          at += 1
          from = at
          state = AFTER_DOT_CR
        } else {
          state = IN_TEXT
        }
      } else if (octet === LF) {
        return this.#step('end', at, at, at + 1, LINE_START)
      } else {
        return this.#step('bare-newline', at, at, at, IN_TEXT)
      }
    }
    return this.#step('more', from, at, at, state)
  }

  /**
   * Looks for the end in `[start, end)` of `buffer` of a message that is being thrown away: one look at each octet,
   * however many newlines are bare. @returns whether a newline was bare, and whether the end was found
   */
  skip(buffer: Uint8Array, start: number, end: number): { readonly isEnd: boolean; readonly hasBareNewline: boolean } {
    let state = this.#state
    let hasBareNewline = false
    for (let at = start; at < end; at += 1) {
      const octet = buffer[at]
      if (octet === LF) {
        if (state === AFTER_DOT_CR) {
          this.at = at + 1
          return { isEnd: true, hasBareNewline }
        }
        if (state === AFTER_CR) {
          state = LINE_START
        } else {
          hasBareNewline = true
          state = IN_TEXT
        }
        continue
      }
      if (state === AFTER_CR || state === AFTER_DOT_CR) hasBareNewline = true
      if (octet === CR) state = state === AFTER_DOT ? AFTER_DOT_CR : AFTER_CR
      else state = octet === DOT && state === LINE_START ? AFTER_DOT : IN_TEXT
    }
    this.at = end
    this.#state = state
    return { isEnd: false, hasBareNewline }
  }

  #step(step: DotStep, from: number, to: number, at: number, state: number): DotStep {
    this.from = from
    this.to = to
    this.at = at
    this.#state = state
    return step
  }
}

/** Index of `octet` in `[from, to)` of `buffer`, or −1. */
function indexOf(buffer: Uint8Array, octet: number, from: number, to: number): number {
  return (to === buffer.length ? buffer : buffer.subarray(0, to)).indexOf(octet, from)
}
