// Messages for signatures to be checked over, from text.
import type { SignedMessage } from '../../src/provenance/signed-message.ts'

/** @param text with line ends of either kind; one character an octet unless it is octets already */
export function signedText(text: string | Uint8Array, pieceOctets = 65_536): SignedMessage {
  const octets = typeof text === 'string' ? Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'), 'utf8') : Buffer.from(text)
  const end = octets.indexOf('\r\n\r\n')
  const [header, body] = octets.subarray(0, 2).toString() === '\r\n' ? [octets.subarray(0, 0), octets.subarray(2)] : end < 0 ? [octets, octets.subarray(0, 0)] : [octets.subarray(0, end + 2), octets.subarray(end + 4)]
  return {
    header,
    *body() {
      for (let at = 0; at < body.length; at += pieceOctets) yield body.subarray(at, at + pieceOctets)
    },
  }
}
