/**
 * What a header section says of its part: the MIME fields and, where the part is a message, those ENVELOPE is made of.
 * RFC 2045 §3, RFC 2183, RFC 3282, RFC 2557 §4, RFC 1864; of fields that come twice the first counts.
 * Not here: where the section lies (parts.ts).
 */
import type { Work } from './address-tokens.ts'
import { FieldNames, type HeaderField, readField, unfoldValue } from './header.ts'
import { parseDisposition, parseMediaType, parseToken } from './media-field.ts'
import { isBlank, type Parameters, textOf } from './parameters.ts'
import type { EnvelopeFields, Part } from './structure.ts'

/** LIMIT: languages told of one part. */
const MAX_LANGUAGES = 100

/** The fields, as `Part` tells them. */
export interface PartFields {
  readonly type: string
  readonly subtype: string
  readonly parameters: Parameters
  /** Of a multipart: octets of its boundary as a binary string. */
  readonly boundary: string | undefined
  readonly transferEncoding: string
  /** What is only there when its field is. */
  readonly optional: Pick<
    Part,
    'contentId' | 'description' | 'md5' | 'location' | 'language' | 'disposition' | 'envelope'
  >
}

const MIME_FIELDS = [
  'content-type',
  'content-transfer-encoding',
  'content-id',
  'content-description',
  'content-disposition',
  'content-language',
  'content-location',
  'content-md5',
] as const

/** Name of the header field and of its place in `EnvelopeFields`. */
const ENVELOPE_FIELDS = [
  ['date', 'date'],
  ['subject', 'subject'],
  ['from', 'from'],
  ['sender', 'sender'],
  ['reply-to', 'replyTo'],
  ['to', 'to'],
  ['cc', 'cc'],
  ['bcc', 'bcc'],
  ['in-reply-to', 'inReplyTo'],
  ['message-id', 'messageId'],
] as const

const NAMES = new FieldNames([...MIME_FIELDS, ...ENVELOPE_FIELDS.map(([name]) => name)])

/** A part without Content-Type. RFC 2045 §5.2 */
const PLAIN_TEXT = { type: 'text', subtype: 'plain', parameters: [['charset', 'us-ascii']] } as const
/** A part of a digest without Content-Type. RFC 2046 §5.1.5 */
const DIGESTED = { type: 'message', subtype: 'rfc822', parameters: [] } as const

/**
 * Reads the fields of one header section.
 * @param options.isCut the section goes on after the octets: its last field is passed over
 * @param options.isMessage the section is a message's, not only a part's
 * @param options.inDigest what has no Content-Type is a message
 * @param options.work counts octets of fields, and of those that are looked into again
 */
export function readPartFields(
  header: Buffer,
  options: {
    readonly isCut: boolean
    readonly isMessage: boolean
    readonly inDigest: boolean
    readonly work: Work
  },
): PartFields {
  const first = firstFields(header, options)
  const typeValue = textAt(header, first[0])
  const media =
    typeValue === undefined
      ? options.inDigest
        ? DIGESTED
        : PLAIN_TEXT
      : (parseMediaType(typeValue, options.work) ?? PLAIN_TEXT)
  const encoding = textAt(header, first[1])
  const boundary = media.type === 'multipart' && 'boundary' in media ? media.boundary : undefined
  return {
    type: media.type,
    subtype: media.subtype,
    parameters: media.parameters,
    boundary,
    transferEncoding: (encoding === undefined ? '' : parseToken(encoding).toLowerCase()) || '7bit',
    optional: optionalFields(header, first, options),
  }
}

/** The first field of each of `NAMES`. */
function firstFields(
  header: Buffer,
  { isCut, work }: { readonly isCut: boolean; readonly work: Work },
): (HeaderField | undefined)[] {
  const first: (HeaderField | undefined)[] = []
  for (let field = readField(header, 0); field !== undefined; field = readField(header, field.end)) {
    work.steps += field.end - field.start
    if (isCut && field.end === header.length) break
    const index = NAMES.indexOf(header, field.start, field.nameEnd)
    if (index >= 0) first[index] ??= field
  }
  return first
}

function optionalFields(
  header: Buffer,
  first: readonly (HeaderField | undefined)[],
  { isMessage, work }: { readonly isMessage: boolean; readonly work: Work },
): PartFields['optional'] {
  const optional: { -readonly [K in keyof PartFields['optional']]: PartFields['optional'][K] } = {}
  const contentId = textAt(header, first[2])
  if (contentId !== undefined) optional.contentId = textOf(contentId)
  const description = textAt(header, first[3])
  if (description !== undefined) optional.description = textOf(description)
  const dispositionValue = textAt(header, first[4])
  const disposition = dispositionValue === undefined ? undefined : parseDisposition(dispositionValue, work)
  if (disposition !== undefined) optional.disposition = disposition
  const languageValue = textAt(header, first[5])
  const language = languageValue === undefined ? [] : parseLanguage(languageValue)
  if (language.length > 0) optional.language = language
  const location = textAt(header, first[6])
  if (location !== undefined) optional.location = textOf(location)
  const md5 = textAt(header, first[7])
  if (md5 !== undefined) optional.md5 = textOf(md5)
  if (isMessage) optional.envelope = envelopeOf(header, first)
  return optional
}

function envelopeOf(header: Buffer, first: readonly (HeaderField | undefined)[]): EnvelopeFields {
  const envelope: { -readonly [K in keyof EnvelopeFields]: EnvelopeFields[K] } = {}
  let index = MIME_FIELDS.length
  for (const [, key] of ENVELOPE_FIELDS) {
    const field = first[index]
    index += 1
    if (field !== undefined) envelope[key] = unfoldValue(header, field)
  }
  return envelope
}

/** Language tags, separated by commas. RFC 3282 §2 */
function parseLanguage(value: string): string[] {
  const tags: string[] = []
  for (const tag of value.split(',', MAX_LANGUAGES)) {
    const word = parseToken(tag)
    if (word !== '') tags.push(word)
  }
  return tags
}

/** A field's value, unfolded and trimmed, as a binary string. */
function textAt(header: Buffer, field: HeaderField | undefined): string | undefined {
  if (field === undefined) return undefined
  let start = field.valueStart
  let end = field.valueEnd
  while (start < end && isBlank(header[start] as number)) start += 1
  while (end > start && isBlank(header[end - 1] as number)) end -= 1
  const text = header.toString('latin1', start, end)
  return text.includes('\n') ? text.replace(/\r?\n/g, '') : text
}
