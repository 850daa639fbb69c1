// SPF: what the openspf suite leaves open. Limits, hostile policies, names of the client, explanations, Received-SPF.
import { createMemoryResolver, type MemoryResolver, type ZoneText } from '@postern/core/conformance'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkSpf, formatReceivedSpf, isSpfRecord, parseSpfRecord, type SpfOptions, type SpfResult, type SpfSubject } from '../../src/provenance/spf/index.ts'

const subject: SpfSubject = { ip: '192.0.2.1', helo: 'client.example', mailFrom: { localpart: 'ann', domain: 'd.example' }, hostname: 'receiver.example' }

async function check(zone: ZoneText | MemoryResolver, over: Partial<SpfSubject> = {}, options: Partial<SpfOptions> = {}): Promise<SpfResult> {
  const resolver = 'query' in zone ? (zone as MemoryResolver) : createMemoryResolver(zone as ZoneText)
  return checkSpf({ ...subject, ...over }, { resolver, ...options })
}

const numbered = (count: number, make: (at: number) => string): string => Array.from({ length: count }, (_, at) => make(at)).join(' ')

describe('limits', () => {
  const hosts = (count: number): ZoneText => Object.fromEntries(Array.from({ length: count }, (_, at) => [`h${at}.example`, ['A 203.0.113.1', `TXT v=spf1 include:h${at + 1}.example -all`]]))

  test.each<readonly [string, string, SpfResult['result']]>([
    ['ten terms that look up', `v=spf1 ${numbered(10, (at) => `a:h${at}.example`)} +all`, 'pass'],
    ['eleven', `v=spf1 ${numbered(11, (at) => `a:h${at}.example`)} +all`, 'permerror'],
    ['ten and a redirect', `v=spf1 ${numbered(10, (at) => `a:h${at}.example`)} redirect=h0.example`, 'permerror'],
    ['ten, one of which wants the name of the client', `v=spf1 exists:%{p}.gone.example ${numbered(9, (at) => `a:h${at}.example`)} +all`, 'permerror'],
    ['nine, one of which does', `v=spf1 exists:%{p}.gone.example ${numbered(8, (at) => `a:h${at}.example`)} +all`, 'pass'],
    ['hundreds of networks', `v=spf1 ${numbered(500, (at) => `ip4:203.0.113.${at % 256}`)} ip4:192.0.2.0/24 -all`, 'pass'],
    ['ten look-ups, the first of which matches', `v=spf1 ip4:192.0.2.1 ${numbered(50, (at) => `a:h${at}.example`)} -all`, 'pass'],
    ['an include of an include …', 'v=spf1 include:h0.example -all', 'permerror'],
    ['two that find nothing', 'v=spf1 a:n1.example a:n2.example +all', 'pass'],
    ['three that find nothing', 'v=spf1 a:n1.example exists:n2.example mx:n3.example +all', 'permerror'],
    ['many that can not be looked up at all', `v=spf1 ${numbered(9, () => `a:${'x'.repeat(64)}.example`)} +all`, 'pass'],
    ['eight that exist but have no address', `v=spf1 ${numbered(8, (at) => `a:t${at}.example`)} +all`, 'permerror'],
  ])('%s', async (_, policy, result) => {
    const texts = Object.fromEntries(Array.from({ length: 8 }, (_unused, at) => [`t${at}.example`, ['TXT x']]))
    const found = await check({ 'd.example': [`TXT ${policy}`], ...hosts(60), ...texts })
    expect(found.result, found.problem).toBe(result)
  })

  test.each([
    ['includes itself', { 'd.example': ['TXT v=spf1 include:d.example -all'] }],
    ['redirects to itself', { 'd.example': ['TXT v=spf1 redirect=d.example'] }],
    ['goes round', { 'd.example': ['TXT v=spf1 include:e.example -all'], 'e.example': ['TXT v=spf1 redirect=d.example'] }],
    ['branches', { 'd.example': ['TXT v=spf1 include:d.example include:d.example include:d.example -all'] }],
  ])('a policy that %s ends after ten', async (_, zone) => {
    const resolver = createMemoryResolver(zone)
    expect((await check(resolver)).result).toBe('permerror')
    expect(resolver.asked.length).toBeLessThanOrEqual(11)
  })

  test('the costliest policy asks some 120 questions', async () => {
    const mx = Array.from({ length: 10 }, (_, at) => `MX ${at} m${at}.example`)
    const zone = { 'd.example': [`TXT v=spf1 ${numbered(10, (at) => `mx:x${at}.example`)} -all`], ...Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`x${at}.example`, mx])), ...Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`m${at}.example`, ['A 203.0.113.1']])) }
    const resolver = createMemoryResolver(zone)
    expect((await check(resolver)).result).toBe('fail')
    expect(resolver.asked.length).toBeLessThanOrEqual(1 + 10 + 100)
  })

  test('can be set', async () => {
    const zone = { 'd.example': [`TXT v=spf1 ${numbered(3, (at) => `a:h${at}.example`)} a:n1.example +all`], ...hosts(3) }
    expect((await check(zone, {}, { limits: { terms: 3 } })).result).toBe('permerror')
    expect((await check(zone, {}, { limits: { voidLookups: 0 } })).result).toBe('permerror')
    expect((await check(zone, {}, { limits: { terms: 4, voidLookups: 1 } })).result).toBe('pass')
  })

  test('macros that blow up are cut to what DNS can hold', async () => {
    const resolver = createMemoryResolver({ 'd.example': [`TXT v=spf1 exists:${'%{l}.'.repeat(2_000)}%{d} -all`] })
    expect((await check(resolver, { mailFrom: { localpart: 'a.'.repeat(30) + 'z', domain: 'd.example' } })).result).toBe('fail')
    const asked = resolver.asked.find((question) => question.startsWith('A ')) ?? ''
    expect(asked.length).toBeLessThanOrEqual(2 + 253)
    expect(asked.endsWith('.d.example')).toBe(true)
  })

  test('a record longer than any is refused', () => {
    expect(parseSpfRecord(`v=spf1 ${'a '.repeat(10_000)}`)).toBe('record too long')
  })
})

describe('networks', () => {
  test.each<readonly [string, string, boolean]>([
    ['192.0.2.1', 'ip4:192.0.2.1', true],
    ['::ffff:192.0.2.1', 'ip4:192.0.2.1', true],
    ['192.0.2.255', 'ip4:192.0.2.0/24', true],
    ['192.0.3.0', 'ip4:192.0.2.0/24', false],
    ['192.0.2.129', 'ip4:192.0.2.200/25', true],
    ['203.0.113.1', 'ip4:0.0.0.0/0', true],
    ['255.255.255.255', 'ip4:128.0.0.0/1', true],
    ['127.255.255.255', 'ip4:128.0.0.0/1', false],
    ['2001:db8::1', 'ip6:2001:db8::/32', true],
    ['2001:db9::1', 'ip6:2001:db8::/32', false],
    ['2001:db8::7fff', 'ip6:2001:db8::8000/113', false],
    ['2001:db8::ffff', 'ip6:2001:db8::8000/113', true],
    ['2001:db8::1', 'ip6:::/0', true],
    ['2001:db8::1', 'ip4:0.0.0.0/0', false],
    ['192.0.2.1', 'ip6:::/0', false],
    // IPv4 clients match no ip6 term, whatever it maps. RFC 7208 §5
    ['192.0.2.1', 'ip6:::ffff:192.0.2.1', false],
    ['::ffff:192.0.2.1', 'ip6:::ffff:192.0.2.1', false],
    ['192.0.2.1', 'ip6:::ffff:0.0.0.0/96', false],
    ['192.0.2.1', 'ip6:::ffff:192.0.2.1/0', false],
    ['::1', 'ip6:::ffff:192.0.2.1/64', true],
    ['2001:db8::1', 'ip6:::ffff:192.0.2.1/64', false],
  ])('%s and %s: %s', async (ip, term, matches) => {
    expect((await check({ 'd.example': [`TXT v=spf1 ${term} -all`] }, { ip })).result).toBe(matches ? 'pass' : 'fail')
  })
})

describe('names of the client', () => {
  const PTR = '1.2.0.192.in-addr.arpa'
  test('are asked for once, and only those that matter', async () => {
    const resolver = createMemoryResolver({
      'd.example': ['TXT v=spf1 ptr:no.example ptr:e.example ptr -all'],
      [PTR]: ['PTR x.other.example', 'PTR mail.d.example', 'PTR y.e.example'],
      'mail.d.example': ['A 192.0.2.1'],
    })
    expect((await check(resolver)).mechanism).toBe('ptr')
    expect(resolver.asked).toEqual(['TXT d.example', `PTR ${PTR}`, 'A y.e.example', 'A mail.d.example'])
  })

  test('that lead nowhere can not turn a fail into an error', async () => {
    const zone = { 'd.example': ['TXT v=spf1 ptr -all'], [PTR]: Array.from({ length: 10 }, (_, at) => `PTR n${at}.d.example`) }
    expect((await check(zone)).result).toBe('fail')
  })

  test('are ten at most', async () => {
    const zone = { 'd.example': ['TXT v=spf1 ptr -all'], [PTR]: Array.from({ length: 30 }, (_, at) => `PTR n${at}.d.example`), 'n10.d.example': ['A 192.0.2.1'] }
    expect((await check(zone)).result).toBe('fail')
    expect((await check({ ...zone, 'n9.d.example': ['A 192.0.2.1'] })).result).toBe('pass')
  })

  test.each([
    ['the domain itself', ['PTR a.other.example', 'PTR sub.d.example', 'PTR d.example'], 'd.example'],
    ['else one below it', ['PTR a.other.example', 'PTR sub.d.example'], 'sub.d.example'],
    ['else any', ['PTR a.other.example'], 'a.other.example'],
    ['else nothing known', [], 'unknown'],
  ])('in %%{p}: %s', async (_, names, expanded) => {
    const resolver = createMemoryResolver({ 'd.example': ['A 192.0.2.1', 'TXT v=spf1 exists:%{p}.x.example -all'], 'sub.d.example': ['A 192.0.2.1'], 'a.other.example': ['A 192.0.2.1'], ...(names.length === 0 ? {} : { [PTR]: names }) })
    await check(resolver)
    expect(resolver.asked.at(-1)).toBe(`A ${expanded}.x.example`)
  })

  test('in %{p} are those of the domain whose record it is', async () => {
    const resolver = createMemoryResolver({ 'd.example': ['A 192.0.2.1', 'TXT v=spf1 exists:%{p}.x.example include:e.example -all'], 'e.example': ['A 192.0.2.1', 'TXT v=spf1 exists:%{p}.y.example -all'], [PTR]: ['PTR d.example', 'PTR e.example'] })
    await check(resolver)
    expect(resolver.asked).toContain('A d.example.x.example')
    expect(resolver.asked).toContain('A e.example.y.example')
    expect(resolver.asked.filter((question) => question.startsWith('PTR'))).toHaveLength(1)
  })
})

describe('senders', () => {
  test.each<readonly [string, Partial<SpfSubject>, SpfResult['result'], string]>([
    ['the null reverse-path asks for the name in EHLO', { mailFrom: undefined, helo: 'Client.Example.' }, 'pass', 'client.example'],
    ['a literal has no policy', { mailFrom: undefined, helo: '[192.0.2.1]' }, 'none', '[192.0.2.1]'],
    ['one label has no policy', { mailFrom: undefined, helo: 'localhost' }, 'none', 'localhost'],
    ['case does not matter', { mailFrom: { localpart: 'A', domain: 'D.Example' } }, 'softfail', 'd.example'],
    ['no address of a client', { ip: 'nonsense' }, 'none', 'd.example'],
    ['what is no name', { mailFrom: { localpart: 'a', domain: `${'x'.repeat(64)}.example` } }, 'none', `${'x'.repeat(64)}.example`],
  ])('%s', async (_, over, result, domain) => {
    const zone = { 'd.example': ['TXT v=spf1 ~all'], 'client.example': ['TXT v=spf1 +all'] }
    expect(await check(zone, over)).toMatchObject({ result, domain })
  })

  // RFC 8616 §4: a term with such a local-part in its name matches nothing.
  test('of local-parts beyond ASCII match no term that names them, and nobody is asked', async () => {
    const resolver = createMemoryResolver({ 'd.example': ['TXT v=spf1 exists:%{l}.d.example exists:%{S}.x.example a:%{L}.x.example -all'] })
    expect((await check(resolver, { mailFrom: { localpart: 'grüße', domain: 'd.example' } })).result).toBe('fail')
    expect(resolver.asked.filter((question) => /[^ -~]/.test(question))).toEqual([])
    expect((await check(resolver, { mailFrom: { localpart: '\ud800', domain: 'd.example' } })).result).toBe('fail')
  })
})

describe('mx', () => {
  test('hosts are asked by preference, however they come', async () => {
    const resolver = createMemoryResolver({ 'd.example': ['MX 30 c.example', 'MX 10 a.example', 'MX 20 b.example', 'TXT v=spf1 mx -all'], 'b.example': ['A 192.0.2.1'], 'a.example': ['A 203.0.113.1'] })
    expect((await check(resolver)).result).toBe('pass')
    expect(resolver.asked.slice(2)).toEqual(['A a.example', 'A b.example'])
  })

  test('a null MX has no hosts', async () => {
    expect((await check({ 'd.example': ['MX 0 .', 'TXT v=spf1 mx -all'] })).result).toBe('fail')
  })
})

describe('explanations', () => {
  const explained = async (text: string, over: Partial<SpfSubject> = {}): Promise<string | undefined> => (await check({ 'd.example': ['TXT v=spf1 -all exp=why.d.example'], 'why.d.example': [`TXT ${text}`] }, over, { explain: true, now: 1_700_000_000_999 })).explanation

  test.each([
    ['%{c} is not %{d} (%{r}, %{t})', '192.0.2.1 is not d.example (receiver.example, 1700000000)'],
    ['100%% sure%_about%-this', '100% sure about%20this'],
    ['%{S}', 'ann%40d.example'],
    ['broken %{x}', undefined],
    ['not %ascii', undefined],
    ['gr\u00fc\u00dfe', undefined],
  ])('%j', async (text, wanted) => {
    expect(await explained(text)).toBe(wanted)
  })

  test('are cut from the end and hold nothing odd', async () => {
    const text = await explained(`start ${'%{l}'.repeat(500)} end`, { mailFrom: { localpart: `x\r\n\u0007ü${'y'.repeat(50)}`, domain: 'd.example' } })
    expect(text).toHaveLength(800)
    expect(text).toMatch(/^start x\?\?\?\?y{50}x[ -~]*$/)
  })

  test('are asked for when wanted only, and their failure is none', async () => {
    const resolver = createMemoryResolver({ 'd.example': ['TXT v=spf1 -all exp=why.d.example'] })
    resolver.fail('why.d.example', 'SERVFAIL')
    expect(await check(resolver)).toMatchObject({ result: 'fail', explanation: undefined })
    expect(resolver.asked).toEqual(['TXT d.example'])
    expect(await check(resolver, {}, { explain: true })).toMatchObject({ result: 'fail', explanation: undefined })
  })
})

describe('Received-SPF', () => {
  const received = async (over: Partial<SpfSubject>, zone: ZoneText = { 'd.example': ['TXT v=spf1 ip4:192.0.2.0/24 -all'] }): Promise<string> => {
    const about = { ...subject, ...over }
    return formatReceivedSpf(await check(zone, over), about)
  }

  test('says what was found, and of whom', async () => {
    expect((await received({})).split('\r\n\t')).toEqual([
      'pass (receiver.example: d.example lets it send)',
      'client-ip=192.0.2.1;',
      'envelope-from="ann@d.example";',
      'helo=client.example;',
      'mechanism="ip4:192.0.2.0/24";',
      'receiver=receiver.example;',
      'identity=mailfrom',
    ])
    expect(await received({}, { 'd.example': ['TXT v=spf1 foo'] })).toContain('problem="d.example: unreadable term foo";')
    expect(await received({ mailFrom: undefined })).toMatch(/^none \(receiver\.example: client\.example has no policy for it\)[^]*identity=helo$/)
  })

  test('no line and no end of a comment comes in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
        for (const over of [{ helo: text, mailFrom: undefined }, { helo: `a.b)${text}`, mailFrom: undefined }, { mailFrom: { localpart: text, domain: `d${text}.example` } }]) {
          const value = await received(over)
          expect(value.replaceAll('\r\n\t', ' ')).toMatch(/^[a-z]+ \((?:[^()\\]|\\.)*\) client-ip=[ -~]*$/)
        }
      }),
    )
  })
})

describe('whatever comes', () => {
  test('has a result', async () => {
    const term = fc.constantFrom('a', 'mx', 'ptr', 'exists:', 'include:', 'ip4:', 'ip6:', 'all', 'redirect=', 'exp=', '%{', '}', '%{l1r+}', '%{p}', '/24', '//64', ' ', ':', 'd.example', '192.0.2.1', '-', '~', '%', '=')
    const policy = fc.oneof(fc.string(), fc.array(term, { maxLength: 12 }).map((terms) => terms.join('')))
    await fc.assert(
      fc.asyncProperty(policy, fc.string({ unit: 'binary', maxLength: 30 }), async (text, localpart) => {
        const found = await check({ 'd.example': [`TXT v=spf1 ${text}`, 'A 192.0.2.1'] }, { mailFrom: { localpart, domain: 'd.example' } }, { explain: true })
        expect(['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror']).toContain(found.result)
      }),
      { numRuns: 300 },
    )
  })

  test.each([['v=spf1', true], ['V=SPF1 -all', true], ['v=spf1 ', true], ['v=spf10 -all', false], ['v=spf1\t-all', false], [' v=spf1', false], ['spf1', false]])('%j is a policy: %s', (text, is) => {
    expect(isSpfRecord(text)).toBe(is)
  })

  test('an aborted check rejects with the reason', async () => {
    const reason = new Error('enough')
    await expect(check({}, {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('validated answers are told from others', async () => {
    const zone = { 'd.example': ['TXT v=spf1 a:h.other -all'], 'h.other': ['A 192.0.2.1'] }
    const of = (authentic: readonly string[]): Promise<SpfResult> => check(createMemoryResolver(zone, { authentic }))
    expect((await of(['example', 'other'])).authentic).toBe(true)
    expect((await of(['example'])).authentic).toBe(false)
  })
})
