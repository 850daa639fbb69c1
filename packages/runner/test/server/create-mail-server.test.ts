import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { duplexPair } from './duplex-pair.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, createLogger, createMailServer, MailServerError, memoryStore, StoreError, type ConfigInput, type MailServer, type MailServerOptions } from '../../src/index.ts'
import { LineClient } from '../durability/child-server.ts'
import { TextPeer } from './text-peer.ts'

const base: ConfigInput = {
  hostname: 'mail.example.org',
  checkSenders: false,
  listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } } },
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org'] }, bob: { addresses: ['bob@example.org'] } },
}
const quiet = { logger: createLogger({ level: 'silent' }) }

let dir = ''
const open: MailServer[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-server-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close({ drain: 0 })))
  await rm(dir, { recursive: true, force: true })
})

async function make(config: ConfigInput = base, options: MailServerOptions = {}): Promise<MailServer> {
  const server = await createMailServer(options.store === undefined ? { dataDir: join(dir, 'data'), ...config } : config, { ...quiet, ...options })
  open.push(server)
  return server
}

function portOf(server: MailServer, protocol: string): number {
  return server.endpoints.find((endpoint) => endpoint.protocol === protocol)?.port ?? 0
}

async function totals(server: MailServer, account: string): Promise<Readonly<Record<string, number>>> {
  const mailboxes = (await (await server.accounts.get(account))?.mailboxes()) ?? []
  return Object.fromEntries(mailboxes.map(({ name, total }) => [name, total]))
}

const hello = { raw: 'Subject: hello\r\n\r\nworld\r\n' }

describe('createMailServer', () => {
  it('rejects with every issue of a configuration', async () => {
    const made = createMailServer({ hostname: '', listeners: { a: { addresses: ['nowhere'] } } }, quiet)
    await expect(made).rejects.toBeInstanceOf(ConfigError)
    await expect(made).rejects.toMatchObject({ code: 'CONFIG_INVALID', issues: [{ path: ['hostname'] }, { path: ['listeners', 'a', 'addresses', 0] }] })
  })

  it('asks for a data directory unless a store is given', async () => {
    await expect(createMailServer(base, quiet)).rejects.toMatchObject({ issues: [{ path: ['dataDir'], code: 'missing' }] })
    const server = await make(base, { store: memoryStore() })
    expect(server.state).toBe('created')
  })

  it('refuses a store that another server has open, and frees it at close', async () => {
    const first = await make()
    await expect(make()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await expect(make()).rejects.toBeInstanceOf(StoreError)
    await first.close()
    expect(await totals(await make(), 'ada')).toMatchObject({ INBOX: 0 })
  })

  it('gives new accounts their first mailboxes, once', async () => {
    await (await make()).close()
    const server = await make()
    expect(await totals(server, 'ada')).toEqual({ INBOX: 0, Archive: 0, Drafts: 0, Junk: 0, Sent: 0, Trash: 0 })
    expect(await server.accounts.list()).toEqual(['ada', 'bob'])
  })

  it('names the certificate and the key that cannot be read, and binds nothing', async () => {
    const server = await make({ ...base, listeners: { a: { addresses: ['127.0.0.1'], tls: { certificate: join(dir, 'none'), key: join(dir, 'none') }, imaps: { port: 0 } } } })
    await expect(server.listen()).rejects.toMatchObject({ issues: [{ path: ['listeners', 'a', 'tls', 'certificate'] }, { path: ['listeners', 'a', 'tls', 'key'] }] })
    expect(server.endpoints).toEqual([])
  })

  it('binds everything or nothing', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const server = await make({ ...base, listeners: { a: { addresses: ['127.0.0.1'], smtp: { port: 0 } }, b: { addresses: ['127.0.0.1'], imap: { port } } } })
    await expect(server.listen()).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    expect(server.endpoints).toEqual([])
    await new Promise((resolve) => taken.close(resolve))
    // What stood in the way is gone: the same server can try again.
    expect(await server.listen()).toHaveLength(2)
  })
})

describe('a listening server', () => {
  it('takes mail over SMTP, tells of it, and shows it over IMAP', async () => {
    const server = await make()
    await server.listen()
    const told: string[] = []
    for (const event of ['connection', 'received', 'login', 'connection-end'] as const) server.on(event, () => told.push(event))
    const smtp = await LineClient.connect(portOf(server, 'smtp'))
    expect(await smtp.reply()).toMatch(/^220 mail\.example\.org ESMTP/)
    smtp.send('EHLO client.example.com\r\nMAIL FROM:<x@example.com>\r\nRCPT TO:<ada@example.org>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<x@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n')
    const replies: (string | undefined)[] = []
    for (let i = 0; i < 7; i += 1) replies.push((await smtp.reply())?.slice(0, 9))
    expect(replies.slice(1, 6)).toEqual(['250 2.1.0', '250 2.1.5', '550 5.1.1', '550 5.7.1', '250 2.1.5'])
    expect(replies[6]).toMatch(/^354 /)
    smtp.send('Subject: hello\r\n\r\nworld\r\n.\r\nQUIT\r\n')
    expect(await smtp.reply()).toMatch(/^250 2\.0\.0 /)
    expect(await smtp.reply()).toMatch(/^221 /)
    expect(await totals(server, 'ada')).toMatchObject({ INBOX: 1 })
    expect(await totals(server, 'bob')).toMatchObject({ INBOX: 1 })

    await (await server.accounts.get('ada'))?.setPassword('correct horse battery')
    const imap = await LineClient.connect(portOf(server, 'imap'))
    await imap.line()
    imap.send('a LOGIN ada@example.org "wrong"\r\n')
    expect((await imap.tagged('a'))?.at(-1)).toMatch(/^a NO \[AUTHENTICATIONFAILED\]/)
    imap.send('b LOGIN ada@example.org "correct horse battery"\r\nc SELECT INBOX\r\nd FETCH 1 BODY.PEEK[TEXT]\r\ne LOGOUT\r\n')
    expect((await imap.tagged('b'))?.at(-1)).toMatch(/^b OK/)
    await imap.tagged('c')
    expect(await imap.tagged('d')).toContain('world')
    await imap.tagged('e')
    const ended = server.once('connection-end', { where: ({ protocol }) => protocol === 'imap' })
    imap.destroy()
    expect((await ended).octetsIn).toBeGreaterThan(0)
    expect(told.filter((event) => event === 'received')).toHaveLength(2)
    expect(told.filter((event) => event === 'login')).toHaveLength(2)
  })

  it('says goodbye at close', async () => {
    const server = await make()
    await server.listen()
    const smtp = await LineClient.connect(portOf(server, 'smtp'))
    await smtp.reply()
    const imap = await LineClient.connect(portOf(server, 'imap'))
    await imap.line()
    const report = await server.close()
    expect(await smtp.reply()).toMatch(/^421 4\.3\.2 /)
    expect(await imap.line()).toMatch(/^\* BYE /)
    expect(report.forced).toBe(0)
    expect(server.state).toBe('closed')
    await expect(server.listen()).rejects.toBeInstanceOf(MailServerError)
    await expect(server.receive(hello, { from: null, to: ['ada@example.org'] })).rejects.toMatchObject({ code: 'NOT_OPEN' })
    expect(await server.close()).toBe(report)
    smtp.destroy()
    imap.destroy()
  })

  it('leaves no handle behind: the process ends by itself', { timeout: 60_000 }, async () => {
    const child = new URL('close-child.ts', import.meta.url).pathname
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=postern-source', '--import', 'tsx', child, join(dir, 'closed')], { timeout: 30_000 })
    expect(stdout.trim()).toBe('left:')
  })

  it('breaks off, after the drain, a message that does not end', async () => {
    const server = await make()
    await server.listen()
    const smtp = await LineClient.connect(portOf(server, 'smtp'))
    await smtp.reply()
    smtp.send('EHLO c.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n')
    for (let i = 0; i < 4; i += 1) await smtp.reply()
    smtp.send('Subject: never')
    expect(await server.close({ drain: 50 })).toMatchObject({ forced: 1 })
    const again = await make()
    expect(await totals(again, 'ada')).toMatchObject({ INBOX: 0 })
  })

  it('is closed by its signal and by await using', async () => {
    const controller = new AbortController()
    const server = await make(base, { signal: controller.signal, store: memoryStore() })
    controller.abort()
    await server.close()
    expect(server.state).toBe('closed')
    let inner: MailServer
    {
      await using used = await make(base, { store: memoryStore() })
      inner = used
    }
    expect(inner.state).toBe('closed')
  })
})

describe('without a network', () => {
  it('serves SMTP and IMAP on given streams', async () => {
    const server = await make(base, { store: memoryStore() })
    await (await server.accounts.get('ada'))?.setPassword('correct horse battery')
    const [near, far] = duplexPair()
    const served = server.handleSmtp(far, { remoteAddress: '192.0.2.1' })
    const smtp = new TextPeer(near)
    near.write('EHLO a.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n')
    await smtp.until(/^354 /m)
    near.write('Subject: by hand\r\n\r\n\r\n.\r\nQUIT\r\n')
    await smtp.until(/^221 /m)
    near.end()
    await served

    const [client, end] = duplexPair()
    const reading = server.handleImap(end)
    const imap = new TextPeer(client)
    client.write('a LOGIN ada@example.org "correct horse battery"\r\nb EXAMINE INBOX\r\nc FETCH 1 (ENVELOPE BODY.PEEK[HEADER.FIELDS (Received)])\r\nd LOGOUT\r\n')
    const text = await imap.until(/^d OK/m)
    expect(text).toContain('"by hand"')
    expect(text).toContain('from a.example.com ([192.0.2.1])')
    client.end()
    await reading
  })

  it('receives as SMTP would, answering alike', async () => {
    const server = await make(base, { store: memoryStore() })
    const envelope = { from: 'x@example.com', to: ['ada@example.org'] }
    expect(await server.receive(hello, envelope)).toMatchObject({ code: 250, enhanced: '2.0.0' })
    expect(await server.receive(hello, { ...envelope, to: ['nobody@example.org'] })).toMatchObject({ code: 550, enhanced: '5.1.1' })
    expect(await server.receive(hello, { ...envelope, to: ['ada@example.net'] })).toMatchObject({ code: 550, enhanced: '5.7.1' })
    await expect(server.receive(hello, { from: null, to: ['not an address'] })).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    await expect(server.receive(hello, { from: null, to: [] })).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    await expect(server.receive({ from: 'no address', to: 'b@example.com' }, envelope)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    await expect(server.receive({ from: 'a@example.com', to: 'b@example.com', subject: 'x\r\nBcc: y' }, envelope)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('Subject: half')
      throw new Error('source failed')
    }
    await expect(server.receive({ raw: broken() }, envelope)).rejects.toThrow('source failed')
    expect(await totals(server, 'ada')).toMatchObject({ INBOX: 1 })
  })
})

describe('accounts', () => {
  it('are added and removed while the server runs', async () => {
    const server = await make(base, { store: memoryStore() })
    const eve = await server.accounts.add('eve', 'eve@new.example', { password: 'a password of hers' })
    expect(await server.receive(hello, { from: null, to: ['EVE@new.example'] })).toMatchObject({ code: 250 })
    expect(await eve.append('Sent', hello, { flags: ['\\Seen', 'work'], date: new Date('2020-01-01T00:00:00Z') })).toMatchObject({ uid: 1 })
    expect((await eve.mailboxes()).find(({ name }) => name === 'Sent')).toEqual({ name: 'Sent', total: 1, unseen: 0 })
    await expect(eve.append('Nowhere', hello)).rejects.toMatchObject({ code: 'NO_SUCH_MAILBOX' })
    await expect(eve.append('Sent', hello, { flags: ['\\Wrong'] })).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    await expect(server.accounts.add('eve', 'other@new.example')).rejects.toMatchObject({ code: 'ACCOUNT_EXISTS' })
    await expect(server.accounts.add('mallory', 'ada@example.org')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    await expect(server.accounts.add('mallory', 'nonsense')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    await expect(eve.setPassword('')).rejects.toMatchObject({ code: 'PASSWORD_INVALID' })
    expect(await server.accounts.remove('eve')).toBe(true)
    expect(await server.accounts.remove('eve')).toBe(false)
    expect(await server.receive(hello, { from: null, to: ['eve@new.example'] })).toMatchObject({ code: 550 })
  })
})

describe('events', () => {
  it('reach every listener though one throws, and can be iterated', async () => {
    const server = await make(base, { store: memoryStore() })
    const errors: unknown[] = []
    server.on('error', ({ error }) => errors.push(error))
    server.on('received', () => {
      throw new Error('a listener of the host')
    })
    const seen: string[] = []
    const stop = server.on('received', ({ account }) => seen.push(account))
    const controller = new AbortController()
    const iterated: number[] = []
    const iterating = (async () => {
      for await (const { uid } of server.events('received', { signal: controller.signal })) {
        iterated.push(uid)
        if (iterated.length === 2) return
      }
    })()
    const later = server.once('received', { where: ({ uid }) => uid === 2 })
    for (let i = 0; i < 2; i += 1) await server.receive(hello, { from: null, to: ['ada@example.org'] })
    expect((await later).uid).toBe(2)
    await iterating
    expect(iterated).toEqual([1, 2])
    stop()
    await server.receive(hello, { from: null, to: ['ada@example.org'] })
    expect(seen).toEqual(['ada', 'ada'])
    expect(errors).toHaveLength(3)
    const waiting = server.once('login')
    const refused = expect(waiting).rejects.toThrow('closed')
    await server.close()
    await refused
  })
})
