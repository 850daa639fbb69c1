/**
 * The conformance suite of `ReportStore`, as cases any test runner can run, and what a `MailStore` must do with its own.
 * Each case gets a store of its own.
 */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import type { DmarcReport, ReportQuery, ReportStore, StoredReport } from '../src/reports/index.ts'
import { MAX_LISTED_REPORTS } from '../src/reports/index.ts'
import type { ConformanceCase, StoreCase } from './mail-store.ts'
import { DAY, dmarc, END, ending, manyRows, received, row, tls } from './report-samples.ts'

export interface ReportStoreUnderTest {
  readonly store: ReportStore
  close(): Promise<void>
}

async function list(store: ReportStore, over: Partial<ReportQuery> = {}): Promise<readonly StoredReport[]> {
  const all: StoredReport[] = []
  for (let after: string | undefined; ; ) {
    const page = await store.list({ kind: 'dmarc', domain: 'example.org', limit: MAX_LISTED_REPORTS, ...over, ...(after === undefined ? {} : { after }) })
    if (page.length === 0) return all
    all.push(...page)
    after = page.at(-1)?.id
  }
}

async function names(store: ReportStore, over: Partial<ReportQuery> = {}): Promise<readonly string[]> {
  return (await list(store, over)).map(({ report }) => report.reportId)
}

type Case = readonly [name: string, run: (store: ReportStore) => Promise<void>, maxKept?: number]

const cases: readonly Case[] = [
  [
    'has none at first',
    async (store) => {
      deepStrictEqual(await list(store), [])
      deepStrictEqual(await list(store, { kind: 'tls' }), [])
    },
  ],
  [
    'gives back what was added, of both kinds',
    async (store) => {
      for (const report of [dmarc, tls]) {
        const added = await store.add(received(report))
        strictEqual(added.kind, 'added')
        deepStrictEqual(await list(store, { kind: report.kind }), [{ ...received(report), id: added.kind === 'added' ? added.id : '' }])
      }
    },
  ],
  [
    'lists the latest end first',
    async (store) => {
      for (const days of [2, 0, 3, 1]) await store.add(ending(days))
      deepStrictEqual(await names(store), ['day 3', 'day 2', 'day 1', 'day 0'])
    },
  ],
  [
    'keeps domains and kinds apart',
    async (store) => {
      await store.add(received(dmarc))
      await store.add(received({ ...dmarc, reportId: 'other' }, { domain: 'example.net' }))
      await store.add(received({ ...tls, reportId: 'tls' }))
      deepStrictEqual(await names(store), ['one'])
      deepStrictEqual(await names(store, { domain: 'example.net' }), ['other'])
      deepStrictEqual(await names(store, { kind: 'tls' }), ['tls'])
      deepStrictEqual(await names(store, { kind: 'tls', domain: 'example.net' }), [])
    },
  ],
  [
    'lists a time from its first second to the one before its last',
    async (store) => {
      for (const days of [0, 1, 2]) await store.add(ending(days))
      const at = (days: number): number => END + days * DAY
      deepStrictEqual(await names(store, { fromSeconds: at(1) }), ['day 2', 'day 1'])
      deepStrictEqual(await names(store, { fromSeconds: at(1) + 1 }), ['day 2'])
      deepStrictEqual(await names(store, { toSeconds: at(1) }), ['day 0'])
      deepStrictEqual(await names(store, { toSeconds: at(1) + 1 }), ['day 1', 'day 0'])
      deepStrictEqual(await names(store, { fromSeconds: at(1), toSeconds: at(1) + 1 }), ['day 1'])
      deepStrictEqual(await names(store, { fromSeconds: at(2), toSeconds: at(1) }), [])
      deepStrictEqual(await names(store, { toSeconds: 0 }), [])
      deepStrictEqual(await names(store, { fromSeconds: Number.MAX_SAFE_INTEGER }), [])
      deepStrictEqual(await names(store, { fromSeconds: -1, toSeconds: Number.MAX_SAFE_INTEGER }), ['day 2', 'day 1', 'day 0'])
    },
  ],
  [
    'goes on where a list ended, also among reports that end together',
    async (store) => {
      for (let n = 0; n < 12; n += 1) await store.add(ending(n % 3, `report ${n}`))
      const whole = await list(store)
      strictEqual(new Set(whole.map(({ id }) => id)).size, 12)
      for (const limit of [1, 5, 12]) deepStrictEqual(await list(store, { limit }), whole)
      const bounded = { fromSeconds: END + DAY, toSeconds: END + 2 * DAY }
      deepStrictEqual(await list(store, { limit: 1, ...bounded }), whole.filter(({ report }) => report.endSeconds === END + DAY))
    },
  ],
  [
    'adds a report once, whatever time another of its name tells of',
    async (store) => {
      const first = await store.add(received(dmarc))
      const again = await store.add(received({ ...dmarc, endSeconds: END + DAY, rows: [row, row] }, { receivedMs: 1 }))
      ok(first.kind === 'added' && again.kind === 'duplicate')
      strictEqual(again.id, first.id)
      deepStrictEqual(await list(store), [{ ...received(dmarc), id: first.id }])
    },
  ],
  [
    'takes reports for others that differ in who says what about whom',
    async (store) => {
      await store.add(received(dmarc))
      for (const other of [
        received({ ...dmarc, reportId: 'two' }),
        received({ ...dmarc, organization: 'Other' }),
        received(dmarc, { submitter: 'example.net' }),
        received(dmarc, { domain: 'example.net' }),
        received(tls),
      ]) {
        strictEqual((await store.add(other)).kind, 'added')
      }
      strictEqual((await list(store)).length, 4)
    },
  ],
  [
    'adds at once what comes at once',
    async (store) => {
      const outcomes = await Promise.all([1, 2, 3, 1, 2, 3, 1].map((days) => store.add(ending(days))))
      deepStrictEqual(
        outcomes.map(({ kind }) => kind).sort(),
        ['added', 'added', 'added', 'duplicate', 'duplicate', 'duplicate', 'duplicate'],
      )
      deepStrictEqual(await names(store), ['day 3', 'day 2', 'day 1'])
    },
  ],
  [
    'makes room by forgetting the period that ended first',
    async (store) => {
      for (const days of [5, 1, 3]) await store.add(ending(days))
      strictEqual((await store.add(ending(0))).kind, 'too-old')
      deepStrictEqual(await names(store), ['day 5', 'day 3', 'day 1'])
      strictEqual((await store.add(ending(1))).kind, 'duplicate')
      strictEqual((await store.add(ending(2))).kind, 'added')
      deepStrictEqual(await names(store), ['day 5', 'day 3', 'day 2'])
      strictEqual((await store.add(ending(1))).kind, 'too-old')
      // Others have room of their own.
      strictEqual((await store.add({ ...ending(0), domain: 'example.net' })).kind, 'added')
      strictEqual((await store.add(received({ ...tls, endSeconds: END }))).kind, 'added')
      for (const days of [6, 7, 8, 9]) strictEqual((await store.add(ending(days))).kind, 'added')
      deepStrictEqual(await names(store), ['day 9', 'day 8', 'day 7'])
    },
    3,
  ],
  [
    'keeps large reports, or most of them, and lists them all',
    async (store) => {
      const rows = [2_000, 2_500, 3_000, 1_500]
      for (const [seed, count] of rows.entries()) {
        const large = ending(seed, `large ${seed}`)
        strictEqual((await store.add({ ...large, report: { ...dmarc, ...large.report, rows: manyRows(count, seed) } as DmarcReport })).kind, 'added')
      }
      await store.add(ending(-1))
      const listed = await list(store, { limit: 10 })
      deepStrictEqual(listed.map(({ report }) => report.reportId), ['large 3', 'large 2', 'large 1', 'large 0', 'day -1'])
      for (const [seed, count] of rows.entries()) {
        const { report } = listed[3 - seed] as StoredReport
        ok(report.kind === 'dmarc' && report.rows.length > 0)
        strictEqual(report.rows.length + report.omittedRows, count)
        strictEqual(report.rows.reduce((sum, each) => sum + each.count, report.omittedMessages), (count * (count + 1)) / 2)
        deepStrictEqual(report.rows, manyRows(count, seed).slice(0, report.rows.length))
      }
    },
  ],
  [
    'forgets all of a large report',
    async (store) => {
      await store.add(received({ ...dmarc, rows: manyRows(1_500, 1) }))
      strictEqual((await store.add(ending(1))).kind, 'added')
      strictEqual((await store.add(ending(2))).kind, 'added')
      deepStrictEqual(await names(store), ['day 2'])
    },
    1,
  ],
  [
    'refuses a list that can not be',
    async (store) => {
      for (const over of [{ limit: 0 }, { limit: -1 }, { limit: 1.5 }, { limit: MAX_LISTED_REPORTS + 1 }, { after: '' }, { after: 'x'.repeat(34) }]) {
        await rejects(store.list({ kind: 'dmarc', domain: 'example.org', limit: 1, ...over }), RangeError)
      }
    },
  ],
]

/** All cases. @param make an empty store, a new one each time, that keeps at most so many reports of a kind for a domain */
export function reportStoreCases(make: (maxKept: number | undefined) => Promise<ReportStoreUnderTest>): readonly ConformanceCase[] {
  return cases.map(([name, run, maxKept]) => ({
    name,
    async run() {
      const made = await make(maxKept)
      try {
        await run(made.store)
      } finally {
        await made.close()
      }
    },
  }))
}

/** What a mail store does with the reports it keeps. */
export const reportCases: readonly StoreCase[] = [
  [
    'keeps reports when it is opened again',
    async (store, reopen) => {
      const added = await store.reports.add(received(dmarc))
      await store.reports.add(received(tls))
      if (reopen === undefined) return
      const { reports } = await reopen()
      ok(added.kind === 'added')
      deepStrictEqual(await list(reports), [{ ...received(dmarc), id: added.id }])
      strictEqual((await list(reports, { kind: 'tls' })).length, 1)
      strictEqual((await reports.add(received(dmarc))).kind, 'duplicate')
    },
  ],
  [
    'keeps reports beside its accounts',
    async (store) => {
      await store.createAccount('ada')
      await store.reports.add(received(dmarc))
      await store.removeAccount('ada')
      deepStrictEqual(await names(store.reports), ['one'])
      deepStrictEqual(await store.accounts(), [])
    },
  ],
  [
    'neither takes nor tells reports once closed',
    async (store) => {
      const { reports } = store
      await store.close()
      await rejects(reports.add(received(dmarc)), { code: 'STORE_CLOSED' })
      await rejects(reports.list({ kind: 'dmarc', domain: 'example.org', limit: 1 }), { code: 'STORE_CLOSED' })
    },
  ],
]
