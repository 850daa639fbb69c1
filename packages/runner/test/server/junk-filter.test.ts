/** The filter of content of a whole server: it learns from mailboxes, and strangers' messages are judged by it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogger, createMailServer, memoryStore, type Account, type ConfigInput, type MailServer, type MailServerOptions } from '../../src/index.ts'
import { addRows, readCountsFile, writeCountsFile, type WordRow } from '../../src/server/junk-counts-file.ts'
import { createTestResolver } from '../../src/testing/index.ts'
import { createMemoryCorpus } from '@postern/junk/corpus'
import { createJunkFilter } from '@postern/junk/filter'

const STRANGER = '192.0.2.7'
const dns = createTestResolver({
  'example.com': ['MX 10 mx.example.com', 'TXT v=spf1 ip4:192.0.2.0/24 -all'],
  'mx.example.com': [`A ${STRANGER}`],
  '7.2.0.192.in-addr.arpa': ['PTR mx.example.com'],
})
const config: ConfigInput = {
  hostname: 'mail.example.org',
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org'], subjectPassPeriod: 0 }, bob: { addresses: ['bob@example.org'], subjectPassPeriod: 0 } },
}

let dir = ''
const open: MailServer[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-junk-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close({ drain: 0 })))
  await rm(dir, { recursive: true, force: true })
})

async function make(given: ConfigInput = config, options: MailServerOptions = {}): Promise<MailServer> {
  const server = await createMailServer(options.store === undefined ? { dataDir: join(dir, 'data'), ...given } : given, { logger: createLogger({ level: 'silent' }), resolver: dns, ...options })
  open.push(server)
  return server
}

const HAM = ['meeting', 'minutes', 'budget', 'lunch', 'project', 'review', 'schedule', 'team', 'notes', 'draft', 'office', 'tuesday']
const SPAM = ['viagra', 'lottery', 'winner', 'casino', 'millions', 'refinance', 'pills', 'cheap', 'guarantee', 'unsubscribe', 'enlarge', 'bonus']

/** Words of one kind, different ones each time. */
function text(words: readonly string[], n: number): string {
  return Array.from({ length: 8 }, (_, at) => words[(n * 5 + at * (1 + (n % 3))) % words.length]).join(' ')
}

function letter(words: readonly string[], n: number, from = `someone${n}@elsewhere${n}.example`): string {
  return `From: ${from}\r\nTo: ada@example.org\r\nSubject: ${text(words, n + 7)}\r\nMessage-ID: <${n}.${words[0]}@example.com>\r\nDate: Tue, 3 Feb 2026 04:05:06 +0000\r\n\r\n${text(words, n)}\r\n`
}

async function account(server: MailServer, name = 'ada'): Promise<Account> {
  const found = await server.accounts.get(name)
  if (found === undefined) throw new Error('No account')
  return found
}

/** Files so many of each where they say what they are, and waits until all are learned. */
async function teach(server: MailServer, count: number, name = 'ada'): Promise<void> {
  const owner = await account(server, name)
  let learned = 0
  const all = new Promise<void>((resolve) => {
    server.on('trained', (told) => {
      if (told.account === name) learned += told.ham + told.spam
      if (learned === 2 * count) resolve()
    })
  })
  for (let n = 0; n < count; n += 1) {
    await owner.append('Archive', { raw: letter(HAM, n) })
    await owner.append('Junk', { raw: letter(SPAM, n) })
  }
  await all
}

async function receive(server: MailServer, raw: string, to = 'ada@example.org'): Promise<string> {
  const rejected: string[] = []
  const stop = server.on('rejected', ({ reason }) => void rejected.push(reason))
  const { code } = await server.receive({ raw }, { from: 'stranger@example.com', to: [to], remoteIp: STRANGER })
  stop()
  return [code, ...rejected].join(' ')
}

const spam = (n: number): string => letter(SPAM, n, 'stranger@example.com')
const ham = (n: number): string => letter(HAM, n, 'stranger@example.com')

describe('the filter of content', () => {
  it('refuses what looks like the junk of an account and takes what does not, once it has learned enough', { timeout: 60_000 }, async () => {
    const server = await make()
    expect(await receive(server, spam(900))).toBe('250')
    await teach(server, 60)
    expect(await receive(server, spam(901))).toMatch(/^451 junk-content/)
    expect(await receive(server, ham(902))).toBe('250')
    expect(await receive(server, spam(903).replaceAll('ada@', 'bob@'), 'bob@example.org'), 'what one account learned is not for others').toBe('250')

    // After a restart, and after all was learned anew, it says the same.
    await server.close()
    const again = await make()
    expect(await receive(again, spam(904))).toMatch(/^451 junk-content/)
    const progress: number[] = []
    expect(await (await account(again)).retrain({ onProgress: ({ messages }) => void progress.push(messages) })).toMatchObject({ ham: 60, spam: 60 })
    expect(progress.at(-1)).toBeGreaterThanOrEqual(120)
    expect(await receive(again, spam(905))).toMatch(/^451 junk-content/)
    expect(await receive(again, ham(906))).toBe('250')
  })

  it('judges large messages too', { timeout: 60_000 }, async () => {
    const server = await make()
    await teach(server, 55)
    const long = Array.from({ length: 40_000 }, (_, n) => SPAM[n % SPAM.length]).join(' ').replace(/(.{70}) /g, '$1\r\n')
    expect(long.length).toBeGreaterThan(262_144)
    expect(await receive(server, `${spam(900)}${long}\r\n`)).toMatch(/^451 junk-content/)
  })

  it('is off for accounts that want none', async () => {
    const off = await make({ ...config, accounts: { ada: { addresses: ['ada@example.org'], junkFilter: { enabled: false } } } }, { store: memoryStore() })
    const trained: unknown[] = []
    off.on('trained', (told) => void trained.push(told))
    for (let n = 0; n < 55; n += 1) {
      await (await account(off)).append('Junk', { raw: letter(SPAM, n) })
      await (await account(off)).append('Archive', { raw: letter(HAM, n) })
    }
    expect(await (await account(off)).retrain()).toMatchObject({ messages: 110 })
    expect(await receive(off, spam(900))).toBe('250')
    expect(trained).toEqual([])
  })

  it('says which scorings there are', async () => {
    const made = make({ ...config, accounts: { ada: { addresses: ['ada@example.org'], junkFilter: { scoring: 'nonsense' } } } })
    await expect(made).rejects.toMatchObject({ code: 'CONFIG_INVALID', issues: [{ path: ['accounts', 'ada', 'junkFilter', 'scoring'], text: expect.stringContaining('odds') }] })
    expect((await make({ ...config, accounts: { ada: { addresses: ['ada@example.org'], junkFilter: { scoring: 'reference' } } } })).state).toBe('created')
  })

  it('is replaced by the one a host gives', async () => {
    const asked: string[] = []
    const classifier: MailServerOptions['classifier'] = {
      classify: async (name) => {
        asked.push(name)
        return { probability: 1, significant: true }
      },
    }
    const server = await make(config, { store: memoryStore(), classifier })
    expect(await receive(server, ham(1))).toMatch(/^451 junk-content/)
    expect(asked).toEqual(['ada'])
  })

  it('begins with the counts of a file, for every account', { timeout: 60_000 }, async () => {
    const corpus = createMemoryCorpus()
    const filter = createJunkFilter({}, corpus)
    for (let n = 0; n < 60; n += 1) {
      await filter.train(Buffer.from(letter(HAM, n)), 'ham')
      await filter.train(Buffer.from(letter(SPAM, n)), 'spam')
    }
    const path = join(dir, 'baseline')
    await writeCountsFile(path, { ham: 60, spam: 60 }, addRows(corpus.rows()))
    const read = await readCountsFile(path)
    const byKey = (a: WordRow, b: WordRow): number => a.high - b.high || a.low - b.low
    expect([...read.rows()]).toEqual([...corpus.rows()].sort(byKey))
    const keys = Uint32Array.from([...corpus.rows()].flatMap(({ high, low }) => [high, low, low, high]))
    expect(await read.read(keys)).toEqual(await corpus.read(keys))

    const server = await make({ ...config, junkBaseline: path })
    expect(await receive(server, spam(900))).toMatch(/^451 junk-content/)
    expect(await receive(server, spam(901).replaceAll('ada@', 'bob@'), 'bob@example.org')).toMatch(/^451 junk-content/)
    expect(await receive(server, ham(902))).toBe('250')
    await expect(make({ ...config, dataDir: join(dir, 'other'), junkBaseline: join(dir, 'data', 'store') })).rejects.toThrow()
  })
})
