/** The reports a server keeps about its domains, as an embedder asks for them. */
import { parseDomain } from '@postern/core/address'
import type { DmarcReport, DmarcSummary, ReceivedReport, ReportStore, TlsReport, TlsSummary } from '@postern/core/reports'
import { MAX_LISTED_REPORTS, summarizeDmarc, summarizeTls } from '@postern/core/reports'

export type ReportKind = 'dmarc' | 'tls'

/** Reports of others about one of our domains, by the end of their period. */
export interface ReportPeriod {
  /** In any form: `bücher.example`, `xn--bcher-kva.example`. */
  readonly domain: string
  /** Period ended at this time or later. Default: any. */
  readonly from?: Date
  /** Period ended before this time. Default: any. */
  readonly to?: Date
}

export interface ReportListQuery<K extends ReportKind = ReportKind> extends ReportPeriod {
  readonly kind: K
  /** At most so many, 1 to 100; default 100. Fewer come when they are large. */
  readonly limit?: number
  /** `id` of the last report of the answer before: goes on after it. */
  readonly after?: string
}

/** A report as it is kept: texts are the reporter's, cleaned and bounded, and nothing anyone vouches for. */
export interface KeptReport<K extends ReportKind = ReportKind> extends Omit<ReceivedReport, 'report'> {
  /** For `after`. */
  readonly id: string
  readonly report: K extends 'dmarc' ? DmarcReport : TlsReport
}

export interface Reports {
  /**
   * Latest end of period first; none only when no more follow. Rejects with RangeError for a limit or an `after` that
   * can't be, with `AddressSyntaxError` for a domain that is none, and with `StoreError`.
   */
  list<K extends ReportKind>(query: ReportListQuery<K>): Promise<readonly KeptReport<K>[]>
  /** What the reports of some time say together: messages by source, or sessions by kind of failure. Rejects as `list`. */
  summarize(query: ReportPeriod & { readonly kind: 'dmarc' }): Promise<DmarcSummary>
  summarize(query: ReportPeriod & { readonly kind: 'tls' }): Promise<TlsSummary>
}

/** Reports of a store. */
export class KeptReports implements Reports {
  readonly #store: ReportStore

  constructor(store: ReportStore) {
    this.#store = store
  }

  async list<K extends ReportKind>({ kind, limit = MAX_LISTED_REPORTS, after, ...period }: ReportListQuery<K>): Promise<readonly KeptReport<K>[]> {
    const found = await this.#store.list({ kind, limit, ...boundsOf(period), ...(after === undefined ? {} : { after }) })
    // All of the kind asked for.
    return found as readonly unknown[] as readonly KeptReport<K>[]
  }

  summarize(query: ReportPeriod & { readonly kind: 'dmarc' }): Promise<DmarcSummary>
  summarize(query: ReportPeriod & { readonly kind: 'tls' }): Promise<TlsSummary>
  async summarize({ kind, ...period }: ReportPeriod & { readonly kind: ReportKind }): Promise<DmarcSummary | TlsSummary> {
    const query = boundsOf(period)
    return kind === 'dmarc' ? summarizeDmarc(this.#store, query) : summarizeTls(this.#store, query)
  }
}

/** @throws {AddressSyntaxError} for a domain, RangeError for a time, that is none */
function boundsOf({ domain, from, to }: ReportPeriod): { readonly domain: string; readonly fromSeconds?: number; readonly toSeconds?: number } {
  return {
    domain: parseDomain(domain, { allowUnderscore: true }).ascii,
    ...(from === undefined ? {} : { fromSeconds: secondsOf(from) }),
    ...(to === undefined ? {} : { toSeconds: secondsOf(to) }),
  }
}

/** The first whole second at a time or after it: ends of periods are whole seconds. */
function secondsOf(time: Date): number {
  const ms = time.getTime()
  if (Number.isNaN(ms)) throw new RangeError('Not a time')
  return Math.ceil(ms / 1000)
}
