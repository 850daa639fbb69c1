/** Reports as files, made by the test: XML, JSON, archives that are true and archives that lie. */
import { crc32, deflateRawSync } from 'node:zlib'
import { parseStructure } from '../../src/message/index.ts'
import { readReport, readReportFile, type DmarcReport, type ReportReading, type ReportWork, type TlsReport } from '../../src/reports/index.ts'

export const METADATA =
  '<report_metadata><org_name>Reporter</org_name><email>d@example.com</email><report_id>r1</report_id>' +
  '<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>'
export const POLICY = '<policy_published><domain>example.org</domain><p>reject</p></policy_published>'

/** A record. @param inner put behind its identifiers */
export function record(ip = '192.0.2.1', count: number | string = 1, inner = ''): string {
  return (
    `<record><row><source_ip>${ip}</source_ip><count>${count}</count>` +
    '<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>' +
    `<identifiers><header_from>example.org</header_from></identifiers>${inner}</record>`
  )
}

/** @param records default: one @param before what stands before the root */
export function feedback(records: string = record(), before = '<?xml version="1.0" encoding="UTF-8"?>'): string {
  return `${before}<feedback>${METADATA}${POLICY}${records}</feedback>`
}

/** @param over in place of members of the report */
export function tlsJson(over: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    'organization-name': 'Reporter',
    'date-range': { 'start-datetime': '2023-11-14T00:00:00Z', 'end-datetime': '2023-11-14T23:59:59Z' },
    'contact-info': 't@example.com',
    'report-id': 'r1',
    policies: [{ policy: { 'policy-type': 'sts', 'policy-domain': 'example.org' }, summary: { 'total-successful-session-count': 3, 'total-failure-session-count': 0 } }],
    ...over,
  })
}

/** A file in an archive, and the lies told about it. */
export interface ArchiveFile {
  readonly name: string
  readonly octets: Uint8Array
  /** Default true. */
  readonly deflate?: boolean
  /** Octets of the whole it claims. */
  readonly claims?: number
  /** Begins where the file of this index does. */
  readonly overlaps?: number
  readonly encrypted?: boolean
}

/** A ZIP archive. APPNOTE.TXT §4.3 */
export function zip(files: readonly ArchiveFile[], claims: { readonly count?: number } = {}): Uint8Array {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  const starts: number[] = []
  let at = 0
  for (const { name, octets, deflate = true, claims: whole = octets.length, overlaps, encrypted = false } of files) {
    const packed = deflate ? deflateRawSync(octets) : Buffer.from(octets)
    const about = Buffer.alloc(26)
    about.writeUInt16LE(20, 0)
    about.writeUInt16LE(encrypted ? 1 : 0, 2)
    about.writeUInt16LE(deflate ? 8 : 0, 4)
    about.writeUInt32LE(crc32(octets), 10)
    about.writeUInt32LE(packed.length, 14)
    about.writeUInt32LE(whole, 18)
    about.writeUInt16LE(Buffer.byteLength(name), 22)
    const start = overlaps === undefined ? at : (starts[overlaps] ?? 0)
    starts.push(start)
    if (overlaps === undefined) {
      const local = Buffer.concat([Buffer.from('PK\x03\x04'), about, Buffer.from(name), packed])
      locals.push(local)
      at += local.length
    }
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(start, 10)
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), about, rest, Buffer.from(name)]))
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(claims.count ?? files.length, 8)
  end.writeUInt16LE(claims.count ?? files.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return new Uint8Array(Buffer.concat([...locals, directory, end]))
}

export function read(file: string | Uint8Array, work?: ReportWork): Promise<ReportReading> {
  return readReportFile(typeof file === 'string' ? new Uint8Array(Buffer.from(file)) : file, work)
}

/** Reads the report of a whole message. */
export function readMail(octets: Uint8Array): Promise<ReportReading> {
  return readReport({ structure: parseStructure(octets), read: async (from, to) => octets.subarray(from, to) })
}

/** Code of the problem, or what came instead. */
export async function outcome(reading: Promise<ReportReading>): Promise<string> {
  const read = await reading
  return read.kind === 'problem' ? read.code : read.kind
}

export async function readDmarc(file: string | Uint8Array): Promise<DmarcReport> {
  const reading = await read(file)
  if (reading.kind !== 'report' || reading.report.kind !== 'dmarc') throw new Error(`No DMARC report: ${JSON.stringify(reading)}`)
  return reading.report
}

export async function readTls(file: string): Promise<TlsReport> {
  const reading = await read(file)
  if (reading.kind !== 'report' || reading.report.kind !== 'tls') throw new Error(`No TLS report: ${JSON.stringify(reading)}`)
  return reading.report
}
