/** The resolver's parts by themselves: settings, servers, the cache. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DnsCache } from '../../src/host/dns/dns-cache.ts'
import { isLoopback, parseNameServer } from '../../src/host/dns/name-server.ts'
import { parseResolvConf } from '../../src/host/dns/resolv-conf.ts'
import { createTestClock } from '../../src/testing/test-clock.ts'

describe('name servers', () => {
  const rows: readonly (readonly [text: string, address: string, port: number, loopback: boolean])[] = [
    ['192.0.2.1', '192.0.2.1', 53, false],
    ['192.0.2.1:5353', '192.0.2.1', 5353, false],
    ['127.0.0.53', '127.0.0.53', 53, true],
    ['2001:DB8:0::1', '2001:db8::1', 53, false],
    ['[2001:db8::1]:5353', '2001:db8::1', 5353, false],
    ['[::1]:65535', '::1', 65_535, true],
    ['fe80::1%eth0', 'fe80::1%eth0', 53, false],
    ['[fe80::1%en0.5]:53', 'fe80::1%en0.5', 53, false],
    ['::ffff:127.0.0.1', '127.0.0.1', 53, true],
  ]
  it.each(rows)('%s is %s, port %i', (text, address, port, loopback) => {
    const server = parseNameServer(text)
    expect(server).toEqual({ address, port })
    expect(server && isLoopback(server)).toBe(loopback)
  })

  it.each(['', 'localhost', '127.0.0.1.example.org', '192.0.2', '192.0.2.1:', '192.0.2.1:0', '192.0.2.1:65536', '192.0.2.1%eth0', '[2001:db8::1]', '[::1]:x', 'fe80::1%', 'fe80::1%a/b', '::1 '])('%j is none', (text) => {
    expect(parseNameServer(text)).toBeUndefined()
  })
})

describe('resolv.conf', () => {
  const usual = { servers: [{ address: '192.0.2.1', port: 53 }], timeoutMs: 5_000, attempts: 2, rotate: false }
  const rows: readonly (readonly [what: string, text: string, expected: unknown])[] = [
    ['one server', 'nameserver 192.0.2.1\n', usual],
    ['comments, blanks, other keywords and line ends', '# a\r\n; b\n\n  \nsearch a.test\n\tnameserver \t192.0.2.1  # c\r\nsortlist 1\n', usual],
    ['lines that are none', 'nameserver\nnameserver x\nnameserver999 1.2.3.4\noptions\nnameserver 192.0.2.1', usual],
    ['options', 'nameserver 192.0.2.1\noptions timeout:3 attempts:4 rotate ndots:2', { ...usual, timeoutMs: 3_000, attempts: 4, rotate: true }],
    ['options of several lines, the last of which counts', 'nameserver 192.0.2.1\noptions timeout:3\noptions timeout:4', { ...usual, timeoutMs: 4_000 }],
    ['options out of bounds', 'nameserver 192.0.2.1\noptions timeout:99999 attempts:0', { ...usual, timeoutMs: 30_000, attempts: 1 }],
    ['options that are no numbers', 'nameserver 192.0.2.1\noptions timeout:x attempts:-1 timeout:', usual],
    ['nothing', '', { ...usual, servers: [{ address: '127.0.0.1', port: 53 }] }],
    ['a port and a zone', 'nameserver [fe80::1%eth0]:5353', { ...usual, servers: [{ address: 'fe80::1%eth0', port: 5353 }] }],
  ]
  it.each(rows)('with %s is read', (_what, text, expected) => {
    expect(parseResolvConf(text)).toEqual(expected)
  })

  it('gives three servers at most', () => {
    expect(parseResolvConf('nameserver 192.0.2.1\n'.repeat(5)).servers).toHaveLength(3)
  })

  it('of any text gives servers and numbers within bounds', () => {
    const words = fc.constantFrom('nameserver', 'options', 'timeout:', 'attempts:', ' ', '\n', '9', '1', '.', ':', '[', '%', '#')
    fc.assert(
      fc.property(fc.string({ unit: words, maxLength: 60 }), (text) => {
        const { servers, timeoutMs, attempts } = parseResolvConf(text)
        expect(servers.length).toBeGreaterThan(0)
        expect(timeoutMs >= 1_000 && timeoutMs <= 30_000 && attempts >= 1 && attempts <= 5).toBe(true)
      }),
    )
  })
})

describe('the cache', () => {
  const answer = (text: string, ttl = 60) => ({ records: [text], nameExists: true, ttl, authentic: false })

  it('holds no more entries and octets than its limits, whatever is kept and asked for', () => {
    const step = fc.record({ key: fc.nat(30), length: fc.nat(3_000), ttl: fc.nat(3), isGet: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const cache = new DnsCache(createTestClock({ frozen: true }), { entries: 10, octets: 20_000 })
        const model = new Map<string, string>()
        for (const { key, length, ttl, isGet } of steps) {
          const text = 'x'.repeat(length)
          const kept = isGet ? cache.get(`${key}`) : undefined
          if (kept !== undefined) expect(kept.records).toEqual([model.get(`${key}`)])
          if (isGet) continue
          cache.set(`${key}`, answer(text, ttl))
          if (ttl === 0) expect(cache.get(`${key}`)).toBeUndefined()
          model.set(`${key}`, text)
          expect(cache.size).toBeLessThanOrEqual(10)
          expect(cache.sizeOctets).toBeLessThanOrEqual(20_000)
        }
        for (let key = 0; key <= 30; key += 1) cache.set(`${key}`, answer('', 0))
        expect([cache.size, cache.sizeOctets]).toEqual([0, 0])
      }),
    )
  })

  it('does not keep what is larger than all of it, nor what it had for that key', () => {
    const cache = new DnsCache(createTestClock({ frozen: true }), { entries: 10, octets: 2_000 })
    cache.set('a', answer('small'))
    cache.set('b', answer('small'))
    cache.set('a', answer('x'.repeat(2_000)))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')?.records).toEqual(['small'])
  })

  it('counts octets of TLSA records', () => {
    const cache = new DnsCache(createTestClock({ frozen: true }), { entries: 10, octets: 4_000 })
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, { records: [{ usage: 3, selector: 1, match: 0, data: new Uint8Array(1_500) }], nameExists: true, ttl: 9, authentic: true })
    expect(cache.size).toBe(2)
  })

  it('gives nothing past its time though nothing removed it', async () => {
    const clock = createTestClock({ frozen: true })
    const cache = new DnsCache(clock, { entries: 10, octets: 4_000 })
    cache.set('a', answer('x', 2))
    await clock.advance(1_500)
    expect(cache.get('a')?.ttl).toBe(0)
    clock.set(new Date(0))
    expect(cache.get('a')?.ttl).toBe(0)
    await clock.advance(500)
    expect(cache.get('a')).toBeUndefined()
    expect(cache.size).toBe(0)
  })
})
