/** Reports that the cases of the report store are made of. */
import type { DmarcReport, DmarcRow, ReceivedReport, Report, TlsReport } from '../src/reports/index.ts'

export const DAY = 86_400
export const END = 1_700_000_000

export const row: DmarcRow = {
  sourceIp: '192.0.2.1',
  count: 3,
  disposition: 'none',
  dkim: 'pass',
  spf: 'fail',
  overrides: [{ type: 'mailing_list', comment: 'listed' }],
  headerFrom: 'example.org',
  dkimResults: [{ domain: 'example.org', selector: 'a', result: 'pass' }],
  spfResults: [{ domain: 'example.org', result: 'fail', scope: 'mfrom' }],
}

export const dmarc: DmarcReport = {
  kind: 'dmarc',
  organization: 'Reporter',
  contact: 'dmarc@example.com',
  reportId: 'one',
  beginSeconds: END - DAY,
  endSeconds: END,
  errors: [],
  policy: { domain: 'example.org', p: 'reject' },
  rows: [row],
  omittedRows: 0,
  omittedMessages: 0,
}

export const tls: TlsReport = {
  kind: 'tls',
  organization: 'Reporter',
  contact: 'tls@example.com',
  reportId: 'one',
  beginSeconds: END - DAY,
  endSeconds: END,
  policies: [
    {
      type: 'sts',
      domain: 'example.org',
      policyLines: ['version: STSv1', 'mode: enforce'],
      mxHosts: ['mx.example.org'],
      succeeded: 5,
      failed: 1,
      failures: [{ type: 'certificate-expired', count: 1, receivingHost: 'mx.example.org', information: 'Grüße 𝒙' }],
      omittedFailures: 0,
    },
  ],
  omittedPolicies: 0,
}

export function received(report: Report, over: Partial<ReceivedReport> = {}): ReceivedReport {
  return { report, domain: 'example.org', submitter: 'example.com', receivedMs: 1_700_000_123_456, ...over }
}

/** A report of its own id, that ends so many days after `END`. */
export function ending(days: number, reportId = `day ${days}`): ReceivedReport {
  return received({ ...dmarc, reportId, beginSeconds: END + (days - 1) * DAY, endSeconds: END + days * DAY })
}

/** Rows that deflate makes little of. */
export function manyRows(count: number, seed: number): readonly DmarcRow[] {
  let state = seed
  const digits = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state.toString(36).padStart(7, '0')
  }
  return Array.from({ length: count }, (_, at) => ({ ...row, count: at + 1, envelopeFrom: Array.from({ length: 24 }, digits).join('') }))
}
