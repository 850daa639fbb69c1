// The name of an address, and whether it leads back. RFC 8601 §2.7.3, §3
import { createMemoryResolver, type ZoneText } from '@postern/core/conformance'
import { parseIpAddress, type IpAddress } from '@postern/core/address'
import { describe, expect, test } from 'vitest'
import { checkReverseName, reverseDomain, type ReverseName } from '../../src/provenance/reverse-name.ts'

const PTR4 = '1.2.0.192.in-addr.arpa'
const PTR6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'

describe('the result', () => {
  test.each<readonly [string, string, ZoneText, readonly string[], ReverseName['result'], string | undefined]>([
    // What, client, zone, names that can not be looked up; result, name.
    ['leads back', '192.0.2.1', { [PTR4]: ['PTR a.example'], 'a.example': ['A 192.0.2.1'] }, [], 'pass', 'a.example'],
    ['leads back among others', '192.0.2.1', { [PTR4]: ['PTR a.example'], 'a.example': ['A 192.0.2.7', 'A 192.0.2.1'] }, [], 'pass', 'a.example'],
    ['the second name does', '192.0.2.1', { [PTR4]: ['PTR a.example', 'PTR b.example'], 'a.example': ['A 192.0.2.7'], 'b.example': ['A 192.0.2.1'] }, [], 'pass', 'b.example'],
    ['an alias does', '192.0.2.1', { [PTR4]: ['CNAME 1.0-31.2.0.192.in-addr.arpa'], '1.0-31.2.0.192.in-addr.arpa': ['PTR a.example'], 'a.example': ['A 192.0.2.1'] }, [], 'pass', 'a.example'],
    ['IPv6', '2001:DB8:0::1', { [PTR6]: ['PTR a.example'], 'a.example': ['AAAA 2001:db8::1'] }, [], 'pass', 'a.example'],
    ['IPv4 written as IPv6', '::ffff:192.0.2.1', { [PTR4]: ['PTR a.example'], 'a.example': ['A 192.0.2.1'] }, [], 'pass', 'a.example'],
    ['leads elsewhere', '192.0.2.1', { [PTR4]: ['PTR a.example', 'PTR b.example'], 'a.example': ['A 192.0.2.7'] }, [], 'fail', 'a.example'],
    ['leads nowhere', '192.0.2.1', { [PTR4]: ['PTR a.example'] }, [], 'fail', 'a.example'],
    ['has addresses of the other kind only', '192.0.2.1', { [PTR4]: ['PTR a.example'], 'a.example': ['AAAA 2001:db8::1'] }, [], 'fail', 'a.example'],
    ['is no name', '192.0.2.1', { [PTR4]: [`PTR ${'a'.repeat(64)}.example`] }, [], 'fail', `${'a'.repeat(64)}.example`],
    ['there is none', '192.0.2.1', {}, [], 'permerror', undefined],
    ['no address', 'nonsense', {}, [], 'permerror', undefined],
    ['can not be asked for', '192.0.2.1', {}, [PTR4], 'temperror', undefined],
    ['its address can not', '192.0.2.1', { [PTR4]: ['PTR a.example'] }, ['a.example'], 'temperror', 'a.example'],
    ['the address of one can not, another leads back', '192.0.2.1', { [PTR4]: ['PTR a.example', 'PTR b.example'], 'b.example': ['A 192.0.2.1'] }, ['a.example'], 'pass', 'b.example'],
    ['the address of one can not, another leads elsewhere', '192.0.2.1', { [PTR4]: ['PTR a.example', 'PTR b.example'], 'b.example': ['A 192.0.2.7'] }, ['a.example'], 'temperror', 'a.example'],
  ])('%s', async (_, ip, zone, failing, result, name) => {
    const resolver = createMemoryResolver(zone)
    for (const each of failing) resolver.fail(each, 'SERVFAIL')
    expect(await checkReverseName(ip, { resolver })).toMatchObject({ result, name })
  })
})

test('ten names are tried', async () => {
  const names = Array.from({ length: 30 }, (_, at) => `n${at}.example`)
  const zone = (last: string): ZoneText => ({ [PTR4]: names.map((name) => `PTR ${name}`), [last]: ['A 192.0.2.1'] })
  const resolver = createMemoryResolver(zone('n10.example'))
  expect((await checkReverseName('192.0.2.1', { resolver })).result).toBe('fail')
  expect(resolver.asked).toHaveLength(11)
  expect((await checkReverseName('192.0.2.1', { resolver: createMemoryResolver(zone('n9.example')) })).result).toBe('pass')
})

test('is authentic when both answers are', async () => {
  const zone = { [PTR4]: ['PTR a.example'], 'a.example': ['A 192.0.2.1'] }
  const of = (authentic: readonly string[]) => checkReverseName('192.0.2.1', { resolver: createMemoryResolver(zone, { authentic }) })
  expect((await of(['arpa', 'example'])).authentic).toBe(true)
  expect((await of(['arpa'])).authentic).toBe(false)
  expect((await of(['example'])).authentic).toBe(false)
})

test('rejects when it is aborted', async () => {
  const reason = new Error('enough')
  await expect(checkReverseName('192.0.2.1', { resolver: createMemoryResolver(), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test.each([
  ['192.0.2.1', PTR4],
  ['2001:db8::1', PTR6],
  ['::', `${'0.'.repeat(32)}ip6.arpa`],
  ['255.255.255.0', '0.255.255.255.in-addr.arpa'],
])('the name of %s', (ip, name) => {
  expect(reverseDomain(parseIpAddress(ip) as IpAddress)).toBe(name)
})
