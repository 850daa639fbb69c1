/** The one error the readers of this room throw: what came is no report, or more than is read. Caught in read-report.ts. */

/** Stable. */
export type ReportErrorCode =
  /** More octets than are read, packed or unpacked. */
  | 'REPORT_TOO_LARGE'
  /** It unpacks to far more than reports do. */
  | 'REPORT_BOMB'
  /** The archive is broken, encrypted, or has no file. */
  | 'REPORT_ARCHIVE'
  /** Octets that are no text in the encoding they claim. */
  | 'REPORT_CHARSET'
  /** XML or JSON that is not well formed. */
  | 'REPORT_SYNTAX'
  /** XML with a document type. */
  | 'REPORT_DOCTYPE'
  /** Too deep, or too many elements. */
  | 'REPORT_COMPLEX'
  /** Well formed, but no report. */
  | 'REPORT_KIND'
  /** Something a report must have is missing or can't be. */
  | 'REPORT_FIELD'

/** Test `code`; the message names what was expected and nothing of what came. */
export class ReportSyntaxError extends Error {
  override readonly name = 'ReportSyntaxError'
  readonly code: ReportErrorCode

  constructor(code: ReportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
