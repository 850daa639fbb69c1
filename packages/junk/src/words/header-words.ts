/**
 * Words of a header section: names of fields and their order, addresses, hosts, texts. Not here: the body.
 *
 * Of dates only the zone and the form count: what a filter learned of one month says nothing of the next.
 */
import { isAscii } from 'node:buffer'
import { type AddressText, decodeAddressList, decodeEncodedWords, type HeaderField, readFields, unfoldValue } from '@postern/core/message'
import { CodeUnits } from './code-units.ts'
import { addTextWords, addUnitWords } from './text-words.ts'
import { addHost, addUrlWords } from './url-words.ts'
import type { WordCollector } from './word-collector.ts'

/** LIMIT: fields of one section; mailing lists come to some 60. */
const MAX_FIELDS = 200
/** LIMIT: octets of one field's value. */
const MAX_VALUE_OCTETS = 4_096
/** LIMIT: addresses of one field. */
const MAX_ADDRESSES = 50

const ADDRESSES = new Set(['from', 'to', 'cc', 'bcc', 'reply-to', 'sender', 'return-path', 'errors-to', 'resent-from', 'resent-to'])
const DATES = new Set(['date', 'delivery-date', 'resent-date', 'x-original-date'])

const room = new CodeUnits()

/** A header section while its fields are read. */
interface Section {
  readonly octets: Uint8Array
  /** Octet by octet, and so are the units. */
  readonly text: string
  readonly units: Uint16Array
  /** Nothing in it is beyond ASCII. */
  readonly isPlain: boolean
  /** Prefix of the names of streams: empty for the message's own header. */
  readonly outer: string
}

/**
 * Takes the words of a header section.
 * @param outer prefix of the names of streams: empty for the message's own header
 */
export function addHeaderWords(header: Uint8Array, words: WordCollector, outer = ''): void {
  const text = Buffer.from(header.buffer, header.byteOffset, header.length).toString('latin1')
  const section: Section = { octets: header, text, units: room.ofOctets(header), isPlain: isAscii(header), outer }
  const fields: HeaderField[] = []
  words.begin(`${outer}field`, outer === '' ? 'trace' : 'header')
  for (const field of readFields(header)) {
    if (field.nameEnd === field.start) continue
    if (fields.length >= MAX_FIELDS) {
      words.noteTruncated()
      break
    }
    words.addWhole(nameOf(text, field))
    fields.push(field)
  }
  for (const field of fields) addField(section, field, words)
}

function nameOf(text: string, { start, nameEnd }: HeaderField): string {
  return text.slice(start, Math.min(nameEnd, start + 40))
}

function addField({ octets, text, units, isPlain, outer }: Section, field: HeaderField, words: WordCollector): void {
  const name = nameOf(text, field).toLowerCase()
  words.begin(`${outer}${name}`, name === 'received' && outer === '' ? 'trace' : 'header')
  const start = field.valueStart
  const end = Math.min(field.valueEnd, start + MAX_VALUE_OCTETS)
  if (end < field.valueEnd) words.noteTruncated()
  const value = text.slice(start, end)
  if (ADDRESSES.has(name)) {
    addAddresses(simpleMailbox(value) ?? decodeAddressList(cutValue(octets, field), { maxEntries: MAX_ADDRESSES }), words)
  } else if (name === 'received') {
    // Hosts, addresses and software; of the date nothing. RFC 5321 §4.4
    const semicolon = value.lastIndexOf(';')
    words.readFrom(text)
    addUnitWords(units, start, semicolon < 0 ? end : start + semicolon, words)
  } else if (DATES.has(name)) {
    const date = value.trim()
    words.addWhole(shapeOf(date))
    words.addWhole(/([+-][0-9]{4}|[A-Z]{2,4})\W*$/.exec(date.slice(-40))?.[1] ?? 'no zone')
  } else if (!isPlain || value.includes('=?')) {
    for (const url of addTextWords(decodeEncodedWords(cutValue(octets, field)), words)) addUrlWords(url, 'header', words)
  } else {
    // Most values are plain: there is nothing to decode in them.
    words.readFrom(text)
    for (const url of addUnitWords(units, start, end, words)) addUrlWords(url, 'header', words)
  }
}

/** Most fields have one plain address, with or without a plain name: what the whole reader of lists would say of it. */
function simpleMailbox(value: string): readonly AddressText[] | undefined {
  const text = value.trim()
  const open = text.indexOf('<')
  const address = open < 0 ? text : text.slice(open + 1, -1)
  const name = open < 0 ? '' : text.slice(0, open).trim()
  if ((open >= 0 && !text.endsWith('>')) || !/^[\w.+=-]+@[a-z0-9.-]+$/i.test(address) || !/^[a-z0-9 -]*$/i.test(name)) return undefined
  return [{ kind: 'mailbox', name: name === '' ? undefined : name, address }]
}

function addAddresses(entries: readonly AddressText[], words: WordCollector): void {
  let count = 0
  for (const entry of entries) {
    if (entry.kind === 'group-end') continue
    if (entry.kind === 'mailbox') {
      count += 1
      const address = entry.address.toLowerCase()
      words.addWhole(address)
      const at = address.lastIndexOf('@')
      if (at >= 0) addHost(address.slice(at), words)
      if (entry.name === undefined) words.addWhole('no name')
      else if (entry.name.toLowerCase() === address) words.addWhole('address as name')
    }
    if (entry.name !== undefined) addTextWords(entry.name, words)
  }
  words.addWhole(`${count < 5 ? count : Math.ceil(count / 10) * 10} addresses`)
}

/** Letters to `a` or `A`, digits to `0`, runs to one: how something is written, whatever it says. */
function shapeOf(text: string): string {
  let shape = ''
  let last = ''
  for (let at = 0; at < Math.min(60, text.length); at += 1) {
    const code = text.charCodeAt(at)
    const kind = code >= 0x61 && code <= 0x7a ? 'a' : code >= 0x41 && code <= 0x5a ? 'A' : code >= 0x30 && code <= 0x39 ? '0' : ''
    if (kind === '') shape += text[at] as string
    else if (kind !== last) shape += kind
    last = kind
  }
  return shape
}

function cutValue(header: Uint8Array, field: HeaderField): Uint8Array {
  const valueEnd = Math.min(field.valueEnd, field.valueStart + MAX_VALUE_OCTETS)
  return unfoldValue(header, { ...field, valueEnd })
}
