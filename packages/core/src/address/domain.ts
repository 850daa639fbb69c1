/**
 * Domain names as mail knows them: the form DNS is asked for and the form people read, both canonical.
 * Not here: looking anything up, and which domains belong to one organisation.
 */
import { domainToASCII, domainToUnicode } from 'node:url'
import { AddressSyntaxError } from './address-syntax-error.ts'

/** A domain name in its two canonical forms; values come from `parseDomain` only. Compare with `isSameDomain`. */
export interface Domain {
  /** Lower case, labels of letters, digits and hyphens, internationalised ones as A-labels. 1 to 253 octets. */
  readonly ascii: string
  /** The same with U-labels; equal to `ascii` when there are none. */
  readonly unicode: string
}

/** LIMIT: 255 octets on the wire of DNS are 253 in text. RFC 1035 §3.1, §2.3.4 */
const MAX_DOMAIN = 253
/** RFC 1035 §2.3.4 */
const MAX_LABEL = 63
/** LIMIT: UTS 46 maps several characters to one or to none; nothing real needs more. */
const MAX_TEXT = 1024

/**
 * Reads a domain name by the rules for looking names up: mapped to lower case and NFC, labels checked. RFC 5890
 * §2.3.2.1, RFC 5891 §5, UTS 46 (non-transitional). Refuses a trailing dot and names that read as IPv4 addresses (last
 * label a number).
 * @param options.allowUnderscore QUIRK(clients): host names with `_` in HELO and EHLO, against RFC 5321 §2.3.5
 * @throws {AddressSyntaxError} codes ADDRESS_SYNTAX, ADDRESS_TOO_LONG; offset is that of the label in the canonical
 * form, else 0
 */
export function parseDomain(text: string, options: { readonly allowUnderscore?: boolean } = {}): Domain {
  const allowUnderscore = options.allowUnderscore === true
  if (text.length > MAX_TEXT) throw new AddressSyntaxError('ADDRESS_TOO_LONG', MAX_DOMAIN, 'end of domain')
  const isAscii = checkCharacters(text, allowUnderscore, true)
  const lower = isAscii ? text.toLowerCase() : text
  const isPlain = isAscii && !lower.startsWith('xn--') && !lower.includes('.xn--')
  const ascii = isPlain ? lower : domainToASCII(lower)
  if (ascii === '') throw new AddressSyntaxError('ADDRESS_SYNTAX', 0, 'domain')
  checkLabels(ascii, allowUnderscore)
  if (isPlain) return { ascii, unicode: ascii }
  const unicode = domainToUnicode(ascii)
  // An A-label that no U-label gives is not one. RFC 5891 §5.4
  if (domainToASCII(unicode) !== ascii) throw new AddressSyntaxError('ADDRESS_SYNTAX', 0, 'A-label')
  checkUnicodeLabels(unicode, allowUnderscore)
  return { ascii, unicode }
}

/** Whether two domains are the same name. RFC 5890 §2.3.2.4 */
export function isSameDomain(a: Domain, b: Domain): boolean {
  return a.ascii === b.ascii
}

/** Whether `domain` is `parent` or a name below it. */
export function isWithinDomain(domain: Domain, parent: Domain): boolean {
  return domain.ascii === parent.ascii || domain.ascii.endsWith(`.${parent.ascii}`)
}

/** Refuses ASCII other than letters, digits, hyphens and dots, so that no other URL syntax reaches `domainToASCII`. */
function checkCharacters(text: string, allowUnderscore: boolean, allowDot: boolean): boolean {
  let isAscii = true
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= 0x80) isAscii = false
    else if (!isLetterDigitHyphen(code) && !(allowDot && code === 0x2e) && !(allowUnderscore && code === 0x5f)) {
      throw new AddressSyntaxError('ADDRESS_SYNTAX', at, 'letter, digit or hyphen')
    }
  }
  return isAscii
}

function checkLabels(ascii: string, allowUnderscore: boolean): void {
  let start = 0
  for (let end = ascii.indexOf('.'); end >= 0; end = ascii.indexOf('.', start)) {
    checkLabel(ascii.slice(start, end), start, allowUnderscore)
    start = end + 1
  }
  const last = ascii.slice(start)
  checkLabel(last, start, allowUnderscore)
  if (ascii.length > MAX_DOMAIN) throw new AddressSyntaxError('ADDRESS_TOO_LONG', MAX_DOMAIN, 'end of domain')
  // No top-level domain is a number, and some readers take such a name for an address. RFC 1123 §2.1
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last)) {
    throw new AddressSyntaxError('ADDRESS_SYNTAX', start, 'label that is not a number')
  }
}

function checkLabel(label: string, offset: number, allowUnderscore: boolean): void {
  if (label === '') throw new AddressSyntaxError('ADDRESS_SYNTAX', offset, 'label')
  if (label.length > MAX_LABEL) throw new AddressSyntaxError('ADDRESS_TOO_LONG', offset, 'label of 1 to 63 octets')
  checkHyphens(label, offset)
  checkCharacters(label, allowUnderscore, false)
}

/** The rules for hyphens and ASCII hold for U-labels too: `-ü` and `ü_` are not visible in their A-labels. */
function checkUnicodeLabels(unicode: string, allowUnderscore: boolean): void {
  let offset = 0
  for (const label of unicode.split('.')) {
    checkHyphens(label, offset)
    checkCharacters(label, allowUnderscore, false)
    offset += label.length + 1
  }
}

function checkHyphens(label: string, offset: number): void {
  if (label.startsWith('-')) throw new AddressSyntaxError('ADDRESS_SYNTAX', offset, 'letter or digit')
  if (label.endsWith('-')) throw new AddressSyntaxError('ADDRESS_SYNTAX', offset + label.length - 1, 'letter or digit')
}

function isLetterDigitHyphen(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) || code === 0x2d
}
