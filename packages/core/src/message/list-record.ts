/**
 * What a store keeps of a message to list it with: ENVELOPE, BODYSTRUCTURE and the raw lines of the fields clients
 * ask for, made once at delivery.
 * Not here: where it is kept (a store's list record).
 */
import { writeBodyStructure } from './body-structure.ts'
import { writeEnvelope } from './envelope.ts'
import { FieldNames, readField } from './header.ts'
import { ResponseWriter } from './response-writer.ts'
import type { MessageStructure } from './structure.ts'

/**
 * LIMIT: octets of raw lines; with an ordinary envelope and body structure a record stays within a page of the store.
 */
const MAX_FIELDS_OCTETS = 3500

/**
 * Fields whose raw lines are kept: what Thunderbird, Apple Mail, mutt, K-9, Roundcube and libraries list mail with.
 * The long ones of transport (Received, signatures, authentication results) are left to the real header.
 */
export const LISTED_FIELDS: readonly string[] = [
  'Date',
  'From',
  'Sender',
  'Reply-To',
  'To',
  'Cc',
  'Bcc',
  'Subject',
  'Message-ID',
  'In-Reply-To',
  'References',
  'Content-Type',
  'Content-Transfer-Encoding',
  'Content-Description',
  'Content-Disposition',
  'MIME-Version',
  'Priority',
  'X-Priority',
  'X-MSMail-Priority',
  'Importance',
  'List-Id',
  'List-Post',
  'List-Subscribe',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'Newsgroups',
  'Followup-To',
  'Mail-Followup-To',
  'Mail-Reply-To',
  'Return-Path',
  'Delivered-To',
  'X-Original-To',
  'Disposition-Notification-To',
  'Organization',
  'Lines',
  'Keywords',
  'X-Label',
  'X-Draft-Info',
  'X-Uniform-Type-Identifier',
  'X-Universally-Unique-Identifier',
  'X-K9mail-Identity',
  'Chat-Version',
  'Autocrypt-Setup-Message',
  'X-Spam-Flag',
  'X-Spam-Status',
]

/** `LISTED_FIELDS` to look names up in. */
export const LISTED_FIELD_NAMES: FieldNames = new FieldNames(LISTED_FIELDS)

/** What a message is listed with. */
export interface ListedMessage {
  /** `envelope` of RFC 9051 §9, with its parentheses. */
  readonly envelope: Uint8Array
  /** `body` of RFC 9051 §9 with extension data. */
  readonly bodyStructure: Uint8Array
  /** Raw lines of the fields of `LISTED_FIELDS`, in order, each with its line end; at most 3,500 octets. */
  readonly fields: Uint8Array
  /** Every listed field of the header is in `fields`; else read the header. */
  readonly complete: boolean
  /** True when envelope and body structure hold no octet over 0x7f and no literal. */
  readonly ascii: boolean
}

/**
 * Makes what a message is listed with.
 * @param header the message's header section as BODY[HEADER] returns it
 */
export function createListRecord(header: Uint8Array, structure: MessageStructure): ListedMessage {
  const envelope = new ResponseWriter()
  writeEnvelope(envelope, structure.root.envelope ?? {})
  const bodyStructure = new ResponseWriter()
  writeBodyStructure(bodyStructure, structure.root, true)
  return {
    envelope: envelope.take(),
    bodyStructure: bodyStructure.take(),
    ...listedFields(header),
    ascii: !envelope.hasLiteral && !bodyStructure.hasLiteral,
  }
}

/** Where lines are put together; what is given back is a copy. */
const scratch = new Uint8Array(MAX_FIELDS_OCTETS)

/** Raw lines as far as they fit; a short field after one that was too long is still taken. */
function listedFields(header: Uint8Array): Pick<ListedMessage, 'fields' | 'complete'> {
  let length = 0
  let complete = true
  for (let field = readField(header, 0); field !== undefined; field = readField(header, field.end)) {
    if (LISTED_FIELD_NAMES.indexOf(header, field.start, field.nameEnd) < 0) continue
    // A header without an end may lack the last line's.
    const hasEnd = field.valueEnd < field.end
    const octets = field.end - field.start + (hasEnd ? 0 : 2)
    if (length + octets > MAX_FIELDS_OCTETS) {
      complete = false
      continue
    }
    scratch.set(header.subarray(field.start, field.end), length)
    length += octets
    if (!hasEnd) scratch.set([0x0d, 0x0a], length - 2)
  }
  return { fields: new Uint8Array(scratch.subarray(0, length)), complete }
}
