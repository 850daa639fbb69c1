/**
 * How a spooled message becomes the message that is stored: header lines put before it, an empty line put in where it
 * has none, its structure and its list record. Opens nothing; a store decides where the octets lie.
 */
import type { MessageStructure } from '../message/index.ts'
import { createListRecord, createStructureScanner, shiftStructure } from '../message/index.ts'
import type { NewMessage } from './account.ts'
import type { SpooledMessage } from './blob.ts'
import type { ListRecord } from './message.ts'

/** A message as BODY[] will return it: `lead`, then the spooled message from `skipOctets` on. */
export interface MessageLayout {
  readonly lead: Uint8Array
  readonly skipOctets: number
  readonly sizeOctets: number
  /** Offsets are octets of the whole. */
  readonly structure: MessageStructure
  readonly list: ListRecord
}

const CRLF = new Uint8Array([13, 10])
const NOTHING = new Uint8Array(0)
/** LIMIT: what of a header section is looked through for the fields clients list. */
const MAX_LISTED_HEADER_OCTETS = 262_144
const MAX_PREFIX_OCTETS = 65_536
const PIECE_OCTETS = 65_536
/** Fields that change nothing but themselves when they are put before a message; others make it be parsed again. */
const TRACE_FIELDS = /^(?:received|return-path|delivered-to|authentication-results|received-spf|x-[!-9;-~]*)$/i

/** Lays a message out. @throws RangeError when the prefix is over 64 KiB or its last line has no end, or more than the header is to be left out */
export async function layOutMessage(from: Pick<NewMessage, 'message' | 'prefix' | 'skipOctets'>): Promise<MessageLayout> {
  const { message, prefix = NOTHING } = from
  checkPrefix(prefix)
  const { root, hasSeparator } = message.structure
  let lead = prefix
  let { skipOctets = 0 } = from
  if (skipOctets > root.bodyStart - (hasSeparator ? 1 : 0)) throw new RangeError('No more than the header can be left out')
  let structure: MessageStructure
  if (!hasSeparator) {
    // What looks like header fields stays the header; an overlong one is taken for text.
    const headerStart = skipOctets
    if (root.bodyStart <= MAX_LISTED_HEADER_OCTETS) skipOctets = root.bodyStart
    const header = await readWhole(message, headerStart, skipOctets)
    const unended = header.length > 0 && header.at(-1) !== 10
    lead = concat(unended ? [prefix, header, CRLF, CRLF] : [prefix, header, CRLF])
    structure = await scan(lead, message, skipOctets)
  } else if (skipOctets === 0 && isTrace(prefix)) {
    structure = shiftStructure(message.structure, prefix.length)
  } else {
    structure = await scan(prefix, message, skipOctets)
  }
  const sizeOctets = lead.length + message.sizeOctets - skipOctets
  const headerOctets = Math.min(structure.root.bodyStart, MAX_LISTED_HEADER_OCTETS)
  const rest = Math.max(0, headerOctets - lead.length)
  const header = concat([lead.subarray(0, headerOctets), await readWhole(message, skipOctets, skipOctets + rest)])
  return { lead, skipOctets, sizeOctets, structure, list: createListRecord(header, structure) }
}

function checkPrefix(prefix: Uint8Array): void {
  if (prefix.length === 0) return
  if (prefix.length > MAX_PREFIX_OCTETS) throw new RangeError('A prefix has at most 65,536 octets')
  if (prefix.at(-1) !== 10 || prefix.at(-2) !== 13) throw new RangeError('A prefix ends in CRLF')
}

function isTrace(prefix: Uint8Array): boolean {
  if (prefix.length === 0) return true
  for (const line of Buffer.from(prefix).toString('latin1').split('\r\n')) {
    if (line === '' || line.startsWith(' ') || line.startsWith('\t')) continue
    const colon = line.indexOf(':')
    if (colon < 0 || !TRACE_FIELDS.test(line.slice(0, colon).trimEnd())) return false
  }
  return true
}

async function scan(lead: Uint8Array, message: SpooledMessage, skipOctets: number): Promise<MessageStructure> {
  const scanner = createStructureScanner()
  scanner.push(lead)
  for (let at = skipOctets; at < message.sizeOctets; at += PIECE_OCTETS) {
    scanner.push(await message.read(at, Math.min(message.sizeOctets, at + PIECE_OCTETS)))
  }
  return scanner.end()
}

async function readWhole(message: SpooledMessage, from: number, to: number): Promise<Uint8Array> {
  if (from >= to) return NOTHING
  const held = message.inMemory()
  if (held !== undefined && held.length >= to) return held.subarray(from, to)
  const pieces: Uint8Array[] = []
  for (let at = from; at < to; at += PIECE_OCTETS) {
    const piece = await message.read(at, Math.min(to, at + PIECE_OCTETS))
    pieces.push(piece.slice())
  }
  return concat(pieces)
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const filled = pieces.filter((piece) => piece.length > 0)
  if (filled.length === 1) return filled[0] as Uint8Array
  const whole = new Uint8Array(filled.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of filled) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
