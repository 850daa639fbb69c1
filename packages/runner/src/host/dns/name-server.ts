/** Name servers as text and value. Not here: asking them. */
import { type IpAddress, isInNetwork, parseIpAddress, parseIpNetwork } from '@postern/core/address'

/** Where a name server is asked, by UDP and by TCP. */
export interface NameServer {
  /** IP address; a link-local IPv6 one with its zone, `fe80::1%eth0`. */
  readonly address: string
  readonly port: number
}

const DNS_PORT = 53
const WITH_PORT = /^(?:\[([^\]]*)\]|([0-9.]+)):([0-9]{1,5})$/
const ZONED = /^([^%]+)%([0-9A-Za-z_.:@-]{1,64})$/

/**
 * @param text `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`, or with a port: `192.0.2.1:5353`, `[2001:db8::1]:5353`
 * @returns undefined when it is none of these
 */
export function parseNameServer(text: string): NameServer | undefined {
  const parts = WITH_PORT.exec(text)
  const port = parts === null ? DNS_PORT : Number(parts[3])
  const address = parseServerAddress(parts === null ? text : (parts[1] ?? parts[2] ?? ''))
  return address === undefined || port < 1 || port > 65_535 ? undefined : { address, port }
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'].map((text) => parseIpNetwork(text))

/** Whether what is asked of this address does not leave the machine. */
export function isLoopback({ address }: NameServer): boolean {
  const parsed: IpAddress | undefined = parseIpAddress(address)
  return parsed !== undefined && LOOPBACK.some((network) => network !== undefined && isInNetwork(parsed, network))
}

function parseServerAddress(text: string): string | undefined {
  const zoned = ZONED.exec(text)
  if (zoned === null) return parseIpAddress(text)?.text
  const address = parseIpAddress(zoned[1] ?? '')
  return address?.version === 6 ? `${address.text}%${zoned[2]}` : undefined
}
