/**
 * Holds syncs up, and fails them, under a shim loaded before libc: nothing is acknowledged before its sync has returned.
 * Weakening the store's options makes these tests fail: then there is no sync to wait for.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LineClient, startChild, type ChildServer } from './child-server.ts'

const hasCompiler = spawnSync('cc', ['--version']).status === 0 && process.platform === 'linux'

describe.skipIf(!hasCompiler)(`syncing${hasCompiler ? '' : ' (skipped: needs a C compiler on Linux for the shim)'}`, () => {
  let dir = ''
  let control = ''
  let log = ''
  let server: ChildServer

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'postern-sync-'))
    control = join(dir, 'control')
    log = join(dir, 'log')
    await writeFile(control, 'pass')
    await writeFile(log, '')
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', join(dir, 'shim.so'), new URL('sync-shim.c', import.meta.url).pathname, '-ldl'])
  })
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  async function withServer(name: string, run: () => Promise<void>): Promise<void> {
    await writeFile(control, 'pass')
    server = await startChild(join(dir, name), { LD_PRELOAD: join(dir, 'shim.so'), SHIM_CONTROL: control, SHIM_LOG: log })
    try {
      await run()
    } finally {
      await server.kill('SIGKILL')
    }
  }

  const syncs = async (): Promise<number> => (await readFile(log, 'utf8')).length

  async function smtp(): Promise<LineClient> {
    const client = await LineClient.connect(server.smtpPort)
    await client.reply()
    client.send('EHLO client.example.com\r\nMAIL FROM:<sender@example.com>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n')
    for (let i = 0; i < 4; i += 1) await client.reply()
    return client
  }

  async function imap(): Promise<LineClient> {
    const client = await LineClient.connect(server.imapPort)
    await client.line()
    client.send('a LOGIN ada@example.org "correct horse battery"\r\n')
    expect((await client.tagged('a'))?.at(-1)).toMatch(/^a OK/)
    return client
  }

  it('writes no 250 before the sync of its message has returned', { timeout: 60_000 }, async () => {
    await withServer('delay-smtp', async () => {
      const client = await smtp()
      await writeFile(control, 'delay 400')
      const before = await syncs()
      client.send('Subject: slow\r\n\r\nslow disk\r\n.\r\n')
      expect(await client.reply()).toMatch(/^250 /)
      expect(await syncs()).toBeGreaterThan(before)
    })
  })

  it('writes no 250 before a large message, which lies in a file of its own, is synced', { timeout: 60_000 }, async () => {
    await withServer('delay-large', async () => {
      const client = await smtp()
      await writeFile(control, 'delay 150')
      const before = await syncs()
      client.send(`Subject: large\r\n\r\n${`${'z'.repeat(998)}\r\n`.repeat(400)}.\r\n`)
      expect(await client.reply()).toMatch(/^250 /)
      // The file and the directories it lies in, the record of the file, and the message.
      expect((await syncs()) - before).toBeGreaterThanOrEqual(5)
    })
  })

  it('writes no OK to APPEND before the sync has returned', { timeout: 60_000 }, async () => {
    await withServer('delay-imap', async () => {
      const client = await imap()
      await writeFile(control, 'delay 400')
      const before = await syncs()
      client.send('b APPEND INBOX {24+}\r\nSubject: x\r\n\r\nslow disk\r\n\r\n')
      expect((await client.tagged('b'))?.at(-1)).toMatch(/^b OK/)
      expect(await syncs()).toBeGreaterThan(before)
    })
  })

  it('after a failed sync refuses mail for good, goes on reading, and has kept all it acknowledged', { timeout: 60_000 }, async () => {
    await withServer('fail', async () => {
      const first = await smtp()
      first.send('Subject: kept\r\n\r\nkept\r\n.\r\n')
      expect(await first.reply()).toMatch(/^250 /)
      const failing = await smtp()
      const reader = await imap()
      await writeFile(control, 'fail')
      failing.send('Subject: lost\r\n\r\nlost\r\n.\r\n')
      expect(await failing.reply()).toMatch(/^4\d\d /)
      reader.send('b APPEND INBOX {21+}\r\nSubject: x\r\n\r\nlost\r\n\r\n')
      expect((await reader.tagged('b'))?.at(-1)).toMatch(/^b NO \[(UNAVAILABLE|SERVERBUG)\]/)
      // The disk works again, but what a failed sync has left behind is not known: no more writes until a restart.
      await writeFile(control, 'pass')
      const later = await LineClient.connect(server.smtpPort)
      await later.reply()
      later.send('EHLO client.example.com\r\nMAIL FROM:<sender@example.com>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n')
      const replies: (string | undefined)[] = []
      for (let i = 0; i < 4; i += 1) replies.push(await later.reply())
      expect(replies.some((reply) => /^4\d\d /.test(reply ?? ''))).toBe(true)
      reader.send('c SELECT INBOX\r\nd FETCH 1:* BODY.PEEK[]\r\n')
      await reader.tagged('c')
      const lines = await reader.tagged('d')
      expect(lines?.join('\n')).toContain('kept')
      expect(lines?.join('\n')).not.toContain('lost')
      expect(server.log()).toMatch(/restart/i)
    })
    const reopened = await startChild(join(dir, 'fail'))
    try {
      const client = await LineClient.connect(reopened.imapPort)
      await client.line()
      client.send('a LOGIN ada@example.org "correct horse battery"\r\nb EXAMINE INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\n')
      expect((await client.tagged('a'))?.at(-1)).toMatch(/^a OK/)
      await client.tagged('b')
      expect((await client.tagged('c'))?.join('\n')).toContain('kept')
    } finally {
      await reopened.kill('SIGKILL')
    }
  })
})
