/**
 * Reports about our domains over an ordered store: fulfils core's `ReportStore`. Each lies under its kind, its domain and
 * its id, cut into parts when it is long; beside them, which reports are known whatever time they tell of, and how many
 * there are. What is added, and what makes room for it, is one batch.
 */
import type { ReceivedReport, ReportAddition, ReportQuery, ReportStore, StoredReport } from '@postern/core/reports'
import {
  assertReportQuery,
  decodeReport,
  digestReport,
  encodeReport,
  formatReportId,
  MAX_KEPT_REPORTS,
  MAX_LISTED_OCTETS,
  parseReportId,
  REPORT_DIGEST_OCTETS,
  ReportCorruptError,
  sizeOfReport,
} from '@postern/core/reports'
import { StoreError } from '@postern/core/store'
import type { KeySpan } from './key-octets.ts'
import type { ReportList } from './server-keys.ts'
import { keyAfter } from './key-octets.ts'
import { parseReportKey, serverKeys } from './server-keys.ts'
import { continuationsOf, cutRecord, joinRecord } from './long-record.ts'
import type { Entry, OrderedStore } from './ordered-store.ts'
import { compareOctets } from './ordered-store.ts'
import type { ReportCount } from './report-records.ts'
import { decodeReportCount, decodeReportEnd, encodeReportCount, encodeReportEnd } from './report-records.ts'

/** LIMIT: 256 KiB are read at once; a report of the usual size is one value. */
const READ_VALUES = 32
const LAST_PART = 0xff
const LAST_SECOND = 2 ** 40 - 1
const LOWEST_DIGEST = new Uint8Array(REPORT_DIGEST_OCTETS)

export interface ReportTableOptions {
  readonly store: OrderedStore
  /** @throws StoreError STORE_CLOSED */
  readonly assertOpen: () => void
  /** Reports of one kind for one domain. Default `MAX_KEPT_REPORTS`. */
  readonly maxKept?: number
}

export class ReportTable implements ReportStore {
  readonly #store: OrderedStore
  readonly #assertOpen: () => void
  readonly #maxKept: number
  /** One addition at a time: they would only get in each other's way. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor({ store, assertOpen, maxKept = MAX_KEPT_REPORTS }: ReportTableOptions) {
    this.#store = store
    this.#assertOpen = assertOpen
    this.#maxKept = maxKept
  }

  async add(received: ReceivedReport): Promise<ReportAddition> {
    this.#assertOpen()
    const added = this.#turn.then(() => this.#add(received))
    this.#turn = added.catch(() => undefined)
    return await added
  }

  async list(query: ReportQuery): Promise<readonly StoredReport[]> {
    this.#assertOpen()
    assertReportQuery(query)
    const listed: StoredReport[] = []
    let octets = 0
    for await (const { id, record } of this.#records(query)) {
      const received = await decode(record)
      // Another domain of the same hash.
      if (received.domain !== query.domain) continue
      listed.push({ ...received, id })
      octets += sizeOfReport(record)
      if (listed.length >= query.limit || octets > MAX_LISTED_OCTETS) break
    }
    return listed
  }

  /** Resolves when the additions under way are over. */
  async settled(): Promise<void> {
    await this.#turn
  }

  async #add(received: ReceivedReport): Promise<ReportAddition> {
    const { report, domain } = received
    const list: ReportList = { kind: report.kind, domain }
    const digest = digestReport(received)
    const id = formatReportId(report.endSeconds, digest)
    const identity = serverKeys.reportIdentity(digest)
    const countKey = serverKeys.reportCount(list)
    let parts: readonly Uint8Array[] | undefined
    for (;;) {
      const [known, counted] = await this.#store.getMany([identity, countKey])
      if (known !== undefined) return { kind: 'duplicate', id: formatReportId(decodeReportEnd(known), digest) }
      const count: ReportCount = counted === undefined ? { kept: 0, changes: 0 } : decodeReportCount(counted)
      const last = count.kept < this.#maxKept ? undefined : await this.#last(list)
      if (last !== undefined && id > last.id) return { kind: 'too-old' }
      parts ??= cutRecord(await encodeReport(received))
      const kept = last === undefined ? count.kept + 1 : count.kept
      const put: Entry[] = [
        ...parts.map((value, part) => ({ key: serverKeys.report(list, id, part), value })),
        { key: identity, value: encodeReportEnd(report.endSeconds) },
        { key: countKey, value: encodeReportCount({ kept, changes: count.changes + 1 }) },
      ]
      const outcome = await this.#store.commit({
        partition: serverKeys.partition,
        // The count changes with every addition, so that it stands for all that was read.
        expect: [{ key: countKey, value: counted }],
        put: put.sort((a, b) => compareOctets(a.key, b.key)),
        delete: last?.keys ?? [],
      })
      if (outcome === 'committed') return { kind: 'added', id }
    }
  }

  /** The report whose period ended first, with its keys, ascending. */
  async #last(list: ReportList): Promise<{ readonly id: string; readonly keys: readonly Uint8Array[] } | undefined> {
    const [entry] = await this.#store.range({ ...serverKeys.reports(list), reverse: true, limit: 1 })
    if (entry === undefined) return undefined
    const { id, part } = parseReportKey(entry.key)
    const { digest } = parseReportId(id) as { readonly digest: Uint8Array }
    const keys = Array.from({ length: part + 1 }, (_, at) => serverKeys.report(list, id, at))
    return { id, keys: [...keys, serverKeys.reportIdentity(digest)] }
  }

  /** Reports in the order of their ids, in slices. */
  async *#records(query: ReportQuery): AsyncGenerator<{ readonly id: string; readonly record: Uint8Array }> {
    const { from: first, to } = spanOf(query)
    let from = first
    let parts: Uint8Array[] = []
    let wanted = 0
    while (compareOctets(from, to) < 0) {
      const entries = await this.#store.range({ from, to, limit: READ_VALUES })
      for (const { key, value } of entries) {
        const { id, part } = parseReportKey(key)
        if (part === 0) {
          parts = []
          wanted = continuationsOf(value, 'report') + 1
        }
        parts.push(value)
        if (parts.length === wanted) yield { id, record: joinRecord(parts, 'report') }
      }
      const last = entries.at(-1)
      if (last === undefined || entries.length < READ_VALUES) return
      from = keyAfter(last.key)
    }
  }
}

/** Ids ascend as ends of periods descend. */
function spanOf({ kind, domain, fromSeconds = 0, toSeconds = LAST_SECOND + 1, after }: ReportQuery): KeySpan {
  const list: ReportList = { kind, domain }
  const all = serverKeys.reports(list)
  const latest = Math.min(Math.ceil(toSeconds) - 1, LAST_SECOND)
  const earliest = Math.max(Math.ceil(fromSeconds), 0)
  if (latest < earliest) return { from: all.to, to: all.to }
  const begin = serverKeys.report(list, formatReportId(latest, LOWEST_DIGEST), 0)
  const next = after === undefined ? begin : keyAfter(serverKeys.report(list, after, LAST_PART))
  return {
    from: compareOctets(begin, next) < 0 ? next : begin,
    to: earliest === 0 ? all.to : serverKeys.report(list, formatReportId(earliest - 1, LOWEST_DIGEST), 0),
  }
}

async function decode(record: Uint8Array): Promise<ReceivedReport> {
  try {
    return await decodeReport(record)
  } catch (cause) {
    if (!(cause instanceof ReportCorruptError)) throw cause
    throw new StoreError('STORE_CORRUPT', 'Record of a report is damaged', { cause })
  }
}
