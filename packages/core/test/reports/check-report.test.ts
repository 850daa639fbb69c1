import { describe, expect, it } from 'vitest'
import { checkReport, reportedDomains, type Report } from '../../src/reports/index.ts'
import { feedback, readDmarc, readTls, tlsJson } from './report-files.ts'

const dmarc = await readDmarc(feedback())
const tls = await readTls(tlsJson())
const END = dmarc.endSeconds
const DAY = 86_400

function about(...domains: readonly (string | undefined)[]): Report {
  const [policy] = tls.policies
  return { ...tls, policies: domains.map((domain) => ({ type: 'sts', policyLines: [], mxHosts: [], succeeded: policy?.succeeded ?? 0, failed: 0, failures: [], omittedFailures: 0, ...(domain === undefined ? {} : { domain }) })) }
}

describe('checkReport', () => {
  const rows: readonly (readonly [what: string, report: Report, nowSeconds: number, domains: readonly string[], objections: readonly string[]])[] = [
    ['a DMARC report about our domain', dmarc, END + DAY, ['example.org'], []],
    ['one about another', { ...dmarc, policy: { ...dmarc.policy, domain: 'example.com' } }, END + DAY, [], ['not-our-domain']],
    ['one about a domain below ours', { ...dmarc, policy: { ...dmarc.policy, domain: 'a.example.org' } }, END + DAY, [], ['not-our-domain']],
    ['one that ends within a minute', dmarc, END - 60, ['example.org'], []],
    ['one that ends later', dmarc, END - 61, ['example.org'], ['period-in-future']],
    ['one of years ago', dmarc, END + 4_000 * DAY, ['example.org'], []],
    ['one that ends before it begins', { ...dmarc, beginSeconds: END + 1 }, END + DAY, ['example.org'], ['period-reversed']],
    ['one of 32 days', { ...dmarc, beginSeconds: END - 32 * DAY }, END + DAY, ['example.org'], []],
    ['one of more', { ...dmarc, beginSeconds: END - 32 * DAY - 1 }, END + DAY, ['example.org'], ['period-too-long']],
    ['one of which nothing fits', { ...dmarc, beginSeconds: 0, policy: { ...dmarc.policy, domain: 'x.example' } }, 0, [], ['not-our-domain', 'period-too-long', 'period-in-future']],
    ['a TLS report about our domain', tls, tls.endSeconds + DAY, ['example.org'], []],
    ['one that ends within a day, in another time zone', tls, tls.endSeconds - DAY, ['example.org'], []],
    ['one that ends the day after', tls, tls.endSeconds - DAY - 1, ['example.org'], ['period-in-future']],
    ['one about two of ours and another', about('example.org', 'example.com', 'example.net', 'example.org'), tls.endSeconds, ['example.org', 'example.net'], []],
    ['one about another', about('example.com', undefined), tls.endSeconds, [], ['not-our-domain']],
    ['one about none', about(undefined), tls.endSeconds, [], ['no-domain']],
  ]
  for (const [what, report, nowSeconds, domains, objections] of rows) {
    it(`finds of ${what}: ${objections.join(', ') || 'nothing'}`, () => {
      const host = { isOurDomain: (domain: string) => ['example.org', 'example.net'].includes(domain), now: nowSeconds * 1000 }
      expect(checkReport(report, host)).toEqual({ domains, objections })
    })
  }

  it('asks for each domain once', () => {
    expect(reportedDomains(about('b.example', 'a.example', 'b.example', undefined))).toEqual(['b.example', 'a.example'])
  })
})
