/** What the reports of some time say together: by source for DMARC, by kind of failure for TLS. */
import type { DmarcReport } from './dmarc-report.ts'
import { MAX_LISTED_REPORTS, type ReportQuery, type ReportStore } from './report-store.ts'
import type { TlsFailureType, TlsReport } from './tls-report.ts'

/** Messages that came from one address, as reporters saw them. */
export interface SourceSummary {
  readonly sourceIp: string
  readonly messages: number
  /** Of these: with an aligned identifier that passed, and by which. */
  readonly passed: number
  readonly dkimPassed: number
  readonly spfPassed: number
  readonly quarantined: number
  readonly rejected: number
}

export interface DmarcSummary {
  readonly reports: number
  /** All that was counted, also where its source is not told. */
  readonly messages: number
  /** Most messages first. */
  readonly sources: readonly SourceSummary[]
  /** Messages of sources or rows that are left out. */
  readonly otherMessages: number
}

export interface FailureSummary {
  readonly type: TlsFailureType
  readonly receivingHost?: string
  readonly sessions: number
}

export interface TlsSummary {
  readonly reports: number
  readonly succeeded: number
  readonly failed: number
  /** Most sessions first. */
  readonly failures: readonly FailureSummary[]
}

type SummaryQuery = Pick<ReportQuery, 'domain' | 'fromSeconds' | 'toSeconds'>

/** LIMIT: sources, or kinds of failure by host, that are told apart. */
const MAX_LINES = 10_000

/** All DMARC reports about a domain whose period ended in the time asked for. */
export async function summarizeDmarc(store: ReportStore, query: SummaryQuery): Promise<DmarcSummary> {
  const sources = new Map<string, { -readonly [K in keyof SourceSummary]: SourceSummary[K] }>()
  let reports = 0
  let messages = 0
  let otherMessages = 0
  for await (const report of eachReport<DmarcReport>(store, { ...query, kind: 'dmarc' })) {
    reports += 1
    messages += report.omittedMessages
    otherMessages += report.omittedMessages
    for (const { sourceIp, count, dkim, spf, disposition } of report.rows) {
      messages += count
      let source = sources.get(sourceIp)
      if (source === undefined && sources.size >= MAX_LINES) {
        otherMessages += count
        continue
      }
      if (source === undefined) {
        source = { sourceIp, messages: 0, passed: 0, dkimPassed: 0, spfPassed: 0, quarantined: 0, rejected: 0 }
        sources.set(sourceIp, source)
      }
      source.messages += count
      if (dkim === 'pass' || spf === 'pass') source.passed += count
      if (dkim === 'pass') source.dkimPassed += count
      if (spf === 'pass') source.spfPassed += count
      if (disposition === 'quarantine') source.quarantined += count
      if (disposition === 'reject') source.rejected += count
    }
  }
  const sorted = [...sources.values()].sort((a, b) => b.messages - a.messages)
  return { reports, messages, sources: sorted, otherMessages }
}

/** All TLS reports about a domain whose period ended in the time asked for; what they say of other domains is left out. */
export async function summarizeTls(store: ReportStore, query: SummaryQuery): Promise<TlsSummary> {
  const failures = new Map<string, { -readonly [K in keyof FailureSummary]: FailureSummary[K] }>()
  let reports = 0
  let succeeded = 0
  let failed = 0
  for await (const report of eachReport<TlsReport>(store, { ...query, kind: 'tls' })) {
    reports += 1
    for (const policy of report.policies) {
      if (policy.domain !== undefined && policy.domain !== query.domain) continue
      succeeded += policy.succeeded
      failed += policy.failed
      for (const { type, receivingHost, count } of policy.failures) {
        const key = `${type} ${receivingHost ?? ''}`
        const known = failures.get(key)
        if (known !== undefined) known.sessions += count
        else if (failures.size < MAX_LINES) {
          failures.set(key, { type, ...(receivingHost === undefined ? {} : { receivingHost }), sessions: count })
        }
      }
    }
  }
  return { reports, succeeded, failed, failures: [...failures.values()].sort((a, b) => b.sessions - a.sessions) }
}

async function* eachReport<R extends DmarcReport | TlsReport>(
  store: ReportStore,
  query: Omit<ReportQuery, 'limit' | 'after'> & { readonly kind: R['kind'] },
): AsyncGenerator<R> {
  for (let after: string | undefined; ; ) {
    const listed = await store.list({ ...query, limit: MAX_LISTED_REPORTS, ...(after === undefined ? {} : { after }) })
    for (const { report } of listed) yield report as R
    after = listed.at(-1)?.id
    if (after === undefined) return
  }
}
