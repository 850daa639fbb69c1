/**
 * The structure record of a message: its MIME tree, and where its octets lie. Offsets are octets of the message as
 * BODY[] returns it.
 */
import type { EnvelopeFields, MessageStructure, Part } from '@postern/core/message'
import { BLOB_ID_OCTETS } from './blob-keys.ts'
import { LONG_RECORD_OCTETS, cutRecord, joinRecord } from './long-record.ts'
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

export interface StoredStructure {
  readonly structure: MessageStructure
  /** Octets of the message as BODY[] returns it. */
  readonly sizeOctets: number
  readonly body: BodyPlace
  /** Zone of the internal date when it is no number of quarter hours. */
  readonly zoneMinutes: number | undefined
}

export type BodyPlace =
  /** In the account's own keys; see `body-chunks.ts`. */
  | { readonly kind: 'chunks'; readonly firstOctets: number }
  /** In a blob from `skipOctets` on, behind the prefix. */
  | { readonly kind: 'blob'; readonly id: Uint8Array; readonly prefix: Uint8Array; readonly skipOctets: number }

const TRUNCATED = 1
const HAS_SEPARATOR = 2
const IN_BLOB = 4
const ODD_ZONE = 8

/** Bits of a part's optional fields; never reordered. */
const CONTENT_ID = 1
const DESCRIPTION = 2
const MD5 = 4
const LOCATION = 8
const LANGUAGE = 16
const DISPOSITION = 32
const MESSAGE = 64
const ENVELOPE = 128

/** By bit of the envelope's mask; never reordered. */
const ENVELOPE_FIELDS = [
  'date',
  'subject',
  'from',
  'sender',
  'replyTo',
  'to',
  'cc',
  'bcc',
  'inReplyTo',
  'messageId',
] as const satisfies readonly (keyof EnvelopeFields)[]

/**
 * A tree too large for one long record is told as opaque octets, its limit being reached.
 * @returns the value of `MessagePart.structure`, then those of `MessagePart.structureMore`
 */
export function encodeStructure(stored: StoredStructure): [first: Uint8Array, ...more: Uint8Array[]] {
  let payload = encodePayload(stored)
  if (payload.length > LONG_RECORD_OCTETS) {
    payload = encodePayload({ ...stored, structure: opaque(stored.structure, true) })
  }
  if (payload.length > LONG_RECORD_OCTETS) {
    payload = encodePayload({ ...stored, structure: opaque(stored.structure, false) })
  }
  return cutRecord(payload)
}

/** @param parts as `continuationsOf` tells @throws StoreError STORE_CORRUPT */
export function decodeStructure(parts: readonly (Uint8Array | undefined)[]): StoredStructure {
  const reader = new OctetReader(joinRecord(parts, 'message structure'), 'message structure')
  const flags = reader.uint(1)
  const sizeOctets = reader.varint()
  const zoneMinutes = (flags & ODD_ZONE) === 0 ? undefined : reader.uint(2) - 0x8000
  const body: BodyPlace =
    (flags & IN_BLOB) === 0
      ? { kind: 'chunks', firstOctets: reader.varint() }
      : { kind: 'blob', id: reader.raw(BLOB_ID_OCTETS).slice(), skipOctets: reader.varint(), prefix: reader.octets() }
  const root = readTree(reader)
  reader.end()
  const structure = { root, truncated: (flags & TRUNCATED) !== 0, hasSeparator: (flags & HAS_SEPARATOR) !== 0 }
  return { structure, sizeOctets, body, zoneMinutes }
}

function encodePayload({ structure, sizeOctets, body, zoneMinutes }: StoredStructure): Uint8Array {
  const flags =
    (structure.truncated ? TRUNCATED : 0) |
    (structure.hasSeparator ? HAS_SEPARATOR : 0) |
    (body.kind === 'blob' ? IN_BLOB : 0) |
    (zoneMinutes === undefined ? 0 : ODD_ZONE)
  const writer = new OctetWriter(512).uint(flags, 1).varint(sizeOctets)
  if (zoneMinutes !== undefined) writer.uint(zoneMinutes + 0x8000, 2)
  if (body.kind === 'chunks') writer.varint(body.firstOctets)
  else writer.raw(body.id).varint(body.skipOctets).octets(body.prefix)

  // Depth first, a part before its children: without recursion, the depth being the sender's choice.
  const waiting: Part[] = [structure.root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    writePart(writer, part)
    if (part.message !== undefined) waiting.push(part.message)
    for (let i = part.children.length - 1; i >= 0; i -= 1) waiting.push(part.children[i] as Part)
  }
  return writer.finish()
}

function opaque(structure: MessageStructure, withEnvelope: boolean): MessageStructure {
  const { headerStart, bodyStart, end, bodyLines, envelope } = structure.root
  const root: Part = {
    headerStart,
    bodyStart,
    end,
    bodyLines,
    type: 'application',
    subtype: 'octet-stream',
    parameters: [],
    transferEncoding: '8bit',
    children: [],
    ...(envelope === undefined ? {} : { envelope: withEnvelope ? envelope : {} }),
  }
  return { ...structure, root, truncated: true }
}

function writePart(writer: OctetWriter, part: Part): void {
  const mask =
    (part.contentId === undefined ? 0 : CONTENT_ID) |
    (part.description === undefined ? 0 : DESCRIPTION) |
    (part.md5 === undefined ? 0 : MD5) |
    (part.location === undefined ? 0 : LOCATION) |
    (part.language === undefined ? 0 : LANGUAGE) |
    (part.disposition === undefined ? 0 : DISPOSITION) |
    (part.message === undefined ? 0 : MESSAGE) |
    (part.envelope === undefined ? 0 : ENVELOPE)
  writer.uint(mask, 1).varint(part.children.length)
  writer
    .varint(part.headerStart)
    .varint(part.bodyStart - part.headerStart)
    .varint(part.end - part.bodyStart)
  writer.varint(part.bodyLines).text(part.type).text(part.subtype)
  writeParameters(writer, part.parameters)
  writer.text(part.transferEncoding)
  if (part.contentId !== undefined) writer.text(part.contentId)
  if (part.description !== undefined) writer.text(part.description)
  if (part.md5 !== undefined) writer.text(part.md5)
  if (part.location !== undefined) writer.text(part.location)
  if (part.language !== undefined) writer.texts(part.language)
  if (part.disposition !== undefined) writeParameters(writer.text(part.disposition.type), part.disposition.parameters)
  if (part.envelope !== undefined) writeEnvelope(writer, part.envelope)
}

function writeParameters(writer: OctetWriter, parameters: readonly (readonly [string, string])[]): void {
  writer.varint(parameters.length)
  for (const [name, value] of parameters) writer.text(name).text(value)
}

function writeEnvelope(writer: OctetWriter, envelope: EnvelopeFields): void {
  let mask = 0
  for (const [bit, name] of ENVELOPE_FIELDS.entries()) if (envelope[name] !== undefined) mask |= 1 << bit
  writer.uint(mask, 2)
  for (const name of ENVELOPE_FIELDS) {
    const octets = envelope[name]
    if (octets !== undefined) writer.octets(octets)
  }
}

/** A part under construction. */
type PartDraft = Omit<Part, 'children' | 'message'> & { children: Part[]; message?: Part }

interface Open {
  readonly part: PartDraft
  children: number
  message: boolean
}

function readTree(reader: OctetReader): Part {
  const root = readPart(reader)
  const open: Open[] = [root]
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.children > 0) {
      top.children -= 1
      const child = readPart(reader)
      top.part.children.push(child.part)
      open.push(child)
    } else if (top.message) {
      top.message = false
      const message = readPart(reader)
      top.part.message = message.part
      open.push(message)
    } else {
      open.pop()
    }
  }
  return root.part
}

function readPart(reader: OctetReader): Open {
  const mask = reader.uint(1)
  const children = reader.count()
  const headerStart = reader.varint()
  const bodyStart = headerStart + reader.varint()
  const part: PartDraft = {
    headerStart,
    bodyStart,
    end: bodyStart + reader.varint(),
    bodyLines: reader.varint(),
    type: reader.text(),
    subtype: reader.text(),
    parameters: readParameters(reader),
    transferEncoding: reader.text(),
    ...((mask & CONTENT_ID) === 0 ? {} : { contentId: reader.text() }),
    ...((mask & DESCRIPTION) === 0 ? {} : { description: reader.text() }),
    ...((mask & MD5) === 0 ? {} : { md5: reader.text() }),
    ...((mask & LOCATION) === 0 ? {} : { location: reader.text() }),
    ...((mask & LANGUAGE) === 0 ? {} : { language: reader.texts() }),
    ...((mask & DISPOSITION) === 0 ? {} : { disposition: { type: reader.text(), parameters: readParameters(reader) } }),
    ...((mask & ENVELOPE) === 0 ? {} : { envelope: readEnvelope(reader) }),
    children: [],
  }
  return { part, children, message: (mask & MESSAGE) !== 0 }
}

function readParameters(reader: OctetReader): (readonly [string, string])[] {
  const parameters: (readonly [string, string])[] = []
  for (let left = reader.count(2); left > 0; left -= 1) parameters.push([reader.text(), reader.text()])
  return parameters
}

function readEnvelope(reader: OctetReader): EnvelopeFields {
  const mask = reader.uint(2)
  const envelope: { -readonly [K in keyof EnvelopeFields]: EnvelopeFields[K] } = {}
  for (const [bit, name] of ENVELOPE_FIELDS.entries()) {
    if ((mask & (1 << bit)) !== 0) envelope[name] = reader.octets()
  }
  return envelope
}
