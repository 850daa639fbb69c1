/** Where reports are kept: the contract, and what identifies a report. Fulfilled by the runner's store and in memory. */
import { createHash } from 'node:crypto'
import type { Report } from './read-report.ts'

/** A report with what its receiver knows of it. */
export interface ReceivedReport {
  readonly report: Report
  /** The domain of ours it is about, A-labels in lower case. A report about several is stored for each. */
  readonly domain: string
  /** The domain its message was authenticated as, A-labels in lower case. */
  readonly submitter: string
  /** Milliseconds since 1970. */
  readonly receivedMs: number
}

export interface StoredReport extends ReceivedReport {
  /** Opaque; the same for the same report in any store. */
  readonly id: string
}

/** Reports of one kind about one domain, by the end of their period. */
export interface ReportQuery {
  readonly kind: Report['kind']
  /** A-labels in lower case. */
  readonly domain: string
  /** First second the period may end in; default any. */
  readonly fromSeconds?: number
  /** First second it may not end in any more; default none. */
  readonly toSeconds?: number
  /** Goes on after the report of this id, of an earlier answer to the same query. */
  readonly after?: string
  /** 1 to `MAX_LISTED_REPORTS`. */
  readonly limit: number
}

export const MAX_LISTED_REPORTS = 100
/** LIMIT: JSON of the reports of one answer, the last of which may exceed it: they are held in memory together. */
export const MAX_LISTED_OCTETS = 4 * 1_048_576
/** LIMIT: reports of one kind that are kept for one domain: of 50 reporters for about half a year. */
export const MAX_KEPT_REPORTS = 10_000

/** What became of a report that was to be added. */
export type ReportAddition =
  | { readonly kind: 'added' | 'duplicate'; readonly id: string }
  /** The store is full for this domain, and all others are of later periods. */
  | { readonly kind: 'too-old' }

/**
 * Keeps reports, at most a number of each kind for each domain; those whose period ended first make room. What is kept
 * may have fewer rows than came: see `encodeReport`.
 */
export interface ReportStore {
  /**
   * Adds a report once: another with the same kind, domain, submitter, organisation and report id is a `duplicate`, and
   * the first one stays. RFC 9990 §3.5.4
   */
  add(received: ReceivedReport): Promise<ReportAddition>
  /**
   * Latest end of period first. Fewer than asked for when they are large (`MAX_LISTED_OCTETS`); none only when no more
   * follow. Rejects with RangeError for a limit or an `after` that can't be.
   */
  list(query: ReportQuery): Promise<readonly StoredReport[]>
}

/** Octets of the part of a report's identity that does not tell its time. */
export const REPORT_DIGEST_OCTETS = 12
/** LIMIT: periods end before the year 36812. */
const LAST_SECOND = 2 ** 40 - 1

/** What makes a report the same as another: a digest of who says what it is, and about whom. */
export function digestReport({ report, domain, submitter }: ReceivedReport): Uint8Array {
  const identity = JSON.stringify([report.kind, domain, submitter, report.organization, report.reportId])
  return new Uint8Array(createHash('sha256').update(identity).digest().subarray(0, REPORT_DIGEST_OCTETS))
}

/**
 * Where a report stands among those of its kind and domain: ids ascend as ends of periods descend.
 * @param endSeconds 0 to 2^40−1
 */
export function formatReportId(endSeconds: number, digest: Uint8Array): string {
  const time = (LAST_SECOND - endSeconds).toString(16).padStart(10, '0')
  return time + Buffer.from(digest.buffer, digest.byteOffset, digest.length).toString('hex')
}

/** @returns undefined when `formatReportId` does not write such an id */
export function parseReportId(
  id: string,
): { readonly endSeconds: number; readonly digest: Uint8Array } | undefined {
  if (id.length !== 10 + 2 * REPORT_DIGEST_OCTETS || !/^[0-9a-f]+$/.test(id)) return undefined
  const digest = new Uint8Array(Buffer.from(id.slice(10), 'hex'))
  return { endSeconds: LAST_SECOND - Number.parseInt(id.slice(0, 10), 16), digest }
}

/** @throws RangeError when it asks for what no store gives */
export function assertReportQuery({ limit, after }: ReportQuery): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED_REPORTS) {
    throw new RangeError(`A list has 1 to ${MAX_LISTED_REPORTS} reports`)
  }
  if (after !== undefined && parseReportId(after) === undefined) throw new RangeError('No report has this id')
}
