/** xtext: octets inside a parameter's value. RFC 3461 §4, RFC 4954 §8 */
import { WireSyntaxError } from '@postern/core/conversation'

const PLUS = 0x2b
const EQUALS = 0x3d

/**
 * xtext = *( xchar / "+" HEXDIG HEXDIG ), hexadecimal digits in upper case; xchar is printable ASCII but "+" and "=".
 * @throws {WireSyntaxError}
 */
export function decodeXtext(text: string): Uint8Array {
  const octets = new Uint8Array(text.length)
  let length = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === PLUS) {
      const hex = text.slice(at + 1, at + 3)
      if (!/^[0-9A-F]{2}$/.test(hex)) throw new WireSyntaxError('xtext', 'two hexadecimal digits', at + 1)
      octets[length] = Number.parseInt(hex, 16)
      at += 2
    } else if (isXchar(code)) {
      octets[length] = code
    } else {
      throw new WireSyntaxError('xtext', 'xtext', at)
    }
    length += 1
  }
  return octets.slice(0, length)
}

/** Writes any octets as xtext. */
export function encodeXtext(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) {
    text += isXchar(octet) ? String.fromCharCode(octet) : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

function isXchar(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== PLUS && code !== EQUALS
}
