/** Keys of the server space: what is known of the whole store. */
import type { KeySpan } from './key-octets.ts'
import { extend, nameHash8, Space, span } from './key-octets.ts'

/** Tables of the server space; numbers are part of the file format. */
const ServerTable = {
  format: 1,
  install: 2,
  nextAccount: 3,
  account: 4,
  report: 5,
  reportIdentity: 6,
  reportCount: 7,
} as const

/** Kinds of reports in keys; numbers are part of the file format. */
const ReportKind = { dmarc: 1, tls: 2 } as const

export const serverKeys = {
  partition: Uint8Array.of(Space.server),
  /** Version of the file format. */
  format: Uint8Array.of(Space.server, ServerTable.format),
  /** Id of this installation, which lies beside the store as well. */
  install: Uint8Array.of(Space.server, ServerTable.install),
  nextAccount: Uint8Array.of(Space.server, ServerTable.nextAccount),
  /** Number of an account by its name. */
  account(name: string): Uint8Array {
    return extend(Uint8Array.of(Space.server, ServerTable.account), [], nameHash8(name))
  },
  accounts(): KeySpan {
    return span(Uint8Array.of(Space.server, ServerTable.account))
  },
  /**
   * A received report. @param id as core's `formatReportId` writes it: the latest end of period comes first
   * @param part from 0, when it exceeds one value
   */
  report(list: ReportList, id: string, part: number): Uint8Array {
    return extend(reportPrefix(ServerTable.report, list), [], Uint8Array.of(...Buffer.from(id, 'hex'), part))
  },
  /** All reports of one kind about one domain. */
  reports(list: ReportList): KeySpan {
    return span(reportPrefix(ServerTable.report, list))
  },
  /** @param digest of who says what about whom */
  reportIdentity(digest: Uint8Array): Uint8Array {
    return extend(Uint8Array.of(Space.server, ServerTable.reportIdentity), [], digest)
  },
  /** How many there are of `reports(list)`. */
  reportCount(list: ReportList): Uint8Array {
    return reportPrefix(ServerTable.reportCount, list)
  },
} as const

/** Reports that are listed together. */
export interface ReportList {
  readonly kind: keyof typeof ReportKind
  readonly domain: string
}

function reportPrefix(table: number, { kind, domain }: ReportList): Uint8Array {
  return extend(Uint8Array.of(Space.server, table, ReportKind[kind]), [], nameHash8(domain))
}

/** Id and part of a key of `serverKeys.reports(list)`. */
export function parseReportKey(key: Uint8Array): { readonly id: string; readonly part: number } {
  const at = 3 + 8
  return { id: Buffer.from(key.subarray(at, -1)).toString('hex'), part: key.at(-1) ?? 0 }
}
