/**
 * Header sections as octet ranges: which fields are there and where their names, values and raw lines lie.
 * RFC 5322 §2.2
 * Not here: what the value of a field means, and where a header section ends in a stream (parts.ts).
 *
 * LENIENT: lines may end in LF alone; a line without a name (no colon, or a continuation of nothing) is a field
 * without a name, so that all lines of a section belong to some field.
 */
const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
const CRLF = Uint8Array.of(CR, LF)

/** One field as offsets into the octets it was found in; `start <= nameEnd <= valueStart <= valueEnd <= end`. */
export interface HeaderField {
  /** First octet of the field's first line. */
  readonly start: number
  /** After the name, which starts at `start`; equal to `start` when the line has no name. */
  readonly nameEnd: number
  /** After the colon; `start` when the line has no name. */
  readonly valueStart: number
  /** Before the line end of the field's last line; folding lies within. */
  readonly valueEnd: number
  /** After the line end of the field's last line. */
  readonly end: number
}

/**
 * The field that starts at `at`, with its continuation lines.
 * @param octets a header section; nothing is looked at beyond it
 * @returns undefined at the end and at an empty line
 */
export function readField(octets: Uint8Array, at: number): HeaderField | undefined {
  const length = octets.length
  if (at >= length) return undefined
  const first = octets[at] as number
  if (first === LF || (first === CR && octets[at + 1] === LF)) return undefined
  const nameEnd = endOfName(octets, at)
  let colon = nameEnd
  while (colon < length && isBlank(octets[colon] as number)) colon += 1
  const hasName = nameEnd > at && octets[colon] === COLON
  let lineFeed = octets.indexOf(LF, hasName ? colon + 1 : at)
  while (lineFeed >= 0 && lineFeed + 1 < length && isBlank(octets[lineFeed + 1] as number)) {
    lineFeed = octets.indexOf(LF, lineFeed + 2)
  }
  const end = lineFeed < 0 ? length : lineFeed + 1
  const valueStart = hasName ? colon + 1 : at
  let valueEnd = lineFeed < 0 ? length : lineFeed
  if (lineFeed > valueStart && octets[lineFeed - 1] === CR) valueEnd -= 1
  return { start: at, nameEnd: hasName ? nameEnd : at, valueStart, valueEnd, end }
}

/** The fields of a header section in order, up to its empty line or the end of the octets. */
export function* readFields(header: Uint8Array): IterableIterator<HeaderField> {
  let field = readField(header, 0)
  while (field !== undefined) {
    yield field
    field = readField(header, field.end)
  }
}

/** The fields whose name is among `names`, in order. */
export function findFields(header: Uint8Array, names: FieldNames): HeaderField[] {
  const found: HeaderField[] = []
  for (let field = readField(header, 0); field !== undefined; field = readField(header, field.end)) {
    if (names.indexOf(header, field.start, field.nameEnd) >= 0) found.push(field)
  }
  return found
}

/** How many fields bear one of `names`. */
export function countFields(header: Uint8Array, names: FieldNames): number {
  let count = 0
  for (let field = readField(header, 0); field !== undefined; field = readField(header, field.end)) {
    if (names.indexOf(header, field.start, field.nameEnd) >= 0) count += 1
  }
  return count
}

/**
 * The raw lines of a section's fields, then an empty line, which is there even when no field was chosen: what
 * HEADER.FIELDS and HEADER.FIELDS.NOT give. RFC 9051 §6.4.5.1
 * @param choose `named`: the fields among `names`; `others`: the rest, lines without a name too
 */
export function selectFields(header: Uint8Array, names: FieldNames, choose: 'named' | 'others'): Uint8Array {
  // Neighbouring fields are copied in one run.
  const runs: Uint8Array[] = []
  let octets = 0
  let from = -1
  let to = -1
  const flush = (): void => {
    if (from < 0) return
    const run = header.subarray(from, to)
    runs.push(run)
    octets += run.length
    if (run.at(-1) !== LF) {
      runs.push(CRLF)
      octets += CRLF.length
    }
  }
  for (const field of readFields(header)) {
    if (names.indexOf(header, field.start, field.nameEnd) >= 0 !== (choose === 'named')) continue
    if (field.start !== to) {
      flush()
      from = field.start
    }
    to = field.end
  }
  flush()
  runs.push(CRLF)
  return joined(runs, octets + CRLF.length)
}

/** A copy of `[start, end)` without the line ends of folding; the white space after them stays. RFC 5322 §2.2.3 */
export function unfold(octets: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start)
  let length = 0
  for (let at = start; at < end; at += 1) {
    const octet = octets[at] as number
    if (octet === LF || (octet === CR && at + 1 < end && octets[at + 1] === LF)) continue
    out[length] = octet
    length += 1
  }
  return length === out.length ? out : out.slice(0, length)
}

/** A copy of a field's value, unfolded, without white space at its ends. */
export function unfoldValue(octets: Uint8Array, field: HeaderField): Uint8Array {
  let start = field.valueStart
  let end = field.valueEnd
  while (start < end && isSpace(octets[start] as number)) start += 1
  while (end > start && isSpace(octets[end - 1] as number)) end -= 1
  return unfold(octets, start, end)
}

/** A set of field names that finds octets in it without making strings; case is ignored in ASCII letters only. */
export class FieldNames {
  readonly #byHash = new Map<number, number[]>()
  readonly #names: readonly Uint8Array[]
  readonly #longest: number

  /** @param names as text or octets; repetitions keep the place of the first */
  constructor(names: Iterable<string | Uint8Array>) {
    const list: Uint8Array[] = []
    let longest = 0
    for (const given of names) {
      const name = typeof given === 'string' ? new TextEncoder().encode(given) : new Uint8Array(given)
      const hash = hashOf(name, 0, name.length)
      const bucket = this.#byHash.get(hash)
      if (bucket === undefined) this.#byHash.set(hash, [list.length])
      else if (!bucket.some((index) => isSameName(list[index] as Uint8Array, name, 0, name.length)))
        bucket.push(list.length)
      list.push(name)
      longest = Math.max(longest, name.length)
    }
    this.#names = list
    this.#longest = longest
  }

  has(name: string): boolean {
    const octets = new TextEncoder().encode(name)
    return this.indexOf(octets, 0, octets.length) >= 0
  }

  /** Place of the name `octets[start, end)` in the list, or −1. An empty name is in no list. */
  indexOf(octets: Uint8Array, start: number, end: number): number {
    if (end - start > this.#longest || end <= start) return -1
    const bucket = this.#byHash.get(hashOf(octets, start, end))
    if (bucket === undefined) return -1
    for (const index of bucket) {
      if (isSameName(this.#names[index] as Uint8Array, octets, start, end)) return index
    }
    return -1
  }
}

/** End of the `ftext` from `at`: printable ASCII without colon. RFC 5322 §3.6.8 */
function endOfName(octets: Uint8Array, at: number): number {
  let end = at
  for (;;) {
    const octet = octets[end]
    if (octet === undefined || octet <= SPACE || octet > 0x7e || octet === COLON) return end
    end += 1
  }
}

function hashOf(octets: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + lower(octets[at] as number)) | 0
  return hash
}

function isSameName(name: Uint8Array, octets: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let index = 0; index < name.length; index += 1) {
    if (lower(name[index] as number) !== lower(octets[start + index] as number)) return false
  }
  return true
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB
}

function isSpace(octet: number): boolean {
  return octet === SPACE || octet === TAB || octet === CR || octet === LF
}

function joined(runs: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length)
  let at = 0
  for (const run of runs) {
    out.set(run, at)
    at += run.length
  }
  return out
}
