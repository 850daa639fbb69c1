/**
 * ENVELOPE as IMAP sends it. RFC 9051 §7.5.2, §9 `envelope`
 * Not here: reading the fields (parts.ts) and address lists (address-list.ts).
 *
 * Text stays as it was written, encoded words too; it is for the client to decode.
 */
import { type AddressEntry, parseAddressList } from './address-list.ts'
import { ResponseWriter } from './response-writer.ts'
import type { EnvelopeFields } from './structure.ts'

/** LIMIT: addresses told of one field; a field may hold 500,000 of them, which no client shows. */
const MAX_ADDRESSES = 1000

/** The envelope with its parentheses: always ten members. */
export function formatEnvelope(fields: EnvelopeFields): Uint8Array {
  const writer = new ResponseWriter()
  writeEnvelope(writer, fields)
  return writer.take()
}

/** Writes what `formatEnvelope` gives. */
export function writeEnvelope(writer: ResponseWriter, fields: EnvelopeFields): void {
  const from = addresses(fields.from)
  writer.text('(')
  writer.nstring(fields.date)
  writer.text(' ')
  writer.nstring(fields.subject)
  writer.text(' ')
  writeAddresses(writer, from)
  writer.text(' ')
  // Absent or empty, these two are the same as From. RFC 9051 §7.5.2
  writeAddresses(writer, addresses(fields.sender) ?? from)
  writer.text(' ')
  writeAddresses(writer, addresses(fields.replyTo) ?? from)
  writer.text(' ')
  writeAddresses(writer, addresses(fields.to))
  writer.text(' ')
  writeAddresses(writer, addresses(fields.cc))
  writer.text(' ')
  writeAddresses(writer, addresses(fields.bcc))
  writer.text(' ')
  writer.nstring(fields.inReplyTo)
  writer.text(' ')
  writer.nstring(fields.messageId)
  writer.text(')')
}

/** Undefined when there is no address in the field. */
function addresses(value: Uint8Array | undefined): readonly AddressEntry[] | undefined {
  if (value === undefined) return undefined
  const entries = parseAddressList(value, { maxEntries: MAX_ADDRESSES })
  return entries.length === 0 ? undefined : entries
}

function writeAddresses(writer: ResponseWriter, entries: readonly AddressEntry[] | undefined): void {
  if (entries === undefined) {
    writer.text('NIL')
    return
  }
  writer.text('(')
  for (const entry of entries) writeAddress(writer, entry)
  writer.text(')')
}

/**
 * `address`: name, source route, mailbox, host. A host of NIL marks a group, so a missing domain is the empty string.
 */
function writeAddress(writer: ResponseWriter, entry: AddressEntry): void {
  switch (entry.kind) {
    case 'mailbox':
      writer.text('(')
      writer.nstring(entry.name)
      writer.text(' NIL ')
      writer.string(entry.localpart)
      writer.text(' ')
      writer.string(entry.domain)
      writer.text(')')
      return
    case 'group-start':
      writer.text('(NIL NIL ')
      writer.string(entry.name)
      writer.text(' NIL)')
      return
    case 'group-end':
      writer.text('(NIL NIL NIL NIL)')
  }
}
