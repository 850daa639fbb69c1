/**
 * What can be said against a report before it is believed: whose domain it is about, and when.
 * Not here: who sent it. The message must be authenticated as the reporter (RFC 9990 §3.5.2, RFC 8460 §5.3), which its
 * receiver knows; `reporterDomains` tells which names would fit.
 */
import type { Report } from './read-report.ts'
import { domainOf } from './report-text.ts'

export type ReportObjection =
  /** It names no domain at all. */
  | 'no-domain'
  /** None of the domains it is about is ours. */
  | 'not-our-domain'
  /** It ends before it begins. */
  | 'period-reversed'
  | 'period-too-long'
  | 'period-in-future'
  | 'period-too-old'

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
/** Clocks and time zones of reporters are off; a report for today may come today. */
const MAX_AHEAD_SECONDS = 2 * DAY_SECONDS
const MAX_AGE_SECONDS = 180 * DAY_SECONDS

/** Looks at what the report says of itself; pure. */
export function checkReport(report: Report, { isOurDomain, now }: ReportCheckHost): ReportCheck {
  const named = reportedDomains(report)
  const domains = named.filter((domain) => isOurDomain(domain))
  const { beginSeconds, endSeconds } = report
  const nowSeconds = now / 1000
  const objections: ReportObjection[] = []
  if (named.length === 0) objections.push('no-domain')
  else if (domains.length === 0) objections.push('not-our-domain')
  if (endSeconds < beginSeconds) objections.push('period-reversed')
  if (endSeconds - beginSeconds > MAX_PERIOD_SECONDS) objections.push('period-too-long')
  if (endSeconds > nowSeconds + MAX_AHEAD_SECONDS) objections.push('period-in-future')
  if (endSeconds < nowSeconds - MAX_AGE_SECONDS) objections.push('period-too-old')
  return { domains, objections }
}

/** Domains a report is about, each once. A DMARC report has one; a TLS report should. */
export function reportedDomains(report: Report): readonly string[] {
  if (report.kind === 'dmarc') return [report.policy.domain]
  return [...new Set(report.policies.flatMap(({ domain }) => (domain === undefined ? [] : [domain])))]
}

/**
 * Domains the reporter gives itself: of its contact address, and its name where that is one. What the report says, not
 * what is true of the message that brought it. A-labels in lower case, each once.
 */
export function reporterDomains(report: Report): readonly string[] {
  const { contact, organization } = report
  const afterAt = contact.slice(contact.lastIndexOf('@') + 1).replace(/>.*$/, '')
  const names = [contact.includes('@') ? afterAt : '', organization.includes('.') ? organization : '']
  return [...new Set(names.flatMap((name) => domainOf(name) ?? []))]
}
