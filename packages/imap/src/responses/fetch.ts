/**
 * The FETCH response: how the attributes of one message are written. RFC 3501 §7.4.2
 * Not here: where their values come from (`fetch/render.ts`).
 */
import type { InternalDate, SequenceNumber, Uid } from '@postern/core/store'
import { formatDay } from '../syntax/date-time.ts'
import type { BlockWriter } from './blocks.ts'

const DAY_SECONDS = 86_400
const PLUS = 0x2b
const MINUS = 0x2d
const ZERO = 0x30

const DATE = ' INTERNALDATE "dd-mmm-yyyy hh:mm:ss +zzzz"'
const DAY_AT = DATE.indexOf('dd')
const TIME_AT = DATE.indexOf('hh')
const ZONE_AT = DATE.indexOf('+')

/** Writes FETCH responses one after the other: `begin`, attributes, `end`. */
export class FetchResponseWriter {
  readonly #blocks: BlockWriter
  /** The last date written: what has not changed is not written again. */
  readonly #date = Buffer.from(DATE)
  #day = Number.NaN
  #zoneMinutes = Number.NaN

  constructor(blocks: BlockWriter) {
    this.#blocks = blocks
  }

  /** QUIRK(thunderbird): UID is told in every response and first: its parser needs it before it meets a body. */
  begin(sequence: SequenceNumber, uid: Uid): void {
    const blocks = this.#blocks
    blocks.text('* ')
    blocks.number(sequence)
    blocks.text(' FETCH (UID ')
    blocks.number(uid)
  }

  end(): void {
    this.#blocks.text(')\r\n')
  }

  // "FLAGS" SP "(" [flag-fetch *(SP flag-fetch)] ")"
  /** @param list with its parentheses */
  flags(list: string): void {
    this.#blocks.text(' FLAGS ')
    this.#blocks.text(list)
  }

  // "RFC822.SIZE" SP number
  size(sizeOctets: number): void {
    this.#blocks.text(' RFC822.SIZE ')
    this.#blocks.number(sizeOctets)
  }

  // "INTERNALDATE" SP date-time
  internalDate({ seconds, zoneMinutes }: InternalDate): void {
    const date = this.#date
    const local = seconds + zoneMinutes * 60
    const day = Math.floor(local / DAY_SECONDS)
    // Neighbours in a mailbox mostly came on the same day, in the same zone.
    if (day !== this.#day || zoneMinutes !== this.#zoneMinutes) {
      this.#day = day
      this.#zoneMinutes = zoneMinutes
      const zone = Math.abs(zoneMinutes)
      date.write(formatDay(day).padStart(11, ' '), DAY_AT, 'latin1')
      date[ZONE_AT] = zoneMinutes < 0 ? MINUS : PLUS
      writeTwoDigits(date, ZONE_AT + 1, (zone / 60) | 0)
      writeTwoDigits(date, ZONE_AT + 3, zone % 60)
    }
    const second = (local - day * DAY_SECONDS) | 0
    const minute = (second / 60) | 0
    const hour = (minute / 60) | 0
    writeTwoDigits(date, TIME_AT, hour)
    writeTwoDigits(date, TIME_AT + 3, minute - hour * 60)
    writeTwoDigits(date, TIME_AT + 6, second - minute * 60)
    this.#blocks.octets(date)
  }

  /** An attribute whose value is rendered already. @param name `ENVELOPE`, `BODYSTRUCTURE` or `BODY` */
  rendered(name: string, value: Uint8Array): void {
    this.#blocks.text(` ${name} `)
    this.#blocks.octets(value)
  }

  // "BODY" section ["<" number ">"] SP nstring
  /** Octets of a section; undefined where the message has no such part. */
  section(label: Uint8Array, octets: Uint8Array | undefined): void {
    if (octets === undefined) {
      this.#label(label)
      this.#blocks.text('NIL')
      return
    }
    this.sectionStart(label, octets.length)
    this.#blocks.octets(octets)
  }

  /** Announces a section whose octets, exactly so many, are written by whoever calls this. */
  sectionStart(label: Uint8Array, sizeOctets: number): void {
    this.#label(label)
    if (sizeOctets === 0) {
      this.#blocks.text('""')
      return
    }
    this.#blocks.text('{')
    this.#blocks.number(sizeOctets)
    this.#blocks.text('}\r\n')
  }

  #label(label: Uint8Array): void {
    this.#blocks.text(' ')
    this.#blocks.octets(label)
    this.#blocks.text(' ')
  }
}

/** @param value 0 to 99 */
function writeTwoDigits(octets: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0
  octets[at] = ZERO + tens
  octets[at + 1] = ZERO + value - tens * 10
}
