import { createMemoryReportStore } from '@postern/core/conformance'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeReport,
  digestReport,
  encodeReport,
  formatReportId,
  MAX_ENCODED_REPORT_OCTETS,
  parseReportId,
  REPORT_DIGEST_OCTETS,
  sizeOfReport,
  summarizeDmarc,
  summarizeTls,
  type DmarcReport,
  type ReceivedReport,
  type Report,
  type TlsReport,
} from '../../src/reports/index.ts'
import { feedback, readDmarc, readTls, record, tlsJson } from './report-files.ts'

const dmarc = await readDmarc(feedback())
const tls = await readTls(tlsJson())

function received(report: Report, over: Partial<ReceivedReport> = {}): ReceivedReport {
  return { report, domain: 'example.org', submitter: 'example.com', receivedMs: 1, ...over }
}

/** Text that deflate makes little of. */
function noise(seed: number, length: number): string {
  let state = seed + 1
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += state.toString(36)
  }
  return text.slice(0, length)
}

describe('ids of reports', () => {
  it('parse back, and ascend as ends of periods descend', () => {
    const digest = fc.uint8Array({ minLength: REPORT_DIGEST_OCTETS, maxLength: REPORT_DIGEST_OCTETS })
    const end = fc.nat({ max: 2 ** 40 - 1 })
    fc.assert(
      fc.property(digest, end, end, (octets, one, other) => {
        const [a, b] = [formatReportId(one, octets), formatReportId(other, octets)]
        expect(parseReportId(a)).toEqual({ endSeconds: one, digest: octets })
        expect(a < b).toBe(one > other)
      }),
    )
  })

  for (const id of ['', 'x', '0'.repeat(33), '0'.repeat(35), `${'0'.repeat(33)}G`, `${'0'.repeat(33)}\n`, 'A'.repeat(34)]) {
    it(`are not ${JSON.stringify(id)}`, () => expect(parseReportId(id)).toBeUndefined())
  }

  it('are the same for the same report only', () => {
    const others = [
      received(dmarc),
      received(tls),
      received(dmarc, { domain: 'example.net' }),
      received(dmarc, { submitter: 'example.net' }),
      received({ ...dmarc, organization: 'Other' }),
      received({ ...dmarc, reportId: 'r2' }),
      // Parts that could be taken for one another.
      received({ ...dmarc, organization: 'Reporter","r' }),
    ].map((each) => Buffer.from(digestReport(each)).toString('hex'))
    expect(new Set(others).size).toBe(7)
    expect(Buffer.from(digestReport(received({ ...dmarc, endSeconds: 5 }, { receivedMs: 9 }))).toString('hex')).toBe(others[0])
  })
})

describe('an encoded report', () => {
  for (const report of [dmarc, tls]) {
    it(`decodes to what it was: ${report.kind}`, async () => {
      const encoded = await encodeReport(received(report))
      expect(await decodeReport(encoded)).toEqual(received(report))
      expect(sizeOfReport(encoded)).toBe(JSON.stringify(received(report)).length)
    })
  }

  it('fits, with the later rows counted', async () => {
    const rows = Array.from({ length: 5_000 }, (_, at) => ({ ...dmarc.rows[0], count: 2, envelopeFrom: noise(at, 200) })) as unknown as DmarcReport['rows']
    const encoded = await encodeReport(received({ ...dmarc, rows, omittedRows: 1, omittedMessages: 10 }))
    expect(encoded.length).toBeLessThanOrEqual(MAX_ENCODED_REPORT_OCTETS)
    const { report } = await decodeReport(encoded)
    const { rows: kept, omittedRows, omittedMessages } = report as DmarcReport
    expect(kept.length).toBeGreaterThan(500)
    expect(kept).toEqual(rows.slice(0, kept.length))
    expect([omittedRows, omittedMessages]).toEqual([5_001 - kept.length, 10 + 2 * (5_000 - kept.length)])
  })

  it('fits, with the later failures and policies counted', async () => {
    const failures = Array.from({ length: 20 }, (_, at) => ({ type: 'unknown' as const, count: 1, information: noise(at, 900) }))
    const policies = Array.from({ length: 100 }, (_, at) => ({
      type: 'sts' as const,
      policyLines: Array.from({ length: 8 }, (__, line) => noise(100 * at + line, 1_000)),
      mxHosts: [],
      succeeded: 1,
      failed: 20,
      failures,
      omittedFailures: 0,
    }))
    const encoded = await encodeReport(received({ ...tls, policies }))
    expect(encoded.length).toBeLessThanOrEqual(MAX_ENCODED_REPORT_OCTETS)
    const report = (await decodeReport(encoded)).report as TlsReport
    expect(report.policies.length).toBeGreaterThan(10)
    expect(report.policies.length + report.omittedPolicies).toBe(100)
    for (const policy of report.policies) expect(policy.failures.length + policy.omittedFailures).toBe(20)
  })

  it('of one row, or of one policy, fits whatever is in it', async () => {
    const result = (at: number): object => ({ domain: noise(at, 255), selector: noise(at + 1, 255), result: 'pass', comment: noise(at + 2, 255) })
    const row = { ...dmarc.rows[0], dkimResults: Array.from({ length: 50 }, (_, at) => result(at)), spfResults: Array.from({ length: 10 }, (_, at) => result(at + 60)) } as unknown as DmarcReport['rows'][number]
    const one = { ...dmarc, rows: [row, row], errors: Array.from({ length: 10 }, (_, at) => noise(at, 1_000)) }
    expect((await encodeReport(received(one))).length).toBeLessThanOrEqual(MAX_ENCODED_REPORT_OCTETS)
    const [policy] = tls.policies
    const lines = Array.from({ length: 50 }, (_, at) => noise(at, 1_000))
    const many = { ...policy, policyLines: lines, mxHosts: lines.map((line) => line.slice(0, 255)), failures: Array.from({ length: 5_000 }, (_, at) => ({ type: 'unknown', count: 1, information: noise(at, 300) })) } as unknown as TlsReport['policies'][number]
    const encoded = await encodeReport(received({ ...tls, policies: [many] }))
    expect(encoded.length).toBeLessThanOrEqual(MAX_ENCODED_REPORT_OCTETS)
    expect((await decodeReport(encoded)).report).toMatchObject({ policies: [{ policyLines: lines }] })
  })

  it('is not taken when an octet of it changed', async () => {
    const encoded = await encodeReport(received(dmarc))
    for (let at = 0; at < encoded.length; at += 1) {
      const damaged = encoded.slice()
      damaged[at] = (damaged[at] as number) ^ 0x40
      await expect(decodeReport(damaged), `octet ${at}`).rejects.toMatchObject({ code: 'REPORT_CORRUPT' })
    }
  })
})

describe('a summary', () => {
  const counts = (over: object): Partial<DmarcReport['rows'][number]> => ({ dkim: 'fail', spf: 'fail', disposition: 'none', ...over })

  it('adds up DMARC reports by source, of the time asked for', async () => {
    const store = createMemoryReportStore()
    const row = dmarc.rows[0] as DmarcReport['rows'][number]
    const add = (reportId: string, endSeconds: number, rows: readonly Partial<typeof row>[], omittedMessages = 0): Promise<unknown> =>
      store.add(received({ ...dmarc, reportId, endSeconds, rows: rows.map((each) => ({ ...row, ...each })), omittedRows: omittedMessages === 0 ? 0 : 1, omittedMessages }))
    await add('a', 1_000, [counts({ sourceIp: '192.0.2.1', count: 5, dkim: 'pass', spf: 'pass' }), counts({ sourceIp: '192.0.2.2', count: 20, disposition: 'reject' })])
    await add('b', 2_000, [counts({ sourceIp: '192.0.2.1', count: 3, spf: 'pass' }), counts({ sourceIp: '192.0.2.1', count: 2, disposition: 'quarantine' })], 7)
    await add('c', 9_000, [counts({ sourceIp: '192.0.2.9', count: 100 })])
    expect(await summarizeDmarc(store, { domain: 'example.org', fromSeconds: 1_000, toSeconds: 9_000 })).toEqual({
      reports: 2,
      messages: 37,
      otherMessages: 7,
      sources: [
        { sourceIp: '192.0.2.2', messages: 20, passed: 0, dkimPassed: 0, spfPassed: 0, quarantined: 0, rejected: 20 },
        { sourceIp: '192.0.2.1', messages: 10, passed: 8, dkimPassed: 5, spfPassed: 8, quarantined: 2, rejected: 0 },
      ],
    })
    expect(await summarizeDmarc(store, { domain: 'example.net' })).toEqual({ reports: 0, messages: 0, otherMessages: 0, sources: [] })
  })

  it('reads more reports than one list has', async () => {
    const store = createMemoryReportStore()
    for (let at = 0; at < 230; at += 1) await store.add(received({ ...dmarc, reportId: `r${at}` }))
    expect(await summarizeDmarc(store, { domain: 'example.org' })).toMatchObject({ reports: 230, messages: 230 })
  })

  it('tells 10,000 sources apart and counts the others', async () => {
    const store = createMemoryReportStore()
    for (const half of [0, 1, 2]) {
      const records = Array.from({ length: 4_000 }, (_, at) => record(`10.${half}.${at >> 8}.${at & 255}`, 2))
      await store.add(received({ ...(await readDmarc(feedback(records.join('')))), reportId: `${half}` }))
    }
    const { sources, messages, otherMessages } = await summarizeDmarc(store, { domain: 'example.org' })
    expect([sources.length, messages, otherMessages]).toEqual([10_000, 24_000, 4_000])
  })

  it('adds up TLS reports by failure, without what they say of others', async () => {
    const store = createMemoryReportStore()
    const policy = { ...(tls.policies[0] as TlsReport['policies'][number]), succeeded: 10, failed: 3 }
    const expired = { type: 'certificate-expired' as const, receivingHost: 'mx.example.org' }
    await store.add(received({ ...tls, reportId: 'a', policies: [{ ...policy, failures: [{ ...expired, count: 2 }, { type: 'unknown', count: 1 }] }] }))
    await store.add(received({ ...tls, reportId: 'b', policies: [{ ...policy, failed: 9, failures: [{ ...expired, count: 9 }] }, { ...policy, domain: 'example.net', failures: [{ ...expired, count: 500 }] }] }))
    expect(await summarizeTls(store, { domain: 'example.org' })).toEqual({
      reports: 2,
      succeeded: 20,
      failed: 12,
      failures: [{ ...expired, sessions: 11 }, { type: 'unknown', sessions: 1 }],
    })
  })
})
