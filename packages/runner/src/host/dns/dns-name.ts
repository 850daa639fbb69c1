/**
 * Domain names, text and octets: which texts DNS can hold as a name, and names as a packet holds them.
 * Not here: internationalized names, which are A-labels before they come here, and the names of mail domains.
 */
import { WireSyntaxError } from '@postern/core/conversation'

/** LIMIT: a name has at most 127 labels (RFC 1035 §2.3.4), so more pointers than that can't each be of use. */
const MAX_POINTERS = 127
const MAX_NAME_OCTETS = 255
const MAX_TEXT_LENGTH = 253
/** Every ASCII character that is seen, and the space, stands for itself; a backslash would begin an escape. */
const LABEL = /^[\x20-\x5b\x5d-\x7e]{1,63}$/

/**
 * The one text of a name: lower case.
 * @param text without a trailing dot; escapes are not understood
 * @returns undefined when no packet could hold it. RFC 1035 §2.3.4
 */
export function parseDnsName(text: string): string | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  for (const label of text.split('.')) if (!LABEL.test(label)) return undefined
  return text.toLowerCase()
}

/** A name in a packet, and where what follows it begins. */
export interface NameRead {
  /** Lower case; the root is empty. Octets that are no text are escaped as RFC 1035 §5.1 does: `a\.b`, `\195`. */
  readonly name: string
  readonly end: number
}

/**
 * Reads a name with its pointers, which may only point back. RFC 1035 §4.1.4
 * @throws WireSyntaxError
 */
export function readDnsName(octets: Uint8Array, start: number): NameRead {
  const labels: string[] = []
  let offset = start
  let segment = start
  let end: number | undefined
  let length = 1
  let pointers = 0
  for (;;) {
    const first = octets[offset]
    if (first === undefined) throw new WireSyntaxError('name-end', 'name', offset)
    if (first === 0) return { name: labels.join('.'), end: end ?? offset + 1 }
    if (first < 0x40) {
      length += first + 1
      if (length > MAX_NAME_OCTETS) throw new WireSyntaxError('name-length', 'name of at most 255 octets', start)
      const labelEnd = offset + 1 + first
      if (labelEnd > octets.length) throw new WireSyntaxError('name-end', 'label', offset)
      labels.push(labelText(octets, offset + 1, labelEnd))
      offset = labelEnd
      continue
    }
    const second = octets[offset + 1]
    if (first < 0xc0 || second === undefined) throw new WireSyntaxError('name-label', 'label or pointer', offset)
    end ??= offset + 2
    const target = ((first & 0x3f) << 8) | second
    pointers += 1
    if (target >= segment || pointers > MAX_POINTERS) {
      throw new WireSyntaxError('name-pointer', 'pointer to an earlier name', offset)
    }
    offset = target
    segment = target
  }
}

/** A dot inside of a label must not look like the end of it, or one label could pass for another's whole name. */
function labelText(octets: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i += 1) {
    const octet = octets[i] as number
    if (octet === 0x2e || octet === 0x5c) text += `\\${String.fromCharCode(octet)}`
    else if (octet < 0x20 || octet > 0x7e) text += `\\${String(octet).padStart(3, '0')}`
    else text += String.fromCharCode(octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet)
  }
  return text
}
