/** Receiving over SMTP, durable: Postern beside Postfix and npm's smtp-server with a file fsynced for each message. */
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { numberOptions } from './options.ts'
import { startPeer } from './peers/child.ts'
import { hasPostfix, startPostfix } from './peers/postfix.ts'
import { hasSmtpSource, loadSmtp, type LoadResult } from './smtp-load.ts'

interface Contestant {
  readonly name: string
  readonly port: number
  readonly stop: () => void | Promise<void>
}

export async function benchReceive(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { messages: 10_000, connections: 20, octets: 5_120, rounds: 3 })
  if (!hasSmtpSource) throw new Error('Needs smtp-source, of the Debian package postfix')
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  const contestants = await startAll(dir)
  try {
    const results = new Map<string, LoadResult[]>(contestants.map(({ name }) => [name, []]))
    // The first round warms up and is not counted; contestants take turns so that a slow spell of the machine hits all.
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const { name, port } of contestants) {
        const messages = round === 0 ? Math.ceil(options.messages / 5) : options.messages
        const result = await loadSmtp(port, { ...options, messages, recipient: 'someone@example.org' })
        if (round > 0) results.get(name)?.push(result)
      }
    }
    report(results)
  } finally {
    for (const { stop } of contestants) await stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function startAll(dir: string): Promise<readonly Contestant[]> {
  const files = join(dir, 'files')
  mkdirSync(files)
  const postern = await startPeer('postern-child.ts', [join(dir, 'postern')])
  const endpoints = JSON.parse(postern.firstLine) as readonly { readonly protocol: string; readonly port: number }[]
  const smtpServer = await startPeer('smtp-server-child.ts', [files])
  const contestants: Contestant[] = [
    { name: 'postern', port: endpoints.find(({ protocol }) => protocol === 'smtp')?.port ?? 0, stop: () => postern.stop() },
    { name: 'smtp-server + fsynced file', port: Number(smtpServer.firstLine), stop: () => smtpServer.stop() },
  ]
  if (hasPostfix && process.getuid?.() === 0) {
    const port = 20_025
    contestants.push({ name: 'postfix', port, stop: startPostfix(join(dir), port) })
  } else console.log('postfix is not installed, or this is not root: left out')
  return contestants
}

function report(results: ReadonlyMap<string, readonly LoadResult[]>): void {
  const rate = (name: string): number => median((results.get(name) ?? []).map(({ messagesPerSecond }) => messagesPerSecond))
  const own = rate('postern')
  for (const [name, runs] of results) {
    const load = median(runs.map(({ clientLoad }) => clientLoad))
    const ratio = name === 'postern' ? '' : `, postern is ${(own / rate(name)).toFixed(2)} × of it`
    console.log(`${name}: ${rate(name).toFixed(0)} messages/s (client processor ${(100 * load).toFixed(0)} %)${ratio}`)
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
