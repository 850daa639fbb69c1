/** A disk without room: under its reserve mail is refused in good time; when it is really full nothing acknowledged is lost. Reading and deleting go on. */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger, createMailServer, type MailServer } from '../../src/index.ts'
import { LineClient } from './child-server.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-full-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

async function serve(dataDir: string, diskReserve: string | number): Promise<MailServer> {
  const server = await createMailServer(
    {
      hostname: 'mail.example.org',
      checkSenders: false,
      dataDir,
      diskReserve,
      listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } } },
      domains: { 'example.org': {} },
      accounts: { ada: { addresses: ['ada@example.org'] } },
    },
    { logger: createLogger({ level: 'silent' }) },
  )
  await server.listen()
  return server
}

function portOf(server: MailServer, protocol: string): number {
  return server.endpoints.find((endpoint) => endpoint.protocol === protocol)?.port ?? 0
}

async function sendOne(server: MailServer, body: string): Promise<string> {
  const client = await LineClient.connect(portOf(server, 'smtp'))
  await client.reply()
  client.send('EHLO client.example.com\r\nMAIL FROM:<sender@example.com>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n')
  let last = ''
  for (let i = 0; i < 4; i += 1) last = (await client.reply()) ?? ''
  if (last.startsWith('354')) {
    client.send(`Subject: filling\r\n\r\n${body}\r\n.\r\n`)
    last = (await client.reply()) ?? ''
  }
  client.destroy()
  return last
}

async function login(server: MailServer): Promise<LineClient> {
  const client = await LineClient.connect(portOf(server, 'imap'))
  await client.line()
  client.send('a LOGIN ada@example.org "correct horse battery"\r\n')
  expect((await client.tagged('a'))?.at(-1)).toMatch(/^a OK/)
  return client
}

describe('under the reserve', () => {
  it('refuses mail for now, and goes on reading and deleting', { timeout: 60_000 }, async () => {
    const first = await serve(join(dir, 'reserve'), 0)
    await (await first.accounts.get('ada'))?.setPassword('correct horse battery')
    expect(await sendOne(first, 'kept')).toMatch(/^250 /)
    await first.close()

    const server = await serve(join(dir, 'reserve'), '1000TiB')
    try {
      expect(await sendOne(server, 'refused')).toMatch(/^452 4\.3\.1 /)
      expect(await server.receive({ raw: 'Subject: x\r\n\r\n' }, { from: null, to: ['ada@example.org'] })).toMatchObject({ code: 452 })
      const reader = await login(server)
      reader.send('b APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n')
      expect((await reader.tagged('b'))?.at(-1)).toMatch(/^b NO \[UNAVAILABLE\]/)
      reader.send('c SELECT INBOX\r\nd FETCH 1 BODY.PEEK[TEXT]\r\ne STORE 1 +FLAGS (\\Deleted)\r\nf EXPUNGE\r\n')
      await reader.tagged('c')
      expect(await reader.tagged('d')).toContain('kept')
      expect((await reader.tagged('e'))?.at(-1)).toMatch(/^e OK/)
      expect(await reader.tagged('f')).toContain('* 1 EXPUNGE')
      reader.destroy()
    } finally {
      await server.close()
    }
  })
})

/** A file system of 24 MiB, which only root may mount. */
function mountSmall(at: string): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', at]).status === 0
}

describe('a disk that is full', async () => {
  const small = await mkdtemp(join(tmpdir(), 'postern-small-'))
  const isMounted = mountSmall(small)
  afterAll(async () => {
    if (isMounted) spawnSync('umount', ['-l', small])
    await rm(small, { recursive: true, force: true })
  })

  const name = 'ends in 452, loses nothing acknowledged, and takes mail again once there is room'
  it.skipIf(!isMounted)(isMounted ? name : `${name} (skipped: needs root on Linux to mount a small file system)`, { timeout: 120_000 }, async () => {
    const dataDir = join(small, 'data')
    await mkdir(dataDir)
    const server = await serve(dataDir, 0)
    await (await server.accounts.get('ada'))?.setPassword('correct horse battery')
    const body = `${'x'.repeat(990)}\r\n`.repeat(100)
    let acknowledged = 0
    let refusal = ''
    while (acknowledged < 1_000) {
      const reply = await sendOne(server, `${acknowledged}\r\n${body}`)
      if (!reply.startsWith('250')) {
        refusal = reply
        break
      }
      acknowledged += 1
    }
    expect(refusal).toMatch(/^452 4\.3\.1 /)
    expect(acknowledged).toBeGreaterThan(20)
    const reader = await login(server)
    reader.send('b SELECT INBOX\r\n')
    expect(await reader.tagged('b')).toContain(`* ${acknowledged} EXISTS`)
    reader.destroy()
    // There is room again: nothing stays latched.
    expect(spawnSync('mount', ['-o', 'remount,size=64m', small]).status).toBe(0)
    expect(await sendOne(server, 'after')).toMatch(/^250 /)
    acknowledged += 1
    await server.close()

    const again = await serve(dataDir, 0)
    try {
      const second = await login(again)
      second.send('b EXAMINE INBOX\r\nc UID SEARCH ALL\r\n')
      await second.tagged('b')
      expect((await second.tagged('c'))?.[0]?.split(' ').length).toBe(acknowledged + 2)
      second.destroy()
    } finally {
      await again.close()
    }
  })
})
