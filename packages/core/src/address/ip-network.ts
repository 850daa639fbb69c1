/**
 * IP addresses and networks as values: one canonical text for each address, and the networks an address is counted
 * under.
 * Not here: sockets and lookups. The reading of IPv6 text is ipaddr.js's.
 */
import ipaddr from 'ipaddr.js'

/** An IP address in canonical text: dotted decimal, or RFC 5952; an IPv4-mapped IPv6 address is the IPv4 one. */
export interface IpAddress {
  readonly version: 4 | 6
  /** Without brackets, zone or prefix. */
  readonly text: string
}

/** All addresses that share their first `prefixLength` bits. */
export interface IpNetwork {
  /** First address of the network. */
  readonly address: IpAddress
  /** 0 to 32 or 0 to 128. */
  readonly prefixLength: number
}

/**
 * Prefix lengths that limits and reputation count by: one customer, a small block, a large one. An IPv6 customer has a
 * /64 at least, so a single address means nothing there.
 */
const COUNTED_IPV6_PREFIXES = [64, 48, 32] as const
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
/** Characters of `255.255.255.255`. */
const MAX_DOTTED = 15

/** @returns undefined when the text is not exactly one address; zones (`%eth0`) and shortened IPv4 forms are not */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isDottedDecimal(text)) return { version: 4, text }
  const parsed = parseIpv6(text)
  if (parsed === undefined) return undefined
  if (parsed.isIPv4MappedAddress()) return { version: 4, text: parsed.toIPv4Address().toString() }
  return { version: 6, text: parsed.toRFC5952String() }
}

/**
 * @param text `192.0.2.0/24`, `2001:db8::/32`, or one address
 * @returns undefined when it is neither or has bits beyond its prefix
 */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const slash = text.indexOf('/')
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  const longest = address.version === 4 ? 32 : 128
  const written = slash < 0 ? `${longest}` : text.slice(slash + 1)
  const isMapped = address.version === 4 && text.includes(':')
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(written) || (isMapped && slash >= 0)) return undefined
  const prefixLength = Number(written)
  if (prefixLength > longest || networkOf(address, prefixLength).address.text !== address.text) return undefined
  return { address, prefixLength }
}

/** The network of `prefixLength` bits an address lies in. */
export function networkOf(address: IpAddress, prefixLength: number): IpNetwork {
  if (address.version === 4) {
    return { address: { version: 4, text: ipv4Text(ipv4Number(address.text) & ipv4Mask(prefixLength)) }, prefixLength }
  }
  const octets = octetsOf(address)
  for (const index of octets.keys()) {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * index))
    octets[index] = (octets[index] as number) & (0xff00 >> bits) & 0xff
  }
  return { address: { version: 6, text: new ipaddr.IPv6([...octets]).toRFC5952String() }, prefixLength }
}

/** `192.0.2.64/26`: usable as a key, equal for all addresses of the network. */
export function formatIpNetwork(network: IpNetwork): string {
  return `${network.address.text}/${network.prefixLength}`
}

/** Keys of the networks an address counts under, narrow first: IPv4 /32, /26, /21; IPv6 /64, /48, /32. */
export function networkKeys(address: IpAddress): readonly [narrow: string, middle: string, wide: string] {
  if (address.version === 4) {
    // Asked several times for every message: no detour over octets.
    const number = ipv4Number(address.text)
    return [`${address.text}/32`, `${ipv4Text(number & ipv4Mask(26))}/26`, `${ipv4Text(number & ipv4Mask(21))}/21`]
  }
  const [narrow, middle, wide] = COUNTED_IPV6_PREFIXES
  return [
    formatIpNetwork(networkOf(address, narrow)),
    formatIpNetwork(networkOf(address, middle)),
    formatIpNetwork(networkOf(address, wide)),
  ]
}

/** @param network bits of its address beyond the prefix do not matter */
export function isInNetwork(address: IpAddress, { address: first, prefixLength }: IpNetwork): boolean {
  if (address.version !== first.version) return false
  if (address.version === 4) return ((ipv4Number(address.text) ^ ipv4Number(first.text)) & ipv4Mask(prefixLength)) === 0
  const [ours, theirs] = [octetsOf(address), octetsOf(first)]
  for (let bit = 0; bit < prefixLength; bit += 8) {
    const differing = (ours[bit >> 3] as number) ^ (theirs[bit >> 3] as number)
    if (differing >> Math.max(0, 8 - (prefixLength - bit)) !== 0) return false
  }
  return true
}

/**
 * Four numbers up to 255 without zeros before them. One message brings dozens of addresses, from its connection and from
 * DNS: read in one pass.
 */
function isDottedDecimal(text: string): boolean {
  if (text.length > MAX_DOTTED) return false
  let dots = 0
  let digits = 0
  let part = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === DOT && digits > 0) {
      dots += 1
      digits = 0
      part = 0
    } else if (code >= ZERO && code <= NINE && (digits === 0 || part > 0)) {
      digits += 1
      part = part * 10 + code - ZERO
      if (part > 0xff) return false
    } else return false
  }
  return dots === 3 && digits > 0
}

/** SPF asks about dozens of networks for one message: no detour over octets. @param text dotted decimal */
function ipv4Number(text: string): number {
  let number = 0
  let part = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      number = (number << 8) | part
      part = 0
    } else part = part * 10 + code - ZERO
  }
  return (number << 8) | part
}

function ipv4Text(number: number): string {
  return `${number >>> 24}.${(number >>> 16) & 0xff}.${(number >>> 8) & 0xff}.${number & 0xff}`
}

function ipv4Mask(prefixLength: number): number {
  return prefixLength === 0 ? 0 : -1 << (32 - prefixLength)
}

/** An address literal: `[192.0.2.1]` or `[IPv6:2001:db8::1]`. RFC 5321 §4.1.3 */
export function formatAddressLiteral(address: IpAddress): string {
  return address.version === 4 ? `[${address.text}]` : `[IPv6:${address.text}]`
}

/**
 * @param text with its brackets
 * @returns undefined when it is no literal of an IP address; other tags are not known. RFC 5321 §4.1.3
 */
export function parseAddressLiteral(text: string): IpAddress | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined
  const inner = text.slice(1, -1)
  if (inner.slice(0, 5).toLowerCase() !== 'ipv6:') {
    return isDottedDecimal(inner) ? { version: 4, text: inner } : undefined
  }
  const address = inner.slice(5)
  return address.includes(':') ? parseIpAddress(address) : undefined
}

/** The octets of an address in network order: 4 or 16. */
export function octetsOf(address: IpAddress): Uint8Array {
  if (address.version === 6) return Uint8Array.from(ipaddr.IPv6.parse(address.text).toByteArray())
  const number = ipv4Number(address.text)
  return Uint8Array.of(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff)
}

function parseIpv6(text: string): ipaddr.IPv6 | undefined {
  if (text.includes('%') || !text.includes(':')) return undefined
  const hex = withoutDottedTail(text)
  return hex !== undefined && ipaddr.IPv6.isValid(hex) ? ipaddr.IPv6.parse(hex) : undefined
}

/**
 * The text with a dotted-decimal tail as two groups: ipaddr.js takes `::192.0.2.1` for an IPv4-mapped address, which it
 * is not.
 */
function withoutDottedTail(text: string): string | undefined {
  if (!text.includes('.')) return text
  const start = text.lastIndexOf(':') + 1
  const tail = text.slice(start)
  if (!isDottedDecimal(tail)) return undefined
  const number = ipv4Number(tail)
  return `${text.slice(0, start)}${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`
}
