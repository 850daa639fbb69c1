/**
 * What can be said against a report before it is believed: whose domain it is about, and when.
 * Not here: who sent it. The message must be authenticated (RFC 7489 §7.2.1.1, RFC 8460 §3), which its receiver knows.
 */
import type { Report } from './read-report.ts'

export type ReportObjection =
  /** It names no domain at all. */
  | 'no-domain'
  /** None of the domains it is about is ours. */
  | 'not-our-domain'
  /** It ends before it begins. */
  | 'period-reversed'
  | 'period-too-long'
  | 'period-in-future'

export interface ReportCheck {
  /** Our domains the report is about, A-labels in lower case, each once. */
  readonly domains: readonly string[]
  /** None: it may be stored for `domains`. */
  readonly objections: readonly ReportObjection[]
}

export interface ReportCheckHost {
  /** @param domain A-labels in lower case */
  isOurDomain(domain: string): boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

const DAY_SECONDS = 86_400
/** Reports are daily; some gather a week or a month. RFC 7489 §6.3 `ri` */
const MAX_PERIOD_SECONDS = 32 * DAY_SECONDS
/** A DMARC report counts seconds since 1970, and tells of what has been. */
const MAX_DMARC_AHEAD_SECONDS = 60
/** QUIRK(microsoft.com): times of TLS reports without an offset, so of any time zone. */
const MAX_TLS_AHEAD_SECONDS = DAY_SECONDS

/** Looks at what the report says of itself; pure. However old it is: the store makes room by itself. */
export function checkReport(report: Report, { isOurDomain, now }: ReportCheckHost): ReportCheck {
  const named = reportedDomains(report)
  const domains = named.filter((domain) => isOurDomain(domain))
  const { beginSeconds, endSeconds } = report
  const latestSeconds = now / 1000 + (report.kind === 'dmarc' ? MAX_DMARC_AHEAD_SECONDS : MAX_TLS_AHEAD_SECONDS)
  const objections: ReportObjection[] = []
  if (named.length === 0) objections.push('no-domain')
  else if (domains.length === 0) objections.push('not-our-domain')
  if (endSeconds < beginSeconds) objections.push('period-reversed')
  if (endSeconds - beginSeconds > MAX_PERIOD_SECONDS) objections.push('period-too-long')
  if (endSeconds > latestSeconds) objections.push('period-in-future')
  return { domains, objections }
}

/** Domains a report is about, each once. A DMARC report has one; a TLS report should. */
export function reportedDomains(report: Report): readonly string[] {
  if (report.kind === 'dmarc') return [report.policy.domain]
  return [...new Set(report.policies.flatMap(({ domain }) => (domain === undefined ? [] : [domain])))]
}
