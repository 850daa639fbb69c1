import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseIpAddress } from '../../src/address/index.ts'
import type { DmarcReport, Report, TlsFailure, TlsReport } from '../../src/reports/index.ts'
import { corpusFiles, hasCorpora, withCrLf } from '../message/corpora.ts'
import { outcome, read, readMail } from './report-files.ts'

async function readCorpus(path: string): Promise<Report> {
  const reading = await readingOf(path)
  if (reading.kind !== 'report') throw new Error(`${path}: ${JSON.stringify(reading)}`)
  return reading.report
}

function readingOf(path: string): ReturnType<typeof read> {
  const octets = new Uint8Array(readFileSync(path))
  return path.endsWith('.eml') ? readMail(withCrLf(octets)) : read(octets)
}

function fileIn(folder: string, name: string): string {
  const found = corpusFiles(folder, name).find((path) => basename(path) === name)
  if (found === undefined) throw new Error(`${name} is not in ${folder}`)
  return found
}

// Other people's files lie beside the project, or nowhere.
describe.skipIf(!hasCorpora)('samples of parsedmarc', () => {
  const folder = 'parsedmarc-samples'
  const good: readonly (readonly [file: string, expected: object])[] = [
    [
      'empty_reason.xml',
      { organization: 'example.org', policy: { domain: 'example.com', p: 'quarantine' }, rows: [{ sourceIp: '198.51.100.123', overrides: [] }] },
    ],
    ['estadocuenta1.infonacot.gob.mx!example.com!1536853302!1536939702!2940.xml.zip', { reportId: '2940', beginSeconds: 1536853302, endSeconds: 1536939702 }],
    ['example.net!example.com!1529366400!1529452799.xml', { beginSeconds: 1529366400, endSeconds: 1529452799 }],
    ['fastmail.com!example.com!1516060800!1516147199!102675056.xml.gz', { organization: 'FastMail Pty Ltd', reportId: '102675056', endSeconds: 1516147199 }],
    ['ikea.com!example.de!1538690400!1538776800.xml', { organization: 'ikea.com', policy: { domain: 'example.de' }, beginSeconds: 1538690400 }],
    ['mimecast-weird-gzip.eml', { organization: 'Mimecast' }],
    ['old_draft_from_wiki.xml', { organization: 'acme.com', reportId: '9391651994964116463' }],
    [
      'rfc9990-example.net!example.com!1700000000!1700086399.xml',
      { policy: { domain: 'example.com', discovery: 'treewalk' }, beginSeconds: 1700000000, endSeconds: 1700086399 },
    ],
    ['changed-input.xml', { organization: 'fred.com', reportId: '11038226378739404135' }],
    ['rfc8460.json', { kind: 'tls', organization: 'Company-X', policies: [{ domain: 'company-y.example', succeeded: 5326, failed: 303 }] }],
    ['smtp_tls.json', { kind: 'tls', organization: 'Example Inc.' }],
  ]
  for (const [file, expected] of good) {
    it(`reads ${file}`, async () => {
      expect(await readCorpus(fileIn(folder, file))).toMatchObject(expected)
    })
  }
  it('refuses what is not text in the encoding it claims', async () => {
    expect(await outcome(readingOf(fileIn(folder, 'invalid_utf_8.xml')))).toBe('REPORT_CHARSET')
  })
  it('takes no failure report for one', async () => {
    const files = corpusFiles(folder, '.eml').filter((path) => path.includes('/failure/'))
    expect(files.length).toBeGreaterThan(0)
    for (const path of files) expect(await outcome(readingOf(path)), path).toBe('none')
  })
  it('has none besides these', () => {
    const others = corpusFiles(folder, '.xml', '.zip', '.gz', '.json', '.eml').filter((path) => !path.includes('/failure/'))
    expect(others.map((path) => basename(path)).sort()).toEqual([...good.map(([file]) => file), 'invalid_utf_8.xml'].sort())
  })
})

describe.skipIf(!hasCorpora)('report mails of mox', () => {
  const good: readonly (readonly [file: string, expected: object])[] = [
    ['google.eml', { kind: 'dmarc', organization: 'google.com', reportId: '13488712042596170873' }],
    ['mailru.eml', { kind: 'dmarc', organization: 'Mail.Ru' }],
    ['outlook.eml', { kind: 'dmarc', organization: 'Outlook.com' }],
    ['xs4all.eml', { kind: 'dmarc', organization: 'xs4all.nl' }],
    ['yahoo.eml', { kind: 'dmarc', organization: 'Yahoo! Inc.' }],
    ['example.eml', { kind: 'tls', organization: 'Google Inc.', policies: [{ domain: 'test.xmox.nl' }] }],
    ['microsoft.eml', { kind: 'tls', organization: 'Microsoft Corporation', policies: [{ domain: 'test.xmox.nl' }] }],
  ]
  for (const [file, expected] of good) {
    it(`reads ${file}`, async () => {
      const report = await readCorpus(fileIn('mox-testdata', file))
      expect(report).toMatchObject(expected)
      expect(report.endSeconds).toBeGreaterThan(report.beginSeconds)
    })
  }
})

describe.skipIf(!hasCorpora)('reports of mail-auth, as it reads them', () => {
  const files = corpusFiles('mailauth-rs/resources/dmarc-feedback', '.xml', '.eml')
  it('are there', () => expect(files.length).toBe(10))
  for (const path of files) {
    it(`reads ${basename(path)}`, async () => {
      const expected = JSON.parse(readFileSync(path.replace(/\.\w+$/, '.json'), 'utf8')) as MailAuthFeedback
      expect(asMailAuth((await readCorpus(path)) as DmarcReport)).toEqual(dmarcOf(expected))
    })
  }
  for (const path of corpusFiles('mailauth-rs/resources/tlsrpt', '.eml', '.json')) {
    it(`reads ${basename(path)}`, async () => {
      const expected = JSON.parse(readFileSync(path.replace('.eml', '.json'), 'utf8')) as MailAuthTls
      expect(await readCorpus(path)).toEqual(tlsOf(expected))
    })
  }
})

type Word = string | null

/** What we compare of `Report` of the crate mail-auth, as it is written in its tests. */
interface MailAuthFeedback {
  readonly report_metadata: {
    readonly org_name: string
    readonly email: string
    readonly extra_contact_info: Word
    readonly report_id: string
    readonly date_range: { readonly begin: number; readonly end: number }
    readonly error: readonly string[]
  }
  readonly policy_published: { readonly domain: string; readonly adkim: Word; readonly aspf: Word; readonly p: Word; readonly sp: Word; readonly fo: Word }
  readonly record: readonly {
    readonly row: {
      readonly source_ip: string
      readonly count: number
      readonly policy_evaluated: { readonly disposition: Word; readonly dkim: Word; readonly spf: Word; readonly reason: readonly { readonly type_: Word; readonly comment: Word }[] }
    }
    readonly identifiers: { readonly envelope_to: Word; readonly envelope_from: Word; readonly header_from: string }
    readonly auth_results: {
      readonly dkim: readonly { readonly domain: string; readonly selector: Word; readonly result: Word; readonly human_result: Word }[]
      readonly spf: readonly { readonly domain: string; readonly scope: Word; readonly result: Word; readonly human_result: Word }[]
    }
  }[]
}

/** Its words in ours. */
function word(written: Word | undefined): string | undefined {
  if (written === null || written === undefined || written === '' || written === 'Unspecified') return undefined
  return { Relaxed: 'r', Strict: 's', MailFrom: 'mfrom' }[written] ?? written.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()
}

/** It keeps names as written; ours are A-labels. */
function domain(written: Word): string | undefined {
  return written === null || written === '' ? undefined : written.toLowerCase()
}

function dmarcOf({ report_metadata: metadata, policy_published: policy, record }: MailAuthFeedback): unknown {
  return {
    organization: metadata.org_name.trim(),
    contact: metadata.email,
    extraContact: metadata.extra_contact_info ?? undefined,
    reportId: metadata.report_id,
    beginSeconds: metadata.date_range.begin,
    endSeconds: metadata.date_range.end,
    errors: metadata.error,
    policy: { domain: domain(policy.domain), p: word(policy.p), sp: word(policy.sp), adkim: word(policy.adkim), aspf: word(policy.aspf), fo: policy.fo ?? undefined },
    rows: record.map(({ row, identifiers, auth_results: results }) => ({
      sourceIp: row.source_ip,
      count: row.count,
      disposition: word(row.policy_evaluated.disposition),
      dkim: word(row.policy_evaluated.dkim),
      spf: word(row.policy_evaluated.spf),
      overrides: row.policy_evaluated.reason.map(({ type_, comment }) => ({ type: word(type_) ?? 'other', comment: comment ?? undefined })),
      headerFrom: domain(identifiers.header_from),
      envelopeFrom: domain(identifiers.envelope_from),
      envelopeTo: domain(identifiers.envelope_to),
      dkimResults: results.dkim.map((each) => ({ domain: domain(each.domain), selector: word(each.selector), result: result(each.result), comment: each.human_result ?? undefined })),
      spfResults: results.spf.map((each) => ({ domain: domain(each.domain), scope: word(each.scope), result: result(each.result), comment: each.human_result ?? undefined })),
    })),
  }
}

function result(written: Word): string {
  return (word(written) ?? 'unknown').replace('_', '')
}

function asMailAuth({ organization, contact, extraContact, reportId, beginSeconds, endSeconds, errors, policy, rows }: DmarcReport): unknown {
  const { domain: about, p, sp, adkim, aspf, fo } = policy
  return { organization, contact, extraContact, reportId, beginSeconds, endSeconds, errors, policy: { domain: about, p, sp, adkim, aspf, fo }, rows: rows.map(asMailAuthRow) }
}

/** It knows the words of RFC 9990 only; `sampled_out` is of RFC 7489. */
function asMailAuthRow(row: DmarcReport['rows'][number]): unknown {
  return { ...row, overrides: row.overrides.map((each) => (each.type === 'sampled_out' ? { ...each, type: 'other' } : each)) }
}

interface MailAuthTls {
  readonly 'report-id': string
  readonly 'organization-name': string
  readonly 'contact-info': string
  readonly 'date-range': { readonly 'start-datetime': string; readonly 'end-datetime': string }
  readonly policies: readonly {
    readonly policy: { readonly 'policy-type': string; readonly 'policy-string'?: readonly string[]; readonly 'policy-domain'?: string; readonly 'mx-host'?: readonly string[] }
    readonly summary: { readonly 'total-successful-session-count': number; readonly 'total-failure-session-count'?: number }
    readonly 'failure-details'?: readonly Readonly<Record<string, string | number>>[]
  }[]
}

function tlsOf(expected: MailAuthTls): TlsReport {
  const range = expected['date-range']
  return {
    kind: 'tls',
    organization: expected['organization-name'],
    contact: expected['contact-info'],
    reportId: expected['report-id'],
    beginSeconds: Date.parse(range['start-datetime']) / 1000,
    endSeconds: Date.parse(range['end-datetime']) / 1000,
    policies: expected.policies.map(({ policy, summary, 'failure-details': details = [] }) => ({
      type: policyType(policy['policy-type']),
      ...(policy['policy-domain'] === undefined ? {} : { domain: policy['policy-domain'] }),
      policyLines: policy['policy-string'] ?? [],
      mxHosts: policy['mx-host'] ?? [],
      succeeded: summary['total-successful-session-count'],
      failed: summary['total-failure-session-count'] ?? 0,
      failures: details.map((each) => tlsFailureOf(each)),
      omittedFailures: 0,
    })),
    omittedPolicies: 0,
  }
}

function tlsFailureOf(written: Readonly<Record<string, string | number>>): TlsFailure {
  const names = {
    'result-type': 'type',
    'failed-session-count': 'count',
    'sending-mta-ip': 'sendingIp',
    'receiving-mx-hostname': 'receivingHost',
    'receiving-mx-helo': 'receivingHelo',
    'receiving-ip': 'receivingIp',
    'additional-information': 'information',
    'failure-reason-code': 'reason',
  }
  const found = Object.entries(names).flatMap(([theirs, ours]): (readonly [string, string | number])[] => {
    const value = written[theirs]
    if (value === undefined || value === '') return []
    if (typeof value === 'number') return [[ours, value]]
    // Ours are canonical addresses, and texts without blanks around them.
    return [[ours, theirs.endsWith('-ip') ? (parseIpAddress(value)?.text ?? value) : value.trim()]]
  })
  return Object.fromEntries(found) as unknown as TlsFailure
}

function policyType(written: string): TlsReport['policies'][number]['type'] {
  return written === 'sts' || written === 'tlsa' || written === 'no-policy-found' ? written : 'unknown'
}
