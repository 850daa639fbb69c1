// rspamd's functional messages with the records its tests pretend: DMARC, DKIM and SPF as its own cases expect them
// (test/functional/cases: 115_dmarc, 116_dkim, 117_spf), by the RFCs where these differ.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DnsError, type DnsAnswer, type DnsData, type DnsKind, type Resolver } from '@postern/core/host'
import { describe, expect, test } from 'vitest'
import { verifyDkim, type DkimResult } from '../../src/provenance/dkim/index.ts'
import { checkDmarc, type DmarcResult } from '../../src/provenance/dmarc/index.ts'
import { checkSpf, type SpfResult } from '../../src/provenance/spf/index.ts'
import { corpora } from './corpora.ts'
import { signedText } from './signed-text.ts'

const root = join(corpora, 'rspamd-messages', 'test', 'functional')
const config = join(root, 'configs', 'merged-local.conf')
const isAbsent = !existsSync(config)

/** `fake_records` of the configuration: each a name, a type, and replies or the code of a failure. */
function readRecords(text: string): ReadonlyMap<string, readonly string[] | 'timeout' | 'none'> {
  const records = new Map<string, readonly string[] | 'timeout' | 'none'>()
  const entry = /name\s*=\s*"([^"]+)"\s*[;,]\s*type\s*=\s*"?(\w+)"?\s*[;,]\s*(?:replies\s*=\s*\[([^\]]*)\]|rcode\s*=\s*['"](\w+)['"])/g
  for (const [, name = '', type = '', replies, code] of text.matchAll(entry)) {
    const found = replies === undefined ? (code === 'timeout' ? 'timeout' : 'none') : [...replies.matchAll(/"([^"]*)"/g)].map(([, reply]) => reply ?? '')
    records.set(`${type.toUpperCase()} ${name.toLowerCase()}`, found)
  }
  return records
}

const records = isAbsent ? new Map<string, never>() : readRecords(readFileSync(config, 'utf8'))

const resolver: Resolver = {
  async query<K extends DnsKind>(name: string, kind: K): Promise<DnsAnswer<K>> {
    const found = records.get(`${kind} ${name.toLowerCase()}`) ?? 'none'
    if (found === 'timeout') throw new DnsError('TIMEOUT', name)
    const texts = found === 'none' ? [] : found
    const data = kind === 'MX' ? texts.map((text) => ({ preference: Number.parseInt(text, 10), exchange: text.split(' ')[1] })) : texts
    return { records: data as unknown as DnsData[K][], nameExists: texts.length > 0, ttl: 60, authentic: false }
  },
}

const read = (file: string): Buffer => Buffer.from(readFileSync(join(root, 'messages', file), 'latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1')
const verified = (file: string): Promise<readonly DkimResult[]> => verifyDkim(signedText(read(file)), { resolver, now: 1_700_000_000_000 })

async function spfOf(ip: string, sender: string, helo = 'helo.example'): Promise<SpfResult> {
  const at = sender.lastIndexOf('@')
  const mailFrom = sender === '' ? undefined : { localpart: sender.slice(0, at), domain: sender.slice(at + 1) }
  return checkSpf({ ip, helo, mailFrom, hostname: 'receiver.example' }, { resolver })
}

describe.skipIf(isAbsent)(`rspamd's messages${isAbsent ? ' (skipped: the corpora are not here)' : ''}`, () => {
  test('the records are read', () => {
    expect(records.size).toBeGreaterThan(200)
    expect(records.get('TXT _dmarc.zero_pct.com')).toEqual(['v=DMARC1; p=reject; sp=quarantine; pct=0'])
  })

  test.each<readonly [string, string | undefined, string, DmarcResult['result'], DmarcResult['policy']]>([
    // Message, sender, client; result, what is to be done.
    ['pass_none', undefined, '', 'pass', 'none'],
    ['fail_none', 'foo@spf.cacophony.za.org', '8.8.4.4', 'pass', 'none'],
    ['fail_none', undefined, '', 'fail', 'none'],
    ['fail_reject', undefined, '', 'fail', 'reject'],
    ['fail_quarantine', undefined, '', 'fail', 'quarantine'],
    ['subdomain_fail_none', undefined, '', 'fail', 'none'],
    ['subdomain_fail_reject', undefined, '', 'fail', 'reject'],
    ['subdomain_fail_quarantine', undefined, '', 'fail', 'quarantine'],
    ['onsubdomain_fail_alignment', undefined, '', 'fail', 'reject'],
    ['onsubdomain_fail_alignment', 'foo@yo.mom.za.org', '37.48.67.26', 'pass', 'none'],
    ['onsubdomain_fail_alignment', 'foo@mom.za.org', '37.48.67.26', 'fail', 'reject'],
    ['dmarc_tmpfail', 'foo@mom.za.org', '37.48.67.26', 'temperror', 'none'],
    ['../utf', 'foo@mom.za.org', '37.48.67.26', 'none', 'none'],
    ['pct_none', 'foo@mom.za.org', '37.48.67.26', 'fail', 'quarantine'],
    ['pct_none1', 'foo@mom.za.org', '37.48.67.26', 'fail', 'none'],
    // Of a policy that can be asked for, SPF that can not is none that passed.
    ['bad_dkim1', 'x@fail2.org.org.za', '8.8.8.8', 'fail', 'none'],
  ])('DMARC: %s, from %s at %s', async (file, sender, ip, result, policy) => {
    const path = join('dmarc', `${file}.eml`)
    const [, fromDomain = ''] = /^From:[^@]*@([A-Za-z0-9._-]+)/m.exec(read(path).toString('latin1')) ?? []
    const spf = sender === undefined ? undefined : await spfOf(ip, sender)
    const dkim = await verified(path)
    // za.org is no public suffix of the list, as these tests take it for: policies are found by walking up.
    const found = await checkDmarc(
      { fromDomain, spfDomain: spf?.result === 'pass' ? spf.domain : undefined, dkimDomains: dkim.filter((each) => each.result === 'pass').map(({ domain }) => domain) },
      { resolver, random: () => 0 },
    )
    expect([found.result, found.policy]).toEqual([result, policy])
  })

  // A domain above the one with the policy is of the same organization by the list; by walking up it would need a policy.
  test.each([
    ['onsubdomain_pass_relaxed', undefined, ''],
    ['onsubdomain_fail', 'foo@mom.za.org', '37.48.67.26'],
  ])('DMARC by the list of public suffixes: %s passes', async (file, sender, ip) => {
    const dkim = await verified(join('dmarc', `${file}.eml`))
    const spf = sender === undefined ? undefined : await spfOf(ip, sender)
    const subject = { fromDomain: 'my.mom.za.org', spfDomain: spf?.domain, dkimDomains: dkim.map(({ domain }) => domain) }
    expect(await checkDmarc(subject, { resolver, random: () => 0, discovery: 'public-suffix' })).toMatchObject({ result: 'pass' })
    expect(await checkDmarc(subject, { resolver, random: () => 0 })).toMatchObject({ result: 'fail' })
  })

  test.each<readonly [string, readonly DkimResult['result'][]]>([
    ['dmarc/pass_none', ['pass']],
    ['dmarc/onsubdomain_fail_alignment', ['pass']],
    ['dmarc/onsubdomain_pass_relaxed', ['pass']],
    ['dmarc/good_dkim_highsecure', ['pass']],
    ['dmarc/bad_dkim_highsecure', ['fail']],
    ['dmarc/good_dkim_rspamd', ['pass']],
    ['dmarc/bad_dkim_rspamd', ['fail']],
    // Their key: what is no key, what is no key record, what can not be asked for.
    ['dmarc/bad_dkim1', ['permerror']],
    ['dmarc/bad_dkim2', ['permerror']],
    ['dmarc/bad_dkim3', ['temperror']],
    ['ed25519', ['pass', 'pass']],
    ['ed25519-broken', ['fail', 'fail']],
    // Lists of 900 and 1,501 field names: we take no more than 200.
    ['dkim_large_hlist', ['permerror']],
    ['dkim_huge_hlist', ['permerror']],
    // Signatures without h= and bh=, then one whose key the corpus does not have: pass is not to be tested here.
    ['dkim_sigs_at_limit', ['permerror', 'permerror', 'permerror', 'permerror', 'permerror']],
    ['dkim_many_sigs', ['permerror', 'permerror', 'permerror', 'permerror', 'permerror', 'permerror']],
    ['dmarc/dkim_unknown_tags', ['permerror']],
    ['utf', []],
  ])('DKIM: %s: %j', async (file, results) => {
    const found = await verified(`${file}.eml`)
    expect(found.map(({ result }) => result), found.map(({ reason }) => reason).join()).toEqual(results)
  })

  test.each<readonly [string, string, SpfResult['result']]>([
    // rspamd says fail: it passes over an include without a policy. RFC 7208 §5.2: permerror.
    ['37.48.67.26', 'x@fail3.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@fail2.org.org.za', 'temperror'],
    ['8.8.8.8', 'x@fail3.org.org.za', 'pass'],
    ['8.8.4.4', 'x@fail2.org.org.za', 'pass'],
    ['8.8.8.8', 'x@za', 'none'],
    ['8.8.8.8', 'x@co.za', 'none'],
    ['8.8.8.8', 'x@zzzzaaaa', 'none'],
    ['8.8.8.8', 'x@fail4.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@fail10.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@fail1.org.org.za', 'temperror'],
    ['192.0.2.1', 'a@fail1.org.org.za', 'temperror'],
    ['8.8.8.8', 'x@fail5.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@example.net', 'fail'],
    ['1.2.3.4', 'x@fail6.org.org.za', 'fail'],
    ['1.2.3.4', 'x@fail7.org.org.za', 'fail'],
    ['1.2.3.4', 'x@fail8.org.org.za', 'temperror'],
    ['1.2.3.4', 'x@fail9.org.org.za', 'temperror'],
    ['1.2.3.4', 'x@www.dnssec-failed.org', 'temperror'],
    ['8.8.8.8', 'x@pass1.org.org.za', 'pass'],
    ['88.99.142.95', 'foo@crazyspf.cacophony.za.org', 'pass'],
    // rspamd says fail. Five terms find no name of this client; RFC 7208 §4.6.4 ends it after two, and others do so too.
    ['128.66.0.1', 'foo@crazyspf.cacophony.za.org', 'permerror'],
    ['209.85.216.182', 'foo@crazyspf.cacophony.za.org', 'fail'],
    ['8.8.8.8', 'x@fail11.org.org.za', 'pass'],
    ['8.8.8.8', 'x@plusall.com', 'pass'],
    ['8.8.8.8', 'x@onespf.org.org.za', 'pass'],
    ['8.8.8.8', 'x@twospf.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@mixedcasespf.org.org.za', 'pass'],
    ['8.8.8.8', 'x@twomixedcasespf.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@spf10.org.org.za', 'pass'],
    ['192.0.2.1', 'x@manymx.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@fewmx.org.org.za', 'pass'],
    ['8.8.8.8', 'x@nestok.org.org.za', 'pass'],
    ['8.8.8.8', 'x@nestdeep.org.org.za', 'permerror'],
    ['8.8.8.8', 'x@exists.org.org.za', 'pass'],
    ['8.8.8.8', 'x@noexists.org.org.za', 'fail'],
    // rspamd allows 30 look-ups by default. RFC 7208 §4.6.4: 10.
    ['8.8.8.8', 'x@fewreq.org.org.za', 'permerror'],
  ])('SPF: %s for %s: %s', async (ip, sender, result) => {
    const found = await spfOf(ip, sender)
    expect(found.result, found.problem).toBe(result)
  })

  test('SPF: an address literal in HELO has no policy', async () => {
    expect((await spfOf('8.8.8.8', '', '[10.88.0.3]')).result).toBe('none')
  })
})
