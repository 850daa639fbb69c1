/**
 * BODY and BODYSTRUCTURE as IMAP sends them. RFC 9051 §7.5.2, §9 `body`; RFC 3501 §9
 * Not here: making the tree (parts.ts).
 */
import { writeEnvelope } from './envelope.ts'
import { ResponseWriter } from './response-writer.ts'
import type { Part } from './structure.ts'

/** What is still to be written, last first: a part, or what follows the parts within one. */
type Pending = { readonly part: Part; readonly what: 'part' | 'after-children' | 'after-message' }

/**
 * The body structure with its parentheses. Media types, encodings and names of parameters come in upper case; sizes and
 * lines are those of the octets as transferred.
 * @param options.extended with extension data (BODYSTRUCTURE) or without (BODY)
 */
export function formatBodyStructure(part: Part, options: { readonly extended: boolean }): Uint8Array {
  const writer = new ResponseWriter()
  writeBodyStructure(writer, part, options.extended)
  return writer.take()
}

/** Writes what `formatBodyStructure` gives. */
export function writeBodyStructure(writer: ResponseWriter, root: Part, extended: boolean): void {
  const pending: Pending[] = [{ part: root, what: 'part' }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { part, what } = next
    if (what === 'after-children') {
      endMultipart(writer, part, extended)
    } else if (what === 'after-message') {
      writer.text(` ${part.bodyLines}`)
      endSinglePart(writer, part, extended)
    } else if (part.type === 'multipart' && part.children.length > 0) {
      writer.text('(')
      pending.push({ part, what: 'after-children' })
      for (const child of part.children.toReversed()) pending.push({ part: child, what: 'part' })
    } else if (part.message !== undefined) {
      writeBasics(writer, part, part.type, part.subtype)
      writer.text(' ')
      writeEnvelope(writer, part.message.envelope ?? {})
      writer.text(' ')
      pending.push({ part, what: 'after-message' }, { part: part.message, what: 'part' })
    } else {
      writeLeaf(writer, part, extended)
    }
  }
}

function writeLeaf(writer: ResponseWriter, part: Part, extended: boolean): void {
  // The grammar has a multipart only with parts, and these two only with the message in them. RFC 9051 §9
  // `body-type-msg`
  const needsMore =
    part.type === 'multipart' || (part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global'))
  if (needsMore) writeBasics(writer, part, 'application', 'octet-stream')
  else writeBasics(writer, part, part.type, part.subtype)
  if (part.type === 'text') writer.text(` ${part.bodyLines}`)
  endSinglePart(writer, part, extended)
}

/** Opening parenthesis, media type and `body-fields`. */
function writeBasics(writer: ResponseWriter, part: Part, type: string, subtype: string): void {
  writer.text('(')
  writer.string(upper(type))
  writer.text(' ')
  writer.string(upper(subtype))
  writer.text(' ')
  writeParameters(writer, part.parameters)
  writer.text(' ')
  writer.nstring(part.contentId)
  writer.text(' ')
  writer.nstring(part.description)
  writer.text(' ')
  writer.string(upper(part.transferEncoding))
  writer.text(` ${part.end - part.bodyStart}`)
}

/** `body-ext-1part` and the closing parenthesis. */
function endSinglePart(writer: ResponseWriter, part: Part, extended: boolean): void {
  if (extended) {
    writer.text(' ')
    writer.nstring(part.md5)
    writeSharedExtension(writer, part)
  }
  writer.text(')')
}

/** Subtype, `body-ext-mpart` and the closing parenthesis. */
function endMultipart(writer: ResponseWriter, part: Part, extended: boolean): void {
  writer.text(' ')
  writer.string(upper(part.subtype))
  if (extended) {
    writer.text(' ')
    writeParameters(writer, part.parameters)
    writeSharedExtension(writer, part)
  }
  writer.text(')')
}

/** Disposition, language and location, each with a space before it. */
function writeSharedExtension(writer: ResponseWriter, part: Part): void {
  writer.text(' ')
  if (part.disposition === undefined) {
    writer.text('NIL ')
  } else {
    writer.text('(')
    writer.string(upper(part.disposition.type))
    writer.text(' ')
    writeParameters(writer, part.disposition.parameters)
    writer.text(') ')
  }
  writeLanguage(writer, part.language)
  writer.text(' ')
  writer.nstring(part.location)
}

function writeLanguage(writer: ResponseWriter, language: readonly string[] | undefined): void {
  if (language === undefined || language.length < 2) {
    writer.nstring(language?.[0])
    return
  }
  writer.text('(')
  for (const [index, tag] of language.entries()) {
    if (index > 0) writer.text(' ')
    writer.string(tag)
  }
  writer.text(')')
}

/**
 * QUIRK(K-9 and others): values decoded from character sets (RFC 2231) go under the plain name, where clients look,
 * not under `name*` as RFC 9051 §7.5.2 suggests.
 */
function writeParameters(writer: ResponseWriter, parameters: Part['parameters']): void {
  if (parameters.length === 0) {
    writer.text('NIL')
    return
  }
  writer.text('(')
  for (const [index, [name, value]] of parameters.entries()) {
    if (index > 0) writer.text(' ')
    writer.string(upper(name))
    writer.text(' ')
    writer.string(value)
  }
  writer.text(')')
}

/** ASCII letters in upper case, all else as it is. */
function upper(text: string): string {
  return /[^\0-\x7f]/.test(text) ? text : text.toUpperCase()
}
