/** base64 as SASL exchanges carry it: strict, on one line. RFC 4954 §4, §8; RFC 4648 §4 */

/** @returns undefined for anything but whole groups of the alphabet, padded at the end only */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Uint8Array.from(Buffer.from(text, 'base64'))
}

export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64')
}
