import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reportStoreCases } from '@postern/core/conformance'
import { silentLogger } from '@postern/core/host'
import { formatReportId, type DmarcReport, type ReceivedReport } from '@postern/core/reports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { openCommitter } from '../../src/store/committer.ts'
import { parseReportKey, serverKeys } from '../../src/store/server-keys.ts'
import { createMemoryOrderedStore } from '../../src/store/memory-ordered-store.ts'
import { compareOctets, startsWith, type OrderedStore } from '../../src/store/ordered-store.ts'
import { ReportTable } from '../../src/store/report-table.ts'

const engines: readonly (readonly [name: string, open: () => Promise<{ readonly engine: OrderedStore; close(): Promise<void> }>])[] = [
  [
    'memory',
    async () => {
      const engine = createMemoryOrderedStore()
      return { engine, close: () => engine.close() }
    },
  ],
  [
    'LMDB',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'postern-reports-'))
      const engine = openCommitter({
        path: join(directory, 'store.mdb'),
        clock: systemClock,
        log: silentLogger,
        disk: { freeOctets: async () => Number.MAX_SAFE_INTEGER },
      })
      return {
        engine,
        async close() {
          await engine.close()
          await rm(directory, { recursive: true, force: true })
        },
      }
    },
  ],
]

for (const [name, open] of engines) {
  describe(`reports over ${name}`, () => {
    const cases = reportStoreCases(async (maxKept) => {
      const { engine, close } = await open()
      return { store: new ReportTable({ store: engine, assertOpen: () => {}, ...(maxKept === undefined ? {} : { maxKept }) }), close }
    })
    for (const each of cases) it(each.name, each.run)
  })
}

function report(reportId: string, endSeconds: number, rows = 1): ReceivedReport {
  const dmarc: DmarcReport = {
    kind: 'dmarc',
    organization: 'Reporter',
    contact: '',
    reportId,
    beginSeconds: 0,
    endSeconds,
    errors: [],
    policy: { domain: 'example.org', p: 'none' },
    rows: Array.from({ length: rows }, (_, at) => ({
      sourceIp: '192.0.2.1',
      count: 1,
      overrides: [],
      // Little of it can be deflated away.
      headerFrom: Buffer.from(`${reportId} ${Math.imul(at + 1, 2_654_435_761)} ${Math.imul(at + 7, 40_503)}`).toString('base64url'),
      dkimResults: [],
      spfResults: [],
    })),
    omittedRows: 0,
    omittedMessages: 0,
  }
  return { report: dmarc, domain: 'example.org', submitter: 'example.com', receivedMs: 0 }
}

/** Keys of everything that is kept of reports. */
async function keysOf(engine: OrderedStore): Promise<number> {
  return (await engine.range({ from: serverKeys.partition, to: Uint8Array.of(0x74), limit: 10_000 })).length
}

describe('records of reports', () => {
  it('have keys that parse back and lie in the order of ids', () => {
    const kind = fc.constantFrom('dmarc', 'tls')
    const id = fc.tuple(fc.nat({ max: 2 ** 40 - 1 }), fc.uint8Array({ minLength: 12, maxLength: 12 })).map(([end, digest]) => formatReportId(end, digest))
    const part = fc.nat({ max: 255 })
    fc.assert(
      fc.property(kind, fc.domain(), id, part, id, part, (of, domain, one, onePart, other, otherPart) => {
        const list = { kind: of as 'dmarc' | 'tls', domain }
        const [a, b] = [serverKeys.report(list, one, onePart), serverKeys.report(list, other, otherPart)]
        expect(parseReportKey(a)).toEqual({ id: one, part: onePart })
        expect(startsWith(a, serverKeys.partition)).toBe(true)
        const { from, to } = serverKeys.reports(list)
        expect(compareOctets(from, a) <= 0 && compareOctets(a, to) < 0).toBe(true)
        expect(Math.sign(compareOctets(a, b))).toBe(one === other ? Math.sign(onePart - otherPart) : one < other ? -1 : 1)
      }),
    )
  })

  it('keep nothing of a report that made room', async () => {
    const engine = createMemoryOrderedStore()
    const table = new ReportTable({ store: engine, assertOpen: () => {}, maxKept: 2 })
    await table.add(report('large', 1, 3_000))
    await table.add(report('small', 2))
    const both = await keysOf(engine)
    expect(both).toBeGreaterThan(6)
    await table.add(report('next', 3))
    // A record and an identity for each, and their number.
    expect(await keysOf(engine)).toBe(5)
  })

  it('stay within the number when two processes add at once', async () => {
    const engine = createMemoryOrderedStore()
    const [one, two] = [1, 2].map(() => new ReportTable({ store: engine, assertOpen: () => {}, maxKept: 3 })) as [ReportTable, ReportTable]
    await Promise.all(Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? one : two).add(report(`r${at}`, 100 + at))))
    const listed = await one.list({ kind: 'dmarc', domain: 'example.org', limit: 100 })
    expect(listed.map(({ report: { reportId } }) => reportId)).toEqual(['r9', 'r8', 'r7'])
    expect(await keysOf(engine)).toBe(7)
  })

  it('that are damaged are said to be', async () => {
    const engine = createMemoryOrderedStore()
    const table = new ReportTable({ store: engine, assertOpen: () => {} })
    const added = await table.add(report('one', 1))
    const key = serverKeys.report({ kind: 'dmarc', domain: 'example.org' }, added.kind === 'added' ? added.id : '', 0)
    const [value] = await engine.getMany([key])
    const damaged = (value as Uint8Array).slice()
    damaged[20] = (damaged[20] as number) ^ 1
    await engine.commit({ partition: serverKeys.partition, put: [{ key, value: damaged }] })
    await expect(table.list({ kind: 'dmarc', domain: 'example.org', limit: 1 })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
