export type { ReportCheck, ReportCheckHost, ReportObjection } from './check-report.ts'
export { checkReport, reportedDomains } from './check-report.ts'
export type {
  AuthWord,
  DmarcDisposition,
  DmarcOverride,
  DmarcReport,
  DmarcRow,
  PublishedDmarcPolicy,
  ReportedDkim,
  ReportedSpf,
} from './dmarc-report.ts'
export type { FoundReport, ReportMessage } from './find-report.ts'
export { findReport } from './find-report.ts'
export type { Report, ReportReading, ReportWork } from './read-report.ts'
export { readReport, readReportFile } from './read-report.ts'
export { decodeReport, encodeReport, MAX_ENCODED_REPORT_OCTETS, ReportCorruptError, sizeOfReport } from './report-codec.ts'
export type { ReceivedReport, ReportAddition, ReportQuery, ReportStore, StoredReport } from './report-store.ts'
export {
  assertReportQuery,
  digestReport,
  formatReportId,
  MAX_KEPT_REPORTS,
  MAX_LISTED_OCTETS,
  MAX_LISTED_REPORTS,
  parseReportId,
  REPORT_DIGEST_OCTETS,
} from './report-store.ts'
export type { ReportErrorCode } from './report-syntax-error.ts'
export { ReportSyntaxError } from './report-syntax-error.ts'
export type { DmarcSummary, FailureSummary, SourceSummary, TlsSummary } from './summarize-reports.ts'
export { summarizeDmarc, summarizeTls } from './summarize-reports.ts'
export type { TlsFailure, TlsFailureType, TlsPolicyResult, TlsReport } from './tls-report.ts'
export type { Packing } from './unpack-report.ts'
