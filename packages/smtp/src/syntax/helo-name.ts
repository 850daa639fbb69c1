/** What a client calls itself in EHLO and HELO. RFC 5321 §4.1.1.1, §4.1.3. Not here: whether that is true. */
import { AddressSyntaxError, parseAddressLiteral, parseDomain, parseIpAddress } from '@postern/core/address'
import { WireSyntaxError } from '@postern/core/conversation'

/**
 * Domain / address-literal. A domain is ASCII here even under SMTPUTF8: RFC 6531 §3.7.1.
 * @returns the name as given
 * @throws {WireSyntaxError}
 */
export function parseHeloName(text: string): string {
  if (!/^[!-~]+$/.test(text)) throw new WireSyntaxError('helo-name', 'domain or address literal', 0)
  if (text.startsWith('[')) {
    if (parseAddressLiteral(text) === undefined) throw new WireSyntaxError('helo-name', 'address literal', 0)
    return text
  }
  // QUIRK(printers): an IPv4 address without brackets; the grammar of Domain would let it pass too.
  if (parseIpAddress(text)?.version === 4) return text
  try {
    // QUIRK(windows): computer names with an underscore.
    parseDomain(text, { allowUnderscore: true })
    return text
  } catch (error) {
    if (!(error instanceof AddressSyntaxError)) throw error
    throw new WireSyntaxError('helo-name', 'domain or address literal', error.offset)
  }
}
