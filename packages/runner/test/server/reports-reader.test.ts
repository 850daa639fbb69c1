import { gatherNothing, readHeaderFacts, type MessageEvidence } from '@postern/core/analysis'
import { createDirectory, parseDirectoryConfig } from '@postern/core/directory'
import { silentLogger, type Logger } from '@postern/core/host'
import type { ReportStore } from '@postern/core/reports'
import type { SpooledMessage } from '@postern/core/store'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/index.ts'
import { EventHub } from '../../src/server/events.ts'
import { createReportReader } from '../../src/server/report-reader.ts'
import { createTestClock } from '../../src/testing/index.ts'
import { dmarcMail, END } from './report-mails.ts'

const directory = createDirectory(parseDirectoryConfig({ domains: { 'example.org': {} }, accounts: {} }))

interface Spooled {
  readonly message: SpooledMessage
  readonly evidence: MessageEvidence
  /** Octets read so far. */
  readonly read: () => number
}

async function spool(octets: Uint8Array): Promise<Spooled> {
  const sink = memoryStore().spool()
  await sink.write(octets)
  const spooled = await sink.end()
  let count = 0
  const message: SpooledMessage = {
    ...spooled,
    sizeOctets: spooled.sizeOctets,
    structure: spooled.structure,
    inMemory: () => spooled.inMemory(),
    release: () => spooled.release(),
    read: async (from, to) => {
      count += to - from
      return spooled.read(from, to)
    },
  }
  const header = octets.subarray(0, spooled.structure.root.bodyStart)
  const arrival = { reversePath: { kind: 'null' as const }, helo: 'mx.example', connection: {}, receivedAt: 0 }
  const nothing = await gatherNothing(message, header, readHeaderFacts(header), arrival, { hostname: 'mail.example.org' })
  return { message, evidence: { ...nothing, dmarc: { result: 'pass', policy: 'none' } }, read: () => count }
}

function createReader(reports: ReportStore = memoryStore().reports): { readonly reader: ReturnType<typeof createReportReader>; readonly logged: string[]; readonly reports: ReportStore } {
  const clock = createTestClock()
  clock.set(new Date((END + 3_600) * 1000))
  const logged: string[] = []
  const logger: Logger = { ...silentLogger, info: (_, text = '') => logged.push(text), error: (_, text = '') => logged.push(text) }
  return { reader: createReportReader({ store: { reports }, directory: () => directory, clock, logger, events: new EventHub() }), logged, reports }
}

describe('the reader of reports', () => {
  it('reads a message once, however often it is asked', async () => {
    const { message, evidence, read } = await spool(await dmarcMail())
    const { reader, reports } = createReader()
    expect(await Promise.all([1, 2, 3].map(() => reader.recognises('dmarc', message, evidence)))).toEqual([true, true, true])
    const once = read()
    expect(once).toBeGreaterThan(100)
    expect(await reader.recognises('tls', message, { ...evidence, signedByFrom: true })).toBe(false)
    await reader.store('dmarc', message, evidence)
    await reader.store('dmarc', message, evidence)
    expect(read()).toBe(once)
    expect(await reports.list({ kind: 'dmarc', domain: 'example.org', limit: 10 })).toHaveLength(1)
  })

  it('reads nothing that nobody vouches for', async () => {
    const { message, evidence, read } = await spool(await dmarcMail())
    const { reader, reports } = createReader()
    for (const result of ['none', 'fail', 'temperror', 'permerror'] as const) {
      expect(await reader.recognises('dmarc', message, { ...evidence, dmarc: { result, policy: 'none' } })).toBe(false)
    }
    expect(await reader.recognises('tls', message, evidence)).toBe(false)
    await reader.store('dmarc', message, { ...evidence, dmarc: { result: 'fail', policy: 'none' } })
    expect(read()).toBe(0)
    expect(await reports.list({ kind: 'dmarc', domain: 'example.org', limit: 10 })).toEqual([])
  })

  it('reads no message of more than 15 MiB', async () => {
    const { message, evidence, read } = await spool(await dmarcMail())
    const { reader, logged } = createReader()
    expect(await reader.recognises('dmarc', { ...message, sizeOctets: 15 * 1_048_576 + 1 }, evidence)).toBe(false)
    expect(read()).toBe(0)
    expect(logged).toEqual(['A message to an address for reports is too large for one'])
    expect(await reader.recognises('dmarc', { ...message, sizeOctets: 15 * 1_048_576 }, evidence)).toBe(true)
  })

  it('says why it does not believe one', async () => {
    const { message, evidence } = await spool(await dmarcMail({ about: ['example.com'] }))
    const { reader, logged } = createReader()
    expect(await reader.recognises('dmarc', message, evidence)).toBe(false)
    expect(logged).toEqual(['A report is not believed'])
  })

  it('goes on when one can not be read or stored', async () => {
    const { message, evidence } = await spool(await dmarcMail())
    const broken: ReportStore = { add: () => Promise.reject(new Error('disk')), list: () => Promise.resolve([]) }
    const { reader, logged } = createReader(broken)
    await expect(reader.recognises('dmarc', { ...message, read: () => Promise.reject(new Error('gone')) }, evidence)).rejects.toThrow('gone')
    expect(await reader.recognises('dmarc', message, evidence)).toBe(true)
    await reader.store('dmarc', message, evidence)
    expect(logged).toEqual(['A report could not be stored'])
  })
})
