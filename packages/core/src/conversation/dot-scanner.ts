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

/** One message's scanner. */
export class DotScanner {
  /** Text found by `read`: a view of the buffer, or, where dots were taken out within it, a copy. */
  text: Uint8Array | undefined
  /** Where the next step begins. */
  at = 0
  #state = LINE_START

  /** Reads `[start, end)` of `buffer`, up to the end of the message or the first bare newline. A step that found text says `more` first. */
  read(buffer: Uint8Array, start: number, end: number): DotStep {
    let at = start
    // Text is what was taken, and then [from, at).
    const taken = new TakenText(buffer)
    let from = start
    let state = this.#state
    let step: DotStep = 'more'
    while (at < end) {
      if (state === IN_TEXT) {
        // In a sound message both lie side by side, so that each octet is looked at twice and no more.
        const cr = indexOf(buffer, CR, at, end)
        const lf = indexOf(buffer, LF, at, end)
        if (lf >= 0 && (cr < 0 || lf < cr)) {
          at = lf
          step = 'bare-newline'
          break
        }
        at = cr < 0 ? end : cr + 1
        if (cr >= 0) state = AFTER_CR
        continue
      }
      const octet = buffer[at]
      if (state === AFTER_CR) {
        if (octet !== LF) {
          step = 'bare-newline'
          break
        }
        at += 1
        state = LINE_START
      } else if (state === LINE_START) {
        if (octet === DOT) {
          taken.add(from, at, end)
          at += 1
          from = at
          state = AFTER_DOT
        } else {
          state = IN_TEXT
        }
      } else if (state === AFTER_DOT) {
        if (octet === CR) {
          at += 1
          from = at
          state = AFTER_DOT_CR
        } else {
          state = IN_TEXT
        }
      } else {
        step = octet === LF ? 'end' : 'bare-newline'
        break
      }
    }
    taken.add(from, at, end)
    this.text = taken.whole()
    this.at = at
    this.#state = state
    if (step === 'more' || this.text !== undefined) return 'more'
    // Nothing goes before it any more: what ends the message is taken too. A bare CR is one by what follows, which stays.
    if (step === 'end' || (state === IN_TEXT && buffer[at] === LF)) this.at = at + 1
    this.#state = step === 'end' ? LINE_START : IN_TEXT
    return step
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
}

/** Pieces of a buffer as one: a view of it while there is one piece, as in nearly all messages, else a copy. */
class TakenText {
  readonly #buffer: Uint8Array
  #from = 0
  #to = 0
  #joined: Uint8Array | undefined
  #joinedLength = 0

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer
  }

  /** @param end where the last piece may end: text is never longer than what it was read from */
  add(from: number, to: number, end: number): void {
    if (from === to) return
    if (this.#to === 0) {
      this.#from = from
      this.#to = to
      return
    }
    if (this.#joined === undefined) {
      this.#joined = new Uint8Array(end - this.#from)
      this.#joined.set(this.#buffer.subarray(this.#from, this.#to))
      this.#joinedLength = this.#to - this.#from
    }
    this.#joined.set(this.#buffer.subarray(from, to), this.#joinedLength)
    this.#joinedLength += to - from
  }

  whole(): Uint8Array | undefined {
    if (this.#joined !== undefined) return this.#joined.subarray(0, this.#joinedLength)
    return this.#to === 0 ? undefined : this.#buffer.subarray(this.#from, this.#to)
  }
}

/** Index of `octet` in `[from, to)` of `buffer`, or −1. */
function indexOf(buffer: Uint8Array, octet: number, from: number, to: number): number {
  return (to === buffer.length ? buffer : buffer.subarray(0, to)).indexOf(octet, from)
}
