import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/host/random.ts'
import { ConnectionIds, openConnectionIds } from '../../src/server/connection-ids.ts'

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname
const NOW = Date.parse('2026-02-03T04:05:06Z')

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=postern-source', '--import', 'tsx', main, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-cid-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

describe('postern cid', { timeout: 60_000 }, () => {
  it('tells the connection of an id, also of one that begins with a hyphen', async () => {
    const ids = await openConnectionIds(dir, { random: systemRandom, nowMs: NOW })
    let id = ids.next()
    // One in 64 does.
    for (let n = 0; !id.startsWith('-') && n < 10_000; n += 1) id = ids.next()
    expect(id).toMatch(/^-/)
    const cid = ids.numberOf(id) as number
    for (const given of [id, `(${id})`]) {
      expect(await run(['cid', given, '--dir', dir])).toEqual({ code: 0, stdout: `${cid}\nin a run of the server that began by ${new Date(cid).toISOString()}\n`, stderr: '' })
    }
    const { stdout } = await run(['cid', '--dir', dir, '--json', id])
    expect(JSON.parse(stdout)).toEqual({ id, cid: String(cid), startedBy: new Date(cid).toISOString() })
  })

  it('says plainly what is none of ours', async () => {
    const stranger = new ConnectionIds(systemRandom(24), NOW).next()
    expect(await run(['cid', stranger, '--dir', dir])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`No server has run on ${dir}`) as string })
    await openConnectionIds(dir, { random: systemRandom, nowMs: NOW })
    for (const given of [stranger, 'x', '']) {
      expect(await run(['cid', given, '--dir', dir])).toEqual({ code: 1, stdout: '', stderr: `postern: ${JSON.stringify(given)} is no id of this server\n` })
    }
  })
})

describe('the program', { timeout: 60_000 }, () => {
  it('lists its commands, tells of each, and refuses others', async () => {
    const help = await run(['--help'])
    for (const name of ['localserve', 'junk', 'retrain', 'cid']) expect(help.stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect((await run(['help', 'junk'])).stdout).toMatch(/^ {2}analyze /m)
    expect((await run(['cid', '--help'])).stdout).toContain('--dir <directory>')
    expect(await run(['nosuch'])).toMatchObject({ code: 1, stderr: expect.stringContaining("unknown command 'nosuch'") as string })
  })

  it('loads no more than the command that is asked for', async () => {
    // Node writes which modules it opened.
    const { stderr } = await run(['cid', 'x', '--dir', dir], { NODE_DEBUG: 'esm' })
    expect(stderr).toContain('cli/cid.ts')
    for (const other of ['cli/localserve.ts', 'store/lmdb-store.ts', 'prom-client', 'node_modules/pino/']) expect(stderr, other).not.toContain(other)
  })
})

describe('postern localserve --json', { timeout: 60_000 }, () => {
  it('tells programs where it listens, and nothing else', async () => {
    const child = spawn(process.execPath, ['--conditions=postern-source', '--import', 'tsx', main, 'localserve', '--json', '--port-base', '0', '--dir', join(dir, 'served')], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      let output = ''
      const ended = once(child, 'close')
      for await (const text of child.stdout) {
        output += String(text)
        if (output.endsWith('\n')) child.kill('SIGTERM')
      }
      expect(await ended).toEqual([0, null])
      const told = JSON.parse(output) as { readonly account: string; readonly endpoints: readonly { readonly protocol: string; readonly port: number; readonly url: string }[] }
      expect(told.account).toBe('postern@localhost')
      expect(told.endpoints.map(({ protocol }) => protocol)).toEqual(['smtp', 'imap', 'imaps'])
      for (const { protocol, port, url } of told.endpoints) expect(url).toBe(`${protocol}://127.0.0.1:${port}`)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
