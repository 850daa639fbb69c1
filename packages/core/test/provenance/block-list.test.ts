// DNS block lists: listings, and lists that should not be asked. RFC 5782
import { createMemoryResolver, type ZoneText } from '@postern/core/conformance'
import { describe, expect, test } from 'vitest'
import { BlockLists, type BlockListing } from '../../src/provenance/block-list.ts'

const NIBBLES = { client: '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2', listed: `2.0.0.0.0.0.f.7.f.f.f.f.${'0.'.repeat(19)}0`, free: `1.0.0.0.0.0.f.7.f.f.f.f.${'0.'.repeat(19)}0` }
const healthy = (zone: string): ZoneText => ({ [`2.0.0.127.${zone}`]: ['A 127.0.0.2'] })
const healthy6 = (zone: string): ZoneText => ({ [`${NIBBLES.listed}.${zone}`]: ['A 127.0.0.2'] })

/** A clock that stands where it is put. */
function standingClock(): { at: number; monotonic(): number } {
  const clock = { at: 1_000, monotonic: () => clock.at }
  return clock
}

async function check(zone: ZoneText, ip = '192.0.2.1', failing: readonly string[] = []): Promise<BlockListing> {
  const resolver = createMemoryResolver(zone)
  for (const name of failing) resolver.fail(name, 'TIMEOUT')
  const [found] = await new BlockLists(['bl.example'], { resolver, clock: standingClock() }).check(ip)
  return found as BlockListing
}

describe('an address', () => {
  test.each<readonly [string, ZoneText, readonly string[], BlockListing['result'], string | undefined]>([
    ['is listed', { ...healthy('bl.example'), '1.2.0.192.bl.example': ['A 127.0.0.3', 'TXT Open relay, see https://bl.example/192.0.2.1'] }, [], 'listed', 'Open relay, see https://bl.example/192.0.2.1'],
    ['is listed without a word', { ...healthy('bl.example'), '1.2.0.192.bl.example': ['A 127.0.0.3'] }, [], 'listed', undefined],
    ['is not', healthy('bl.example'), [], 'not-listed', undefined],
    ['has an answer outside 127/8', { ...healthy('bl.example'), '1.2.0.192.bl.example': ['A 198.51.100.1'] }, [], 'not-listed', undefined],
    ['has the answer that we may not ask', { ...healthy('bl.example'), '1.2.0.192.bl.example': ['A 127.255.255.254'] }, [], 'not-listed', undefined],
    ['can not be asked for', healthy('bl.example'), ['1.2.0.192.bl.example'], 'temperror', undefined],
    ['is of a list that lists everybody', { ...healthy('bl.example'), '1.0.0.127.bl.example': ['A 127.0.0.2'], '1.2.0.192.bl.example': ['A 127.0.0.2'] }, [], 'unhealthy', undefined],
    ['is of a list that lists nobody', { '1.2.0.192.bl.example': ['A 127.0.0.2'] }, [], 'unhealthy', undefined],
    ['is of a list that has ended', {}, [], 'unhealthy', undefined],
    ['is of a list that refuses us', { '2.0.0.127.bl.example': ['A 127.255.255.254'], '1.2.0.192.bl.example': ['A 127.0.0.2'] }, [], 'unhealthy', undefined],
    ['is of a list whose health can not be asked for', { '1.2.0.192.bl.example': ['A 127.0.0.2'] }, ['2.0.0.127.bl.example'], 'temperror', undefined],
  ])('%s', async (_, zone, failing, result, explanation) => {
    expect(await check(zone, '192.0.2.1', failing)).toEqual({ zone: 'bl.example', result, explanation })
  })

  test.each<readonly [string, ZoneText, string, BlockListing['result']]>([
    ['is listed', { ...healthy6('bl.example'), [`${NIBBLES.client}.bl.example`]: ['A 127.0.0.2'] }, '2001:db8::1', 'listed'],
    ['is not', healthy6('bl.example'), '2001:db8::1', 'not-listed'],
    ['is of a list with test entries of IPv4 only', { ...healthy('bl.example'), [`${NIBBLES.client}.bl.example`]: ['A 127.0.0.2'] }, '2001:db8::1', 'listed'],
    ['is of a list that lists everybody', { ...healthy6('bl.example'), [`${NIBBLES.free}.bl.example`]: ['A 127.0.0.2'] }, '2001:db8::1', 'unhealthy'],
    ['is an IPv4 one', { ...healthy('bl.example'), '1.2.0.192.bl.example': ['A 127.0.0.2'] }, '::ffff:192.0.2.1', 'listed'],
  ])('of IPv6 %s', async (_, zone, ip, result) => {
    expect((await check(zone, ip)).result).toBe(result)
  })

  test('that is none is on no list', async () => {
    expect(await new BlockLists(['bl.example'], { resolver: createMemoryResolver(), clock: standingClock() }).check('nonsense')).toEqual([])
  })
})

test('what a list says is cleaned and cut', async () => {
  const text = `bad\u0001\u00ff<b>${'x'.repeat(500)}`
  const found = await check({ ...healthy('bl.example'), '1.2.0.192.bl.example': ['A 127.0.0.2', `TXT ${text}`] })
  expect(found.explanation).toBe(`bad??<b>${'x'.repeat(192)}`)
})

test('what a list says when it can not be asked for is nothing', async () => {
  const resolver = createMemoryResolver({ ...healthy('bl.example'), '1.2.0.192.bl.example': ['A 127.0.0.2', 'TXT words'] })
  const query: typeof resolver.query = (name, kind, options) => {
    if (kind === 'TXT') resolver.failNext(name, 'SERVFAIL')
    return resolver.query(name, kind, options)
  }
  expect(await new BlockLists(['bl.example'], { resolver: { query }, clock: standingClock() }).check('192.0.2.1')).toEqual([{ zone: 'bl.example', result: 'listed', explanation: undefined }])
})

test('lists answer in their order, each on its own', async () => {
  const resolver = createMemoryResolver({ ...healthy('a.example'), ...healthy('c.example'), '1.2.0.192.c.example': ['A 127.0.0.2'] })
  const found = await new BlockLists(['a.example', 'b.example', 'c.example'], { resolver, clock: standingClock() }).check('192.0.2.1')
  expect(found.map(({ zone, result }) => `${zone} ${result}`)).toEqual(['a.example not-listed', 'b.example unhealthy', 'c.example listed'])
})

describe('health', () => {
  const isProbe = (question: string): boolean => question.includes('.0.0.127.')

  test('is asked for once in five minutes', async () => {
    const resolver = createMemoryResolver(healthy('bl.example'))
    const clock = standingClock()
    const lists = new BlockLists(['bl.example'], { resolver, clock })
    await Promise.all([lists.check('192.0.2.1'), lists.check('192.0.2.2'), lists.check('192.0.2.3')])
    expect(resolver.asked.filter(isProbe)).toHaveLength(2)
    clock.at += 5 * 60_000 - 1
    await lists.check('192.0.2.1')
    expect(resolver.asked.filter(isProbe)).toHaveLength(2)
    clock.at += 1
    resolver.zone({ '1.0.0.127.bl.example': ['A 127.0.0.2'] })
    expect((await lists.check('192.0.2.1'))[0]?.result).toBe('unhealthy')
    expect(resolver.asked.filter(isProbe)).toHaveLength(4)
  })

  test('that could not be found out is asked for anew', async () => {
    const resolver = createMemoryResolver(healthy('bl.example'))
    resolver.failNext('2.0.0.127.bl.example', 'TIMEOUT')
    const lists = new BlockLists(['bl.example'], { resolver, clock: standingClock() })
    expect((await lists.check('192.0.2.1'))[0]?.result).toBe('temperror')
    expect((await lists.check('192.0.2.1'))[0]?.result).toBe('not-listed')
  })
})

test('rejects when it is aborted', async () => {
  const reason = new Error('enough')
  const lists = new BlockLists(['bl.example'], { resolver: createMemoryResolver(healthy('bl.example')), clock: standingClock() })
  await expect(lists.check('192.0.2.1', AbortSignal.abort(reason))).rejects.toBe(reason)
})
