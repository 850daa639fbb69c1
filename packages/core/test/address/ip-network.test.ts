import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  formatAddressLiteral,
  formatIpNetwork,
  isInNetwork,
  networkKeys,
  networkOf,
  octetsOf,
  parseAddressLiteral,
  parseIpAddress,
  parseIpNetwork,
  type IpAddress,
} from '../../src/address/index.ts'

describe('IP addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    // RFC 5952 §4.2.2: one group is not shortened; §4.2.3: the first of the longest runs is.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::192.0.2.1', '::c000:201'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s', (text, canonical) => {
    expect(parseIpAddress(text)?.text).toBe(canonical)
  })

  test.each([
    '', '1', '127.1', '0x7f.0.0.1', '01.2.3.4', '1.2.3.256', '1.2.3.4.5', ' 1.2.3.4', '1.2.3.4\n',
    'fe80::1%eth0', ':::', '1::2::3', '1:2:3:4:5:6:7', '12345::', '::1.2.3', '::01.2.3.4', '[::1]', 'example.com',
  ])('%j is none', (text) => {
    expect(parseIpAddress(text)).toBeUndefined()
  })

  it('reads every address from its octets and back', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseIpAddress(text) as IpAddress
        expect(parseIpAddress(address.text)).toEqual(address)
        expect(octetsOf(address)).toHaveLength(address.version === 4 ? 4 : 16)
        expect(parseAddressLiteral(formatAddressLiteral(address))).toEqual(address)
      }),
    )
  })
})

describe('networks', () => {
  test.each([
    ['192.0.2.129', ['192.0.2.129/32', '192.0.2.128/26', '192.0.0.0/21']],
    ['2001:db8:1:2:3:4:5:6', ['2001:db8:1:2::/64', '2001:db8:1::/48', '2001:db8::/32']],
    ['::ffff:192.0.2.129', ['192.0.2.129/32', '192.0.2.128/26', '192.0.0.0/21']],
  ])('%s counts under %j', (text, keys) => {
    expect(networkKeys(parseIpAddress(text) as IpAddress)).toEqual(keys)
  })

  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['0.0.0.0/0', '203.0.113.5', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::1', '::1', true],
    ['192.0.2.7', '::ffff:192.0.2.7', true],
  ])('%s has %s: %s', (network, address, has) => {
    const parsed = parseIpNetwork(network)
    expect(parsed).toBeDefined()
    expect(isInNetwork(parseIpAddress(address) as IpAddress, parsed as NonNullable<typeof parsed>)).toBe(has)
  })

  it('has an address when the first bits are the same, and none else', () => {
    const bitsOf = (address: IpAddress): string => Array.from(octetsOf(address), (octet) => octet.toString(2).padStart(8, '0')).join('')
    const near = (text: string, bit: number): string => {
      const octets = octetsOf(parseIpAddress(text) as IpAddress)
      octets[bit >> 3] = (octets[bit >> 3] as number) ^ (0x80 >> (bit & 7))
      return octets.length === 4 ? octets.join('.') : Array.from({ length: 8 }, (_, at) => (((octets[2 * at] as number) << 8) | (octets[2 * at + 1] as number)).toString(16)).join(':')
    }
    fc.assert(
      fc.property(fc.oneof(fc.tuple(fc.ipV4(), fc.nat(31), fc.nat(32)), fc.tuple(fc.ipV6(), fc.nat(31), fc.nat(128))), ([text, bit, prefixLength]) => {
        const [address, other] = [parseIpAddress(text) as IpAddress, parseIpAddress(near(text, bit)) as IpAddress]
        fc.pre(address.version === other.version && prefixLength <= (address.version === 4 ? 32 : 128))
        expect(isInNetwork(other, { address, prefixLength })).toBe(bitsOf(address).slice(0, prefixLength) === bitsOf(other).slice(0, prefixLength))
        const network = networkOf(address, prefixLength)
        expect(bitsOf(network.address)).toBe(bitsOf(address).slice(0, prefixLength).padEnd(bitsOf(address).length, '0'))
      }),
    )
  })

  test.each(['', '10.0.0.0/33', '10.0.0.1/8', '2001:db8::1/32', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '::/129', '::ffff:10.0.0.0/8'])(
    '%j is none',
    (text) => {
      expect(parseIpNetwork(text)).toBeUndefined()
    },
  )

  it('is written as it is read', () => {
    expect(formatIpNetwork(parseIpNetwork('2001:DB8::/32') as NonNullable<ReturnType<typeof parseIpNetwork>>)).toBe('2001:db8::/32')
  })
})
