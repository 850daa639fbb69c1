// DMARC: finding the policy, alignment, and what is to be done with a message that fails.
import { createMemoryResolver, type ZoneText } from '@postern/core/conformance'
import { describe, expect, test } from 'vitest'
import { checkDmarc, type DmarcOptions, type DmarcResult, type DmarcSubject } from '../../src/provenance/dmarc/index.ts'

const never = (): number => 0

async function check(zone: ZoneText, subject: Partial<DmarcSubject> & Pick<DmarcSubject, 'fromDomain'>, options: Partial<DmarcOptions> = {}): Promise<DmarcResult> {
  return checkDmarc({ spfDomain: undefined, dkimDomains: [], ...subject }, { resolver: createMemoryResolver(zone), random: never, ...options })
}

describe('whose policy holds', () => {
  const list = { discovery: 'public-suffix' } as const
  test.each<readonly [string, ZoneText, string, string | undefined, string | undefined]>([
    // What, zone, From; domain of the policy by tree walk, and by the list of public suffixes.
    ['its own', { '_dmarc.example.com': ['TXT v=DMARC1; p=none'] }, 'example.com', 'example.com', 'example.com'],
    ['the organization\'s', { '_dmarc.example.com': ['TXT v=DMARC1; p=none'] }, 'a.mail.example.com', 'example.com', 'example.com'],
    ['none', {}, 'a.example.com', undefined, undefined],
    ['its own, though the organization has one', { '_dmarc.a.example.com': ['TXT v=DMARC1; p=none'], '_dmarc.example.com': ['TXT v=DMARC1; p=reject'] }, 'a.example.com', 'a.example.com', 'a.example.com'],
    ['one on the way, when there is none above', { '_dmarc.mail.example.com': ['TXT v=DMARC1; p=none'] }, 'a.mail.example.com', 'mail.example.com', undefined],
    ['that with the fewest labels', { '_dmarc.mail.example.com': ['TXT v=DMARC1; p=none'], '_dmarc.example.com': ['TXT v=DMARC1; p=none'] }, 'a.mail.example.com', 'example.com', 'example.com'],
    ['psd=n ends the walk', { '_dmarc.mail.example.com': ['TXT v=DMARC1; p=none; psd=n'], '_dmarc.example.com': ['TXT v=DMARC1; p=none'] }, 'a.mail.example.com', 'mail.example.com', 'example.com'],
    ['psd=y: one label below it', { '_dmarc.giant.bank.example': ['TXT v=DMARC1; p=none'], '_dmarc.bank.example': ['TXT v=DMARC1; p=reject; psd=y'] }, 'a.giant.bank.example', 'giant.bank.example', 'bank.example'],
    ['psd=y itself, when the organization has none', { '_dmarc.bank.example': ['TXT v=DMARC1; p=reject; psd=y'] }, 'a.mega.bank.example', 'bank.example', 'bank.example'],
    ['above psd=y nobody is asked', { '_dmarc.bank.example': ['TXT v=DMARC1; p=none; psd=y'], '_dmarc.example': ['TXT v=DMARC1; p=reject'] }, 'a.mega.bank.example', 'bank.example', 'bank.example'],
    ['several records are none', { '_dmarc.a.example.com': ['TXT v=DMARC1; p=none', 'TXT v=DMARC1; p=reject'], '_dmarc.example.com': ['TXT v=DMARC1; p=none'] }, 'a.example.com', 'example.com', 'example.com'],
    ['other records do not matter', { '_dmarc.example.com': ['TXT v=spf1 -all', 'TXT v=DMARC1; p=none', 'TXT v=dmarc1; p=reject'] }, 'example.com', 'example.com', 'example.com'],
    ['a public suffix of customers', { '_dmarc.github.io': ['TXT v=DMARC1; p=none'] }, 'user.github.io', 'github.io', undefined],
    ['an alias leads on', { '_dmarc.example.com': ['CNAME dmarc.example.net'], 'dmarc.example.net': ['TXT v=DMARC1; p=none'] }, 'example.com', 'example.com', 'example.com'],
  ])('%s', async (_, zone, fromDomain, byWalk, byList) => {
    expect((await check(zone, { fromDomain })).domain).toBe(byWalk)
    expect((await check(zone, { fromDomain }, list)).domain).toBe(byList)
  })

  // RFC 9989 §4.10, its example of a long name.
  test('a long name is asked about eight times', async () => {
    const resolver = createMemoryResolver()
    await checkDmarc({ fromDomain: 'a.b.c.d.e.f.g.h.i.j.mail.example.com', spfDomain: undefined, dkimDomains: [] }, { resolver, random: never })
    const names = ['a.b.c.d.e.f.g.h.i.j.mail.example.com', 'g.h.i.j.mail.example.com', 'h.i.j.mail.example.com', 'i.j.mail.example.com', 'j.mail.example.com', 'mail.example.com', 'example.com', 'com']
    expect(resolver.asked).toEqual(names.map((name) => `TXT _dmarc.${name}`))
  })

  test('each name is asked about once, and signatures are limited in number', async () => {
    const resolver = createMemoryResolver({ '_dmarc.example.com': ['TXT v=DMARC1; p=none'] })
    const dkimDomains = Array.from({ length: 50 }, (_, at) => `s${at}.example.com`)
    const { dkim } = await checkDmarc({ fromDomain: 'example.com', spfDomain: 'bounce.example.com', dkimDomains }, { resolver, random: never })
    expect(dkim).toBe('relaxed')
    expect(new Set(resolver.asked).size).toBe(resolver.asked.length)
    expect(resolver.asked.length).toBe(2 + 1 + 10)
  })
})

describe('alignment', () => {
  const zone = (record: string): ZoneText => ({ '_dmarc.example.com': [`TXT v=DMARC1; p=reject; ${record}`] })
  test.each<readonly [string, string, Partial<DmarcSubject> & Pick<DmarcSubject, 'fromDomain'>, DmarcResult['spf'], DmarcResult['dkim'], DmarcResult['result']]>([
    ['nothing passed', '', { fromDomain: 'example.com' }, 'none', 'none', 'fail'],
    ['SPF, the same domain', '', { fromDomain: 'example.com', spfDomain: 'example.com' }, 'strict', 'none', 'pass'],
    ['SPF, below', '', { fromDomain: 'example.com', spfDomain: 'child.example.com' }, 'relaxed', 'none', 'pass'],
    ['SPF, above', '', { fromDomain: 'child.example.com', spfDomain: 'example.com' }, 'relaxed', 'none', 'pass'],
    ['SPF, beside', '', { fromDomain: 'a.example.com', spfDomain: 'b.example.com' }, 'relaxed', 'none', 'pass'],
    ['SPF, another domain', '', { fromDomain: 'child.example.com', spfDomain: 'example.net' }, 'none', 'none', 'fail'],
    ['SPF, a name that ends alike', '', { fromDomain: 'example.com', spfDomain: 'badexample.com' }, 'none', 'none', 'fail'],
    ['SPF, case does not matter', '', { fromDomain: 'Example.COM', spfDomain: 'eXample.com' }, 'strict', 'none', 'pass'],
    ['SPF below, strict', 'aspf=s', { fromDomain: 'example.com', spfDomain: 'child.example.com' }, 'relaxed', 'none', 'fail'],
    ['SPF same, strict', 'aspf=s', { fromDomain: 'example.com', spfDomain: 'example.com' }, 'strict', 'none', 'pass'],
    ['aspf=s is not for DKIM', 'aspf=s', { fromDomain: 'example.com', dkimDomains: ['child.example.com'] }, 'none', 'relaxed', 'pass'],
    ['DKIM, the same domain', '', { fromDomain: 'example.com', dkimDomains: ['example.com'] }, 'none', 'strict', 'pass'],
    ['DKIM, above', '', { fromDomain: 'child.example.com', dkimDomains: ['example.com'] }, 'none', 'relaxed', 'pass'],
    ['DKIM, another domain', '', { fromDomain: 'child.example.com', dkimDomains: ['example.net'] }, 'none', 'none', 'fail'],
    ['DKIM, one of several', '', { fromDomain: 'example.com', dkimDomains: ['example.net', 'x.example.com', 'esp.example'] }, 'none', 'relaxed', 'pass'],
    ['DKIM, above, strict', 'adkim=s', { fromDomain: 'child.example.com', dkimDomains: ['example.com'] }, 'none', 'relaxed', 'fail'],
    ['DKIM same, strict', 'adkim=s', { fromDomain: 'example.com', dkimDomains: ['x.example.com', 'example.com'] }, 'none', 'strict', 'pass'],
    ['a public suffix is nobody\'s organization', '', { fromDomain: 'example.com', dkimDomains: ['com'] }, 'none', 'none', 'fail'],
  ])('%s', async (_, record, subject, spf, dkim, result) => {
    for (const discovery of ['tree-walk', 'public-suffix'] as const) {
      expect(await check(zone(record), subject, { discovery }), discovery).toMatchObject({ spf, dkim, result })
    }
  })

  // RFC 9989 appendix B.4.2 and B.4.3.
  test.each<readonly [string, ZoneText, Pick<DmarcSubject, 'fromDomain'> & Partial<DmarcSubject>, DmarcResult['spf'], DmarcResult['dkim']]>([
    ['a deep tree', { '_dmarc.example.com': ['TXT v=DMARC1; p=none'], '_dmarc.signing.example.com': ['TXT v=DMARC1; p=none'] }, { fromDomain: 'a.b.c.d.e.f.g.h.i.j.k.example.com', spfDomain: 'example.com', dkimDomains: ['signing.example.com'] }, 'relaxed', 'relaxed'],
    ['a public suffix with a policy', { '_dmarc.bank.example': ['TXT v=DMARC1; p=none; psd=y'], '_dmarc.giant.bank.example': ['TXT v=DMARC1; p=none'] }, { fromDomain: 'giant.bank.example', spfDomain: 'mail.giant.bank.example', dkimDomains: ['mail.mega.bank.example'] }, 'relaxed', 'none'],
  ])('by tree walk: %s', async (_, records, subject, spf, dkim) => {
    expect(await check(records, subject)).toMatchObject({ spf, dkim })
  })

  test('customers of one host are strangers by the list', async () => {
    const records = { '_dmarc.a.github.io': ['TXT v=DMARC1; p=reject'] }
    expect(await check(records, { fromDomain: 'a.github.io', dkimDomains: ['b.github.io'] }, { discovery: 'public-suffix' })).toMatchObject({ result: 'fail', dkim: 'none' })
  })
})

describe('what is to be done', () => {
  const exists = { 'there.example.com': ['A 192.0.2.1'], 'text.example.com': ['TXT only'], 'alias.example.com': ['CNAME gone.example.net'], 'x.above.example.com': ['A 192.0.2.1'] }
  test.each<readonly [string, string, string, DmarcResult['published'], DmarcResult['policy'], number]>([
    // Record, From, published, applied, random number.
    ['p', 'p=reject', 'example.com', 'reject', 'reject', 0],
    ['p for names below', 'p=reject', 'there.example.com', 'reject', 'reject', 0],
    ['sp is for names below', 'p=reject; sp=none', 'example.com', 'reject', 'reject', 0],
    ['sp', 'p=reject; sp=quarantine', 'there.example.com', 'quarantine', 'quarantine', 0],
    ['sp for names that are not there', 'p=none; sp=quarantine', 'gone.example.com', 'quarantine', 'quarantine', 0],
    ['np for names that are not there', 'p=none; sp=quarantine; np=reject', 'gone.example.com', 'reject', 'reject', 0],
    ['np is not for names that are', 'p=none; sp=quarantine; np=reject', 'there.example.com', 'quarantine', 'quarantine', 0],
    ['np is not for names with any record', 'p=none; np=reject', 'text.example.com', 'none', 'none', 0],
    ['np is not for aliases', 'p=none; np=reject', 'alias.example.com', 'none', 'none', 0],
    ['np is not for names above others', 'p=none; np=reject', 'above.example.com', 'none', 'none', 0],
    ['t=y: one step milder', 'p=reject; t=y', 'example.com', 'reject', 'quarantine', 0],
    ['t=y: quarantine', 'p=quarantine; t=y', 'example.com', 'quarantine', 'none', 0],
    ['t=y: none', 'p=none; t=y', 'example.com', 'none', 'none', 0],
    ['pct: within', 'p=reject; pct=30', 'example.com', 'reject', 'reject', 0.2999],
    ['pct: outside', 'p=reject; pct=30', 'example.com', 'reject', 'quarantine', 0.3],
    ['pct: quarantine outside', 'p=quarantine; pct=30', 'example.com', 'quarantine', 'none', 0.99],
    ['pct=0', 'p=reject; pct=0', 'example.com', 'reject', 'quarantine', 0],
    ['pct=100', 'p=reject; pct=100', 'example.com', 'reject', 'reject', 0.999],
    ['no p, but reports: none', 'rua=mailto:a@example.com', 'example.com', 'none', 'none', 0],
    ['p that can not be read, but reports: none', 'p=x; rua=mailto:a@example.com', 'example.com', 'none', 'none', 0],
    ['sp that can not be read, but reports: none', 'p=reject; sp=x; rua=mailto:a@example.com', 'example.com', 'none', 'none', 0],
  ])('%s', async (_, record, fromDomain, published, policy, random) => {
    const zone = { '_dmarc.example.com': [`TXT v=DMARC1; ${record}`], ...exists }
    expect(await check(zone, { fromDomain }, { random: () => random })).toMatchObject({ result: 'fail', published, policy })
    expect(await check(zone, { fromDomain, spfDomain: fromDomain }, { random: () => random })).toMatchObject({ result: 'pass', policy: 'none' })
  })

  test.each([
    ['no p and no reports', 'v=DMARC1', 'none'],
    ['p that can not be read and no reports', 'v=DMARC1; p=x', 'permerror'],
    ['reports to nowhere', 'v=DMARC1; p=x; rua=nobody', 'permerror'],
    ['sp that can not be read and no reports', 'v=DMARC1; p=reject; sp=x', 'permerror'],
  ])('%s: nothing', async (_, record, result) => {
    expect(await check({ '_dmarc.example.com': [`TXT ${record}`] }, { fromDomain: 'example.com', spfDomain: 'example.com' })).toMatchObject({ result, policy: 'none' })
  })
})

describe('what can not be asked now', () => {
  const zone = { '_dmarc.example.com': ['TXT v=DMARC1; p=reject; sp=none; np=reject'], 'a.example.com': ['A 192.0.2.1'] }
  const failing = (...names: readonly string[]) => {
    const resolver = createMemoryResolver(zone)
    for (const name of names) resolver.fail(name, 'SERVFAIL')
    return resolver
  }
  test.each<readonly [string, readonly string[], Pick<DmarcSubject, 'fromDomain'> & Partial<DmarcSubject>, DmarcResult['result']]>([
    ['the policy', ['_dmarc.example.com'], { fromDomain: 'example.com', spfDomain: 'example.com' }, 'temperror'],
    ['a name on the way up', ['_dmarc.com'], { fromDomain: 'a.example.com' }, 'temperror'],
    ['whether a domain that passed is ours', ['_dmarc.b.example.com'], { fromDomain: 'example.com', spfDomain: 'b.example.com' }, 'temperror'],
    ['the same, while another is ours', ['_dmarc.b.example.com'], { fromDomain: 'example.com', spfDomain: 'b.example.com', dkimDomains: ['example.com'] }, 'pass'],
    ['the same, of several signatures', ['_dmarc.b.example.com'], { fromDomain: 'example.com', dkimDomains: ['b.example.com', 'c.example.com'] }, 'pass'],
    ['what is no matter: a stranger', ['_dmarc.b.example.net'], { fromDomain: 'example.com', spfDomain: 'b.example.net' }, 'fail'],
    ['whether the name is there', ['gone.example.com'], { fromDomain: 'gone.example.com' }, 'temperror'],
    ['the same of one that passes', ['gone.example.com'], { fromDomain: 'gone.example.com', spfDomain: 'gone.example.com' }, 'pass'],
  ])('%s', async (_, names, subject, result) => {
    const found = await check(zone, subject, { resolver: failing(...names) })
    expect(found.result).toBe(result)
    if (result !== 'fail') expect(found.policy).toBe('none')
  })

  test('an aborted check rejects with the reason', async () => {
    const reason = new Error('enough')
    await expect(check(zone, { fromDomain: 'example.com' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('a name DNS can not hold has no policy', async () => {
    expect((await check(zone, { fromDomain: `${'a'.repeat(64)}.example.com` })).domain).toBe('example.com')
    expect((await check(zone, { fromDomain: 'a..b' })).result).toBe('none')
  })

  test('validated answers are told from others', async () => {
    const resolver = createMemoryResolver(zone, { authentic: ['com'] })
    expect((await check(zone, { fromDomain: 'example.com' }, { resolver })).authentic).toBe(true)
    expect((await check(zone, { fromDomain: 'example.com' })).authentic).toBe(false)
  })
})
