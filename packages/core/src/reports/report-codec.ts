/**
 * A received report as octets for a table: format u8, CRC-32 of what follows u32, octets of the JSON u32, JSON deflated.
 * Not here: cutting it into values (the store's).
 */
import { promisify } from 'node:util'
import { crc32, deflateRaw, inflateRaw } from 'node:zlib'
import type { Report } from './read-report.ts'
import type { ReceivedReport } from './report-store.ts'

// Off the event loop: a large report takes tens of milliseconds.
const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

const FORMAT = 1
const HEAD_OCTETS = 9
/** LIMIT: of an encoded report; usual ones take 1 to 20 KiB. */
export const MAX_ENCODED_REPORT_OCTETS = 262_144

/** Rejected with by `decodeReport`; test `code`. */
export class ReportCorruptError extends Error {
  override readonly name = 'ReportCorruptError'
  readonly code = 'REPORT_CORRUPT'
}

/**
 * At most `MAX_ENCODED_REPORT_OCTETS`: of a report that is larger the later rows or failures are left out and counted as
 * such.
 */
export async function encodeReport(received: ReceivedReport): Promise<Uint8Array> {
  let { report } = received
  for (;;) {
    const json = Buffer.from(JSON.stringify({ ...received, report }))
    const payload = await deflate(json)
    const octets = new Uint8Array(HEAD_OCTETS + payload.length)
    if (octets.length > MAX_ENCODED_REPORT_OCTETS) {
      report = withLess(report, Math.min(0.5, (0.9 * MAX_ENCODED_REPORT_OCTETS) / octets.length))
      continue
    }
    const view = new DataView(octets.buffer)
    octets[0] = FORMAT
    octets.set(payload, HEAD_OCTETS)
    view.setUint32(5, json.length)
    view.setUint32(1, crc32(octets.subarray(5)))
    return octets
  }
}

/** Octets of the JSON in an encoded report: what it costs to decode. @param octets as `encodeReport` wrote them, or their beginning */
export function sizeOfReport(octets: Uint8Array): number {
  return octets.length < HEAD_OCTETS ? 0 : new DataView(octets.buffer, octets.byteOffset).getUint32(5)
}

/** Rejects with `ReportCorruptError` for anything `encodeReport` does not write. */
export async function decodeReport(octets: Uint8Array): Promise<ReceivedReport> {
  const isWhole =
    octets.length > HEAD_OCTETS &&
    octets[0] === FORMAT &&
    new DataView(octets.buffer, octets.byteOffset).getUint32(1) === crc32(octets.subarray(5))
  if (!isWhole) throw new ReportCorruptError('Expected an encoded report')
  try {
    const json = await inflate(octets.subarray(HEAD_OCTETS), { maxOutputLength: sizeOfReport(octets) })
    // The checksum vouches for it: nobody else writes this format.
    return JSON.parse(json.toString('utf8')) as ReceivedReport
  } catch (cause) {
    throw new ReportCorruptError('Expected an encoded report', { cause })
  }
}

/**
 * That share of the rows; of the failures; else of the policies. A report of one row, or of one policy and one failure,
 * always fits.
 */
function withLess(report: Report, share: number): Report {
  const keep = (length: number): number => Math.max(1, Math.floor(length * share))
  if (report.kind === 'dmarc') {
    if (report.rows.length < 2) throw new RangeError('A report of one row is too large')
    const kept = keep(report.rows.length)
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
        const failures = policy.failures.slice(0, keep(policy.failures.length))
        return { ...policy, failures, omittedFailures: policy.omittedFailures + policy.failures.length - failures.length }
      }),
    }
  }
  if (report.policies.length < 2) throw new RangeError('A report of one failure is too large')
  const policies = report.policies.slice(0, keep(report.policies.length))
  return { ...report, policies, omittedPolicies: report.omittedPolicies + report.policies.length - policies.length }
}
