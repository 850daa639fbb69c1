import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogger, createMailServer, memoryStore, type ConfigInput, type MailEvents, type MailServer, type MailServerOptions, type SmtpReply } from '../../src/index.ts'
import { createTestClock, createTestResolver } from '../../src/testing/index.ts'
import { dmarcMail, END, REPORTER_IP, reporterZone, tlsMail } from './report-mails.ts'

const config: ConfigInput = {
  hostname: 'mail.example.org',
  checkSenders: true,
  listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 } } },
  domains: {
    'example.org': {
      dmarcReports: { localpart: 'dmarc', account: 'ada', mailbox: 'DMARC' },
      tlsReports: { localpart: 'tls', account: 'ada', mailbox: 'TLS' },
    },
    'bücher.example': {
      dmarcReports: { localpart: 'dmarc', account: 'ada', mailbox: 'DMARC' },
      tlsReports: { localpart: 'tls', account: 'ada', mailbox: 'DMARC' },
    },
  },
  accounts: { ada: { addresses: ['ada@example.org'] } },
}

let dir = ''
const open: MailServer[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-reports-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close({ drain: 0 })))
  await rm(dir, { recursive: true, force: true })
})

/** A server a day after the reports' period, in memory unless told otherwise, and what it told of reports. */
async function start(options: MailServerOptions = { store: memoryStore() }): Promise<{ readonly server: MailServer; readonly told: readonly MailEvents['report'][] }> {
  const clock = createTestClock()
  clock.set(new Date((END + 86_400) * 1000))
  const onDisk = options.store === undefined ? { dataDir: join(dir, 'data') } : {}
  const server = await createMailServer({ ...config, ...onDisk }, { clock, resolver: createTestResolver(reporterZone), logger: createLogger({ level: 'silent' }), ...options })
  open.push(server)
  const told: MailEvents['report'][] = []
  server.on('report', (report) => told.push(report))
  return { server, told }
}

function send(server: MailServer, raw: Uint8Array, to: string | readonly string[], from = 'reporter.example'): Promise<SmtpReply> {
  return server.receive({ raw }, { from: `reports@${from}`, to: [to].flat(), remoteIp: REPORTER_IP })
}

async function mailbox(server: MailServer, name: string): Promise<{ readonly total: number; readonly unseen: number } | undefined> {
  const found = (await (await server.accounts.get('ada'))?.mailboxes())?.find((each) => each.name === name)
  return found === undefined ? undefined : { total: found.total, unseen: found.unseen }
}

const signed = ['reporter.example', 'any'] as const

describe('a report to its address', () => {
  it('about DMARC is stored, told of, and filed as seen', async () => {
    const { server, told } = await start()
    expect(await send(server, await dmarcMail(), 'dmarc@example.org')).toMatchObject({ code: 250 })
    expect(told).toEqual([{ kind: 'dmarc', domain: 'example.org', reporter: 'reporter.example' }])
    expect(await mailbox(server, 'DMARC')).toEqual({ total: 1, unseen: 0 })
    const listed = await server.reports.list({ kind: 'dmarc', domain: 'example.org' })
    expect(listed).toMatchObject([
      {
        domain: 'example.org',
        submitter: 'reporter.example',
        report: { organization: 'Reporter Inc.', reportId: 'r1', endSeconds: END, rows: [{ sourceIp: '198.51.100.1', count: 4, dkim: 'pass' }] },
      },
    ])
  })

  it('about TLS is stored, told of, and filed as seen', async () => {
    const { server, told } = await start()
    expect(await send(server, await tlsMail({ signed }), 'tls@example.org')).toMatchObject({ code: 250 })
    expect(told).toEqual([{ kind: 'tls', domain: 'example.org', reporter: 'reporter.example' }])
    expect(await mailbox(server, 'TLS')).toEqual({ total: 1, unseen: 0 })
    expect(await server.reports.list({ kind: 'tls', domain: 'example.org' })).toMatchObject([{ submitter: 'reporter.example', report: { reportId: 't1' } }])
  })

  const spoiled = async (): Promise<Uint8Array> => {
    const mail = Buffer.from(await tlsMail({ signed }))
    return new Uint8Array(Buffer.concat([mail.subarray(0, -8), Buffer.from('AAAA\r\n')]))
  }
  const ordinary: readonly (readonly [what: string, mail: () => Promise<Uint8Array>, to: string, from?: string])[] = [
    ['about a domain that is not ours', () => dmarcMail({ about: ['example.com'] }), 'dmarc'],
    ['about a domain below ours', () => dmarcMail({ about: ['a.example.org'] }), 'dmarc'],
    ['of a period to come', () => dmarcMail({ endSeconds: END + 86_400 + 3_600 }), 'dmarc'],
    ['about DMARC from a sender whose DMARC does not pass', () => dmarcMail({ from: 'plain.example' }), 'dmarc', 'plain.example'],
    ['about DMARC in a signed mail without DMARC', () => dmarcMail({ from: 'plain.example', signed: ['plain.example', 'any'] }), 'dmarc', 'plain.example'],
    ['about TLS at the address for DMARC', () => tlsMail({ signed }), 'dmarc'],
    ['about DMARC at the address for TLS', () => dmarcMail({ signed }), 'tls'],
    ['about TLS that nobody signed', () => tlsMail(), 'tls'],
    ['about TLS signed by a domain above', () => tlsMail({ from: 'mail.reporter.example', signed }), 'tls', 'mail.reporter.example'],
    ['about TLS signed by another', () => tlsMail({ from: 'plain.example', signed }), 'tls', 'plain.example'],
    ['about TLS signed by a key for other mail', () => tlsMail({ signed: ['reporter.example', 'mail'] }), 'tls'],
    ['about TLS that was changed', spoiled, 'tls'],
    ['about TLS of domains that are not ours', () => tlsMail({ about: ['example.com', 'example.net'], signed }), 'tls'],
  ]
  for (const [what, make, to, from] of ordinary) {
    it(`${what} is ordinary mail`, async () => {
      const { server, told } = await start()
      expect(await send(server, await make(), `${to}@example.org`, from)).toMatchObject({ code: 250 })
      expect(await mailbox(server, to === 'tls' ? 'TLS' : 'DMARC')).toEqual({ total: 1, unseen: 1 })
      expect(told).toEqual([])
      for (const kind of ['dmarc', 'tls'] as const) {
        for (const domain of ['example.org', 'example.com']) expect(await server.reports.list({ kind, domain })).toEqual([])
      }
    })
  }

  it('about TLS may be signed by a key for nothing else, whatever its envelope says', async () => {
    const { server, told } = await start()
    await send(server, await tlsMail({ signed: ['reporter.example', 'tls'] }), 'tls@example.org', 'plain.example')
    expect(told).toHaveLength(1)
  })

  it('from a forger is neither stored nor taken', async () => {
    const { server, told } = await start()
    const mail = await dmarcMail()
    expect(await send(server, mail, 'dmarc@example.org', 'plain.example')).toMatchObject({ code: 550 })
    expect(told).toEqual([])
  })

  it('elsewhere is ordinary mail', async () => {
    const { server, told } = await start()
    await send(server, await dmarcMail(), 'ada@example.org')
    expect(await mailbox(server, 'INBOX')).toEqual({ total: 1, unseen: 1 })
    expect(told).toEqual([])
  })

  it('for several recipients is stored once', async () => {
    const { server, told } = await start()
    expect(await send(server, await dmarcMail(), ['dmarc@example.org', 'dmarc@bücher.example', 'ada@example.org'])).toMatchObject({ code: 250 })
    expect(told).toEqual([{ kind: 'dmarc', domain: 'example.org', reporter: 'reporter.example' }])
    expect(await server.reports.list({ kind: 'dmarc', domain: 'example.org' })).toHaveLength(1)
  })

  it('is stored whichever address of a mailbox is there for it', async () => {
    const { server, told } = await start()
    await send(server, await dmarcMail(), ['tls@bücher.example', 'dmarc@example.org'])
    expect(told).toHaveLength(1)
    expect(await mailbox(server, 'DMARC')).toEqual({ total: 1, unseen: 0 })
  })

  it('that came before is filed, and told of once', async () => {
    const { server, told } = await start()
    for (const raw of [await dmarcMail(), await dmarcMail()]) await send(server, raw, 'dmarc@example.org')
    expect(told).toHaveLength(1)
    expect(await mailbox(server, 'DMARC')).toEqual({ total: 2, unseen: 0 })
    expect(await server.reports.list({ kind: 'dmarc', domain: 'example.org' })).toHaveLength(1)
  })

  it('about two of our domains is stored for both', async () => {
    const { server, told } = await start()
    await send(server, await tlsMail({ about: ['xn--bcher-kva.example', 'example.com', 'example.org'], signed }), 'tls@example.org')
    expect(told.map(({ domain }) => domain)).toEqual(['xn--bcher-kva.example', 'example.org'])
    expect(await server.reports.list({ kind: 'tls', domain: 'bücher.example' })).toMatchObject([{ report: { reportId: 't1' } }])
  })

  it('is nothing to a server that looks into no sender', async () => {
    const server = await createMailServer({ ...config, checkSenders: false }, { store: memoryStore(), logger: createLogger({ level: 'silent' }) })
    open.push(server)
    await send(server, await dmarcMail(), 'dmarc@example.org')
    expect(await server.reports.list({ kind: 'dmarc', domain: 'example.org' })).toEqual([])
    expect(await mailbox(server, 'DMARC')).toEqual({ total: 1, unseen: 1 })
  })
})

describe('the reports of a server', () => {
  it('are there after a restart', async () => {
    const first = await start({})
    await send(first.server, await dmarcMail(), 'dmarc@example.org')
    await send(first.server, await tlsMail({ signed }), 'tls@example.org')
    await first.server.close()
    const { server, told } = await start({})
    expect(await server.reports.list({ kind: 'dmarc', domain: 'example.org' })).toMatchObject([{ report: { reportId: 'r1' } }])
    expect(await server.reports.list({ kind: 'tls', domain: 'example.org' })).toMatchObject([{ report: { reportId: 't1' } }])
    await send(server, await dmarcMail(), 'dmarc@example.org')
    expect(told).toEqual([])
  })

  it('are found by time, page by page, and added up', async () => {
    const { server } = await start()
    const day = (back: number): Date => new Date((END - back * 86_400) * 1000)
    for (const back of [0, 1, 2, 3]) await send(server, await dmarcMail({ id: `r${back}`, endSeconds: END - back * 86_400 }), 'dmarc@example.org')
    const about = { kind: 'dmarc', domain: 'Example.ORG' } as const
    const ids = async (over: object): Promise<readonly string[]> => (await server.reports.list({ ...about, ...over })).map(({ report }) => report.reportId)
    expect(await ids({})).toEqual(['r0', 'r1', 'r2', 'r3'])
    expect(await ids({ from: day(2), to: day(0) })).toEqual(['r1', 'r2'])
    expect(await ids({ from: new Date(day(2).getTime() + 1) })).toEqual(['r0', 'r1'])
    const [first] = await server.reports.list({ ...about, limit: 1 })
    expect(await ids({ after: first?.id ?? '', limit: 2 })).toEqual(['r1', 'r2'])
    expect(await server.reports.summarize({ ...about, from: day(2) })).toMatchObject({ reports: 3, messages: 12, sources: [{ sourceIp: '198.51.100.1', messages: 12, passed: 12 }] })
    expect(await server.reports.summarize({ kind: 'tls', domain: 'example.org' })).toEqual({ reports: 0, succeeded: 0, failed: 0, failures: [] })
  })

  it('are not asked for in ways that can not be', async () => {
    const { server } = await start()
    const ask = (over: object): Promise<unknown> => server.reports.list({ kind: 'dmarc', domain: 'example.org', ...over })
    await expect(ask({ limit: 0 })).rejects.toThrow(RangeError)
    await expect(ask({ after: 'nothing' })).rejects.toThrow(RangeError)
    await expect(ask({ from: new Date(Number.NaN) })).rejects.toThrow(RangeError)
    await expect(ask({ domain: 'no domain' })).rejects.toMatchObject({ code: 'ADDRESS_SYNTAX' })
    await expect(server.reports.summarize({ kind: 'tls', domain: '' })).rejects.toMatchObject({ code: 'ADDRESS_SYNTAX' })
  })
})
