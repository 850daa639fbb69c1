/** Texts of reports made fit to be kept: trimmed, without control characters, cut, domains canonical. */
import { parseDomain } from '../address/index.ts'

/** LIMIT: of a report id; one cut short would be mistaken for another. RFC 9990 §3.5.1 has no number. */
export const MAX_REPORT_ID = 512
/** LIMIT: characters of names, and of what takes the place of a domain name. */
const MAX_NAME = 255
/** LIMIT: characters of comments and explanations. */
const MAX_REMARK = 1000

/** Controls, and what turns the direction of writing: a page would show something else than what is there. */
const UNSEEMLY = /[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g

/** Halves of pairs: JSON can escape them alone, and a cut leaves one. */
const LONE = /\p{Surrogate}/gu

/** Of at most `limit` UTF-16 units. */
function clean(text: string, limit: number): string {
  // Cut first: the rest is not worth looking at.
  return text.slice(0, 4 * limit).replace(UNSEEMLY, ' ').trim().slice(0, limit).replace(LONE, '\ufffd')
}

/** An organisation's name, a selector, an address. */
export function nameText(text: string): string {
  return clean(text, MAX_NAME)
}

/** What a person wrote for a person. */
export function remarkText(text: string): string {
  return clean(text, MAX_REMARK)
}

/** @returns undefined when it is empty or too long */
export function reportIdText(text: string): string | undefined {
  const id = clean(text, MAX_REPORT_ID + 1)
  return id === '' || id.length > MAX_REPORT_ID ? undefined : id
}

/** A domain name in A-labels. LENIENT: a dot at the end. @returns undefined when it is none */
export function domainOf(text: string): string | undefined {
  const name = text.trim().slice(0, MAX_REMARK)
  try {
    return parseDomain(name.endsWith('.') ? name.slice(0, -1) : name, { allowUnderscore: true }).ascii
  } catch {
    // Whatever is wrong with it, it isn't one.
    return undefined
  }
}

/** A domain name in A-labels, else the text as a name. */
export function domainText(text: string): string {
  return domainOf(text) ?? nameText(text)
}
