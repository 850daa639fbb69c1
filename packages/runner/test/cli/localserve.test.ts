import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LineClient } from '../durability/child-server.ts'

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname

let dir = ''
const children: ChildProcess[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-cli-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

function start(...args: readonly string[]): { readonly child: ChildProcess; readonly output: () => string; readonly until: (text: RegExp) => Promise<string>; readonly ended: Promise<number | null> } {
  const child = spawn(process.execPath, ['--conditions=postern-source', '--import', 'tsx', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let output = ''
  let look: () => void = () => {}
  const collect = (text: Buffer): void => {
    output += text.toString()
    look()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    output: () => output,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (pattern.test(output)) resolve(output)
        }
        look()
        void ended.then(() => reject(new Error(`Ended before it said ${pattern.source}: ${output}`)))
      }),
  }
}

describe('postern localserve', { timeout: 60_000 }, () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('serves, and stops clean on %s', async (signal) => {
    const server = start('localserve', '--dir', join(dir, 'served'), '--port-base', '0')
    const text = await server.until(/Ctrl-C stops/)
    expect(text).toContain('postern@localhost')
    expect(text).toContain('posternpostern')
    const ports = Object.fromEntries(Array.from(text.matchAll(/(smtp|imaps?):\/\/127\.0\.0\.1:(\d+)/g), ([, protocol, port]) => [protocol, Number(port)]))
    expect(Object.keys(ports).sort()).toEqual(['imap', 'imaps', 'smtp'])
    const client = await LineClient.connect(ports['imap'] ?? 0)
    await client.line()
    client.send('a LOGIN postern@localhost posternpostern\r\n')
    expect((await client.tagged('a'))?.at(-1)).toMatch(/^a OK/)
    server.child.kill(signal)
    expect(await client.line()).toMatch(/^\* BYE /)
    expect(await server.ended).toBe(0)
    expect(server.output()).toContain(`Stopped by ${signal}`)
  })

  it('keeps mail and certificate over a restart, and keeps its secrets to itself', async () => {
    const served = join(dir, 'served')
    const first = start('localserve', '--dir', served, '--port-base', '0')
    const port = Number(/smtp:\/\/127\.0\.0\.1:(\d+)/.exec(await first.until(/Ctrl-C stops/))?.[1])
    const client = await LineClient.connect(port)
    await client.reply()
    client.send('EHLO c.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<whoever@wherever.example>\r\nDATA\r\n')
    for (let i = 0; i < 4; i += 1) await client.reply()
    client.send('Subject: kept\r\n\r\n\r\n.\r\n')
    expect(await client.reply()).toMatch(/^250 /)
    client.destroy()
    const certificate = (await stat(join(served, 'localhost.crt'))).mtimeMs
    first.child.kill('SIGTERM')
    await first.ended

    const second = start('localserve', '--dir', served, '--port-base', '0')
    const imapPort = Number(/imap:\/\/127\.0\.0\.1:(\d+)/.exec(await second.until(/Ctrl-C stops/))?.[1])
    const reader = await LineClient.connect(imapPort)
    await reader.line()
    reader.send('a LOGIN postern@localhost posternpostern\r\nb SELECT INBOX\r\n')
    await reader.tagged('a')
    expect(await reader.tagged('b')).toContain('* 1 EXISTS')
    reader.destroy()
    expect((await stat(join(served, 'localhost.crt'))).mtimeMs).toBe(certificate)
    expect((await stat(served)).mode & 0o077).toBe(0)
    expect((await stat(join(served, 'localhost.key'))).mode & 0o077).toBe(0)
    expect(await readdir(served)).toEqual(expect.arrayContaining(['data', 'localhost.crt', 'localhost.key']))
  })

  it('refuses a directory that is served already', async () => {
    const served = join(dir, 'served')
    await start('localserve', '--dir', served, '--port-base', '0').until(/Ctrl-C stops/)
    const second = start('localserve', '--dir', served, '--port-base', '0')
    expect(await second.ended).toBe(1)
    expect(second.output()).toMatch(/^postern: The store in .* is open in process \d+/m)
  })

  it.each([
    [['localserve', '--port-base', 'x'], /Expected a number from 0 to 64000/],
    [['localserve', '--ip', 'localhost'], /Expected an IP address/],
    [['localserve', '--log-level', 'loud'], /Expected one of debug, info/],
    [['localserve', '--prot-base', '0'], /unknown option '--prot-base'[^]*Did you mean --port-base/],
    [['servelocal'], /unknown command 'servelocal'/],
  ])('refuses %j', async (args, text) => {
    const ran = start(...args)
    expect(await ran.ended).toBe(1)
    expect(ran.output()).toMatch(text)
  })
})
