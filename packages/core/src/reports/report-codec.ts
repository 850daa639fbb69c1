/**
 * A received report as octets for a table: format u8, CRC-32 of what follows, JSON deflated.
 * Not here: cutting it into values (the store's).
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Report } from './read-report.ts'
import type { ReceivedReport } from './report-store.ts'

const FORMAT = 1
const HEAD_OCTETS = 5
/** LIMIT: of an encoded report; usual ones take 1 to 20 KiB. */
export const MAX_ENCODED_REPORT_OCTETS = 262_144
/** LIMIT: JSON of what `encodeReport` was given: rows of 2 Mi characters, or 5 MiB of failures, escaped. */
const MAX_JSON_OCTETS = 32 * 1_048_576

/** Thrown by `decodeReport`; test `code`. */
export class ReportCorruptError extends Error {
  override readonly name = 'ReportCorruptError'
  readonly code = 'REPORT_CORRUPT'
}

/**
 * At most `MAX_ENCODED_REPORT_OCTETS`: of a report that is larger the later rows or failures are left out and counted as
 * such.
 */
export function encodeReport(received: ReceivedReport): Uint8Array {
  for (let report = received.report; ; report = withLess(report)) {
    const payload = deflateRawSync(JSON.stringify({ ...received, report }))
    if (payload.length + HEAD_OCTETS > MAX_ENCODED_REPORT_OCTETS) continue
    const octets = new Uint8Array(HEAD_OCTETS + payload.length)
    octets[0] = FORMAT
    new DataView(octets.buffer).setUint32(1, crc32(payload))
    octets.set(payload, HEAD_OCTETS)
    return octets
  }
}

/** @throws ReportCorruptError for anything `encodeReport` does not write */
export function decodeReport(octets: Uint8Array): ReceivedReport {
  const payload = octets.subarray(HEAD_OCTETS)
  const isWhole =
    octets.length > HEAD_OCTETS &&
    octets[0] === FORMAT &&
    new DataView(octets.buffer, octets.byteOffset).getUint32(1) === crc32(payload)
  if (!isWhole) throw new ReportCorruptError('Expected an encoded report')
  try {
    // The checksum vouches for it: nobody else writes this format.
    return JSON.parse(inflateRawSync(payload, { maxOutputLength: MAX_JSON_OCTETS }).toString('utf8')) as ReceivedReport
  } catch (cause) {
    throw new ReportCorruptError('Expected an encoded report', { cause })
  }
}

/** Half of what there is most of. A report of one row, or of one policy and one failure, always fits. */
function withLess(report: Report): Report {
  if (report.kind === 'dmarc') {
    if (report.rows.length < 2) throw new RangeError('A report of one row is too large')
    const kept = Math.ceil(report.rows.length / 2)
    const left = report.rows.slice(kept)
    return {
      ...report,
      rows: report.rows.slice(0, kept),
      omittedRows: report.omittedRows + left.length,
      omittedMessages: left.reduce((sum, { count }) => Math.min(Number.MAX_SAFE_INTEGER, sum + count), report.omittedMessages),
    }
  }
  if (report.policies.some(({ failures }) => failures.length > 1)) {
    return {
      ...report,
      policies: report.policies.map((policy) => {
        const kept = Math.ceil(policy.failures.length / 2)
        const omittedFailures = policy.omittedFailures + policy.failures.length - kept
        return { ...policy, failures: policy.failures.slice(0, kept), omittedFailures }
      }),
    }
  }
  if (report.policies.length < 2) throw new RangeError('A report of one failure is too large')
  const kept = Math.ceil(report.policies.length / 2)
  const omittedPolicies = report.omittedPolicies + report.policies.length - kept
  return { ...report, policies: report.policies.slice(0, kept), omittedPolicies }
}
