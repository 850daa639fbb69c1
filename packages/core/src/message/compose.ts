/**
 * Messages we write ourselves: notices, reports, test mail. RFC 5322, MIME (RFC 2045, 2046), attachments RFC 2183.
 * Not here: trace fields, signing, and the forms of reports.
 */
import type { Random } from '../host/index.ts'
import {
  ComposeError,
  formatAddressField,
  formatField,
  formatParameter,
  formatTextField,
  type Mailbox,
} from './compose-field.ts'
import { formatDate, type MailDate } from './date.ts'
import { encodeBase64, encodeQuotedPrintable } from './transfer-encoding.ts'

/** Longest line of a body sent as it is. RFC 5322 §2.1.1 */
const MAX_LINE = 998

/** A message to write. Without text and HTML and attachments its body is empty. */
export interface Draft {
  readonly from: Mailbox
  readonly to?: readonly Mailbox[]
  readonly cc?: readonly Mailbox[]
  readonly subject: string
  readonly date: MailDate
  /** Without angle brackets. */
  readonly messageId: string
  /** More fields, in order, as unstructured text; those that are written anyway are refused. */
  readonly headers?: readonly (readonly [name: string, text: string])[]
  /** Any line ends; written as UTF-8. With `html`, what is shown where HTML is not. */
  readonly text?: string
  readonly html?: string
  readonly attachments?: readonly Attachment[]
}

/** A part beside the text. */
export interface Attachment {
  /** `application/pdf`; parameters other than the name can't be told. */
  readonly mediaType: string
  readonly content: Uint8Array
  readonly filename?: string
  /** `attachment` by default. */
  readonly disposition?: 'attachment' | 'inline'
  /** Without angle brackets. */
  readonly contentId?: string
}

/** A part as it is written: its Content-… fields and its body. */
interface Entity {
  readonly fields: string
  /** Ends with CR LF unless empty. */
  readonly body: readonly Uint8Array[]
}

/**
 * Writes a message: lines end in CR LF, fields are folded at 78 columns and ASCII (but for a localpart that isn't),
 * bodies have no line beyond 998 octets. @param random names the boundaries
 * @throws {ComposeError} a value has CR, LF, NUL or another control, or is not what its field holds
 */
export function composeMessage(draft: Draft, random: Random): Uint8Array {
  const entity = contentOf(draft, random)
  const fields = [
    formatField('Date', formatDate(draft.date.seconds, draft.date.zoneMinutes)),
    formatAddressField('From', [draft.from]),
    ...listField('To', draft.to),
    ...listField('Cc', draft.cc),
    formatTextField('Subject', draft.subject),
    formatField('Message-ID', formatId('Message-ID', draft.messageId)),
    ...(draft.headers ?? []).map(([name, text]) => moreField(name, text)),
    'MIME-Version: 1.0\r\n',
    entity.fields,
    '\r\n',
  ]
  return Buffer.concat([Buffer.from(fields.join('')), ...entity.body])
}

function listField(name: string, mailboxes: readonly Mailbox[] = []): string[] {
  return mailboxes.length === 0 ? [] : [formatAddressField(name, mailboxes)]
}

const RESERVED = new Set(['date', 'from', 'to', 'cc', 'subject', 'message-id', 'mime-version'])

function moreField(name: string, text: string): string {
  const lower = name.toLowerCase()
  if (RESERVED.has(lower) || lower.startsWith('content-')) {
    throw new ComposeError('COMPOSE_RESERVED_FIELD', name, 'field that is not written from the draft')
  }
  return formatTextField(name, text)
}

function formatId(field: string, id: string): string {
  if (!/^[^\s<>\x00-\x1f\x7f]+$/.test(id)) throw new ComposeError('COMPOSE_FIELD_VALUE', field, 'identifier')
  return `<${id}>`
}

/** text, html or an alternative of both; with attachments, a mixed of it and them. RFC 2046 §5.1 */
function contentOf(draft: Draft, random: Random): Entity {
  const { text, html, attachments = [] } = draft
  const parts: Entity[] = []
  if (html === undefined || text !== undefined) parts.push(textEntity('plain', text ?? ''))
  if (html !== undefined) parts.push(textEntity('html', html))
  const [first] = parts
  const shown = parts.length === 1 && first !== undefined ? first : multipart('alternative', parts, random)
  if (attachments.length === 0) return shown
  const hasText = text !== undefined || html !== undefined
  return multipart('mixed', [...(hasText ? [shown] : []), ...attachments.map(attachmentEntity)], random)
}

function textEntity(subtype: string, text: string): Entity {
  const octets = Buffer.from(text.replaceAll(/\r\n?|\n/g, '\r\n'))
  const type = `text/${subtype}; charset=${isAscii(octets) ? 'us-ascii' : 'utf-8'}`
  const whole = octets.length > 0 && octets.at(-1) !== 0x0a ? Buffer.concat([octets, CRLF]) : octets
  if (isAscii(octets) && isSendable(octets)) return entity(type, '7bit', whole)
  const quoted = encodeQuotedPrintable(whole)
  // Mostly ASCII stays readable; a third more is the price of base64.
  const base64 = encodeBase64(whole)
  const isReadable = quoted.length <= base64.length * 1.2
  return isReadable ? entity(type, 'quoted-printable', quoted) : entity(type, 'base64', base64)
}

function attachmentEntity(attachment: Attachment): Entity {
  const { mediaType, content, filename, disposition = 'attachment', contentId } = attachment
  if (!/^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/i.test(mediaType) || /^multipart\//i.test(mediaType)) {
    throw new ComposeError('COMPOSE_MEDIA_TYPE', filename ?? '', 'media type of a single part')
  }
  const named = filename === undefined ? '' : formatParameter('Content-Disposition', 'filename', filename)
  const more =
    formatField('Content-Disposition', `${disposition}${named}`) +
    (contentId === undefined ? '' : formatField('Content-ID', formatId('Content-ID', contentId)))
  // A message must not be encoded (RFC 2046 §5.2.1); one that can't be sent as it is goes as octets.
  if (/^message\//i.test(mediaType)) {
    if (!isSendable(content)) return entity('application/octet-stream', 'base64', encodeBase64(content), more)
    const whole = content.at(-1) === 0x0a || content.length === 0 ? content : Buffer.concat([content, CRLF])
    return entity(mediaType, isAscii(content) ? '7bit' : '8bit', whole, more)
  }
  return entity(mediaType, 'base64', encodeBase64(content), more)
}

function entity(type: string, encoding: string, body: Uint8Array, more = ''): Entity {
  const fields = `${formatField('Content-Type', type)}${formatField('Content-Transfer-Encoding', encoding)}${more}`
  return { fields, body: [body] }
}

/**
 * RFC 2046 §5.1.1. The line end before a boundary belongs to it: a body that ends with one gets another only when
 * empty.
 */
function multipart(subtype: string, parts: readonly Entity[], random: Random): Entity {
  const boundary = chooseBoundary(subtype, parts, random)
  const body: Uint8Array[] = []
  for (const part of parts) {
    body.push(Buffer.from(`--${boundary}\r\n${part.fields}\r\n`), ...part.body, CRLF)
  }
  body.push(Buffer.from(`--${boundary}--\r\n`))
  const type = formatField('Content-Type', `multipart/${subtype}; boundary="${boundary}"`)
  const encoding = parts.some((part) => part.fields.includes('\r\nContent-Transfer-Encoding: 8bit\r\n'))
    ? 'Content-Transfer-Encoding: 8bit\r\n'
    : ''
  return { fields: `${type}${encoding}`, body }
}

/**
 * A boundary that is in none of the parts: random, and looked for. `=_` is in no encoded body; names of levels differ
 * at once.
 */
function chooseBoundary(subtype: string, parts: readonly Entity[], random: Random): string {
  const bodies = parts
    .flatMap((part) => part.body)
    .map((body) => Buffer.from(body.buffer, body.byteOffset, body.length))
  let boundary = `=_${subtype}_${Buffer.from(random(16)).toString('base64url')}`
  for (let count = 0; bodies.some((body) => body.includes(boundary)); count += 1) {
    boundary = `=_${subtype}${count}_${Buffer.from(random(16)).toString('base64url')}`
  }
  return boundary
}

/**
 * Whether lines all end in CR LF, have no NUL and at most 998 octets: what may go without encoding. RFC 2045 §2.7, §2.8
 */
function isSendable(octets: Uint8Array): boolean {
  let lineStart = 0
  for (let at = 0; at < octets.length; at += 1) {
    const octet = octets[at]
    if (octet === 0x00) return false
    if (octet === 0x0d && octets[at + 1] !== 0x0a) return false
    if (octet !== 0x0a) continue
    if (at === 0 || octets[at - 1] !== 0x0d || at - 1 - lineStart > MAX_LINE) return false
    lineStart = at + 1
  }
  return octets.length - lineStart <= MAX_LINE
}

function isAscii(octets: Uint8Array): boolean {
  return octets.every((octet) => octet < 0x80)
}

const CRLF = Uint8Array.of(0x0d, 0x0a)
