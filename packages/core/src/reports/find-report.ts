/**
 * Finds the part of a message that is a report: by media type or file name, and by what it begins with. RFC 9990 §3.5.2,
 * RFC 8460 §5.3
 *
 * Not looked into: messages within the message. What they hold was sent by somebody else, and nobody vouches for it.
 */
import { setImmediate } from 'node:timers/promises'
import { createTransferDecoder, type MessageStructure, type Part } from '../message/index.ts'
import { ReportSyntaxError } from './report-syntax-error.ts'
import { detectPacking, MAX_REPORT_OCTETS, type Packing } from './unpack-report.ts'

/** A message whose octets are read when they are asked for. */
export interface ReportMessage {
  readonly structure: MessageStructure
  /** Octets `[from, to)` of the message. */
  read(from: number, to: number): Promise<Uint8Array>
}

/** A part that is a report, or at least begins like one. */
export interface FoundReport {
  readonly part: Part
  readonly packing: Packing
  /** The file: transfer encoding decoded, still packed. */
  readonly octets: Uint8Array
}

/** LIMIT: parts whose octets are looked at; a report's message has two or three. */
const MAX_CANDIDATES = 16
/** LIMIT: octets of a body: base64 of the largest report, with line ends. */
const MAX_BODY_OCTETS = Math.ceil(MAX_REPORT_OCTETS * 1.4)
const PIECE_OCTETS = 65_536

const REPORT_TYPES: ReadonlySet<string> = new Set([
  'application/zip',
  'application/x-zip',
  'application/x-zip-compressed',
  'application/gzip',
  'application/x-gzip',
  'application/x-gzip-compressed',
  'application/gzip-compressed',
  'application/x-gunzip',
  'text/xml',
  'application/xml',
  'application/tlsrpt',
  'application/tlsrpt+json',
  'application/tlsrpt+gzip',
])
/** What senders write who don't know what they send. */
const UNSURE_TYPES: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'application/binary',
  'application/json',
  'application/dmarc+xml',
  'text/plain',
])
const REPORT_NAME = /\.(?:xml|json|zip|gz)$/i

/**
 * The first report of a message, in the order of its parts. Rejects with `ReportSyntaxError` REPORT_TOO_LARGE when it is
 * larger than reports are read; else as `read` does.
 */
export async function findReport(message: ReportMessage): Promise<FoundReport | undefined> {
  let candidates = 0
  for (const part of leaves(message.structure.root)) {
    if (!mayBeReport(part)) continue
    candidates += 1
    if (candidates > MAX_CANDIDATES) return undefined
    const found = await open(message, part)
    if (found !== undefined) return found
  }
  return undefined
}

/** Parts without parts, in order. */
function* leaves(root: Part): Generator<Part> {
  const pending: Part[] = [root]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.children.length === 0 && next.message === undefined) yield next
    for (const child of next.children.toReversed()) pending.push(child)
  }
}

function mayBeReport(part: Part): boolean {
  const type = `${part.type}/${part.subtype}`
  if (REPORT_TYPES.has(type)) return true
  if (!UNSURE_TYPES.has(type)) return false
  const name = fileName(part)
  // Octets without a name may be anything: what they begin with decides.
  return name === undefined ? type === 'application/octet-stream' : REPORT_NAME.test(name)
}

function fileName(part: Part): string | undefined {
  const named = part.disposition?.parameters.find(([name]) => name === 'filename')
  return (named ?? part.parameters.find(([name]) => name === 'name'))?.[1].trim()
}

async function open(message: ReportMessage, part: Part): Promise<FoundReport | undefined> {
  const decoder = createTransferDecoder(part.transferEncoding)
  const pieces: Uint8Array[] = []
  let packing: Packing | undefined
  for (let at = part.bodyStart; at < part.end; at += PIECE_OCTETS) {
    // Others get their turn of the event loop: what lies in memory is read without one.
    if (at > part.bodyStart) await setImmediate()
    const piece = decoder.push(await message.read(at, Math.min(part.end, at + PIECE_OCTETS)))
    packing ??= detectPacking(piece)
    if (packing === undefined) return undefined
    if (part.end - part.bodyStart > MAX_BODY_OCTETS) {
      throw new ReportSyntaxError('REPORT_TOO_LARGE', `Expected a report of at most ${MAX_BODY_OCTETS} octets`)
    }
    pieces.push(piece)
  }
  if (packing === undefined) return undefined
  pieces.push(decoder.end())
  return { part, packing, octets: new Uint8Array(Buffer.concat(pieces)) }
}
