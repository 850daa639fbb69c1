/** The name of an address, and whether it leads back to it. RFC 8601 §2.7.3 */
import { octetsOf, parseIpAddress, type IpAddress } from '../address/index.ts'
import { DnsError, type Resolver } from '../host/index.ts'

export interface ReverseName {
  /** `permerror`: there is no name; `fail`: no name leads back. */
  readonly result: 'pass' | 'fail' | 'temperror' | 'permerror'
  /** The name that leads back, else the first one given; not to be trusted in that case. */
  readonly name: string | undefined
  readonly authentic: boolean
}

/** LIMIT: names of one address that are tried. */
const MAX_NAMES = 10

/** Rejects only with the signal's reason. */
export async function checkReverseName(ip: string, { resolver, signal }: { readonly resolver: Resolver; readonly signal?: AbortSignal | undefined }): Promise<ReverseName> {
  const address = parseIpAddress(ip)
  if (address === undefined) return { result: 'permerror', name: undefined, authentic: false }
  try {
    const { records, authentic } = await resolver.query(reverseDomain(address), 'PTR', { signal })
    const names = records.slice(0, MAX_NAMES)
    if (names.length === 0) return { result: 'permerror', name: undefined, authentic }
    const kind = address.version === 4 ? 'A' : 'AAAA'
    const found = await Promise.all(names.map((name) => leadsBack(name, kind, address, resolver, signal)))
    const at = found.findIndex((each) => each !== 'error' && each.leads)
    const back = found[at]
    if (back !== undefined && back !== 'error') return { result: 'pass', name: names[at], authentic: authentic && back.authentic }
    return { result: found.includes('error') ? 'temperror' : 'fail', name: names[0], authentic }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return { result: 'temperror', name: undefined, authentic: false }
  }
}

async function leadsBack(
  name: string,
  kind: 'A' | 'AAAA',
  address: IpAddress,
  resolver: Resolver,
  signal: AbortSignal | undefined,
): Promise<{ readonly leads: boolean; readonly authentic: boolean } | 'error'> {
  try {
    const { records, authentic } = await resolver.query(name, kind, { signal })
    return { leads: records.some((text) => parseIpAddress(text)?.text === address.text), authentic }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return error.code === 'BAD_NAME' ? { leads: false, authentic: false } : 'error'
  }
}

/** `1.2.0.192.in-addr.arpa`, or nibbles below `ip6.arpa`. RFC 1035 §3.5, RFC 3596 §2.5 */
export function reverseDomain(address: IpAddress): string {
  return `${reversedLabels(address)}.${address.version === 4 ? 'in-addr' : 'ip6'}.arpa`
}

/** The labels alone, as block lists are asked by. RFC 5782 §2.1, §2.4 */
export function reversedLabels(address: IpAddress): string {
  if (address.version === 4) return address.text.split('.').reverse().join('.')
  const labels = Array.from(octetsOf(address), (octet) => `${(octet & 15).toString(16)}.${(octet >> 4).toString(16)}`)
  return labels.reverse().join('.')
}
