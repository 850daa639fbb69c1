/** The report a message brings, read: found, unpacked, parsed. Nothing of it is believed yet: see check-report.ts. */
import type { DmarcReport } from './dmarc-report.ts'
import { findReport, type ReportMessage } from './find-report.ts'
import { DmarcReportReader } from './read-dmarc-report.ts'
import { TlsReportReader } from './read-tls-report.ts'
import { type ReportErrorCode, ReportSyntaxError } from './report-syntax-error.ts'
import type { TlsReport } from './tls-report.ts'
import { detectContent, unpackReport } from './unpack-report.ts'

/** A report of either kind. */
export type Report = DmarcReport | TlsReport

export type ReportReading =
  | { readonly kind: 'report'; readonly report: Report }
  /** No part of the message looks like a report. */
  | { readonly kind: 'none' }
  /** It can't be read. `text` is a sentence for logs, with nothing of what came in it. */
  | { readonly kind: 'problem'; readonly code: ReportErrorCode; readonly text: string }

/** Counts what reading took: octets unpacked, XML elements and characters. */
export interface ReportWork {
  octets: number
  elements: number
  characters: number
}

/** Reads the first report of a message. Rejects only as `message.read` does. */
export async function readReport(message: ReportMessage, work: ReportWork = noWork()): Promise<ReportReading> {
  return readingOf(async () => {
    const found = await findReport(message)
    return found === undefined ? undefined : readFile(found.octets, work)
  })
}

/** Reads a report's file: gzip, ZIP, XML or JSON, told apart by what it begins with. Rejects never. */
export async function readReportFile(octets: Uint8Array, work: ReportWork = noWork()): Promise<ReportReading> {
  return readingOf(() => readFile(octets, work))
}

function noWork(): ReportWork {
  return { octets: 0, elements: 0, characters: 0 }
}

async function readingOf(read: () => Promise<Report | undefined>): Promise<ReportReading> {
  try {
    const report = await read()
    return report === undefined ? { kind: 'none' } : { kind: 'report', report }
  } catch (error) {
    if (!(error instanceof ReportSyntaxError)) throw error
    return { kind: 'problem', code: error.code, text: error.message }
  }
}

async function readFile(octets: Uint8Array, work: ReportWork): Promise<Report> {
  let reader: DmarcReportReader | TlsReportReader | undefined
  for await (const piece of unpackReport(octets, work)) {
    reader ??= readerOf(piece, work)
    reader.push(piece)
  }
  return reader === undefined ? unknownKind() : reader.end()
}

function readerOf(beginning: Uint8Array, work: ReportWork): DmarcReportReader | TlsReportReader {
  switch (detectContent(beginning)) {
    case 'xml':
      return new DmarcReportReader(work)
    case 'json':
      return new TlsReportReader()
    case undefined:
      return unknownKind()
  }
}

function unknownKind(): never {
  throw new ReportSyntaxError('REPORT_KIND', 'Expected XML or JSON')
}
