/** Where reports are kept, as a plain array: an independent, obviously correct implementation of the contract. */
import type { ReportStore, StoredReport } from '../src/reports/index.ts'
import { assertReportQuery, digestReport, formatReportId, MAX_KEPT_REPORTS } from '../src/reports/index.ts'

export interface MemoryReportOptions {
  /** Reports of one kind for one domain. Default `MAX_KEPT_REPORTS`. */
  readonly maxKept?: number
  /** Called before anything is done; what it throws is what the caller gets. */
  readonly assertOpen?: () => void
}

export function createMemoryReportStore({ maxKept = MAX_KEPT_REPORTS, assertOpen = () => {} }: MemoryReportOptions = {}): ReportStore {
  let kept: { readonly identity: string; readonly stored: StoredReport }[] = []
  return {
    async add(received) {
      assertOpen()
      const digest = digestReport(received)
      const identity = Buffer.from(digest).toString('hex')
      const known = kept.find((each) => each.identity === identity)
      if (known !== undefined) return { kind: 'duplicate', id: known.stored.id }
      const id = formatReportId(received.report.endSeconds, digest)
      const alike = kept.filter(({ stored }) => stored.report.kind === received.report.kind && stored.domain === received.domain)
      const last = alike.at(-1)
      if (alike.length >= maxKept && last !== undefined) {
        if (id > last.stored.id) return { kind: 'too-old' }
        kept = kept.filter((each) => each !== last)
      }
      kept.push({ identity, stored: structuredClone({ ...received, id }) })
      kept.sort((a, b) => (a.stored.id < b.stored.id ? -1 : 1))
      return { kind: 'added', id }
    },
    async list(query) {
      assertOpen()
      assertReportQuery(query)
      const { kind, domain, fromSeconds = 0, toSeconds = Number.POSITIVE_INFINITY, after = '', limit } = query
      const found = kept.filter(({ stored: { report, id, domain: about } }) => {
        const isInTime = report.endSeconds >= fromSeconds && report.endSeconds < toSeconds
        return report.kind === kind && about === domain && isInTime && id > after
      })
      return structuredClone(found.slice(0, limit).map(({ stored }) => stored))
    },
  }
}
